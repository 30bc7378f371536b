"""A CSV file in, sentences or JSON out: `python -m pk target` and `mpa-monitor target`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
from json_schema import problems
from pk_cases import ROOT
from target_cases import csv_of, simulated

import main as monitor
from config.language import Language, catalogue
from pk.__main__ import main
from pk.command.json_parser import schema_text
from pk.sentences.target import TARGET_SENTENCES

SCHEMA = json.loads(schema_text("target-output"))


FRENCH = (
    "\ufeffid;AUC (mg·h/L);réponse;ΔmRSS\r\n1;35,5;1;-6\r\n2;28,25;0;1,5\r\n3;;1;-7\r\n4;61;1;-5\r\n;;;\r\n"
)


def ran(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, *more: str, status: int = 0
) -> dict[str, Any]:
    """The JSON of the command on a file with the columns x and y."""
    file = tmp_path / "patients.csv"
    file.write_bytes(content)
    arguments = ["target", "--csv", str(file), "--exposure", "x", "--outcome", "y", "--json", *more]
    assert main(arguments) == status
    written = capsys.readouterr()
    assert written.err == ""
    found: dict[str, Any] = json.loads(written.out)
    assert problems(found, SCHEMA) == []
    return found


def test_a_continuous_outcome_has_responders_only_by_a_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exposure, _ = simulated(12, 1)
    content = csv_of({"x": exposure, "y": [-x / 8 for x in exposure], "b": [float(i % 5) for i in range(12)]})
    plain = ran(tmp_path, capsys, content, "--baseline", "b")
    assert plain["n_responders"] is None and plain["association"]["adjusted_slope"][
        "per_10"
    ] == pytest.approx(-1.25)
    ruled = ran(tmp_path, capsys, content, "--responder", "<=-5")
    assert ruled["n_responders"] == sum(-x / 8 <= -5 for x in exposure)
    assert ruled["endpoint_def"] == "y <=-5" and ruled["roc"]["separated"]


def test_a_rule_holds_at_its_limit_within_a_tolerance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = csv_of({"x": [1.0, 2.0, 3.0, 4.0], "y": [0.1 + 0.2, 0.3, 0.2, 7.0]})
    for rule, responders in (("<=0.3", 3), ("<0,3", 1), (">= 0.3", 3), (">0.3", 1)):
        assert ran(tmp_path, capsys, content, "--responder", rule)["n_responders"] == responders


@pytest.mark.parametrize(
    ("outcome", "more", "code"),
    [
        ([0, 1, 2, 1], (), "target_outcome_not_01"),
        ([1, 2, 2, 1], (), "target_outcome_two_values"),
        ([0, 1, 5, 7], ("--outcome-kind", "binary"), "target_outcome_not_binary"),
        ([0, 1, 0, 1], ("--outcome-kind", "binary", "--responder", ">0"), "target_rule_binary"),
        ([0, 1, 5, 7], ("--responder", "5"), "target_rule_unreadable"),
        ([0, 1, 0, 1], ("--baseline", "x"), "target_columns_equal"),
        ([0, 1, 0, 1], ("--baseline", "z"), "target_column_unknown"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_with_its_reason(
    outcome: list[float], more: tuple[str, ...], code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = csv_of({"x": [1.0, 2.0, 3.0, 4.0], "y": outcome})
    found = ran(tmp_path, capsys, content, *more, status=2)
    assert (found["status"], [one["code"] for one in found["reasons"]]) == ("error", [code])


def test_a_continuous_outcome_may_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = csv_of({"x": [1.0, 2.0, 3.0, 4.0], "y": [0.0, 1.0, 2.0, 1.0]})
    found = ran(tmp_path, capsys, content, "--outcome-kind", "continuous")
    assert (found["tier"], found["n_responders"]) == (1, None)
    content = csv_of({"x": [1.0, 2.0, 3.0, 4.0], "y": [0.0, 1.0, 0.0, 1.0]})
    assert ran(tmp_path, capsys, content, "--outcome-kind", "continuous")["n_responders"] is None


def test_a_plan_and_cuts_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exposure, outcome = simulated(20, 1, shift=30)
    found = ran(
        tmp_path, capsys, csv_of({"x": exposure, "y": outcome}), "--plan", "45", "35", "--cuts", "50,40"
    )
    assert found["planning"]["tell_apart"] == [35, 45]
    assert [one["cut"] for one in found["prespecified_cuts"]] == [40, 50]


def test_the_text_says_what_the_json_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "french.csv"
    file.write_text(FRENCH, "utf-8")
    arguments = ["target", "--csv", str(file), "--exposure", "AUC (mg·h/L)", "--outcome", "réponse"]
    assert main([*arguments, "--plan", "35", "45"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Conclusion: not estimable.\nTier 1, descriptive")
    for sentence in (
        "Patients with exposure and outcome: 3; responders: 2.",
        "Rows without exposure, left out: 1.",
        "Cut 35, chosen beforehand: 2 of 2 responders and 0 of 1 others lie where response is expected",
        "at least 4 responders and 4 others are needed",
        TARGET_SENTENCES["C9"],
    ):
        assert sentence in said


def test_what_belongs_together_stands_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "patients.csv"
    exposure, outcome = simulated(40, 1, shift=15)
    file.write_bytes(csv_of({"x": exposure, "y": outcome}))
    arguments = ["--csv", str(file), "--exposure", "x", "--outcome", "y"]
    main(["target", *arguments])
    english = capsys.readouterr().out
    french, _ = monitored(capsys, *arguments)
    for said in (english, french):
        assert said.count("\n\n") == french.count("\n\n") >= 6
        assert "\n\n\n" not in said and said.startswith("Conclusion")
    assert english.split("\n\n")[0].endswith("Patients with exposure and outcome: 40; responders: 16.")


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone.csv"
    assert main(["target", "--csv", str(gone), "--exposure", "x", "--outcome", "y"]) == 2
    assert f"{gone} cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more",
    [["--cuts", "a"], ["--cuts", "inf"], ["--seed", "-1"], ["--plan", "35"], ["--direction", "up"], []],
)
def test_an_option_that_makes_no_sense_ends_with_2(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["target", "--exposure", "x", "--outcome", "y", *more])
    assert stopped.value.code == 2


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["target", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


@pytest.mark.process
def test_two_patients_through_a_process_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "two.csv"
    file.write_bytes(csv_of({"x": [31.0, 52.0], "y": [0.0, 1.0]}))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pk", "target", "--csv", str(file), "--exposure", "x", "--outcome", "y",
         "--json"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stderr == b""
    found = json.loads(done.stdout)
    assert (found["tier"], found["cutpoint"], found["association"]) == (0, None, None)


def monitored(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    command = typer.main.get_command(monitor.app)
    returned = command.main(["--language", "fr", "target", *arguments], standalone_mode=False)
    assert (returned or 0) == status
    written = capsys.readouterr()
    return written.out, written.err


def test_the_service_answers_the_same_in_french(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "patients.csv"
    exposure, outcome = simulated(12, 1, shift=15)
    file.write_bytes(csv_of({"x": exposure, "y": outcome}))
    arguments = ["--csv", str(file), "--exposure", "x", "--outcome", "y"]
    out, err = monitored(capsys, *arguments)
    french = catalogue(Language.FR)
    assert err == "" and out.startswith("Conclusion\u202f: ")
    assert french[TARGET_SENTENCES["C9"]] in out
    english = [one for one in TARGET_SENTENCES.values() if "{" not in one and one in out]
    assert english == []
    out, _ = monitored(capsys, *arguments, "--json")
    main(["target", *arguments, "--json"])
    ours, theirs = json.loads(out), json.loads(capsys.readouterr().out)
    assert problems(ours, SCHEMA) == []
    for part in (ours["warnings"], theirs["warnings"], ours["statements"], theirs["statements"]):
        for one in part:
            del one["text"]
    assert ours == theirs


def test_odds_beyond_all_sense_are_left_unsaid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "patients.csv"
    exposure = [20.0 + i / 50 for i in range(40)]  # close together and separated
    file.write_bytes(csv_of({"x": exposure, "y": [None, *(float(i > 20) for i in range(1, 40))]}))
    out, err = monitored(capsys, "--csv", str(file), "--exposure", "x", "--outcome", "y")
    assert err == "" and "E+" not in out and "∞" not in out


def test_the_service_refuses_with_the_same_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "patients.csv"
    file.write_bytes(b"W6;y\n40;1\n")
    out, err = monitored(capsys, "--csv", str(file), "--exposure", "x", "--outcome", "y", status=2)
    assert out == "" and "Il n'y a pas de colonne x" in err and "W6" in err
    out, _ = monitored(capsys, "--csv", str(file), "--exposure", "x", "--outcome", "y", "--json", status=2)
    assert json.loads(out)["reasons"][0]["code"] == "target_column_unknown"
    _, err = monitored(
        capsys, "--csv", str(file), "--exposure", "W6", "--outcome", "y", "--cuts", "30;40", status=2
    )
    assert "30;40 n'est pas une liste" in err
    gone = str(tmp_path / "gone.csv")
    _, err = monitored(capsys, "--csv", gone, "--exposure", "x", "--outcome", "y", status=2)
    assert "ne peut pas être lu" in err
