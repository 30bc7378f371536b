"""Writes the rows of the study's layout as workbooks, well and badly, and packages that only look like one."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from scheduler.intake.layout.columns import COLUMNS
from scheduler.intake.readers import Fault, Reading, read

Row = Mapping[str, str]
TIMES = ("collected_at", "received_at", "reported_at")


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_of(rows: Iterable[Row], typed: bool = False, french: bool = True) -> Workbook:
    """A workbook with one sheet; typed ones have real dates and numbers, others only text."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append([COLUMNS[name][0] if french and name in COLUMNS else name for name in columns])
    for no, row in enumerate(rows, 2):
        for place, name in enumerate(columns, 1):
            put(sheet, no, place, name, row.get(name, ""), typed)
    return book


def put(sheet: Worksheet, row: int, place: int, name: str, text: str, typed: bool) -> None:
    cell = sheet.cell(row, place)
    cell.number_format = "@"
    if typed and name in TIMES and text:
        cell.value = datetime.strptime(text, "%d/%m/%Y %H:%M")  # noqa: DTZ007
        cell.number_format = "dd/mm/yyyy hh:mm"
    elif typed and name in ("value", "lloq", "uloq") and is_number(text):
        cell.value = float(text.replace(",", "."))
        decimals = len(text.replace(",", ".").partition(".")[2])
        cell.number_format = "0." + "0" * decimals if decimals else "General"
    elif text:
        cell.value = text
        cell.data_type = "s"


def is_number(text: str) -> bool:
    return text.replace(",", ".").replace(".", "", 1).lstrip("-").isdigit()


def workbook_bytes(rows: Iterable[Row], **form: Any) -> bytes:
    return saved(sheet_of(rows, **form))


def changed(content: bytes, change: Callable[[Worksheet], object]) -> bytes:
    """The workbook after something was done to its first sheet."""
    book = load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    change(sheet)
    return saved(book)


def with_parts(content: bytes, parts: Mapping[str, bytes], without: Sequence[str] = ()) -> bytes:
    """The package with parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts and name not in without:
                new.writestr(name, old.read(name))
        for name, part in parts.items():
            new.writestr(name, part)
    return out.getvalue()


def part_of(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return package.read(name)


def archive(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
_HEAD = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def far_apart(good: bytes) -> bytes:
    """A small legal workbook with two cells in opposite corners, a table of 17 thousand million cells."""
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return with_parts(good, {SHEET: _HEAD + b"<sheetData>" + cells + b"</sheetData></worksheet>"})


def one_huge_cell(good: bytes) -> bytes:
    """300 MB of one letter in one cell, packed into a third of a megabyte."""
    cell = b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + b"x" * 300_000_000 + b"</t></is></c></row>"
    return with_parts(good, {SHEET: _HEAD + b"<sheetData>" + cell + b"</sheetData></worksheet>"})


def many_rows(good: bytes, count: int) -> bytes:
    """So many rows of one digit, which are quick to unpack and slow to look at."""
    rows = b"".join(b'<row r="%d"><c><v>%d</v></c></row>' % (no, no % 10) for no in range(1, count + 1))
    dimension = b'<dimension ref="A1:A%d"/><sheetData>' % count
    return with_parts(good, {SHEET: _HEAD + dimension + rows + b"</sheetData></worksheet>"})


def as_excel_writes(content: bytes) -> bytes:
    """The workbook with its texts in the list of shared strings, where Excel puts them."""
    texts: list[bytes] = []

    def shared(match: re.Match[bytes]) -> bytes:
        texts.append(b"<si>" + match[2] + b"</si>")
        return b't="s"' + match[1] + b"><v>%d</v></c>" % (len(texts) - 1)

    inline = rb't="inlineStr"([^>]*)><is>(.*?)</is></c>'
    sheet = re.sub(inline, shared, part_of(content, SHEET))
    listed = _HEAD.replace(b"worksheet", b"sst") + b"".join(texts) + b"</sst>"
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'" /></Types>'
    types = part_of(content, "[Content_Types].xml").replace(b"</Types>", override)
    return with_parts(content, {SHEET: sheet, "xl/sharedStrings.xml": listed, "[Content_Types].xml": types})


def with_doctype(good: bytes) -> bytes:
    """Shared strings that would hold the password file of the machine."""
    doctype = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    sheet = part_of(good, SHEET)
    start = sheet.index(b"<worksheet")
    return with_parts(good, {SHEET: sheet[:start] + doctype + sheet[start:]})


def code_of(content: bytes) -> str:
    found = read(content)
    return found.reason.code if isinstance(found, Fault) else "read"


def reading_of(content: bytes) -> Reading:
    found = read(content)
    assert isinstance(found, Reading), found
    return found
