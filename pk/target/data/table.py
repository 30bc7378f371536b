"""A CSV file as a spreadsheet writes it, read strictly: nothing is guessed that would change a number.

Delimiter: semicolon, tab or comma, whichever of these, in this order, the header has. Numbers with a decimal point or
a decimal comma. UTF-8 with or without its mark, UTF-16 with it, else Windows-1252.
"""

import codecs
import csv
import io
import math
import re
from dataclasses import dataclass

from pk.values.reason import Reason

MISSING = frozenset({"", "na", "n/a", "nan", "null", "."})
"""What stands for a missing value, in any case."""

LARGEST, SMALLEST = 1e9, 1e-9
"""Magnitudes beyond which a number, unless 0, is taken for a mistake: sums of squares keep their digits within."""

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Table:
    """Names of columns, and rows as (line, fields), each with as many fields as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """The numbers of a column, None where missing, with the line of each."""

    name: str
    numbers: tuple[float | None, ...]
    lines: tuple[int, ...]

    def line_of(self, value: float) -> int:
        """The first line that holds this value."""
        return self.lines[self.numbers.index(value)]


def read_table(content: bytes) -> Table | Reason:
    """Return the table of a file, or what is wrong with it. Lines without any content are skipped.

    >>> read_table(b"AUC;response\\r\\n35,5;1\\r\\n").rows
    ((2, ('35,5', '1')),)
    """
    text = _decoded(content)
    if text is None or "\0" in text:
        return Reason.of("target_file_not_text")
    header_line = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = next((one for one in ";\t" if one in header_line), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: tuple[str, ...] = ()
    rows = []
    try:
        for fields in reader:
            stripped = tuple(one.strip() for one in fields)
            if not any(stripped):
                continue
            if not columns:
                columns = stripped
                continue
            while len(stripped) > len(columns) and not stripped[-1]:
                stripped = stripped[:-1]
            if len(stripped) != len(columns):
                count, expected = len(stripped), len(columns)
                return Reason.of("target_file_ragged", line=reader.line_num, count=count, expected=expected)
            rows.append((reader.line_num, stripped))
    except csv.Error:
        return Reason.of("target_file_quotes", line=reader.line_num)
    return Table(columns, tuple(rows)) if columns else Reason.of("target_file_empty")


def numbers_of(table: Table, name: str) -> Column | tuple[Reason, ...]:
    """Return a column as numbers, or everything that is wrong with it (at most ten cells)."""
    places = [i for i, one in enumerate(table.columns) if one == name]
    if len(places) != 1:
        known = ", ".join(filter(None, table.columns))
        code = "target_column_repeated" if places else "target_column_unknown"
        return (Reason.of(code, column_id=name) if places else Reason.of(code, column_id=name, known=known),)
    numbers: list[float | None] = []
    problems: list[Reason] = []
    marks: dict[str, int] = {}
    for line, fields in table.rows:
        text = fields[places[0]]
        number = None if text.lower() in MISSING else _number(text)
        numbers.append(number)
        if number is None:
            continue
        if math.isnan(number) or abs(number) > LARGEST or 0 < abs(number) < SMALLEST:
            code = "target_cell_not_number" if math.isnan(number) else "target_cell_out_of_range"
            problems.append(Reason.of(code, line=line, column_id=name, value=text[:_LONGEST_SHOWN]))
            continue
        for mark in ".,":
            if mark in text:
                marks.setdefault(mark, line)
    if len(marks) > 1:
        first, second = sorted(marks.values())
        problems.append(Reason.of("target_decimals_mixed", column_id=name, line=first, other=second))
    if problems:
        return tuple(problems[:10])
    return Column(name, tuple(numbers), tuple(line for line, _ in table.rows))


def _number(text: str) -> float:
    """The number, NaN if it is none."""
    if _NUMBER.fullmatch(text) is None:
        return math.nan
    return float(text.replace(",", "."))


def _decoded(content: bytes) -> str | None:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
