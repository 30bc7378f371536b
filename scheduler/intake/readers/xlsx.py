"""Reads an Excel workbook in the study's layout. The workbook itself is opened by a process of its own (workbook.py);
here its cells become the same texts that a CSV would have held, or the reason why they cannot."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from scheduler.domain.reason import because
from scheduler.intake.layout.columns import CODES, NUMBERS
from scheduler.intake.readers import workbook
from scheduler.intake.readers.reading import Fault, FaultError, Reading
from scheduler.intake.readers.table import UNREADABLE, Layout, Record, names_a_column, no_header, read_table
from scheduler.intake.shown import shorten

__all__ = ["HELP_SHEET", "LIST_SHEET", "read_xlsx", "shown_number"]

HELP_SHEET = (
    "Aide - Help"  # the sheet of the template that explains; every other visible sheet is taken for results
)
LIST_SHEET = "Listes - Lists"

_PROGRAM = Path(workbook.__file__)
_GRACE_S = 1.0  # that the process has to end by itself before it is ended
_TIMES = ("collected_at", "received_at", "reported_at")
_EXACT_DIGITS = 15  # of a number in a workbook
# Number formats that show a number as it is: digits, one decimal point, thousands, exponent; text and General.
_PLAIN = re.compile(r"@|(?:General|[#0?](?:[#0?, ]*[#0?])?(?:\.[#0?]+)?(?:E[+-]?[#0?]+)?)", re.IGNORECASE)
_ORNAMENT = re.compile(
    r"_.|\*.|\\ |\[(?:black|white|red|green|blue|yellow|cyan|magenta|color ?\d+)\]", re.IGNORECASE
)
_FIXED = re.compile(r"[#0?, ]*0(?:\.(0+))?")
_PADDED = re.compile(r"0{2,}")


def read_xlsx(content: bytes, aliases: Mapping[str, str]) -> Reading | Fault:
    """The rows of a workbook, or the first thing that makes it unusable as a whole; ready within ten seconds."""
    try:
        sheet, hidden = _one_sheet(_cells_of(content))
        reading = _Sheet(sheet).read(aliases)
    except FaultError as error:
        return error.fault
    if hidden:
        reading = replace(reading, notes=(*reading.notes, because("F-14.unread", sheets=hidden)))
    return reading


def _cells_of(content: bytes) -> list[dict[str, Any]]:
    """What the process finds. Its environment is empty, so that it inherits no secret; it is gone on return."""
    command = [sys.executable, "-I", "-B", str(_PROGRAM)]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=workbook.LIMITS.wall_s + _GRACE_S,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"fault": "F-13.time"}
    except subprocess.TimeoutExpired:
        answer = {"fault": "F-13.time"}
    except ValueError:  # it died while it was writing
        answer = {"fault": "F-13.time"}
    if "fault" in answer:
        raise FaultError(answer["fault"], **answer.get("params", {}))
    sheets: list[dict[str, Any]] = answer["sheets"]
    return sheets


def _one_sheet(sheets: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """The only visible sheet that holds something beside the help of the template, and the names of hidden ones."""
    filled = [sheet for sheet in sheets if sheet["rows"]]
    shown = [sheet for sheet in filled if sheet["visible"] and sheet["title"] != HELP_SHEET]
    hidden = [sheet["title"] for sheet in filled if not sheet["visible"] and sheet["title"] != LIST_SHEET]
    if not shown:
        raise FaultError("F-03.sheet")
    if len(shown) > 1:
        raise FaultError("F-14.sheets", sheets=", ".join(shorten(sheet["title"]) for sheet in shown))
    return shown[0], ", ".join(shorten(title) for title in hidden)


class _Sheet:
    """One sheet on its way to a table: what a spreadsheet can hide or change is refused, cell by cell."""

    def __init__(self, sheet: Mapping[str, Any]) -> None:
        self.rows: list[tuple[int, bool, list[tuple[int, str, str, str]]]] = sheet["rows"]
        self.hidden_columns: list[tuple[int, int]] = sheet["hidden_columns"]
        self.merged: list[str] = sheet["merged"]
        self.cells = {no: {column: cell for column, *cell in cells} for no, _, cells in self.rows}

    def read(self, aliases: Mapping[str, str]) -> Reading:
        header, _, cells = self.rows[0]
        width = max(column for column, *_ in cells)
        self._refuse_hidden(width)
        if self.merged:
            raise FaultError("F-14.merged", cells=shorten(self.merged[0]))
        if not names_a_column(self._record(header, width, is_header=True), aliases):
            lines = (self._record(no, max(row, default=0), is_header=True) for no, row in self.cells.items())
            raise no_header(list(lines), aliases)
        records = [self._record(no, width, is_header=no == header) for no, _, _ in self.rows]
        return read_table(records, aliases, "xlsx", "", is_whole=True, check=self._check)

    def _refuse_hidden(self, width: int) -> None:
        hidden = next((no for no, is_hidden, _ in self.rows if is_hidden), None)
        if hidden is not None:
            raise FaultError("F-14.hidden", row=hidden)
        column = next((first for first, _ in self.hidden_columns if first <= width), None)
        if column is not None:
            raise FaultError("F-14.column", letters=column_letters(column))

    def _record(self, no: int, width: int, is_header: bool) -> Record:
        cells = self.cells[no]
        beyond = next((column for column in cells if column > width), None)
        if beyond is not None:
            raise FaultError("F-10.beyond", row=no, letters=column_letters(beyond))
        typed = frozenset(column - 1 for column, (kind, _, _) in cells.items() if kind == "number")
        texts = [_text(cells.get(column), is_header) for column in range(1, width + 1)]
        return Record(no, texts, typed)

    def _check(self, record: Record, layout: Layout) -> None:
        """Raises FaultError for a cell that may not hold what was typed, or shows other than it holds."""
        for column, place in layout.places.items():
            kind, text, form = self.cells[record.row].get(place + 1, ("text", "", ""))
            where: dict[str, str | int] = {"row": record.row, "column": layout.headers[column]}
            if kind == "formula":
                raise FaultError("F-14", **where)
            if kind == "date" and column not in _TIMES:
                raise FaultError("F-14.date", **where, text=shorten(text))
            if kind == "number" and column in _TIMES:
                raise FaultError("F-14.serial", **where, text=shorten(text))
            if kind == "number" and column in (*CODES, *NUMBERS):
                if not shows_plainly(form):
                    raise FaultError("F-14.shown", **where)
                if column in CODES and len(text.lstrip("-")) > _EXACT_DIGITS:
                    raise FaultError("F-14.rounded", **where, text=shorten(text))


def _text(cell: list[str] | None, is_header: bool) -> str:
    if cell is None:
        return ""
    kind, text, form = cell
    if UNREADABLE.search(text):
        raise FaultError("F-08")
    return shown_number(text, form) if kind == "number" and not is_header else text


def shows_plainly(form: str) -> bool:
    """Whether a number format shows the number itself: no words, sign, percent or scale around it."""
    sections = [_ORNAMENT.sub("", section).strip("-() ") for section in form.split(";")]
    return all(not section or _PLAIN.fullmatch(section) for section in sections)


def shown_number(text: str, form: str) -> str:
    """The number with the zeros that its format adds at either end. Digits that the format hides are kept.

    >>> shown_number("6.4", "0.00"), shown_number("6.444", "0.0"), shown_number("42", "00000")
    ('6.40', '6.444', '00042')
    """
    if _PADDED.fullmatch(form):
        return text.zfill(len(form)) if text.isdigit() else text
    fixed = _FIXED.fullmatch(_ORNAMENT.sub("", form.split(";", maxsplit=1)[0]).strip("-() "))
    if fixed is None or not fixed[1]:
        return text
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(len(fixed[1]), '0')}"


def column_letters(number: int) -> str:
    """The letters of a column, as a spreadsheet shows them.

    >>> column_letters(1), column_letters(28)
    ('A', 'AB')
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
