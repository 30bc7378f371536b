"""Reads the study's CSV layout as laboratories and French Excel write it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO

from scheduler.domain.reason import Reason, because
from scheduler.intake.readers.columns import (
    CODES,
    COLUMNS,
    NUMBERS,
    REQUIRED,
    has_national_number,
    known_names,
    looks_identifying,
    normalised,
)
from scheduler.intake.readers.reading import Candidate, Fault, FaultError, Reading
from scheduler.intake.readers.sniff import text_format
from scheduler.intake.shown import shorten

__all__ = ["MAX_ROWS", "read_csv"]

MAX_ROWS = 5000

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
_TRAILER = re.compile(r"#(?:FIN|END)(?:\s*[;,]\s*(.*))?", re.IGNORECASE)  # in two cells, or typed into one
_COUNT = re.compile(r"[0-9]{1,6}")
_NUMBER = re.compile(r"[^0-9]*[0-9]+([.,])[0-9]+[^0-9]*")
# What Excel shows instead of a cell's content and then saves: errors, columns too narrow, long numbers rounded.
_ERROR_CELL = re.compile(
    r"#{2,}|#(N/A|REF!|VALEUR!|VALUE!|DIV/0!|NOM\?|NAME\?|NOMBRE!|NUM!|NUL!|NULL!)", re.IGNORECASE
)
_ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the known columns stand, the names the file gives them, and the rest."""

    width: int
    places: Mapping[str, int]
    headers: Mapping[str, str]
    unknown: tuple[int, ...]
    unknown_names: tuple[str, ...]


def read_csv(content: bytes, aliases: Mapping[str, str]) -> Reading | Fault:
    """The rows of a file in the study's layout, or the first thing that makes it unusable as a whole."""
    try:
        text, encoding = _decode(content)
        found = text_format(text)
        if found is not None:
            return Fault(because("F-07", format=found))
        return _read(text, encoding, aliases)
    except FaultError as error:
        return error.fault


def _decode(content: bytes) -> tuple[str, str]:
    encoding = next((name for bom, name in _BOMS if content.startswith(bom)), None)
    for candidate in (encoding,) if encoding is not None else ("utf-8", "cp1252"):
        try:
            text = content.decode(candidate)
        except UnicodeDecodeError:
            continue
        if _UNREADABLE.search(text):
            break
        return text, candidate
    raise FaultError("F-08")


def _read(text: str, encoding: str, aliases: Mapping[str, str]) -> Reading:
    first = text.split(maxsplit=0)[0].splitlines()[0] if text.strip() else ""
    delimiter = max(";\t,", key=first.count)
    if delimiter not in first:
        raise FaultError("F-06")
    records = [(no, cells) for no, cells in _records(text, delimiter) if any(cell.strip() for cell in cells)]
    if not records:
        raise FaultError("F-06")
    layout = _layout(records[0][1], aliases)
    rows, complete = _until_trailer(records[1:], layout.width)
    if not complete and not text.endswith(("\n", "\r")):
        raise FaultError("F-11.unterminated", row=records[-1][0])
    if not rows:
        raise FaultError("F-03.rows")
    if len(rows) > MAX_ROWS:
        raise FaultError("F-04.rows", rows=len(rows), limit=MAX_ROWS)
    candidates = tuple(_candidate(no, cells, layout) for no, cells in rows)
    for candidate in candidates:
        _refuse_spreadsheet_cells(candidate, layout)
    _one_decimal_sign(candidates, delimiter)
    notes = tuple(_notes(candidates, layout, complete))
    return Reading(candidates, encoding, delimiter, layout.headers, layout.unknown_names, complete, notes)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Every record with the number a spreadsheet gives it."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 0
    try:
        for row, cells in enumerate(reader, 1):
            yield row, cells
    except csv.Error as error:
        raise FaultError("F-10.quote", row=row + 1) from error


def _layout(cells: list[str], aliases: Mapping[str, str]) -> _Layout:
    names = known_names(aliases)
    while cells and not cells[-1].strip():  # a spreadsheet may have saved empty columns at the right
        cells = cells[:-1]
    columns = [names.get(normalised(cell)) for cell in cells]
    known = [column for column in columns if column is not None]
    if not known:
        raise FaultError("F-06")
    twice = sorted({column for column in known if known.count(column) > 1})
    if twice:
        raise FaultError("F-09.twice", columns=", ".join(twice))
    missing = [column for column in REQUIRED if column not in known]
    if missing:
        raise FaultError("F-09", columns=", ".join(_both_names(column) for column in missing))
    unknown = tuple(i for i, column in enumerate(columns) if column is None)
    return _Layout(
        len(cells),
        {column: i for i, column in enumerate(columns) if column is not None},
        {column: shorten(cells[i]) for i, column in enumerate(columns) if column is not None},
        unknown,
        tuple(shorten(cells[i]) for i in unknown),
    )


def _until_trailer(
    records: list[tuple[int, list[str]]], width: int
) -> tuple[list[tuple[int, list[str]]], bool]:
    """The rows before the last line, and whether there is a last line; its count binds."""
    rows: list[tuple[int, list[str]]] = []
    for position, (no, cells) in enumerate(records):
        trailer = _TRAILER.fullmatch(cells[0].strip())
        if trailer is None:
            rows.append((no, _fitted(no, cells, width)))
            continue
        said, *rest = [*cells[1:], ""] if trailer[1] is None else [trailer[1], *cells[1:]]
        if not _COUNT.fullmatch(said.strip()) or int(said) != len(rows) or any(cell.strip() for cell in rest):
            raise FaultError("F-11", row=no, said=shorten(said), found=len(rows))
        if position + 1 < len(records):
            raise FaultError("F-11.after", row=records[position + 1][0])
        return rows, True
    return rows, False


def _fitted(no: int, cells: list[str], width: int) -> list[str]:
    """The cells of a row of exactly the header's width; empty cells further right are nothing."""
    found = len(cells)
    if found > width and not any(cell.strip() for cell in cells[width:]):
        cells = cells[:width]
    if len(cells) != width:
        raise FaultError("F-10", row=no, found=found, expected=width)
    return cells


def _candidate(no: int, cells: list[str], layout: _Layout) -> Candidate:
    return Candidate(
        no,
        {column: cells[place] for column, place in layout.places.items()},
        tuple(cells[place] for place in layout.unknown),
    )


def _refuse_spreadsheet_cells(candidate: Candidate, layout: _Layout) -> None:
    for column in layout.places:
        text = candidate.text(column)
        header = layout.headers[column]
        if column != "comment" and text.startswith("="):
            raise FaultError("F-14", row=candidate.row, column=header)
        if _ERROR_CELL.fullmatch(text):
            raise FaultError("F-14.error", row=candidate.row, column=header, text=shorten(text))
        if column in CODES and _ROUNDED.fullmatch(text):
            raise FaultError("F-14.rounded", row=candidate.row, column=header, text=shorten(text))


def _one_decimal_sign(candidates: tuple[Candidate, ...], delimiter: str) -> None:
    """One decimal sign for the whole file; with commas between the columns it can only be the dot."""
    seen: dict[str, int] = {}
    for candidate in candidates:
        for column in NUMBERS:
            match = _NUMBER.fullmatch(candidate.text(column))
            if match is not None:
                seen.setdefault(match[1], candidate.row)
    if "," in seen and delimiter == ",":
        raise FaultError("F-12.comma", row=seen[","])
    if len(seen) > 1:
        raise FaultError("F-12", comma=seen[","], dot=seen["."])


def _notes(candidates: tuple[Candidate, ...], layout: _Layout, complete: bool) -> Iterator[Reason]:
    identifying = [name for name in layout.unknown_names if looks_identifying(name)]
    if identifying:
        yield because("D-01", columns=", ".join(identifying))
    for candidate in candidates:
        if any(has_national_number(text) for text in (*candidate.extras, candidate.text("comment"))):
            yield because("D-01.number", row=candidate.row)
            break
    if not complete:
        yield because("F-11.unproven", rows=len(candidates))


def _both_names(column: str) -> str:
    return f"{COLUMNS[column][0]} ({column})"
