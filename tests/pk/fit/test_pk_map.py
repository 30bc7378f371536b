"""The MAP estimate is the best point there is, stationary, and every subject's own."""

import dataclasses

import numpy as np
import pytest
from agreement import BY_DEFINITION, Agreement, Method, reference
from pk_models import ADDITIVE_LAG, DESIGNS, MODELS, RANDOM_LAG, VAN_HEST, YU, subjects, value, virtual
from reference_pk import long_search, objective
from scipy.optimize import minimize

from pk.fit.map import MapWarning, estimate
from pk.fit.newton import minimise
from pk.fit.objective import differentiate, evaluate, predictions, problem
from pk.fit.smallsystems import solve
from pk.kinetics.batch import Doses, Observations
from pk.kinetics.structure import ErrorKind, ErrorModel

models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
designs = pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS.keys())


@reference(
    Method.MAP,
    "each model of tests/pk/pk_models.py, simulated patients: no better objective near the estimate",
    f"a simplex search (scipy.optimize.minimize) on {BY_DEFINITION}",
)
@models
def test_the_definition_itself_has_no_better_point_nearby(model, agreement: Agreement) -> None:
    """A simplex search on an objective by matrix exponentials, which shares nothing with ours."""
    prior, doses, observations, _ = virtual(model, 1, 41)
    ours = estimate(prior, doses, observations)
    with np.errstate(all="ignore"):
        found = minimize(
            lambda eta: objective(prior, doses, observations, 0, eta),
            ours.eta[0],
            method="Nelder-Mead",
            options={"maxfev": 50},
        )
    assert abs(objective(prior, doses, observations, 0, ours.eta[0]) - ours.objective[0]) < 1e-6
    agreement.not_above(ours.objective[0], found.fun, within=1e-6)


@reference(
    Method.MAP,
    "each model and design of tests/pk/pk_models.py, simulated patients: the objective at the estimate is not above "
    "the best of a search",
    "BFGS from random points, then Nelder–Mead (scipy.optimize.minimize): tests/pk/reference_pk.py",
)
@models
@designs
def test_no_long_search_finds_a_better_point(model, design, agreement: Agreement) -> None:
    prior, doses, observations, _ = virtual(model, 1, 17, design)
    ours = estimate(prior, doses, observations)
    batch = problem(prior, doses, observations)
    for i in range(1):
        alone = batch.take(np.array([i]))

        def gradient(eta, alone=alone):
            found = differentiate(alone, eta[:, None], hessian=False)
            ok = np.isfinite(found.value[0]) and np.all(np.isfinite(found.gradient))
            return (found.value[0], found.gradient[:, 0]) if ok else (1e30, np.zeros(eta.size))

        with np.errstate(all="ignore"):
            best, _ = long_search(lambda eta, g=gradient: g(eta)[0], gradient, prior.omega, 6, i)
        agreement.not_above(ours.objective[i], best, within=1e-6)


NARROW = [
    ("one compartment", "protocol", 150, 31, 11),
    ("one compartment", "outlying", 150, 31, 66),
    ("random lag", "first dose, near the lag, censored", 60, 77, 2),
    ("random lag", "irregular history", 60, 77, 11),
    ("random lag", "two rows, near the lag, censored", 60, 77, 18),
]


@pytest.mark.parametrize(("model", "design", "size", "seed", "subject"), NARROW)
def test_a_narrow_optimum_just_before_a_kink_is_found(
    model: str, design: str, size: int, seed: int, subject: int
) -> None:
    """A dose that arrives minutes before a sample: 600 random searches are the reference."""
    drawn = virtual(MODELS[model], size, seed, DESIGNS[design])
    alone = subjects(*drawn[:3], [subject])
    ours = estimate(*alone)
    rng = np.random.default_rng(5)
    omega = MODELS[model].omega
    begin = (
        np.linalg.cholesky(omega) @ rng.standard_normal((len(omega), 600)) * rng.choice([0.7, 1.5, 2.5], 600)
    )
    assert (
        ours.objective[0]
        <= np.nanmin(minimise(problem(*alone).take(np.zeros(600, np.intp)), begin, None).value) + 1e-6
    )


@models
@designs
def test_the_gradient_is_nothing_and_at_a_kink_nothing_along_it(model, design) -> None:
    prior, doses, observations, _ = virtual(model, 12, 23, design)
    found = estimate(prior, doses, observations)
    assert np.all(found.converged)
    gradient = differentiate(problem(prior, doses, observations), found.eta.T.copy()).gradient
    # At a kink or bound the lag is held there; along it the other effects are at their best.
    held = found.at_kink | found.lag_at_bound
    gradient[-1, held] = 0.0
    # Where the objective is very steep, rounding of the predictions leaves more.
    rounding = 1e-13 * np.abs(np.einsum("nkk->kn", found.hessian))
    assert np.all(np.abs(gradient) < np.maximum(1e-6, rounding))
    assert np.mean(np.max(np.abs(gradient), axis=0) < 1e-6) > 0.9
    assert np.allclose(found.gradient_norm, np.max(np.abs(gradient), axis=0), atol=1e-12)
    assert np.allclose(found.objective, value(prior, doses, observations, found.eta), rtol=1e-12)


@pytest.mark.parametrize("model", [RANDOM_LAG, ADDITIVE_LAG], ids=["combined", "additive"])
def test_at_a_kink_the_objective_rises_to_both_sides(model) -> None:
    prior, doses, observations, _ = virtual(model, 60, 1)
    found = estimate(prior, doses, observations)
    kinks = np.flatnonzero(found.at_kink)
    assert kinks.size >= 2
    batch = problem(prior, doses, observations)
    lag = found.eta.shape[1] - 1
    for step in (-1e-5, 1e-5):
        moved = found.eta.copy()
        moved[:, lag] += step
        assert np.all(evaluate(batch, moved.T.copy())[kinks] > found.objective[kinks])
    arrives = found.parameters[kinks, -1][:, None]
    gaps = np.min(np.abs(observations.time_h[kinks] % 12.0 - arrives), axis=1)
    assert np.all(gaps < 1e-8)
    assert MapWarning.AT_KINK in found.warnings(int(kinks[0]))
    assert np.all(found.shrinkage[kinks, lag] == 0.0)


@models
def test_a_subjects_estimate_does_not_depend_on_its_companions(model) -> None:
    prior, doses, observations, _ = virtual(model, 30, 4)
    whole = estimate(prior, doses, observations)
    order = np.random.default_rng(1).permutation(30).tolist()
    shuffled = estimate(*subjects(prior, doses, observations, order))
    assert np.allclose(shuffled.eta, whole.eta[order], rtol=0, atol=1e-12)
    for i in (0, 13):
        alone = estimate(*subjects(prior, doses, observations, [i]))
        assert np.allclose(alone.eta[0], whole.eta[i], rtol=0, atol=1e-12)
        assert alone.starts[0] == whole.starts[i] and alone.agreeing[0] == whole.agreeing[i]


def test_with_a_huge_error_nobody_leaves_the_typical_values() -> None:
    model = dataclasses.replace(VAN_HEST, error=ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=1e4))
    prior, doses, observations, _ = virtual(VAN_HEST, 20, 2)
    found = estimate(dataclasses.replace(prior, error=model.error), doses, observations)
    assert np.max(np.abs(found.eta)) < 1e-5
    assert np.allclose(found.shrinkage, 1.0, atol=1e-5)


@pytest.mark.parametrize("sigma", [1e-2, 3e-3, 1e-3])
def test_with_a_tiny_error_the_samples_are_reproduced(sigma: float) -> None:
    prior, doses, observations, eta = virtual(VAN_HEST, 20, 2)
    exact = dataclasses.replace(observations, conc_mg_l=predictions(prior, doses, observations.time_h, eta))
    prior = dataclasses.replace(prior, error=ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=sigma))
    found = estimate(prior, doses, exact)
    fitted = predictions(prior, doses, exact.time_h, found.eta)
    assert np.allclose(np.log(fitted), np.log(exact.conc_mg_l), atol=20 * sigma**2)
    assert np.all(found.converged)


def test_no_samples_is_the_prior_itself() -> None:
    prior, doses, observations, _ = virtual(YU, 4, 2)
    none = dataclasses.replace(observations, present=np.zeros_like(observations.present))
    found = estimate(prior, doses, none)
    assert np.all(np.abs(found.eta) < 1e-9) and np.all(found.objective < 1e-12)
    assert np.allclose(found.shrinkage, 1.0, atol=1e-6)


def test_doses_and_concentrations_in_other_units_change_nothing_under_a_relative_error() -> None:
    prior, doses, observations, _ = virtual(VAN_HEST, 20, 6)
    found = estimate(prior, doses, observations)
    other = estimate(
        prior,
        dataclasses.replace(doses, amount_mg=doses.amount_mg * 1000),
        dataclasses.replace(observations, conc_mg_l=observations.conc_mg_l * 1000),
    )
    assert np.allclose(other.eta, found.eta, atol=1e-6)


def test_the_lag_stays_below_the_interval() -> None:
    prior, doses, observations, _ = virtual(ADDITIVE_LAG, 3, 6)
    late = dataclasses.replace(prior, log_typical=prior.log_typical + np.log([1, 1, 1, 1, 1, 75.0]))
    found = estimate(late, doses, observations)
    assert np.all(found.parameters[:, -1] < 12.0)


def test_a_lag_that_shares_its_effect_is_refused() -> None:
    prior, doses, observations, _ = virtual(ADDITIVE_LAG, 2, 6)
    shared = prior.loading.copy()
    shared[0, 3] = 0.5
    with pytest.raises(ValueError, match="effect of its own"):
        estimate(dataclasses.replace(prior, loading=shared), doses, observations)


def test_one_start_says_one_start_and_many_say_how_many_agree() -> None:
    prior, doses, observations, _ = virtual(VAN_HEST, 50, 8)
    one, many = (estimate(prior, doses, observations, multistart=more) for more in (False, True))
    assert np.all(one.starts == 1) and np.all(many.starts >= 9)
    assert np.all(many.agreeing >= 1) and np.all(many.objective <= one.objective + 1e-9)


def test_two_optima_of_equal_height_are_a_tie() -> None:
    """One sample at one time: a fast and a slow absorption explain it alike."""
    model = dataclasses.replace(
        VAN_HEST,
        effects=(4,),
        omega=np.array([[4.0]]),
        error=ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.05),
    )
    prior = model.prior(1)
    doses = Doses(np.zeros((1, 1)), np.full((1, 1), 1000.0), np.zeros((1, 1)))
    time = np.array([[6.0]])
    heights = []
    for conc in np.linspace(1.0, 1.25, 76):
        sample = Observations(time, np.array([[conc]]), np.zeros((1, 1), bool), np.ones((1, 1), bool))
        heights.append(estimate(prior, doses, sample))
    gaps = np.array([one.runner_up[0] for one in heights])
    tied = [one for one in heights if one.tied[0]]
    assert np.isfinite(gaps).any() and tied, "some concentration is explained alike by two absorption rates"
    assert all(MapWarning.TIED in one.warnings(0) for one in tied)


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_small_systems_are_solved_and_indefinite_ones_recognised(size: int) -> None:
    rng = np.random.default_rng(size)
    root = rng.standard_normal((50, size, size))
    matrix = root @ root.swapaxes(1, 2) + 0.1 * np.eye(size)
    matrix[::5] -= 50.0 * np.eye(size)
    right = rng.standard_normal((50, size))
    with np.errstate(all="ignore"):
        found, sound = solve(np.moveaxis(matrix, 0, 2).copy(), right.T.copy())
    assert np.array_equal(sound, np.linalg.eigvalsh(matrix)[:, 0] > 0)
    want = np.linalg.solve(matrix, right[..., None])[..., 0]
    assert np.allclose(found.T[sound], want[sound], rtol=1e-8)
