"""`python -m pk estimate`: whatever is wrong with a line is named by its field, and the others are still done."""

import json
from typing import Any

import pytest
from estimate_cases import (
    BOLUS,
    INPUT,
    ONE_COMPARTMENT,
    OUTPUT,
    RECORD,
    STEADY,
    THREE,
    TRANSIT,
    TWO_COMPARTMENT,
    changed,
    result,
    run,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from json_schema import problems
from pk_cases import lines

DOSES = [{"time_h": 0, "dose_mg": 1000}]


HISTORY = {"drug": "MMF", "doses": DOSES}


def faults(found: dict[str, Any]) -> list[tuple[str | None, str]]:
    assert problems(found, OUTPUT) == [] and found["status"] == "error"
    assert all(one["text"] for one in found["reasons"])
    return [(one["field"], one["code"]) for one in found["reasons"]]


def sample(**fields: object) -> list[dict[str, object]]:
    return [*THREE[:2], {"time_h": 2.0, "conc_mg_l": 6.0, **fields}]  # type: ignore[list-item]


def without(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


BAD: list[tuple[dict[str, Any], tuple[str, str]]] = [
    # the record
    ({"id": [1]}, ("id", "field_wrong_kind")),
    ({"doses": 3}, ("doses", "field_unknown")),
    ({"methods": ["map", "bayes"]}, ("methods", "field_not_choice")),
    ({"methods": []}, ("methods", "field_not_choice")),
    ({"methods": "map"}, ("methods", "field_wrong_kind")),
    ({"assay": 3}, ("assay", "field_wrong_kind")),
    ({"interval_draws": 5}, ("interval_draws", "field_too_small")),
    ({"interval_draws": -1}, ("interval_draws", "field_too_small")),
    ({"interval_draws": 10**9}, ("interval_draws", "field_too_large")),
    ({"interval_draws": 200.5}, ("interval_draws", "field_not_whole")),
    # the samples
    ({"samples": ...}, ("samples", "field_missing")),
    ({"samples": []}, ("samples", "field_empty")),
    ({"samples": {"time_h": 1}}, ("samples", "field_wrong_kind")),
    ({"samples": [3]}, ("samples[0]", "field_wrong_kind")),
    ({"samples": sample(time_h=None)}, ("samples[2].time_h", "field_missing")),
    ({"samples": sample(time_h="2")}, ("samples[2].time_h", "field_wrong_kind")),
    ({"samples": sample(time_h=1e300)}, ("samples[2].time_h", "field_too_large")),
    ({"samples": sample(conc_mg_l="6")}, ("samples[2].conc_mg_l", "field_wrong_kind")),
    ({"samples": sample(conc_mg_l=True)}, ("samples[2].conc_mg_l", "field_wrong_kind")),
    ({"samples": sample(conc_mg_l=-0.1)}, ("samples[2].conc_mg_l", "field_too_small")),
    ({"samples": sample(conc_mg_l=50.1)}, ("samples[2].conc_mg_l", "conc_unit_doubtful")),
    ({"samples": sample(conc_mg_l=10**400)}, ("samples[2].conc_mg_l", "field_not_finite")),
    ({"samples": sample(conc_ng_ml=6000)}, ("samples[2].conc_ng_ml", "field_unknown")),
    ({"samples": sample(below_lloq_mg_l=0.4)}, ("samples[2].conc_mg_l", "fields_exclusive")),
    ({"samples": [{"time_h": 1}]}, ("samples[0].conc_mg_l", "field_missing")),
    ({"samples": [{"time_h": 1, "below_lloq_mg_l": 0}]}, ("samples[0].below_lloq_mg_l", "field_not_above")),
    (
        {"samples": [{"time_h": 1, "below_lloq_mg_l": 400}]},
        ("samples[0].below_lloq_mg_l", "conc_unit_doubtful"),
    ),
    ({"samples": [{"time_h": 1, "conc_mg_l": None}]}, ("samples", "no_usable_sample")),
    ({"samples": sample(conc_mg_l=0)}, ("samples[2]", "value_zero")),
    # the treatment
    ({"regimen": ...}, ("regimen", "field_missing")),
    ({"regimen": [1000]}, ("regimen", "field_wrong_kind")),
    ({"regimen": without("drug", STEADY)}, ("regimen.drug", "field_missing")),
    ({"regimen": {**STEADY, "drug": "mycophenolate"}}, ("regimen.drug", "field_not_choice")),
    ({"regimen": without("dose_mg", STEADY)}, ("regimen.dose_mg", "field_missing")),
    ({"regimen": {**STEADY, "dose_mg": 0}}, ("regimen.dose_mg", "field_not_above")),
    ({"regimen": {**STEADY, "dose_mg": "1 g"}}, ("regimen.dose_mg", "field_wrong_kind")),
    ({"regimen": without("interval_h", STEADY)}, ("regimen.interval_h", "field_missing")),
    ({"regimen": {**STEADY, "interval_h": -12}}, ("regimen.interval_h", "field_not_above")),
    ({"regimen": without("steady_state", STEADY)}, ("regimen.steady_state", "field_missing")),
    ({"regimen": {**STEADY, "steady_state": 1}}, ("regimen.steady_state", "field_wrong_kind")),
    ({"regimen": {**STEADY, "steady_state": False}}, ("regimen.steady_state", "model_steady_state_unknown")),
    ({"regimen": {**STEADY, "tau": 12}}, ("regimen.tau", "field_unknown")),
    ({"regimen": {**HISTORY, "dose_mg": 1000}}, ("regimen.dose_mg", "fields_exclusive")),
    ({"regimen": {**HISTORY, "steady_state": True}}, ("regimen.steady_state", "fields_exclusive")),
    ({"regimen": {"drug": "MMF", "doses": []}}, ("regimen.doses", "field_empty")),
    ({"regimen": {"drug": "MMF", "doses": 1000}}, ("regimen.doses", "field_wrong_kind")),
    ({"regimen": {"drug": "MMF", "doses": [1000]}}, ("regimen.doses[0]", "field_wrong_kind")),
    ({"regimen": {"drug": "MMF", "doses": [{"time_h": 0}]}}, ("regimen.doses[0].dose_mg", "field_missing")),
    (
        {"regimen": {"drug": "MMF", "doses": [{"time_h": 0, "dose_mg": -1}]}},
        ("regimen.doses[0].dose_mg", "field_not_above"),
    ),
    (
        {"regimen": {"drug": "MMF", "doses": [{"time_h": 0, "dose_mg": 1, "every_h": 0}]}},
        ("regimen.doses[0].every_h", "field_not_above"),
    ),
    ({"regimen": {**STEADY, "drug": "EC-MPS"}}, ("regimen.drug", "model_not_for_formulation")),
    # covariates
    ({"covariates": [1]}, ("covariates", "field_wrong_kind")),
    ({"covariates": {"shoe_size": 43}}, ("covariates.shoe_size", "field_unknown")),
    ({"covariates": {"albumin_g_l": 3.8}}, ("covariates.albumin_g_l", "covariate_implausible")),
    ({"covariates": {"weight_kg": "70"}}, ("covariates.weight_kg", "covariate_not_number")),
    ({"covariates": {"sex": "F"}}, ("covariates.sex", "field_not_choice")),
    ({"model": "van_hest_2005"}, ("covariates.ciclosporin_dose_mg_d", "covariate_required")),
    # models
    ({"model": "mizaki"}, ("model", "field_not_choice")),
    ({"model": 3}, ("model", "model_not_readable")),
    ({"model": {}}, ("model.structure", "field_missing")),
    ({"model": changed(BOLUS, "structure", "three")}, ("model.structure", "field_not_choice")),
    ({"model": changed(BOLUS, "dose_basis", "mg")}, ("model.dose_basis", "field_not_choice")),
    ({"model": changed(BOLUS, "theta.CL", ...)}, ("model.theta.CL", "field_missing")),
    ({"model": changed(BOLUS, "theta.CL", -1)}, ("model.theta.CL", "field_not_above")),
    ({"model": changed(BOLUS, "theta.ka", 1)}, ("model.theta.ka", "field_unknown")),
    (
        {"model": changed(BOLUS, "omega.matrix", [[1, 2, 0], [2, 1, 0], [0, 0, 1]])},
        ("model.omega.matrix", "model_matrix_not_positive_definite"),
    ),
    (
        {"model": changed(BOLUS, "omega.matrix", [[1, 0.2, 0], [0.1, 1, 0], [0, 0, 1]])},
        ("model.omega.matrix", "model_matrix_not_symmetric"),
    ),
    ({"model": changed(BOLUS, "omega.matrix", [[1]])}, ("model.omega.matrix", "model_matrix_wrong_shape")),
    (
        {"model": changed(BOLUS, "omega.parameters", ["KA"] * 3)},
        ("model.omega.parameters", "field_not_choice"),
    ),
    ({"model": changed(BOLUS, "error.type", "poisson")}, ("model.error.type", "field_not_choice")),
    ({"model": changed(BOLUS, "error.add", 0)}, ("model.error.add", "field_not_above")),
    ({"model": changed(TRANSIT, "n_transit", ...)}, ("model.n_transit", "field_missing")),
    ({"model": changed(TWO_COMPARTMENT, "theta.tlag", 13)}, ("model.theta.tlag", "model_lag_too_long")),
]


@pytest.mark.parametrize(("changes", "fault"), BAD, ids=[f"{f}-{c}" for _, (f, c) in BAD])
def test_what_is_wrong_is_named_by_its_field(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    assert fault in faults(result(**changes))


def test_every_fault_of_a_line_is_named_at_once() -> None:
    found = faults(result(samples=sample(conc_mg_l=-1), regimen={**STEADY, "dose_mg": 0}, model="x", mode=1))
    assert {field for field, _ in found} == {"samples[2].conc_mg_l", "regimen.dose_mg", "model", "mode"}


def test_a_batch_of_everything_bad_still_does_the_good_lines() -> None:
    bad = [{name: v for name, v in {**RECORD, **one}.items() if v is not ...} for one, _ in BAD]
    mixed: list[Any] = [RECORD]
    for one in bad:
        mixed += [one, {**RECORD, "id": len(mixed)}]
    mixed += [b"{broken", b"[]", b'{"id": NaN}', b'"S1"', b'{"id": 1, "id": 2}', {**RECORD, "id": "last"}]
    found = run(lines(*mixed))
    assert len(found) == len(mixed)
    for given_, came in zip(mixed, found, strict=True):
        assert problems(came, OUTPUT) == []
        good = not isinstance(given_, bytes) and json.dumps(given_) == json.dumps(
            {**RECORD, "id": came["id"]}
        )
        assert came["status"] == ("ok" if good else "error"), (given_, came)
    alone = result()["methods"]["map"]
    for one in (one["methods"]["map"] for one in found if one["status"] == "ok"):
        assert one["auc_0_12_mg_h_l"] == pytest.approx(alone["auc_0_12_mg_h_l"], rel=1e-9)
        assert one["interval_90"] == pytest.approx(alone["interval_90"], rel=1e-9)


def test_the_schema_refuses_what_the_command_refuses() -> None:
    # Whether values fit each other is more than the schema says.
    beyond = {
        "covariate_required",
        "field_not_finite",
        "fields_exclusive",
        "model_lag_too_long",
        "model_not_for_formulation",
        "model_steady_state_unknown",
        "no_usable_sample",
        "value_zero",
    }
    for changes, (field, code) in BAD:
        record = {name: value for name, value in {**RECORD, **changes}.items() if value is not ...}
        needs_code = code in beyond or field.startswith(("model.", "regimen"))
        assert needs_code or problems(record, INPUT) != [], (field, code)


def test_the_examples_of_the_schema_are_done() -> None:
    for record in INPUT["examples"]:
        assert problems(record, INPUT) == []
        (found,) = run(lines(record))
        assert found["status"] == "ok" and found["id"] == record["id"]
        for entry in found["methods"].values():
            assert (entry["auc_0_12_mg_h_l"] is None) == bool(entry["reasons"])


def test_equations_keep_their_windows_and_the_model_does_not() -> None:
    late = [THREE[0], {"time_h": 0.9, "conc_mg_l": 9.0}, THREE[2]]
    found = result(samples=late, methods=["regression", "map"])
    assert found["methods"]["map"]["auc_0_12_mg_h_l"] is not None
    reasons = [(one["field"], one["code"]) for one in found["methods"]["regression"]["reasons"]]
    assert ("samples", "time_outside_window") in reasons


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"samples": THREE[:2]}, "sample_missing"),
        ({"regimen": {**STEADY, "interval_h": 8}}, "interval_differs"),
        ({"regimen": HISTORY}, "steady_state_unknown"),
        ({"regimen": {**STEADY, "drug": "EC-MPS"}}, "formulation_not_covered"),
    ],
)
def test_equations_are_refused_outside_what_they_were_derived_for(changes: dict[str, Any], code: str) -> None:
    found = result(methods=["regression"], **changes)
    assert code in [code for _, code in faults(found)]
    assert found["methods"]["regression"]["equation"] is None


def test_ec_mps_is_done_with_a_model_that_covers_it() -> None:
    found = result(regimen={**STEADY, "drug": "EC-MPS"}, model=ONE_COMPARTMENT, methods=["map", "average"])
    assert found["status"] == "ok"
    assert {one["code"] for one in found["methods"]["average"]["reasons"]} >= {"model_not_for_formulation"}


def test_a_dose_needs_no_drug_where_amounts_count_as_given() -> None:
    assert result(regimen=without("drug", STEADY), model=ONE_COMPARTMENT)["status"] == "ok"


def test_a_zero_is_a_measurement_where_the_error_is_additive() -> None:
    first = {"regimen": HISTORY, "samples": [{"time_h": 0, "conc_mg_l": 0}, *THREE[1:]]}
    assert result(model=BOLUS, **first)["status"] == "ok"
    assert result(model=ONE_COMPARTMENT, **first)["status"] == "ok"  # no dose can have reached it: no term
    assert faults(result(model=ONE_COMPARTMENT, samples=first["samples"])) == [("samples[0]", "value_zero")]


number = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.sampled_from([0, 1, 12])
)


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), number, st.text(max_size=5)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(RECORD)), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        [
            "samples", "regimen", "covariates", "model", "methods", "interval_draws", "regimen.drug",
            "regimen.dose_mg", "regimen.interval_h", "regimen.steady_state", "regimen.doses",
        ]
    ),
    anything,
)  # fmt: skip
def test_whatever_stands_in_a_field_gives_a_line(path: str, value: object) -> None:
    (found,) = run(lines(changed(RECORD, path, value)))
    assert problems(found, OUTPUT) == [] and found["id"] == "S1"


@settings(max_examples=25, deadline=None)
@given(
    st.floats(1e-3, 1e7),
    st.floats(2, 1e5),
    st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(0, 50)), min_size=1, max_size=4),
)
def test_whatever_the_sizes_a_line_has_finite_numbers_or_reasons(
    dose: float, interval: float, points: list[tuple[float, float]]
) -> None:
    samples = [{"time_h": time, "conc_mg_l": conc} for time, conc in points]
    regimen = {**STEADY, "dose_mg": dose, "interval_h": interval}
    for model in (BOLUS, TWO_COMPARTMENT, "mizaki_2023"):
        found = result(regimen=regimen, samples=samples, model=model)
        assert problems(found, OUTPUT) == []
