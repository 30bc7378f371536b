"""One observation of a message as the texts of a row: value, status, times, code. Shared by HL7 and HPRIM, whose
segments OBR and OBX have the same fields in the same places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from config.schema import LabFile
from scheduler.domain.reason import Param, Reason, because
from scheduler.intake.readers.columns import normalised
from scheduler.intake.readers.er7 import Segment
from scheduler.intake.readers.notes import sorted_notes
from scheduler.intake.readers.reading import Candidate, Setting
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
_LOINC_CODE = re.compile(r"[0-9]{1,7}-[0-9]")
_LOINC_HERE = frozenset(
    {"23905-3", "72667-9", "73680-1", "70211-8", "55806-4"}
)  # MPA itself, as far as is known
_TIME = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:([0-9]{2})(\.[0-9]{1,4})?)?([+-][0-9]{4})?"
)
_COARSE_TIME = re.compile(r"[0-9]{4}([0-9]{2}){0,3}([+-][0-9]{4})?")


class Observation:
    """Gathers the texts of one row. Two places that say the same thing must say it alike, else the row is held."""

    def __init__(
        self, segment: Segment, names: Mapping[str, str], lab: LabFile | None, setting: Setting
    ) -> None:
        self.segment = segment
        self.setting = setting
        self.names = names
        self.zone = ZoneInfo(lab.zone) if lab is not None else None
        self.lab = lab
        self.cells: dict[str, str] = {}
        self.labels: tuple[str, ...] = ()
        self.doubts: list[Reason] = []
        self.is_other = False
        self._sources: dict[str, str] = {}

    def put(self, column: str, field: str, text: str) -> None:
        """What a field says about a column; nothing when it is empty."""
        text = text.strip()
        if not text:
            return
        known = self.cells.get(column)
        if known is None:
            self.cells[column] = text
            self._sources[column] = field
        elif self._meaning(known) != self._meaning(text):
            self.differ(self._sources[column], known, field, text)

    def _meaning(self, text: str) -> str:
        word = normalised(text)
        return self.setting.words.get(word, ("", word))[1]

    def differ(self, field: str, text: str, other: str, second: str) -> None:
        first, last = shorten(text, 16), shorten(second, 16)
        self.doubt("R-09.differ", column=field, other=other, text=first, second=last)

    def doubt(self, code: str, **params: Param) -> None:
        self.doubts.append(because(code, row=self.segment.line, **params))

    def candidate(self) -> Candidate:
        return Candidate(self.segment.line, self.cells, self.labels, tuple(self.doubts), self.is_other)

    # --- the parts of an OBX

    def put_code(self, suffixes: Mapping[str, str]) -> None:
        """The code that this laboratory's list has, whichever of the two places it stands in."""
        codes: list[str] = []
        for first in (1, 4):
            code = self.segment.component(OBX_CODE, first).strip()
            if code:
                codes.append(self._without_suffix(code, suffixes))
        self.labels = tuple(self.segment.component(OBX_CODE, place) for place in (2, 5))
        own = _normalised(self.lab.analyte_codes) if self.lab is not None else frozenset()
        others = _normalised(self.lab.other_analyte_codes) if self.lab is not None else frozenset()
        ours = [code for code in codes if normalised(code) in own]
        foreign = self._other_loinc()
        against = [code for code in codes if normalised(code) in others - own or code in foreign]
        if ours and against:
            self.doubt("R-07.codes", column=self.names["analyte"], text=ours[0][:24], other=against[0][:24])
        self.cells["analyte"] = next(iter([*ours, *against, *codes]), "")
        self.is_other = not ours and bool(foreign)

    def _without_suffix(self, code: str, suffixes: Mapping[str, str]) -> str:
        """The code without the ending that names the sampling time."""
        for suffix in sorted(suffixes, key=len, reverse=True):
            if code.endswith(suffix) and len(code) > len(suffix):
                self.put("timepoint", self.names["analyte"], suffixes[suffix])
                return code.removesuffix(suffix)
        return code

    def _other_loinc(self) -> list[str]:
        """The codes, said to be LOINC and of its form, that are not MPA."""
        found = [
            self.segment.component(OBX_CODE, place).strip()
            for place in (1, 4)
            if self.segment.component(OBX_CODE, place + 2).strip().upper() in _LOINC
        ]
        return [code for code in found if _LOINC_CODE.fullmatch(code) and code not in _LOINC_HERE]

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
        of_order = order.component(OBR_STATUS).strip().upper() if order is not None else ""
        contradicted = (
            (of_order in _RETRACTED and own not in _RETRACTED)
            or (of_order == "X" and own not in ("X", *_RETRACTED))
            or (of_order in _WITHOUT_RESULT and _STATUSES.get(own) in ("F", "C"))
        )
        if contradicted:
            self.doubt("R-41.order", column=self.names["status"], text=own[:4], order=of_order[:4])

    def put_notes(self, notes: Iterable[tuple[str, str]]) -> None:
        """What the notes name, and every other note as comment."""
        named, comment = sorted_notes(notes, self.setting)
        for column, field, text in named:
            self.put(column, field, text)
        self.put("comment", self.names["comment"], comment)

    # --- times

    def put_collected(self, sources: Iterable[tuple[str, str]]) -> None:
        """The time of collection: the first that is exact, when all agree as far as each goes."""
        given = [(field, text.strip()) for field, text in sources if text.strip()]
        for field, text in given[1:]:
            if not self._agree(given[0][1], text):
                self.differ(given[0][0], given[0][1], field, text)
        exact = next((one for one in given if _TIME.fullmatch(one[1])), given[0] if given else None)
        if exact is not None:
            self._put_time("collected_at", *exact)

    def put_time(self, column: str, sources: Iterable[tuple[str, str]]) -> None:
        """The first of the times that is given."""
        found = next(((field, text) for field, text in sources if text.strip()), None)
        if found is not None:
            self._put_time(column, *found)

    def _put_time(self, column: str, field: str, text: str) -> None:
        text = text.strip()
        if _COARSE_TIME.fullmatch(text):
            self.doubt("R-30.coarse", column=field, text=shorten(text))
        self.cells[column] = iso_time(text)

    def _agree(self, first: str, second: str) -> bool:
        one, other = self._local_digits(first), self._local_digits(second)
        shared = min(len(one), len(other), len("yyyymmddhhmm"))
        return one[:shared] == other[:shared]

    def _local_digits(self, text: str) -> str:
        """The digits of a time on the laboratory's clock."""
        digits = re.split(r"[+-]", text)[0]
        if digits == text or self.zone is None or not _TIME.fullmatch(text):
            return digits
        try:
            return f"{datetime.fromisoformat(iso_time(text)).astimezone(self.zone):%Y%m%d%H%M}"
        except (ValueError, OverflowError):
            return digits


@lru_cache(maxsize=64)
def _normalised(codes: tuple[str, ...]) -> frozenset[str]:
    return frozenset(normalised(code) for code in codes)


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
