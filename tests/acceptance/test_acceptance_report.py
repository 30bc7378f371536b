"""The command `report` as people use it: one file, in either language, or a sentence and nothing."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from acceptance_cases import Installation

pytestmark = pytest.mark.process

SUBJECT = "MPA-0001-3"


def test_the_report_of_a_subject_is_one_file_in_the_language_asked_for(
    rehearsed: Installation, tmp_path: Path
) -> None:
    for language, said, shown in (
        ("en", "Written: ", "Exposure by method"),
        ("fr", "Écrit", "Exposition par méthode"),
    ):
        out = tmp_path / f"{language}.html"
        done = rehearsed.ok("--language", language, "report", SUBJECT, "--out", str(out))
        assert done.out.startswith(said) and str(out) in done.out
        html = out.read_text("utf-8")
        assert ElementTree.fromstring(html).get("lang") == language
        assert SUBJECT in html and shown in html
        assert html.count("<svg ") > 2  # the AUCs over the visits, and the curve of every sampling day
    assert sorted(path.name for path in tmp_path.iterdir()) == ["en.html", "fr.html"]


def test_an_older_report_is_replaced_whole(rehearsed: Installation, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("older", "utf-8")
    rehearsed.ok("report", SUBJECT, "--out", str(out))
    assert out.read_text("utf-8").rstrip().endswith("</html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_an_unknown_subject_is_a_sentence_and_leaves_the_older_report(
    rehearsed: Installation, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    out.write_text("older", "utf-8")
    assert "There is no subject MPA-9999-9" in rehearsed.refused("report", "MPA-9999-9", "--out", str(out))
    assert out.read_text("utf-8") == "older"


def test_a_place_that_cannot_be_written_is_a_sentence_and_leaves_nothing(
    rehearsed: Installation, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine", "utf-8")
    for place in (
        tmp_path / "nowhere" / "report.html",
        tmp_path / "folder",
        tmp_path / "file" / "report.html",
    ):
        said = rehearsed.refused("report", SUBJECT, "--out", str(place))
        assert f"{place} cannot be written: " in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert list((tmp_path / "folder").iterdir()) == []
    assert (tmp_path / "file").read_text("utf-8") == "mine"
