"""What a reader makes of a file: its rows as raw texts by canonical column, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from scheduler.domain.reason import Reason

__all__ = ["Candidate", "Fault", "Reader", "Reading"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row as received. `row` counts as a spreadsheet does: the header is row 1. `extras` are cells of
    columns that the study does not know; they are looked at for contradictions and never kept."""

    row: int
    cells: Mapping[str, str]
    extras: tuple[str, ...] = ()

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
    """Why a file cannot be used at all; the reason's code is the rule."""

    reason: Reason


class Reader(Protocol):
    """Reads one format. `aliases` are further normalised header names and the columns they mean."""

    def __call__(self, content: bytes, aliases: Mapping[str, str]) -> Reading | Fault: ...
