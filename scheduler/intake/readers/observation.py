"""One observation of a message as the texts of a row: value, status, times, code. Shared by HL7 and HPRIM, whose
segments OBR and OBX have the same fields in the same places."""

from __future__ import annotations

import re
from collections.abc import Mapping

from config.schema import LabFile
from scheduler.intake.readers.er7 import Segment
from scheduler.intake.readers.gathering import Gathering
from scheduler.intake.readers.reading import Setting
from scheduler.intake.shown import shorten

__all__ = ["Observation", "iso_time"]

OBX_TYPE, OBX_CODE, OBX_VALUE, OBX_UNIT, OBX_STATUS = 2, 3, 5, 6, 11
OBR_STATUS = 25

# OBX-11 (HL7 table 0085) and the status of the study's layout.
_STATUSES = {
    "F": "F",
    "U": "F",  # preliminary became final
    "A": "F",  # amended, appended and verified: final, and the value may not differ from the one before
    "B": "F",
    "V": "F",
    "C": "C",
    "P": "P",
    "R": "P",  # entered, not verified; the others have no result yet
    "S": "P",
    "I": "P",
    "O": "P",
    "N": "P",
    "X": "X",
    "D": "W",
    "W": "W",
}
_WITHOUT_RESULT = frozenset("PRSIOMNYZ")  # OBR-25 (table 0123) under which nothing can be final
_RETRACTED = frozenset("DW")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_COMPARATORS = frozenset({"", "<", ">", "<=", ">=", "="})
_TEXTUAL = frozenset({"ST", "TX", "FT"})
_CODED = frozenset({"CE", "CWE", "CNE", "IS", "ID"})
_LOINC = frozenset({"LN", "LOINC"})
_TIME = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:([0-9]{2})(\.[0-9]{1,4})?)?([+-][0-9]{4})?"
)
_COARSE_TIME = re.compile(r"[0-9]{4}([0-9]{2}){0,3}([+-][0-9]{4})?")


class Observation(Gathering):
    """The row of one OBX."""

    exact, coarse, coarse_code = _TIME, _COARSE_TIME, "R-30.coarse"

    def __init__(
        self, segment: Segment, names: Mapping[str, str], lab: LabFile | None, setting: Setting
    ) -> None:
        super().__init__(segment.line, names, lab, setting)
        self.segment = segment

    def iso(self, text: str) -> str:
        return iso_time(text)

    def put_code(self, suffixes: Mapping[str, str]) -> None:
        """The code of the test, which may stand in two places."""
        self.labels = tuple(self.segment.component(OBX_CODE, place) for place in (2, 5))
        codings = [
            (
                self.segment.component(OBX_CODE, place),
                self.segment.component(OBX_CODE, place + 2).strip().upper() in _LOINC,
            )
            for place in (1, 4)
        ]
        self.put_codings(codings, suffixes)

    def put_value(self) -> None:
        """The value by its type: numbers are numbers, structured ones are put together, other types are held."""
        kind, value = self.segment.component(OBX_TYPE).strip().upper(), self.segment.whole(OBX_VALUE).strip()
        if not value:
            return
        if kind == "SN":
            value = self._structured() or value
        elif kind in _CODED:
            value = self.segment.component(OBX_VALUE) or self.segment.component(OBX_VALUE, 2)
        elif kind not in _TEXTUAL and not (kind == "NM" and _NUMBER.fullmatch(value)):
            self.doubt("R-10.type", column=self.names["value"], text=shorten(value, 12), kind=kind[:4])
        self.cells["value"] = value

    def _structured(self) -> str:
        """A structured number as `<0.1`; empty when it is a range, a ratio or no number."""
        sign, number, between, second = (
            self.segment.component(OBX_VALUE, place).strip() for place in (1, 2, 3, 4)
        )
        if sign not in _COMPARATORS or between or second or not _NUMBER.fullmatch(number):
            return ""
        return sign.removeprefix("=") + number

    def put_unit(self) -> None:
        self.put("unit", self.names["unit"], self.segment.component(OBX_UNIT))

    def put_status(self, order: Segment | None) -> None:
        """OBX-11 decides; an order that says less than its observation holds it."""
        own = self.segment.component(OBX_STATUS).strip().upper()
        self.cells["status"] = _STATUSES.get(own, own)
        if own == "U" and not self.segment.whole(OBX_VALUE).strip():
            self.doubt("R-11.unsent", column=self.names["value"])
        of_order = order.component(OBR_STATUS).strip().upper() if order is not None else ""
        contradicted = (
            (of_order in _RETRACTED and own not in _RETRACTED)
            or (of_order == "X" and own not in ("X", *_RETRACTED))
            or (of_order in _WITHOUT_RESULT and _STATUSES.get(own) in ("F", "C"))
        )
        if contradicted:
            self.doubt("R-41.order", column=self.names["status"], text=own[:4], order=of_order[:4])


def iso_time(text: str) -> str:
    """An HL7 time to the minute or finer as ISO 8601; anything else as it stands.

    >>> iso_time("202601150831"), iso_time("20260115083100.5+0100"), iso_time("20260115")
    ('2026-01-15T08:31', '2026-01-15T08:31:00.5+0100', '20260115')
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return text
    year, month, day, hour, minute, second, fraction, offset = match.groups(default="")
    seconds = f":{second}{fraction}" if second else ""
    return f"{year}-{month}-{day}T{hour}:{minute}{seconds}{offset}"
