"""The objective is what its definition says, and its gradient is exact."""

import dataclasses

import numpy as np
import pytest
from agreement import BY_DEFINITION, Agreement, Method, reference
from hypothesis import given, settings
from hypothesis import strategies as st
from pk_models import DESIGNS, MODELS, value, values, virtual
from reference_pk import objective

from pk.fit.objective import differentiate, evaluate, problem
from pk.fit.residual import terms
from pk.kinetics.batch import Observations
from pk.kinetics.structure import ErrorKind, ErrorModel

designs = pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS.keys())
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
ERRORS = {
    "additive": ErrorModel(ErrorKind.ADDITIVE, add_mg_l=0.5),
    "proportional": ErrorModel(ErrorKind.PROPORTIONAL, prop=0.3),
    "combined": ErrorModel(ErrorKind.COMBINED, add_mg_l=0.2, prop=0.2),
    "log additive": ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.4),
}
errors = pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())


@reference(
    Method.MAP,
    "each model and design of tests/pk/pk_models.py, simulated patients: the objective",
    BY_DEFINITION,
)
@models
@designs
def test_the_objective_is_that_of_the_definition(model, design, agreement: Agreement) -> None:
    prior, doses, observations, eta = virtual(model, 4, 3, design)
    got = value(prior, doses, observations, eta)
    for i in range(4):
        want = objective(prior, doses, observations, i, eta[i])
        if np.isfinite(want) and abs(want) < 1e6:
            agreement(got[i], want, rel=1e-8, within=1e-7)


def test_without_a_measurable_prediction_the_rest_of_the_objective_stands() -> None:
    """A sample that no dose can have reached has an infinite term under a relative error: left out."""
    prior, doses, observations, eta = virtual(
        MODELS["van hest"], 3, 3, DESIGNS["first dose, near the lag, censored"]
    )
    early = dataclasses.replace(
        observations, time_h=np.where([True, False, False, False], 0.1, observations.time_h)
    )
    less = dataclasses.replace(early, present=np.tile([False, True, True, True], (3, 1)))
    early = dataclasses.replace(early, censored=early.censored & [False, True, True, True])
    assert np.array_equal(value(prior, doses, early, eta), value(prior, doses, less, eta))


@models
@designs
def test_the_gradient_is_exact(model, design) -> None:
    prior, doses, observations, eta = virtual(model, 40, 5, design)
    batch, here = problem(prior, doses, observations), np.ascontiguousarray(eta.T)
    exact = differentiate(batch, here)
    assert np.allclose(exact.value, evaluate(batch, here), rtol=1e-14)
    h = 1e-4
    for k in range(eta.shape[1]):
        way = np.zeros((eta.shape[1], 1))
        way[k] = h
        far, near = (
            (evaluate(batch, here + n * way) - evaluate(batch, here - n * way)) / (2 * n * h) for n in (2, 1)
        )
        slope = (4 * near - far) / 3
        # A difference across a kink, or beside one of 1e18, says nothing.
        smooth = (np.abs(near - far) < 1e-3 * (1 + np.abs(near))) & (np.abs(exact.value) < 1e6)
        assert smooth.mean() > 0.7
        off = np.abs(exact.gradient[k] - slope)
        exactly = off <= 1e-5 * (1 + np.abs(slope)) + 2 * np.abs(near - far)
        # With a random lag a point may lie so near a kink that no difference sees one side of it only.
        assert np.count_nonzero(~exactly & smooth) <= (1 if batch.fixed is None else 0)


@errors
@pytest.mark.parametrize("censored", [False, True])
@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 60.0), st.floats(0.01, 60.0))
def test_slopes_of_a_samples_term_are_exact_and_curvatures_never_negative(error, censored, y, f) -> None:
    mask = np.array([True]) if censored else None
    found = terms(error, np.array([y]), mask, np.array([f]))
    h = 1e-4 * f
    one, two = (
        (
            terms(error, np.array([y]), mask, np.array([f + n * h])).value
            - terms(error, np.array([y]), mask, np.array([f - n * h])).value
        )[0]
        / (2 * n * h)
        for n in (1, 2)
    )
    assert found.slope[0] == pytest.approx((4 * one - two) / 3, rel=1e-5, abs=1e-6)
    assert found.curvature[0] >= 0


@errors
def test_a_censored_sample_far_above_its_limit_does_not_underflow(error) -> None:
    f = np.array([1.0, 1e2, 1e4, 1e6])
    found = terms(error, np.full(4, 0.4), np.ones(4, bool), f)
    assert np.all(np.isfinite(found.value)) and np.all(np.isfinite(found.slope)) and np.all(found.slope > 0)
    assert np.all(np.diff(found.value) > 0)


@models
def test_many_effects_per_subject_give_what_each_gives_alone(model) -> None:
    prior, doses, observations, _ = virtual(model, 5, 1)
    draws = np.random.default_rng(0).multivariate_normal(np.zeros(len(model.omega)), model.omega, (5, 700))
    batch = problem(prior, doses, observations)
    together = values(batch, draws)
    assert together.shape == (5, 700)
    for m in (0, 350, 699):
        assert np.allclose(together[:, m], value(prior, doses, observations, draws[:, m]), rtol=1e-12)
    assert np.allclose(
        evaluate(batch.take(np.repeat(np.arange(5), 700)), np.ascontiguousarray(draws.reshape(3500, -1).T)),
        together.ravel(),
        rtol=1e-12,
    )


def test_unused_places_and_their_numbers_mean_nothing() -> None:
    prior, doses, observations, eta = virtual(MODELS["yu"], 6, 2)
    wide = Observations(
        np.pad(observations.time_h, ((0, 0), (0, 1)), constant_values=7.0),
        np.pad(observations.conc_mg_l, ((0, 0), (0, 1)), constant_values=0.0),
        np.pad(observations.censored, ((0, 0), (0, 1)), constant_values=True),
        np.pad(observations.present, ((0, 0), (0, 1)), constant_values=False),
    )
    assert np.allclose(value(prior, doses, wide, eta), value(prior, doses, observations, eta), rtol=1e-14)


def test_effects_far_out_give_no_warning_and_nothing_that_looks_good() -> None:
    for model in MODELS.values():
        prior, doses, observations, eta = virtual(model, 3, 2)
        usual = value(prior, doses, observations, eta)
        for far in (-400.0, 400.0):
            found = value(prior, doses, observations, np.full_like(eta, far))
            assert not np.any(found < usual)
