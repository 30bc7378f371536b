"""A program of its own: takes the bytes of an Excel workbook from stdin and writes its cells to stdout as JSON.

Workbooks can be built to exhaust whoever opens them, so the intake never opens one itself: it starts this file as a
process with little memory, little time and an empty environment (see xlsx.py). Nothing of ours is imported here, and
of what openpyxl would like to have, nothing that it does not need.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, iterparse
from zipfile import BadZipFile, ZipFile

__all__ = ["LIMITS", "Limits"]


@dataclass(frozen=True)
class Limits:
    """What one workbook may cost."""

    address_space: int = 512 * 1024 * 1024
    cpu_s: int = 5
    wall_s: int = 7
    unpacked: int = 50_000_000
    parts: int = 200
    ratio: int = 200
    columns: int = 64
    last_row: int = 10_000
    rows: int = 50_000  # with the empty ones
    cells: int = 200_000
    cell: int = 32_767  # characters, as in Excel
    text: int = 8_000_000  # characters in all


LIMITS = Limits()

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_OTHERS = (
    ("xl/workbook.bin", "Excel (.xlsb)"),
    ("word/document.xml", "Word (.docx)"),
    ("ppt/presentation.xml", "PowerPoint (.pptx)"),
    ("content.xml", "OpenDocument (.ods)"),
)
_TEXT_PARTS = (".xml", ".rels", ".vml")
_TRUE = ("1", "true")


class RefusedError(Exception):
    """Why the workbook is not read: the code of the sentence and its parameters."""

    def __init__(self, code: str, **params: str | int) -> None:
        self.code, self.params = code, params
        super().__init__(code)


@dataclass
class _Sheet:
    """The cells that hold something, as [column, kind, text, number format], with the row they stand in."""

    title: str
    visible: bool
    rows: list[tuple[int, bool, list[tuple[int, str, str, str]]]] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)


def _confine(limits: Limits) -> None:
    """From here on memory, time and files are limited, and the end is certain even when nobody waits."""
    for what, most in (
        (resource.RLIMIT_AS, limits.address_space),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    signal.alarm(limits.wall_s)
    for name in ("numpy", "PIL", "lxml", "defusedxml", "socket"):
        sys.modules[name] = None  # type: ignore[assignment]


# --- the package


def _inspect(content: bytes, limits: Limits) -> None:
    """Raises RefusedError for what is no workbook, or one that is not safe to open."""
    with ZipFile(BytesIO(content)) as package:
        parts = package.infolist()
        names = {part.filename for part in parts}
        if "xl/workbook.xml" not in names:
            raise RefusedError("F-07", format=next((kind for name, kind in _OTHERS if name in names), "ZIP"))
        if any(part.flag_bits & 1 for part in parts):
            raise RefusedError("F-07.password")
        if any("vbaproject" in name.lower() for name in names):
            raise RefusedError("F-13.macros")
        size = sum(part.file_size for part in parts)
        packed = sum(part.compress_size for part in parts)
        if len(parts) > limits.parts or len(names) < len(parts):
            raise RefusedError("F-13.parts", limit=limits.parts)
        if size > limits.unpacked or size > limits.ratio * max(packed, 1):
            raise RefusedError("F-13.size", limit=limits.unpacked // 1_000_000)
        for part in parts:
            if part.filename.lower().endswith(_TEXT_PARTS):
                text = package.read(part)
                _refuse_declarations(text)
                if text.count(b"<row") > limits.rows or text.count(b"<c ") > limits.cells:
                    raise RefusedError("F-04.sheet", row=text.count(b"<row"), limit=limits.last_row)


def _refuse_declarations(part: bytes) -> None:
    """A document type can name entities and files of others; no office program writes one, nor UTF-16."""
    if (
        part.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<"))
        or b"<!DOCTYPE" in part
        or b"<!ENTITY" in part
    ):
        raise RefusedError("F-13.xml")


# --- the sheets


def _sheets(content: bytes, limits: Limits) -> Iterator[_Sheet]:
    from openpyxl import load_workbook

    book = load_workbook(BytesIO(content), read_only=True, keep_links=False)
    if not book.worksheets:
        raise RefusedError("F-07", format="Excel (Strict Open XML)")
    left = limits.text
    for source in book.worksheets:
        sheet, used = _sheet(source, limits, left)
        left -= used
        yield sheet


def _sheet(source: Any, limits: Limits, left: int) -> tuple[_Sheet, int]:
    from openpyxl.worksheet._reader import WorkSheetParser

    book = source.parent
    parser = WorkSheetParser(
        BytesIO(),  # it is only asked what single cells mean
        source._shared_strings,
        epoch=book.epoch,
        date_formats=book._date_formats,
        timedelta_formats=book._timedelta_formats,
    )
    sheet = _Sheet(source.title, source.sheet_state == "visible")
    used = last = 0
    with source._get_source() as part:
        for _, element in iterparse(part):  # noqa: S314
            if element.tag == _MAIN + "row":
                last = _row_number(element, last)
                cells = list(_cells(source, parser, element, last, limits))
                used += sum(len(text) for _, _, text, _ in cells)
                if used > left or (cells and last > limits.last_row):
                    raise RefusedError("F-04.sheet", row=last, limit=limits.last_row)
                if cells:
                    sheet.rows.append((last, _is_hidden(element, "ht"), cells))
                element.clear()
            elif element.tag == _MAIN + "col" and _is_hidden(element, "width"):
                sheet.hidden_columns.append((int(element.get("min", 0)), int(element.get("max", 0))))
            elif element.tag == _MAIN + "mergeCell":
                sheet.merged.append(element.get("ref", ""))
    return sheet, used


def _row_number(row: Element, last: int) -> int:
    """The number of a row, which is larger than that of the row before."""
    number = int(row.get("r", last + 1))
    if number <= last:
        raise ValueError("rows out of order")
    return number


def _is_hidden(element: Element, size: str) -> bool:
    return element.get("hidden") in _TRUE or element.get(size) in ("0", "0.0")


def _cells(
    sheet: Any, parser: Any, row: Element, number: int, limits: Limits
) -> Iterator[tuple[int, str, str, str]]:
    """The cells of a row that hold something."""
    from openpyxl.cell.read_only import ReadOnlyCell

    parser.row_counter, parser.col_counter, before = number, 0, 0
    for element in row.iterfind(_MAIN + "c"):
        found = parser.parse_cell(element)
        if found["row"] != number or found["column"] <= before:
            raise ValueError("cells out of order")
        before = found["column"]
        cell = ReadOnlyCell(sheet, **found)
        form = str(cell.number_format)
        kind, text = _meaning(cell.data_type, cell.value, form)
        if not text.strip():
            continue
        if len(text) > limits.cell:
            raise RefusedError("F-04.sheet", row=number, limit=limits.last_row)
        if before > limits.columns:
            raise RefusedError("F-04.columns", row=number, limit=limits.columns)
        yield before, kind, text, form


def _meaning(kind: str, value: object, form: str) -> tuple[str, str]:
    """The kind of a cell and its text: formula, number, date, or text as it stands."""
    if kind == "f":
        return "formula", "="
    if value is None:
        return "text", ""
    if isinstance(value, bool):
        return "text", str(value).upper()
    if isinstance(value, int | float):
        return "number", format(Decimal(format(value, ".15g")), "f")  # 15 digits, as Excel shows
    if isinstance(value, datetime | date | time | timedelta):
        return "date", _moment(value, form.lower())
    return "text", str(value)


def _moment(value: datetime | date | time | timedelta, form: str) -> str:
    """A date and time as the study writes it, to the second; a day alone when no time was given or shown."""
    if not isinstance(value, datetime):
        return f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value)
    value = (value + timedelta(milliseconds=500)).replace(microsecond=0)
    if value.time() == time() and "h" not in form:
        return f"{value:%d/%m/%Y}"
    return f"{value:%d/%m/%Y %H:%M:%S}".removesuffix(":00")


# --- the program


def _answer(content: bytes, limits: Limits) -> dict[str, Any]:
    try:
        _inspect(content, limits)
        return {"sheets": [vars(sheet) for sheet in _sheets(content, limits)]}
    except RefusedError as error:
        return {"fault": error.code, "params": error.params}
    except MemoryError:
        return {"fault": "F-13.time", "params": {}}
    except BadZipFile:
        if b"xl/" in content:
            return {"fault": "F-11.package", "params": {}}
        return {"fault": "F-07", "params": {"format": "ZIP"}}
    except Exception:  # noqa: BLE001 - openpyxl raises anything at all for a part that is not as it should be
        return {"fault": "F-15.workbook", "params": {}}


def main() -> None:
    """Never raises for anything that a workbook can do; what it cannot do in its limits ends it."""
    _confine(LIMITS)
    warnings.simplefilter("ignore")
    json.dump(_answer(sys.stdin.buffer.read(), LIMITS), sys.stdout)


if __name__ == "__main__":
    main()
