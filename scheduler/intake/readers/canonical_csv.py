"""Reads the study's CSV layout as laboratories and French Excel write it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from io import StringIO

from scheduler.domain.reason import because
from scheduler.intake.readers.reading import Fault, FaultError, Reading
from scheduler.intake.readers.sniff import text_format, wide_text_format
from scheduler.intake.readers.table import UNREADABLE, Record, no_header, read_table

__all__ = ["MAX_LINES", "read_csv"]

MAX_LINES = 50_000  # with the empty ones, as in a workbook; rows with results are counted in the table
_DELIMITERS = ";\t,"
_HEAD = 20_000  # characters in which a header below a title is looked for
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_csv(content: bytes, aliases: Mapping[str, str]) -> Reading | Fault:
    """The rows of a file in the study's layout, or the first thing that makes it unusable as a whole."""
    try:
        found = wide_text_format(content)
        if found is None:
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
        if UNREADABLE.search(text):
            break
        return text, candidate
    raise FaultError("F-08")


def _read(text: str, encoding: str, aliases: Mapping[str, str]) -> Reading:
    first = text.split(maxsplit=0)[0].splitlines()[0] if text.strip() else ""
    delimiter = max(_DELIMITERS, key=first.count)
    if delimiter not in first:
        raise no_header(_first_lines(text), aliases)
    is_cut = not text.endswith(("\n", "\r"))
    try:
        return read_table(list(_records(text, delimiter)), aliases, encoding, delimiter, is_cut=is_cut)
    except FaultError as error:
        if error.fault.reason.code == "F-06":  # a title may have another delimiter than the table below it
            raise no_header(_first_lines(text), aliases) from error
        raise


def _first_lines(text: str) -> list[Record]:
    """The first lines cut at any delimiter, to see whether one of them is the header after all."""
    lines = text[:_HEAD].splitlines()
    return [Record(no, re.split(f"[{_DELIMITERS}]", line)) for no, line in enumerate(lines, 1)]


def _records(text: str, delimiter: str) -> Iterator[Record]:
    """Every record with the number a spreadsheet gives it."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 0
    try:
        for row, cells in enumerate(reader, 1):
            if row > MAX_LINES:
                raise FaultError("F-04.lines", limit=MAX_LINES)
            yield Record(row, cells)
    except csv.Error as error:
        raise FaultError("F-10.quote", row=row + 1) from error
