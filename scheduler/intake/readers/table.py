"""Reads a table in the study's layout, whatever kind of file it stood in: header, rows, last line, decimal sign."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scheduler.domain.national_number import seems_to_hold_one
from scheduler.domain.reason import Reason, because
from scheduler.intake.layout.columns import (
    CODES,
    COLUMNS,
    NUMBERS,
    REQUIRED,
    known_names,
    looks_identifying,
    normalised,
)
from scheduler.intake.readers.reading import Candidate, FaultError, Reading
from scheduler.intake.shown import shorten

__all__ = [
    "EXAMPLE",
    "MAX_ROWS",
    "UNREADABLE",
    "Layout",
    "Record",
    "names_a_column",
    "no_header",
    "read_table",
]

MAX_ROWS = 5000
EXAMPLE = "EXEMPLE - EXAMPLE"  # stands for the study in the row of the template that shows how to fill it in
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")

_TRAILER = re.compile(r"#(?:FIN|END)(?:\s*[;,]\s*(.*))?", re.IGNORECASE)  # in two cells, or typed into one
_COUNT = re.compile(r"[0-9]{1,6}")
_NUMBER = re.compile(r"[^0-9]*[0-9]+([.,])[0-9]+[^0-9]*")
# What Excel shows instead of a cell's content and then saves: errors, columns too narrow, long numbers rounded.
_ERROR_CELL = re.compile(
    r"#{2,}|#(N/A|REF!|VALEUR!|VALUE!|DIV/0!|NOM\?|NAME\?|NOMBRE!|NUM!|NUL!|NULL!)", re.IGNORECASE
)
_ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_TWO_NAMES = re.compile(r"[/\n|]")
_TITLE_LINES = 20  # a title, a logo, the name of the laboratory may stand above a header


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a table with the number a spreadsheet gives it. `typed` are the places of the cells that hold a
    number as such, which has no decimal sign of its own."""

    row: int
    cells: Sequence[str]
    typed: frozenset[int] = frozenset()

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the known columns stand, the names the file gives them, and the rest."""

    width: int
    places: Mapping[str, int]
    headers: Mapping[str, str]
    unknown: tuple[int, ...]
    unknown_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Body:
    """The rows of results, of examples, and whether a last line counted them."""

    rows: list[Record]
    examples: list[int]
    is_counted: bool


def read_table(
    lines: Sequence[Record],
    aliases: Mapping[str, str],
    encoding: str,
    delimiter: str,
    is_cut: bool = False,
    is_whole: bool = False,
    check: Callable[[Record, Layout], None] | None = None,
) -> Reading:
    """The rows of a table whose first line that holds something is its header. `is_cut` when the file ends in the
    middle of a line, `is_whole` when its kind proves that nothing is missing; `check` looks at each row of results.

    Raises FaultError for the first thing that makes the file unusable as a whole.
    """
    records = [line for line in lines if not line.is_blank]
    if not records:
        raise FaultError("F-06")
    if not names_a_column(records[0], aliases):
        raise no_header(records, aliases)
    layout = _layout(records[0].cells, aliases)
    body = _body(records[1:], layout)
    if is_cut and not body.is_counted:
        raise FaultError("F-11.unterminated", row=records[-1].row)
    if not body.rows:
        raise FaultError("F-03.rows")
    if len(body.rows) > MAX_ROWS:
        raise FaultError("F-04.rows", rows=len(body.rows), limit=MAX_ROWS)
    for record in body.rows:
        if check is not None:
            check(record, layout)
    candidates = tuple(_candidate(record, layout) for record in body.rows)
    for candidate in candidates:
        _refuse_spreadsheet_cells(candidate, layout)
    _one_decimal_sign(body.rows, layout, delimiter)
    complete = body.is_counted or is_whole
    notes = tuple(_notes(candidates, body.examples, layout, complete))
    return Reading(candidates, encoding, delimiter, layout.headers, layout.unknown_names, complete, notes)


def names_a_column(record: Record, aliases: Mapping[str, str]) -> bool:
    """Whether a line can be the header of a table."""
    names = known_names(aliases)
    return any(_column(cell, names) for cell in record.cells)


def no_header(records: Sequence[Record], aliases: Mapping[str, str]) -> FaultError:
    """What is wrong with a table whose first line names no column: the header may stand further down."""
    names = known_names(aliases)
    for record in records[:_TITLE_LINES]:
        if set(REQUIRED) <= {column for column in (_column(cell, names) for cell in record.cells) if column}:
            return FaultError("F-06.header", row=record.row)
    return FaultError("F-06")


def _layout(cells: Sequence[str], aliases: Mapping[str, str]) -> Layout:
    names = known_names(aliases)
    while cells and not cells[-1].strip():  # a spreadsheet may have saved empty columns at the right
        cells = cells[:-1]
    columns = [_column(cell, names) for cell in cells]
    known = [column for column in columns if column is not None]
    twice = sorted({column for column in known if known.count(column) > 1})
    if twice:
        raise FaultError("F-09.twice", columns=", ".join(twice))
    missing = [column for column in REQUIRED if column not in known]
    if missing:
        raise FaultError("F-09", columns=", ".join(_both_names(column) for column in missing))
    unknown = tuple(i for i, column in enumerate(columns) if column is None)
    return Layout(
        len(cells),
        {column: i for i, column in enumerate(columns) if column is not None},
        {column: shorten(cells[i]) for i, column in enumerate(columns) if column is not None},
        unknown,
        tuple(shorten(cells[i]) for i in unknown),
    )


def _column(cell: str, names: Mapping[str, str]) -> str | None:
    """The column that a header means, in one language or, as "visite / visit", in both."""
    meant = {names.get(normalised(part)) for part in _TWO_NAMES.split(cell)}
    return names.get(normalised(cell)) or (meant.pop() if len(meant) == 1 else None)


def _body(records: Sequence[Record], layout: Layout) -> _Body:
    """The rows before the last line; the count of a last line binds."""
    rows: list[Record] = []
    examples: list[int] = []
    for position, record in enumerate(records):
        trailer = _TRAILER.fullmatch(record.cells[0].strip())
        if trailer is None:
            fitted = _fitted(record, layout.width)
            if normalised(fitted.cells[layout.places["study_id"]]) == normalised(EXAMPLE):
                examples.append(record.row)
            else:
                rows.append(fitted)
            continue
        _check_count(record, trailer[1], len(rows))
        if position + 1 < len(records):
            raise FaultError("F-11.after", row=records[position + 1].row)
        return _Body(rows, examples, True)
    return _Body(rows, examples, False)


def _check_count(record: Record, beside: str | None, found: int) -> None:
    said, *rest = [*record.cells[1:], ""] if beside is None else [beside, *record.cells[1:]]
    if not _COUNT.fullmatch(said.strip()) or int(said) != found or any(cell.strip() for cell in rest):
        raise FaultError("F-11", row=record.row, said=shorten(said), found=found)


def _fitted(record: Record, width: int) -> Record:
    """The record with exactly as many cells as the header; empty cells further right are nothing."""
    cells = record.cells
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        cells = cells[:width]
    if len(cells) != width:
        raise FaultError("F-10", row=record.row, found=len(record.cells), expected=width)
    return Record(record.row, cells, record.typed)


def _candidate(record: Record, layout: Layout) -> Candidate:
    return Candidate(
        record.row,
        {column: record.cells[place] for column, place in layout.places.items()},
        tuple(record.cells[place] for place in layout.unknown),
    )


def _refuse_spreadsheet_cells(candidate: Candidate, layout: Layout) -> None:
    for column in layout.places:
        text = candidate.text(column)
        header = layout.headers[column]
        if column != "comment" and text.startswith("="):
            raise FaultError("F-14", row=candidate.row, column=header)
        if _ERROR_CELL.fullmatch(text):
            raise FaultError("F-14.error", row=candidate.row, column=header, text=shorten(text))
        if column in CODES and _ROUNDED.fullmatch(text):
            raise FaultError("F-14.rounded", row=candidate.row, column=header, text=shorten(text))


def _one_decimal_sign(rows: Sequence[Record], layout: Layout, delimiter: str) -> None:
    """One decimal sign for the whole file; with commas between the columns it can only be the dot."""
    seen: dict[str, int] = {}
    places = [layout.places[column] for column in NUMBERS if column in layout.places]
    for record in rows:
        for place in places:
            match = _NUMBER.fullmatch(record.cells[place].strip())
            if match is not None and place not in record.typed:
                seen.setdefault(match[1], record.row)
    if "," in seen and delimiter == ",":
        raise FaultError("F-12.comma", row=seen[","])
    if len(seen) > 1:
        raise FaultError("F-12", comma=seen[","], dot=seen["."])


def _notes(
    candidates: Sequence[Candidate], examples: Sequence[int], layout: Layout, complete: bool
) -> Iterator[Reason]:
    identifying = [name for name in layout.unknown_names if looks_identifying(name)]
    if identifying:
        yield because("D-01", columns=", ".join(identifying))
    for candidate in candidates:
        if any(seems_to_hold_one(text) for text in (*candidate.extras, candidate.text("comment"))):
            yield because("D-01.number", row=candidate.row)
            break
    for row in examples[:1]:
        yield because("F-17.example", row=row)
    if not complete:
        yield because("F-11.unproven", rows=len(candidates))


def _both_names(column: str) -> str:
    return f"{COLUMNS[column][0]} ({column})"
