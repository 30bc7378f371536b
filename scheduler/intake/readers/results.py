"""What was found in the messages of a file, and the reading that it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler.domain.national_number import seems_to_hold_one
from scheduler.domain.reason import Reason, because
from scheduler.intake.readers.er7 import Segment
from scheduler.intake.readers.orders import Order
from scheduler.intake.readers.reading import Candidate, Fault, FaultError, Reading
from scheduler.intake.readers.table import MAX_ROWS
from scheduler.intake.shown import shorten

__all__ = ["NO_QUALITY", "QUALITIES", "Found", "check_header", "reading_of"]

# What SPM-21 (HL7 table 0490), SPM-24 and FHIR's Specimen.condition (0493) say about a specimen, in the words of
# the study's layout.
QUALITIES = {
    "RH": "HEM",
    "QS": "QNS",
    "RC": "COAG",
    "RI": "IDENT",
    "HEM": "HEM",
    "CLOT": "COAG",
    "SNR": "NR",
}
NO_QUALITY = frozenset({"CFU", "COOL", "FROZ", "LIVE", "ROOM"})  # how it was kept

_MOST_SHARED = 20_000_000  # a laboratory's message has some 1,500 for one result


@dataclass(slots=True)
class Found:
    """The rows of all messages, the fields that identify persons, and what there is to say of the file."""

    candidates: list[Candidate] = field(default_factory=list)
    persons: set[str] = field(default_factory=set)
    notes: list[Reason] = field(default_factory=list)
    shared: int = 0  # characters that were read for one result after another

    def begin(self, order: Order) -> None:
        """The results of an order follow. Raises FaultError when much text stands for many results: it would be read
        again for each of them."""
        for segment in order.shared():
            self.charge(len(order.results) * sum(map(len, segment.fields)), segment.line)

    def charge(self, size: int, row: int) -> None:
        """Raises FaultError when more was read for one result after another than any laboratory sends."""
        self.shared += size
        if self.shared > _MOST_SHARED:
            raise FaultError("F-04.shared", row=row)

    def add(self, candidate: Candidate) -> None:
        if len(self.candidates) == MAX_ROWS:
            raise FaultError("F-04.results", limit=MAX_ROWS)
        self.candidates.append(candidate)


def check_header(
    header: Segment, versions: re.Pattern[str], processing: str, column: str, accepts_tests: bool
) -> None:
    """Raises FaultError for a version that is not read, and for test messages where they are not wanted."""
    version = header.component(12)
    if not versions.fullmatch(version):
        raise FaultError("F-07.version", row=header.line, text=shorten(version, 12))
    if processing != "P" and not (accepts_tests and processing in ("T", "D")):
        raise FaultError("F-18", row=header.line, column=column, text=shorten(processing, 12))


def reading_of(
    found: Found, names: Mapping[str, str], charset: str, delimiter: str, where: str, complete: bool
) -> Reading | Fault:
    """The reading; a file about nobody of the study is not for us, and none of it is looked at further."""
    rows = found.candidates
    notes = list(found.notes)
    if found.persons:
        notes.append(because("D-01", columns=", ".join(sorted(found.persons))))
    if not rows:
        return Fault(because("F-03.results"), tuple(notes))
    if not any(row.text("study_id") for row in rows):
        return Fault(because("F-17.patient", where=where), tuple(notes), is_foreign=True)
    with_number = next((row.row for row in rows if seems_to_hold_one(row.text("comment"))), None)
    if with_number is not None:
        notes.append(because("D-01.number", row=with_number))
    if not complete:
        notes.append(because("F-11.unbatched", rows=len(rows)))
    return Reading(tuple(rows), charset, delimiter, names, (), complete, tuple(notes))
