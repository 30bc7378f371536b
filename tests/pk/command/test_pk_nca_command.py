"""`python -m pk nca`: JSON in, one line of JSON out for each."""

import json
import subprocess
import sys
from typing import Any

import pytest
from json_schema import problems
from nca_cases import QUANTITIES
from nca_record_cases import INPUT, STEADY, result, run
from pk_cases import ROOT, lines, read_profiles

from pk.__main__ import main
from pk.command.json_parser import schema_text


def test_a_profile_gives_numbers_under_their_names() -> None:
    found = result(tau_h=12, partial=[[0, 2], [0, 1.5]])
    assert (found["id"], found["status"], found["method"]) == ("S1", "ok", "linear")
    assert (found["auc_tau"], found["c_avg"], found["cmax"], found["tmax"]) == (66, 5.5, 10, 2)
    assert found["partial"] == [
        {"start_h": 0, "end_h": 2, "auc": 12},
        {"start_h": 0, "end_h": 1.5, "auc": 7.5},
    ]
    assert found["terminal"]["points"] == 3


def test_every_null_has_its_reasons_and_nothing_else_has() -> None:
    for record in (STEADY, {**STEADY, "conc_mg_l": [0] * 6}, {**STEADY, "partial": [[-1, 2], [0, 40]]}):
        (found,) = run(lines(record))
        named = {one["field"] for one in found["reasons"]}
        nulls = {name for name in QUANTITIES if found[name] is None}
        nulls |= {f"partial[{i}]" for i, one in enumerate(found["partial"]) if one["auc"] is None}
        assert named == nulls


def test_reasons_carry_code_parameters_and_sentence() -> None:
    found = result(partial=[[0, 0]])
    assert found["reasons"][-1] == {
        "field": "partial[0]",
        "code": "interval_empty",
        "params": {"end_h": 0, "start_h": 0},
        "text": "The interval 0 to 0 h is empty; its end must come after its start.",
    }


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"method": "linear_log"}, "method", "linear_log"),
        ({"method": None}, "method", "linear_up_log_down"),
        ({"blq": "keep", "conc_mg_l": [2, 6, 10, 8, 4, 0]}, "auc_all", 62.0),
        ({"blq": "drop", "conc_mg_l": [2, 6, 10, 8, 4, 0]}, "auc_all", 54.0),
        ({"blq": 1, "conc_mg_l": [2, 6, 10, 8, 4, 0]}, "auc_all", 64.0),
        ({"blq": {"last": "drop"}, "conc_mg_l": [2, 6, 10, 8, 4, 0]}, "auc_all", 54.0),
        ({"blq": {"after_tmax": 1.5}, "conc_mg_l": [2, 6, 10, 8, 4, {"below_lloq_mg_l": 1.5}]}, "auc_all", 65.0),
        ({"lloq_mg_l": 3}, "tlast", 8),
        ({"conc_mg_l": [2, 6, 10, 8, 4, None]}, "tlast", 8),
        ({"lambda_z": {"min_points": 4}}, "lambda_z", None),
        ({"lambda_z": {"include_tmax": True, "tolerance": 1}}, "terminal.points", 4),
        ({"lambda_z": {"min_span_ratio": 90, "enforce": True}}, "auc_inf_obs", None),
        ({"extrapolation": "none", "tau_h": 13}, "auc_tau", None),
        ({"id": 12}, "id", 12),
        ({"id": None}, "id", None),
    ],
)  # fmt: skip
def test_the_rules_can_be_chosen(changes: dict[str, object], field: str, expected: object) -> None:
    assert problems({**STEADY, **changes}, INPUT) == []
    found: Any = result(**changes)
    for name in field.split("."):
        found = found[name]
    assert found == expected


@pytest.mark.parametrize("given", [1, 2, 0])
def test_order_is_kept_and_a_bad_line_costs_only_itself(given: int) -> None:
    good = [{**STEADY, "id": i} for i in range(3)]
    found = run(lines(*good[:given], b"{broken", b"", *good[given:]))
    assert [one["id"] for one in found] == [*range(given), None, *range(given, 3)]
    assert [one["status"] for one in found].count("error") == 1 and found[given]["line"] == given + 1


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(STEADY).encode(),
        json.dumps(STEADY, indent=2).encode(),
        b"\n\n" + json.dumps(STEADY, indent=2).encode() + b"\n\n",
        b"\xef\xbb\xbf" + json.dumps(STEADY).encode() + b"\r\n",
        b'{"id": "S1",\n' + json.dumps(STEADY)[len('{"id": "S1",') :].encode(),
    ],
)
def test_one_object_may_take_several_lines(content: bytes) -> None:
    assert [(one["id"], one["auc_last"]) for one in run(content)] == [("S1", 66.0)]


def test_nothing_in_gives_nothing_out() -> None:
    assert run(b"") == run(b" \n\r\n") == []


def test_text_beyond_ascii_comes_back_as_it_was() -> None:
    assert result(id="é\u202f☃\ud800")["id"] == "é\u202f☃\ud800"


@pytest.mark.parametrize("example", INPUT["examples"])
def test_the_examples_of_the_schema_work(example: dict[str, object]) -> None:
    assert problems(example, INPUT) == []
    assert run(lines(example))[0]["status"] == "ok"


def test_the_input_schema_knows_exactly_the_fields_that_are_read() -> None:
    (found,) = run(lines({**STEADY, "dose": 1}))
    assert found["reasons"][0]["params"]["known"].split(", ") == list(INPUT["properties"])


@pytest.mark.parametrize(("argv", "side"), [(["--schema"], "input"), (["--schema", "output"], "output")])
def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str], argv: list[str], side: str) -> None:
    assert main(["nca", *argv]) == 0
    assert capsys.readouterr().out == schema_text(f"nca-{side}")


def test_a_command_takes_no_concentrations(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--c0", "2", "nca"])
    assert stopped.value.code == 2 and "takes no --c0" in capsys.readouterr().err


@pytest.mark.process
def test_the_program_reads_standard_input_and_exits_with_0() -> None:
    content = b"no json\n" + lines(*({"id": i, "times_h": t, "conc_mg_l": c} for i, (t, c) in
                                     read_profiles("theoph.csv").items()))  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pk", "nca"],
        cwd=ROOT,
        input=content,
        capture_output=True,
        check=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stderr == b"" and [one["status"] for one in found] == ["error", *["ok"] * 12]
    assert found[1]["half_life"] == pytest.approx(14.304378, abs=5e-7)


@pytest.mark.process
def test_the_analysis_needs_no_numpy() -> None:
    script = "import sys, pk.command.nca; print(sorted({'numpy', 'scipy'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]"]
