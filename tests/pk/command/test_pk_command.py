"""`python -m pk` prints values and reasons; bad input is exit code 2 and one clear sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pk_cases import REGRESSIONS, ROOT

from pk.__main__ import main

GIVEN = ["--c0", "2", "--c30", "10", "--c2", "6", "--interval", "12", "--days", "30", "--assay", "HPLC"]


def printed(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(argv) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    said = capsys.readouterr()
    assert (stopped.value.code, said.out) == (2, "")
    return said.err


def test_the_estimates_are_printed_with_the_reasons_for_those_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(capsys, *GIVEN)
    assert text.startswith("Research use only; not a medical device.")
    assert "pawinski_2002  AUC0-12: 42.91 mg·h/L" in text
    assert "chaigne_2014  AUC0-12: no value\n  why not: There is no H4 sample;" in text
    assert "partial_auc_0_2_linup_logdown  AUC0-2: 14.75 mg·h/L" in text


def test_what_is_not_said_about_the_treatment_is_not_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--c0", "2", "--c30", "10", "--c2", "6")
    assert "pawinski_2002  AUC0-12: no value" in text and "The dosing interval is not known" in text


def test_actual_times_are_minutes_from_the_dose(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, *GIVEN, "--t0", "-5", "--t30", "47", "--t2", "120")
    assert "H30 was drawn at 47 min" in text and "H0 was drawn 5 min before the dose" in text


def test_results_outside_the_limits_are_written_as_a_laboratory_writes_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(capsys, *GIVEN, "--c0", "<0.4")
    assert "31.23 mg·h/L (29.93 to 32.53)" in text
    assert "H30 is above the upper quantification limit" in printed(capsys, *GIVEN, "--c30", ">15")


def test_json_carries_codes_sentences_and_the_hash(capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(printed(capsys, *GIVEN, "--json"))
    first, second, *_ = content["estimates"]
    assert first["value_mg_h_l"] == pytest.approx(42.91) and first["unit"] == "mg·h/L"
    assert second["reasons"][0]["code"] == "sample_missing" and "H4" in second["reasons"][0]["text"]
    assert len(content["inputs_hash"]) == 64 and content["pk_version"] == "2"


def test_the_equations_can_come_from_another_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(REGRESSIONS.read_text("utf-8").replace('"pawinski_2002"', '"ours"', 1), encoding="utf-8")
    assert "ours  AUC0-12: 42.91" in printed(capsys, *GIVEN, "--regressions", str(own))


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "give at least one of --c0, --c30, --c2"),
        (["--c0", "2,5"], "write digits with a point"),
        (["--c0", "nan"], "is not a number"),
        (["--c0", "-1"], "is negative; give 0 or more"),
        (["--c0", "<0"], "is not above 0"),
        (["--c0", "2", "--interval", "0"], "is not above 0"),
        (["--c0", "2", "--days", "-1"], "give 0 or more"),
        (["--c0", "2", "--t30", "soon"], "is not a number"),
        (["--c0", "2", "--formulation", "tablet"], "invalid choice"),
        (
            ["--c0", "2", "--regressions", "/no/such/file.toml"],
            "the equations cannot be read from /no/such/file.toml",
        ),
    ],
)
def test_bad_input_is_refused_with_a_sentence(
    capsys: pytest.CaptureFixture[str], argv: list[str], sentence: str
) -> None:
    assert sentence in refused(capsys, *argv)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"not toml", "TOML"), (b"\xff", "utf-8"), (b"", "write one"), (b"x = " + b"[" * 5000, "recursion")],
    ids=["words", "bytes", "empty", "deep"],
)
def test_a_file_that_holds_no_equations_is_refused_with_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    said = refused(capsys, "--c0", "2", "--regressions", str(path))
    assert "the equations cannot be read" in said and ("Expected" in said or sentence in said)


@pytest.mark.process
def test_the_package_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pk", *GIVEN, "--json"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["estimates"][0]["value_mg_h_l"] == pytest.approx(42.91)
