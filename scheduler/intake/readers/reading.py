"""What a reader makes of a file: its rows as raw texts by canonical column, or why it cannot be used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from config.schema import LabFile
from scheduler.domain.reason import Param, Reason, because

__all__ = ["Candidate", "Fault", "FaultError", "Reading", "Setting"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row as received. `row` counts as a spreadsheet or an editor does: the first line is row 1. `extras`
    are cells of columns that the study does not know; they are looked at for contradictions and never kept.
    `doubts` are contradictions that only the reader can see; each holds the row. `is_other_analyte` when the
    format itself proves that the row is about something else."""

    row: int
    cells: Mapping[str, str]
    extras: tuple[str, ...] = ()
    doubts: tuple[Reason, ...] = ()
    is_other_analyte: bool = False

    def text(self, column: str) -> str:
        """The text of a column without the blanks around it; empty when the file has no such column."""
        return self.cells.get(column, "").strip()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that could be read. `complete` when the file itself proves that nothing is missing at its end."""

    candidates: tuple[Candidate, ...]
    encoding: str
    delimiter: str
    headers: Mapping[str, str]
    unknown_columns: tuple[str, ...] = ()
    complete: bool = False
    notes: tuple[Reason, ...] = field(default=())

    def header(self, column: str) -> str:
        """The name that the file itself gives to a column."""
        return self.headers.get(column, column)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file cannot be used at all; the reason's code is the rule. `is_foreign` when nothing is wrong with
    the file and it is merely not for this study."""

    reason: Reason
    notes: tuple[Reason, ...] = ()
    is_foreign: bool = False


class FaultError(Exception):
    """Carries a fault out of a loop."""

    def __init__(self, code: str, **params: Param) -> None:
        self.fault = Fault(because(code, **params))
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a reader of messages must know of the study: its name, the form of its subjects' codes, the words
    for its visits and sampling times (normalised word to column and meaning), and the laboratories that may send."""

    study_id: str = ""
    subject_pattern: str = ""
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    labs: tuple[LabFile, ...] = ()

    def is_subject(self, code: str) -> bool:
        """Whether a text has the form of a subject's code."""
        return code.isascii() and re.fullmatch(self.subject_pattern, code) is not None
