"""`python -m pk nca`: JSON in, one line of JSON out for each, whatever is wrong with the others."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_schema import problems
from nca_cases import QUANTITIES
from pk_cases import ROOT, read_profiles

from pk.__main__ import main
from pk.command.json_parser import schema_text
from pk.command.jsonlines import read, transform
from pk.command.nca_record import analysed

INPUT, OUTPUT = json.loads(schema_text("nca-input")), json.loads(schema_text("nca-output"))
STEADY = {"id": "S1", "times_h": [0, 1, 2, 4, 8, 12], "conc_mg_l": [2, 6, 10, 8, 4, 2], "method": "linear"}


def run(content: bytes) -> list[dict[str, Any]]:
    target = io.BytesIO()
    transform(io.BytesIO(content), target, lambda records: [analysed(one) for one in records])
    written = target.getvalue()
    assert written.isascii()
    results = [json.loads(line) for line in written.splitlines()]
    for result in results:
        assert problems(result, OUTPUT) == []
    return results


def lines(*records: object) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in records) + b"\n"


def result(**changes: object) -> dict[str, Any]:
    (only,) = run(lines({**STEADY, **changes}))
    return only


def faults(result: dict[str, Any]) -> list[tuple[str | None, str]]:
    assert result["status"] == "error"
    return [(one["field"], one["code"]) for one in result["reasons"]]


# --- what comes out --------------------------------------------------------------------------------------------


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


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\xff\xfe", "line_not_utf8"),
        (b"times_h,conc_mg_l", "line_not_json"),
        (b'{"times_h": [0, 1,], "conc_mg_l": [1, 1]}', "line_not_json"),
        (b'{"times_h": [0, NaN], "conc_mg_l": [1, 1]}', "line_number_not_json"),
        (b'{"times_h": [0, 1], "conc_mg_l": [1, -Infinity]}', "line_number_not_json"),
        (b'{"times_h": [0, 1], "times_h": [0, 2], "conc_mg_l": [1, 1]}', "line_field_repeated"),
        (b"[" * 100_000, "line_too_deep"),
        (b'{"id": ' + b"9" * 5000 + b"}", "line_number_too_long"),
        (b"[]", "line_not_object"),
        (b"12", "line_not_object"),
        (b'"S1"', "line_not_object"),
        (b"null", "line_not_object"),
    ],
)
def test_a_line_that_is_no_record_is_an_error_on_that_line(line: bytes, code: str) -> None:
    before, bad, after = run(lines({**STEADY, "id": 1}, line, {**STEADY, "id": 3}))
    assert (before["status"], bad["line"], after["status"]) == ("ok", 2, "ok")
    assert [one["code"] for one in bad["reasons"]] == [code] and "2" in bad["reasons"][0]["text"]


def test_a_broken_object_over_several_lines_is_one_error() -> None:
    (found,) = run(b'{\n"id": 1,\n"times_h": [0, 1,]\n}\n')
    assert found["line"] == 1 and found["reasons"][0]["params"]["line"] == 3


BAD: list[tuple[dict[str, object], str, str]] = [
    ({"times_h": None}, "times_h", "field_missing"),
    ({"conc_mg_l": None}, "conc_mg_l", "field_missing"),
    ({"times_h": 3}, "times_h", "field_wrong_kind"),
    ({"times_h": [0, 1, 2, 4, 8, "12"]}, "times_h[5]", "field_wrong_kind"),
    ({"times_h": [0, 1, 2, 4, 8, None]}, "times_h[5]", "field_wrong_kind"),
    ({"times_h": [0, 1, 2, 4, 8, True]}, "times_h[5]", "field_wrong_kind"),
    ({"conc_mg_l": [2, 6, "<0.4", 8, 4, 2]}, "conc_mg_l[2]", "field_wrong_kind"),
    ({"conc_mg_l": [2, 6, False, 8, 4, 2]}, "conc_mg_l[2]", "field_wrong_kind"),
    ({"conc_mg_l": [2, 6, [10], 8, 4, 2]}, "conc_mg_l[2]", "field_wrong_kind"),
    ({"conc_mg_l": [2, 6, -0.1, 8, 4, 2]}, "conc_mg_l[2]", "field_too_small"),
    ({"conc_mg_l": [2, 6, {"above": 1}, 8, 4, 2]}, "conc_mg_l[2].above", "field_unknown"),
    ({"conc_mg_l": [2, 6, {}, 8, 4, 2]}, "conc_mg_l[2].below_lloq_mg_l", "field_missing"),
    (
        {"conc_mg_l": [2, 6, {"below_lloq_mg_l": 0}, 8, 4, 2]},
        "conc_mg_l[2].below_lloq_mg_l",
        "field_not_above",
    ),
    ({"lloq_mg_l": 0}, "lloq_mg_l", "field_not_above"),
    ({"method": "log"}, "method", "field_not_choice"),
    ({"method": 1}, "method", "field_wrong_kind"),
    ({"extrapolation": "all"}, "extrapolation", "field_not_choice"),
    ({"blq": "lloq"}, "blq", "field_not_choice"),
    ({"blq": -1}, "blq", "field_too_small"),
    ({"blq": True}, "blq", "field_wrong_kind"),
    ({"blq": {"middle": []}}, "blq.middle", "field_wrong_kind"),
    ({"blq": {"frist": "keep"}}, "blq.frist", "field_unknown"),
    ({"blq": {"first": 0, "after_tmax": "keep"}}, "blq.after_tmax", "fields_exclusive"),
    ({"lambda_z": []}, "lambda_z", "field_wrong_kind"),
    ({"lambda_z": {"min_points": 2}}, "lambda_z.min_points", "field_too_small"),
    ({"lambda_z": {"min_points": 3.5}}, "lambda_z.min_points", "field_not_whole"),
    ({"lambda_z": {"include_tmax": "yes"}}, "lambda_z.include_tmax", "field_wrong_kind"),
    ({"lambda_z": {"min_adjusted_r2": 1.5}}, "lambda_z.min_adjusted_r2", "field_too_large"),
    ({"lambda_z": {"points": 3}}, "lambda_z.points", "field_unknown"),
    ({"tau_h": 0}, "tau_h", "field_not_above"),
    ({"tau_h": "12"}, "tau_h", "field_wrong_kind"),
    ({"partial": {"start": 0}}, "partial", "field_wrong_kind"),
    ({"partial": [[0, 1], 2]}, "partial[1]", "field_wrong_kind"),
    ({"partial": [[0, 1, 2]]}, "partial[0]", "field_wrong_length"),
    ({"partial": [[0, None]]}, "partial[0][1]", "field_wrong_kind"),
    ({"id": ["S1"]}, "id", "field_wrong_kind"),
    ({"id": True}, "id", "field_wrong_kind"),
    ({"dose": 1000}, "dose", "field_unknown"),
]


@pytest.mark.parametrize(("changes", "field", "code"), BAD, ids=lambda one: str(one)[:60])
def test_a_bad_field_is_named_with_what_is_wrong(changes: dict[str, object], field: str, code: str) -> None:
    assert (field, code) in faults(result(**changes))
    assert problems({**STEADY, **changes}, INPUT) != []


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ('"tau_h": 1e999', "tau_h", "field_not_finite"),
        ('"tau_h": 1' + "0" * 400, "tau_h", "field_not_finite"),
        ('"id": 1e999', "id", "field_not_finite"),
    ],
)
def test_a_number_beyond_floats_is_named(text: str, field: str, code: str) -> None:
    record = json.dumps({name: part for name, part in STEADY.items() if name != "id"})
    (found,) = run(record[:-1].encode() + b", " + text.encode() + b"}")
    assert faults(found) == [(field, code)]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"times_h": [0, 2, 1, 4, 8, 12]}, "times_h", "times_not_increasing"),
        ({"times_h": [0, 1, 1, 4, 8, 12]}, "times_h", "times_repeated"),
        ({"conc_mg_l": [None] * 6}, "conc_mg_l", "too_few_points"),
        ({"times_h": [], "conc_mg_l": []}, "conc_mg_l", "too_few_points"),
        ({"conc_mg_l": [2, 6, 10]}, "conc_mg_l", "field_wrong_length"),
        ({"conc_mg_l": [2, 6, 10, 8, 4, 0], "blq": 3}, "blq", "blq_number_too_high"),
    ],
)
def test_a_profile_that_cannot_be_analysed_names_the_field(
    changes: dict[str, object], field: str, code: str
) -> None:
    assert faults(result(**changes)) == [(field, code)]


def test_everything_wrong_with_a_record_is_named_at_once() -> None:
    found = result(times_h=[0, "1"], conc_mg_l=[-1, True], tau_h=-1, method="x", more=1)
    assert {field for field, _ in faults(found)} == {
        "more", "times_h[1]", "conc_mg_l[0]", "conc_mg_l[1]", "tau_h", "method"
    }  # fmt: skip
    assert found["id"] == "S1"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
any_record = st.fixed_dictionaries(
    {}, optional={name: json_values | st.just(INPUT["examples"][0].get(name)) for name in INPUT["properties"]}
)


@given(st.lists(any_record.map(json.dumps) | st.text(max_size=20), max_size=5))
def test_whatever_the_input_every_record_gets_one_sound_line(texts: list[str]) -> None:
    content = "\n".join(texts).encode("utf-8", "surrogatepass")
    assert len(run(content)) == len(read(content))


@given(st.binary(max_size=60))
def test_whatever_the_bytes_nothing_is_raised(content: bytes) -> None:
    assert all(one["status"] == "error" for one in run(content))


# --- the program -----------------------------------------------------------------------------------------------


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
