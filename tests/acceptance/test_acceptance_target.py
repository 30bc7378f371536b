"""The command `target --out` as people use it: two files, the same again, in either language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from acceptance_cases import Installation

pytestmark = pytest.mark.process


def test_the_report_of_the_study_is_two_files_and_the_same_bytes_again(
    hospital: Installation, tmp_path: Path
) -> None:
    for name in ("once", "again"):
        assert "target.html" in hospital.ok("target", "--out", str(tmp_path / name), "--seed", "7").out
    once, again = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("once", "again")
    )
    assert sorted(once) == ["target.html", "target.json"] and once == again
    document = json.loads(once["target.json"])
    assert (document["tier"], document["cutpoint"], document["config"]["seed"]) == (0, None, 7)


def test_the_study_and_a_file_are_not_asked_at_once(hospital: Installation, tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert "--seed only" in hospital.refused("target", "--out", str(out), "--unlock-tier")
    assert "--seed only" in hospital.refused("target", "--out", str(out), "--csv", "patients.csv")
    assert "Give --out" in hospital.refused("target", "--csv", "patients.csv")
    assert not out.exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(hospital: Installation, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file", "utf-8")
    assert "cannot be written" in hospital.refused("target", "--out", str(taken))
    assert taken.read_text("utf-8") == "a file"
