"""`python -m pk nca`: what is wrong with a line is named by its field, and costs only itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_schema import problems
from nca_record_cases import INPUT, STEADY, faults, result, run
from pk_cases import lines

from pk.command.jsonlines import read


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
