"""A name from outside is only data; nothing is moved over anything, and nothing is left half."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_cases import NOW, Bench, csv_bytes

from scheduler.domain.spreadsheet import guarded
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.folder.moving import move_new
from scheduler.intake.shown import safe_name
from scheduler.whole_files import write_whole

HOSTILE = [
    "x/../../etc/passwd".replace("/", "\u2215"),
    "a\nb.csv",
    "=HYPERLINK(1).csv",
    "-rf.csv",
    "a;b|c&d.csv",
    "$(reboot).csv",
    "e\u0301te\u0301.csv",
    "\u202egpj.csv",
    "x" * 240 + ".csv",
    "é" * 120 + ".csv",
    "a\\b:c.csv",
    " .csv",
    "a.receipt.csv",
]


@pytest.mark.parametrize("name", [*HOSTILE, b"\xff\xfe.csv"], ids=repr)
def test_a_hostile_name_is_only_data(bench: Bench, name: str | bytes) -> None:
    path = os.fsencode(bench.root / "in") + b"/" + os.fsencode(name)
    Path(os.fsdecode(path)).write_bytes(csv_bytes())
    assert [one.verdict for one in bench.step().files] == ["accepted"]
    assert bench.names("in") == []
    (archived,) = bench.names("archive")
    assert archived.isprintable()
    assert len(archived.encode()) <= 226
    assert len(bench.names("receipts")) == 2
    assert {path.name for path in bench.root.iterdir()} == {
        "in", "work", "archive", "quarantine", "receipts", "duplicates"
    }  # fmt: skip
    assert len(bench.files()[0].original_name.encode()) <= 200


@given(st.text(min_size=1, max_size=300))
def test_a_safe_name_is_printable_short_and_stays_in_its_folder(name: str) -> None:
    safe = safe_name(name)
    assert safe.isprintable()
    assert 0 < len(safe.encode()) <= 200
    assert not set(safe) & set('/\\:*?"<>|')
    assert safe[0] not in ".-~=+@ '"


@given(st.text(max_size=20))
def test_no_cell_that_is_written_is_a_formula(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_a_file_is_never_moved_over_another(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    for content in (b"one", b"two", b"three"):
        (tmp_path / "source").write_bytes(content)
        move_new(tmp_path / "source", tmp_path / "to", "a.csv")
    found = {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()}
    assert found == {"a.csv": b"one", "a-2.csv": b"two", "a-3.csv": b"three"}


def test_an_interrupted_move_done_again_leaves_one_copy(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "a.csv"
    source.write_bytes(b"one")
    os.link(source, target)  # died between link and unlink
    assert move_new(source, tmp_path, "a.csv") == "a.csv"
    source.write_bytes(b"one")  # died between copy and unlink, across file systems
    assert move_new(source, tmp_path, "a.csv") == "a.csv"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_receipt_left_half_written_is_removed_at_the_start(tmp_path: Path) -> None:
    DropFolder(tmp_path)
    half = tmp_path / "receipts" / "a.receipt.csv.tmp"
    half.write_text("half")
    other = DropFolder(tmp_path)
    assert half.exists()  # it may be another's, until this one looks
    other.scan(NOW, 0)
    assert not half.exists()
    write_whole(tmp_path / "receipts" / "a.receipt.csv", b"whole")
    assert [path.name for path in (tmp_path / "receipts").iterdir()] == ["a.receipt.csv"]
