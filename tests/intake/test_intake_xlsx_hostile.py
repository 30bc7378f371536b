"""Workbooks built to do harm, and files that only call themselves workbooks: one sentence each, soon, and no harm."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import zipfile
from ast import literal_eval
from dataclasses import replace
from pathlib import Path

import pytest
from intake_cases import NOW, THREE, a_study, context
from workbook_cases import (
    SHEET,
    archive,
    as_excel_writes,
    code_of,
    far_apart,
    many_rows,
    one_huge_cell,
    part_of,
    with_doctype,
    with_parts,
    workbook_bytes,
)

from config.language import Language
from scheduler.intake.check import check_file
from scheduler.intake.findings import State, Verdict
from scheduler.intake.readers import Fault, read, workbook, xlsx
from scheduler.intake.rules.validate import validate
from scheduler.intake.sentences import SENTENCES

GOOD = workbook_bytes(THREE)
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99


def repacked(content: bytes, **flags: int) -> bytes:
    """The package with every part marked in its directory and header, as an encrypted archive is."""
    out = bytearray(content)
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = out.find(sign)
        while place >= 0:
            out[place + offset] |= flags["bits"]
            place = out.find(sign, place + 4)
    return bytes(out)


def twice(content: bytes) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as package, pytest.warns(UserWarning, match="Duplicate name"):
        package.writestr(SHEET, b"<worksheet/>")
    return out.getvalue()


HOSTILE = {
    "two cells in opposite corners": (far_apart, "F-04.columns"),
    "a cell of 300 MB": (one_huge_cell, "F-13.size"),
    "rows to the end of the sheet": (lambda good: many_rows(good, 900_000), "F-04.sheet"),
    "an external entity": (with_doctype, "F-13.xml"),
    "UTF-16": (
        lambda good: with_parts(good, {SHEET: part_of(good, SHEET).decode().encode("utf-16")}),
        "F-13.xml",
    ),
    "macros": (lambda good: with_parts(good, {"xl/vbaProject.bin": b"x"}), "F-13.macros"),
    "300 parts": (
        lambda good: with_parts(good, {f"xl/media/{no}.png": b"x" for no in range(300)}),
        "F-13.parts",
    ),
    "a part twice": (twice, "F-13.parts"),
    "encrypted parts": (lambda good: repacked(good, bits=1), "F-07.password"),
    "a nested bomb": (lambda good: with_parts(good, {"xl/a.zip": one_huge_cell(good)}), "read"),
    "no shared strings": (
        lambda good: with_parts(as_excel_writes(good), {}, without=["xl/sharedStrings.xml"]),
        "F-15.workbook",
    ),
    "no styles": (lambda good: with_parts(good, {"xl/styles.xml": b"<styleSheet"}), "F-15.workbook"),
    "rows out of order": (
        lambda good: with_parts(good, {SHEET: part_of(good, SHEET).replace(b'<row r="2"', b'<row r="9"')}),
        "F-15.workbook",
    ),
    "a cell of another row": (
        lambda good: with_parts(good, {SHEET: part_of(good, SHEET).replace(b'r="B2"', b'r="B7"')}),
        "F-15.workbook",
    ),
    "a size that is not true": (
        lambda good: with_parts(good, {SHEET: part_of(good, SHEET).replace(b'ref="A1:N4"', b'ref="A1:B2"')}),
        "read",
    ),
    "no number where one must be": (
        lambda good: with_parts(
            good, {SHEET: part_of(good, SHEET).replace(b"</row>", b"<c><v>NaN</v></c></row>", 1)}
        ),
        "F-15.workbook",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_workbook_built_to_do_harm_is_refused_in_words(name: str) -> None:
    make, code = HOSTILE[name]
    content = make(GOOD)
    assert len(content) < 5_000_000  # larger files are not opened at all
    assert code_of(content) == code
    assert code == "read" or code in SENTENCES


def _children() -> set[str]:
    """The processes that this one started and that are not gone, not even as zombies."""
    return {
        number
        for thread in Path("/proc/self/task").iterdir()
        for number in (thread / "children").read_text().split()
    }


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "import signal; signal.pause()",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import sys; sys.stdin.buffer.read(); print('{\"sheets\": [')",
        "raise SystemExit(1)",
    ],
)
def test_F13_a_child_that_does_not_answer_is_ended_and_its_file_refused(
    program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "child.py"
    path.write_text(program)
    monkeypatch.setattr(xlsx, "_PROGRAM", path)
    monkeypatch.setattr(workbook, "LIMITS", replace(workbook.LIMITS, wall_s=0))
    before = _children()
    assert code_of(GOOD) == "F-13.time"
    assert _children() == before


@pytest.mark.parametrize(
    ("deed", "end"),
    [
        ("bytearray(600_000_000)", 1),  # MemoryError
        ("[0 for _ in iter(int, 1)]", -signal.SIGXCPU),
        ("import os; os.write(os.open('x', os.O_WRONLY | os.O_CREAT), b'x')", 1),
        ("import socket", 1),
    ],
)
def test_the_limits_hold_in_the_child(deed: str, end: int, tmp_path: Path) -> None:
    """The program with less time, and a deed in place of its work."""
    program = (
        f"import runpy; m = runpy.run_path({workbook.__file__!r})\n"
        f"m['_confine'](m['Limits'](cpu_s=1))\n{deed}\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, stderr=subprocess.PIPE, check=False
    )
    assert done.returncode in (end, -signal.SIGKILL)


def test_the_limits_are_those_that_the_laboratory_is_promised() -> None:
    limits = workbook.LIMITS
    assert limits.address_space <= 512 * 1024 * 1024
    assert limits.cpu_s < limits.wall_s < 10


def test_a_workbook_cut_anywhere_is_never_read() -> None:
    """The directory of a package stands at its end: without it there is nothing."""
    for end in range(4, len(GOOD), max(1, len(GOOD) // 12)):
        assert code_of(GOOD[:end]) in ("F-11.package", "F-07")
    assert code_of(GOOD[:-1]) == "F-11.package"


@pytest.mark.parametrize(
    ("content", "code", "name"),
    [
        (archive({"notes.txt": b"x"}), "F-07", "ZIP"),
        (archive({"word/document.xml": b"<x/>"}), "F-07", "Word (.docx)"),
        (archive({"content.xml": b"<x/>", "mimetype": b"x"}), "F-07", "OpenDocument (.ods)"),
        (archive({"xl/workbook.bin": b"x"}), "F-07", "Excel (.xlsb)"),
        (archive({}), "F-07", "ZIP"),
        (b"PK\x03\x04" + b"x" * 300, "F-07", "ZIP"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99 + "Workbook".encode("utf-16-le"),
            "F-07",
            "Excel 97-2003 (.xls)",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "F-07", "Word (.doc)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "F-07.password", None),
        (b"<html><body><table><tr><td>etude", "F-07", "HTML"),
    ],
)
def test_F07_what_is_no_workbook_is_named(content: bytes, code: str, name: str | None) -> None:
    found = read(content)
    assert isinstance(found, Fault)
    assert found.reason.code == code
    assert name is None or found.reason.get("format") == name


def test_the_child_inherits_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever takes over the reader of a workbook finds no settings of ours."""
    path, told = tmp_path / "child.py", tmp_path / "told"
    path.write_text(f"import os; open({str(told)!r}, 'w').write(repr(sorted(os.environ)))")
    monkeypatch.setenv("MPA_SMTP__PASSWORD", "x")
    monkeypatch.setattr(xlsx, "_PROGRAM", path)
    assert code_of(GOOD) == "F-13.time"
    assert set(literal_eval(told.read_text())) <= {"LC_CTYPE"}


def test_a_damaged_byte_never_makes_a_result_that_was_not_sent() -> None:
    """Parts are checked against their sums, so that damage is noticed or harmless."""
    sent = {row["value"] for row in THREE}
    for place in range(40, len(GOOD), len(GOOD) // 25):
        content = GOOD[:place] + bytes([GOOD[place] ^ 0x55]) + GOOD[place + 1 :]
        verdict = validate(read(content), context())
        assert verdict.verdict in set(Verdict)
        accepted = [row for row in verdict.rows if row.state is State.ACCEPTED]
        assert {row.entry.value_raw for row in accepted} <= sent


def test_the_dry_run_says_why(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(with_doctype(GOOD))
    said = {one: check_file(path, a_study(), NOW, one)["reason"] for one in Language}
    assert "refused for safety" in str(said[Language.EN])
    assert "refusé par sécurité" in str(said[Language.FR])
