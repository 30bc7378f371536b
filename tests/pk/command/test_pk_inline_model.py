"""A model given inline passes the same checks as a file; what is wrong is named by its field."""

import copy
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pk.command.inline_model import inline_model
from pk.kinetics.structure import ErrorKind, ErrorModel, Structure
from pk.models.covariates import prior_for
from pk.models.population import DoseBasis, PopulationModel, amount_mg, formulation_problem
from pk.models.shipped import shipped_models
from pk.values.profile import Formulation
from pk.values.reason import Reason

GIVEN: dict[str, Any] = {
    "structure": "two_compartment_first_order_lag",
    "dose_basis": "as_given",
    "theta": {"CL": 20, "V1": 111, "Q": 49, "V2": 388, "ka": 3.6, "tlag": 0.24},
    "omega": {"parameters": ["CL", "V1"], "matrix": [[0.19, 0.1], [0.1, 1.3]]},
    "error": {"type": "log_additive", "sigma": 0.44},
}


def given_with(changes: dict[str, Any]) -> dict[str, Any]:
    content = copy.deepcopy(GIVEN)
    for path, value in changes.items():
        *way, last = path.split(".")
        target: dict[str, Any] = content
        for step in way:
            target = target[step]
        if value is ...:
            del target[last]
        else:
            target[last] = value
    return content


def model(changes: dict[str, Any]) -> PopulationModel:
    found = inline_model(given_with(changes))
    assert isinstance(found, PopulationModel), found
    return found


def problems(changes: dict[str, Any]) -> list[tuple[str, Any]]:
    found = inline_model(given_with(changes))
    assert not isinstance(found, PopulationModel)
    return [(reason.code, dict(reason.params)["field"]) for reason in found]


def test_an_object_becomes_a_model() -> None:
    found = model({})
    assert found.structure is Structure.TWO_COMPARTMENT_FIRST_ORDER_LAG
    assert found.parameters == ("CL", "V1", "Q", "V2", "ka", "tlag")
    assert found.typical == (20, 111, 49, 388, 3.6, 0.24)
    assert (found.random, found.omega) == (("CL", "V1"), ((0.19, 0.1), (0.1, 1.3)))
    assert found.error == ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.44)
    assert (found.id, found.is_default, found.population) == ("inline", False, None)
    assert amount_mg(found, 1000.0, Formulation.MMF) == 1000.0
    assert formulation_problem(found, Formulation.EC_MPS) is None
    placed = prior_for(found, [{}])
    assert placed.notes == placed.reasons == ((),)
    assert np.exp(placed.prior.log_typical[0]).tolist() == pytest.approx(found.typical)


def test_a_missing_lag_is_0_and_the_matrix_follows_the_order_of_its_parameters() -> None:
    found = model({"theta.tlag": ..., "omega.parameters": ["V1", "CL"]})
    assert found.typical[5] == 0 and found.random == ("V1", "CL")
    assert np.exp(prior_for(found, [{}]).prior.log_typical[0, 5]) == 0


def test_a_shipped_model_given_inline_is_the_same_prior() -> None:
    shipped = next(one for one in shipped_models() if one.id == "yu_2017")
    found = inline_model({
        "id": "mine",
        "structure": shipped.structure.value,
        "dose_basis": "mg_mmf",
        "theta": dict(zip(shipped.parameters, shipped.typical, strict=True)),
        "omega": {"parameters": list(shipped.random), "matrix": [list(row) for row in shipped.omega]},
        "error": {"type": "combined", "prop": 0.158, "add": 0.15},
    })  # fmt: skip
    assert isinstance(found, PopulationModel) and found.id == "mine"
    ours, theirs = prior_for(found, [{}]).prior, prior_for(shipped, [{}]).prior
    assert np.array_equal(ours.log_typical, theirs.log_typical)
    assert np.array_equal(ours.loading, theirs.loading) and np.array_equal(ours.omega, theirs.omega)
    assert ours.error == theirs.error


def test_the_other_structures_are_accepted() -> None:
    transit = {"structure": "two_compartment_transit", "theta.tlag": ..., "theta.MTT": 0.45, "n_transit": 6}
    assert model(transit).n_transit == 6
    bolus = {"structure": "one_compartment_bolus", "theta": {"CL": 20, "V1": 100}}
    assert model(bolus).parameters == ("CL", "V1")


@pytest.mark.parametrize(
    ("given_error", "expected"),
    [
        ({"type": "additive", "add": 0.5, "prop": None}, ErrorModel(ErrorKind.ADDITIVE, add_mg_l=0.5)),
        ({"type": "proportional", "prop": 0.3, "add": 0}, ErrorModel(ErrorKind.PROPORTIONAL, prop=0.3)),
        ({"type": "combined", "prop": 0.3, "add": 0.1}, ErrorModel(ErrorKind.COMBINED, 0.1, 0.3)),
        ({"type": "combined", "prop": 0.3, "add": 0}, ErrorModel(ErrorKind.COMBINED, 0.0, 0.3)),
    ],
)
def test_every_residual_error_is_read(given_error: dict[str, Any], expected: ErrorModel) -> None:
    assert model({"error": given_error}).error == expected


@pytest.mark.parametrize("basis", [DoseBasis.MG_MMF, DoseBasis.MG_MPA, DoseBasis.AS_GIVEN])
def test_every_dose_basis_is_read(basis: DoseBasis) -> None:
    assert model({"dose_basis": basis.value}).dose_basis is basis


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"structure": ...}, "field_missing", "structure"),
        ({"structure": "three"}, "field_not_choice", "structure"),
        ({"dose_basis": ...}, "field_missing", "dose_basis"),
        ({"dose_basis": "mg"}, "field_not_choice", "dose_basis"),
        ({"dose_basis": 1}, "field_wrong_kind", "dose_basis"),
        ({"theta": ...}, "field_missing", "theta"),
        ({"theta": [1]}, "field_wrong_kind", "theta"),
        ({"theta.CL": ...}, "field_missing", "theta.CL"),
        ({"theta.CL": 0}, "field_not_above", "theta.CL"),
        ({"theta.CL": -1}, "field_not_above", "theta.CL"),
        ({"theta.CL": "20"}, "field_wrong_kind", "theta.CL"),
        ({"theta.CL": True}, "field_wrong_kind", "theta.CL"),
        ({"theta.CL": math.nan}, "field_not_finite", "theta.CL"),
        ({"theta.CL": 10**400}, "field_not_finite", "theta.CL"),
        ({"theta.tlag": -0.1}, "field_too_small", "theta.tlag"),
        ({"theta.MTT": 1}, "field_unknown", "theta.MTT"),
        ({"theta.k12": 1}, "field_unknown", "theta.Q"),
        ({"omega": ...}, "field_missing", "omega"),
        ({"omega.parameters": ...}, "field_missing", "omega.parameters"),
        ({"omega.parameters": []}, "model_parameters_missing", "omega.parameters"),
        ({"omega.parameters": [1]}, "model_parameters_missing", "omega.parameters"),
        ({"omega.parameters": "CL"}, "field_wrong_kind", "omega.parameters"),
        ({"omega.parameters": ["CL", "CL"]}, "model_parameters_repeated", "omega.parameters"),
        ({"omega.parameters": ["CL", "MTT"]}, "field_not_choice", "omega.parameters"),
        (
            {"theta.tlag": 0, "omega.parameters": ["CL", "tlag"]},
            "model_random_effect_on_zero",
            "omega.parameters",
        ),
        ({"omega.matrix": ...}, "field_missing", "omega.matrix"),
        ({"omega.matrix": [[0.1, 0.0]]}, "model_matrix_wrong_shape", "omega.matrix"),
        ({"omega.matrix": [0.1, 0.2]}, "model_matrix_wrong_shape", "omega.matrix"),
        ({"omega.matrix": [[0.1, math.inf], [0.0, 0.1]]}, "field_not_finite", "omega.matrix"),
        ({"omega.matrix": [[0.1, "a"], [0.0, 0.1]]}, "field_not_finite", "omega.matrix"),
        ({"omega.matrix": [[0.1, 0.2], [0.0, 0.1]]}, "model_matrix_not_symmetric", "omega.matrix"),
        ({"omega.matrix": [[0.1, 0.2], [0.2, 0.1]]}, "model_matrix_not_positive_definite", "omega.matrix"),
        ({"omega.matrix": [[0.1, 0.0], [0.0, 0.0]]}, "model_matrix_not_positive_definite", "omega.matrix"),
        ({"error": ...}, "field_missing", "error"),
        ({"error.type": ...}, "field_missing", "error.type"),
        ({"error.type": "normal"}, "field_not_choice", "error.type"),
        ({"error.sigma": ...}, "field_missing", "error.sigma"),
        ({"error.sigma": 0}, "field_not_above", "error.sigma"),
        ({"error.prop": 0.1}, "fields_exclusive", "error.prop"),
        ({"error": {"type": "combined", "prop": 0, "add": 0}}, "field_not_above", "error.prop"),
        ({"n_transit": 3}, "fields_exclusive", "n_transit"),
        ({"id": ["x"]}, "field_wrong_kind", "id"),
        ({"colour": 1}, "field_unknown", "colour"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    assert (code, f"model.{field}") in problems(changes)


@pytest.mark.parametrize(
    ("count", "code"), [(0, "field_too_small"), (2.5, "field_not_whole"), (101, "field_too_large")]
)
def test_the_number_of_transit_compartments_is_a_small_whole_one(count: float, code: str) -> None:
    changes = {"structure": "two_compartment_transit", "theta.tlag": ..., "theta.MTT": 0.45}
    assert problems(changes) == [("field_missing", "model.n_transit")]
    assert problems({**changes, "n_transit": count}) == [(code, "model.n_transit")]


def test_everything_wrong_is_said_at_once() -> None:
    changes = {"dose_basis": "mg", "theta.CL": -1, "omega.matrix": [[1, 2], [2, 1]], "error.sigma": "x"}
    assert [field for _, field in problems(changes)] == [
        "model.dose_basis", "model.theta.CL", "model.omega.matrix", "model.error.sigma"
    ]  # fmt: skip


@pytest.mark.parametrize("content", [None, 3, True, [], "x", 2.5])
def test_what_is_no_object_is_refused(content: Any) -> None:
    assert inline_model(content, "models[2]") == (Reason.of("model_not_readable", field="models[2]"),)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
paths = ("structure", "dose_basis", "theta", "omega", "error", "n_transit", "id", "theta.CL", "theta.tlag",
         "omega.parameters", "omega.matrix", "error.type", "error.sigma", "error.prop")  # fmt: skip


@given(st.sampled_from(paths), json_values)
def test_any_value_in_any_field_gives_a_model_or_reasons(path: str, value: Any) -> None:
    found = inline_model(given_with({path: value}))
    if isinstance(found, PopulationModel):
        assert np.all(np.isfinite(prior_for(found, [{}]).prior.log_typical[0, :5]))
    else:
        assert found and all(reason.text() for reason in found)
