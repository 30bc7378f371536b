"""Intervals and evidence against quadrature and brute force, whatever the shape of the posterior."""

import math

import numpy as np
import pytest
from agreement import DRAWS, Agreement, Method, reference
from pk_models import values
from posterior_cases import (
    LEVELS,
    made_prior,
    observed,
    posterior_of,
    shipped_prior,
    simulated,
    steady,
    steady_for,
    three,
    true_auc,
    weighted_quantile,
    whole_interval,
    with_error,
)
from scipy.integrate import trapezoid
from scipy.stats import norm

from pk.fit.map import estimate
from pk.fit.objective import predictions, problem
from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.structure import ErrorKind, ErrorModel, Structure
from pk.posterior.sampling import (
    TOO_FEW,
    AucPosterior,
    auc_posterior,
    doses_of,
    prior_of,
)
from pk.values.arrays import Floats

BOLUS = Structure.ONE_COMPARTMENT_BOLUS


LAGGED = Structure.ONE_COMPARTMENT_FIRST_ORDER_LAG


def log_density(error: ErrorModel, y: float, f: Floats, *, censored: bool = False) -> Floats:
    """The error model written a second time, with a library's densities."""
    if error.kind is ErrorKind.LOG_ADDITIVE:
        log = norm.logcdf if censored else norm.logpdf
        return np.asarray(log(math.log(y), np.log(f), error.sigma) - (0.0 if censored else math.log(y)))
    sd = np.sqrt(error.add_mg_l**2 + (error.prop * f) ** 2)
    return np.asarray(norm.logcdf(y, f, sd) if censored else norm.logpdf(y, f, sd))


def bolus_steady(clearance: Floats, volume: Floats, dose_mg: float, time_h: float) -> Floats:
    """One compartment, bolus every 12 h: written out once more. A time before 0 is seen from the dose before."""
    k = clearance / volume
    since = time_h if time_h > 0 else time_h + 12.0
    left = dose_mg / volume * np.exp(-k * since) / (1.0 - np.exp(-12.0 * k))
    return np.maximum(left, 1e-9)


GRID = "the posterior on a grid, with the error models and the curve written a second time in the test"


ERRORS = [
    ErrorModel(ErrorKind.PROPORTIONAL, prop=0.3),
    ErrorModel(ErrorKind.ADDITIVE, add_mg_l=1.0),
    ErrorModel(ErrorKind.COMBINED, add_mg_l=0.3, prop=0.15),
    ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.35),
]


@reference(
    Method.INTERVALS,
    "one random effect, each error model, one censored sample: 5, 50 and 95 % of the AUC, its mean, the evidence",
    GRID,
)
@pytest.mark.parametrize("error", ERRORS, ids=[one.kind.value for one in ERRORS])
def test_one_random_effect_agrees_with_quadrature(error: ErrorModel, agreement: Agreement) -> None:
    prior = made_prior(BOLUS, {"CL": 15.0, "V1": 60.0}, {"CL": 0.16}, error)
    times, concs, below = (-0.5, 2.0, 6.0), (2.4, 11.0, 1.5), (False, False, True)
    found = posterior_of(prior, steady(1), observed(times, concs, censored=below))

    eta = np.linspace(-3.5, 3.5, 20_001)
    log_joint = norm.logpdf(eta, 0.0, 0.4)
    for time_h, y, low in zip(times, concs, below, strict=True):
        f = bolus_steady(15.0 * np.exp(eta), np.full_like(eta, 60.0), 1000.0, time_h)
        log_joint = log_joint + log_density(error, y, f, censored=low)
    density = np.exp(log_joint)
    area = 1000.0 / (15.0 * np.exp(eta))
    expected = [weighted_quantile(area, density, level) for level in LEVELS]
    agreement(three(found), expected, rel=0.01)
    agreement(found.auc.mean[0], np.average(area, weights=density), rel=0.005)
    agreement(math.exp(found.log_evidence[0]), trapezoid(density, eta), rel=0.01)
    assert found.samples[0] == 3


@reference(
    Method.INTERVALS, "two random effects, each error model: 5, 50 and 95 % of the AUC, the evidence", GRID
)
@pytest.mark.parametrize("error", ERRORS, ids=[one.kind.value for one in ERRORS])
def test_two_random_effects_agree_with_quadrature(error: ErrorModel, agreement: Agreement) -> None:
    prior = made_prior(BOLUS, {"CL": 15.0, "V1": 60.0}, {"CL": 0.12, "V1": 0.5}, error)
    times, concs = (-0.5, 2.0), (1.1, 14.0)
    found = posterior_of(prior, steady(1), observed(times, concs))

    sd = np.sqrt([0.12, 0.5])
    first, second = np.meshgrid(np.linspace(-5, 5, 801) * sd[0], np.linspace(-5, 5, 801) * sd[1])
    log_joint = norm.logpdf(first, 0.0, sd[0]) + norm.logpdf(second, 0.0, sd[1])
    for time_h, y in zip(times, concs, strict=True):
        f = bolus_steady(15.0 * np.exp(first), 60.0 * np.exp(second), 1000.0, time_h)
        log_joint = log_joint + log_density(error, y, f)
    density = np.exp(log_joint)
    area = 1000.0 / (15.0 * np.exp(first))
    expected = [weighted_quantile(area.ravel(), density.ravel(), level) for level in LEVELS]
    cell = (10.0 / 800.0) ** 2 * sd[0] * sd[1]
    agreement(three(found), expected, rel=0.02)
    agreement(math.exp(found.log_evidence[0]), density.sum() * cell, rel=0.03)


def brute_force(
    prior: Prior, doses: Doses, observations: Observations, count: int
) -> tuple[list[float], float]:
    """Quantiles of the AUC from independent draws of the prior, and the effective number of them."""
    random = np.random.default_rng(5)
    eta = random.standard_normal((count, prior.omega.shape[0])) @ np.linalg.cholesky(prior.omega).T
    log_weight = -0.5 * values(problem(prior, doses, observations), eta[None])[0]
    log_weight += 0.5 * np.sum(eta * np.linalg.solve(prior.omega, eta.T).T, axis=1)
    weight = np.exp(log_weight - log_weight.max())
    area = true_auc(prior_of(prior, np.zeros(count, np.intp)), doses_of(doses, np.zeros(count, np.intp)), eta)
    effective = weight.sum() ** 2 / np.sum(weight**2)
    return [weighted_quantile(area, weight, level) for level in LEVELS], float(effective)


def agree_with_draws(
    agreement: Agreement,
    prior: Prior,
    doses: Doses,
    observations: Observations,
    found: AucPosterior,
    subject: int,
    count: int,
) -> None:
    here = np.array([subject])
    only = Observations(
        observations.time_h[here],
        observations.conc_mg_l[here],
        observations.censored[here],
        observations.present[here],
    )
    one = prior_of(prior, here)
    expected, effective = brute_force(one, doses_of(doses, here), only, count)
    assert effective > 500, "the reference itself must be good"
    assert found.effective[subject] >= TOO_FEW
    spread = math.log(expected[2] / expected[0])
    agreement(three(found, subject), expected, rel=0.06 * spread)


@reference(Method.INTERVALS, "shipped models, simulated patients: 5, 50 and 95 % of the AUC", DRAWS)
@pytest.mark.parametrize("model", ["van_hest_2007", "yu_2017", "de_winter_2008", "quintairos_2021"])
def test_shipped_models_agree_with_draws_from_the_prior(model: str, agreement: Agreement) -> None:
    prior, doses = shipped_prior(model, 2), steady_for(model, 2)
    _, samples = simulated(prior, doses, seed=11)
    found = posterior_of(prior, doses, samples)
    for subject in range(2):
        count = 1_000_000 if model == "yu_2017" else 300_000
        agree_with_draws(agreement, prior, doses, samples, found, subject, count)


@reference(Method.INTERVALS, "shipped models, simulated patients: 5, 50 and 95 % of the AUC", DRAWS)
def test_the_default_model_agrees_with_draws_from_the_prior(agreement: Agreement) -> None:
    prior, doses = shipped_prior("mizaki_2023", 1), steady(1)
    found = posterior_of(prior, doses, samples := simulated(prior, doses, seed=3)[1])
    agree_with_draws(agreement, prior, doses, samples, found, 0, 100_000)


@reference(Method.INTERVALS, "a random lag, with kinks and rival optima: 5, 50 and 95 % of the AUC", DRAWS)
def test_a_random_lag_with_kinks_and_rival_optima_is_sampled_right(agreement: Agreement) -> None:
    error = ErrorModel(ErrorKind.PROPORTIONAL, prop=0.25)
    typical = {"CL": 16.0, "V1": 60.0, "ka": 1.5, "tlag": 0.4}
    variance = {"CL": 0.15, "V1": 0.5, "ka": 1.5, "tlag": 0.4}
    size = 40
    prior, doses = made_prior(LAGGED, typical, variance, error, size=size), steady(size)
    _, samples = simulated(prior, doses, seed=2)
    maps = estimate(prior, doses, samples)
    found = auc_posterior(prior, doses, samples, maps, *whole_interval(size))
    assert maps.tied.any(), "the case must have ties"
    assert found.rounds.max() > 1, "and subjects that one round does not do"
    chosen = {*np.flatnonzero(maps.tied)[:2], *np.flatnonzero(maps.at_kink)[:1], int(np.argmax(found.rounds))}
    for subject in chosen:
        agree_with_draws(agreement, prior, doses, samples, found, int(subject), 600_000)


@reference(Method.INTERVALS, "censored samples: 5, 50 and 95 % of the AUC", DRAWS)
def test_censored_samples_are_sampled_right(agreement: Agreement) -> None:
    size = 8
    prior, doses = shipped_prior("van_hest_2007", size), steady_for("van_hest_2007", size)
    _, samples = simulated(prior, doses, seed=4, lloq_mg_l=6.0)
    some = np.flatnonzero(samples.censored.any(axis=1))[:3]
    assert some.size == 3
    found = posterior_of(prior, doses, samples)
    for subject in some:
        agree_with_draws(agreement, prior, doses, samples, found, int(subject), 300_000)


@reference(
    Method.INTERVALS,
    "no sample: 5, 50 and 95 % of the AUC, the evidence",
    "log-normal quantiles of the prior (scipy.stats.norm); evidence 1",
)
def test_without_samples_the_interval_is_the_priors(agreement: Agreement) -> None:
    prior, doses = shipped_prior("van_hest_2007", 1), steady_for("van_hest_2007", 1)
    nothing = observed((0.5,), [[1.0]], present=[[False]])
    found = posterior_of(prior, doses, nothing)
    sd = math.sqrt(float(prior.loading[0] @ prior.omega @ prior.loading[0]))
    expected = [50.0 * math.exp(norm.ppf(level) * sd) for level in LEVELS]
    agreement(three(found), expected, rel=0.015)
    agreement(math.exp(found.log_evidence[0]), 1.0, rel=0.01)
    assert found.samples[0] == 0


@reference(
    Method.INTERVALS,
    "simulated patients of two models: share of 90 % intervals that hold the true AUC, of medians above it",
    "0.9 and 0.5, within three standard errors; wider studies in docs/pk-methods.md",
)
@pytest.mark.parametrize("model", ["van_hest_2007", "quintairos_2021"])
def test_nine_in_ten_intervals_hold_the_truth(model: str, agreement: Agreement) -> None:
    """The short version of benchmarks/pk_honesty.py; fixed seed, 3 standard errors wide."""
    size = 500
    prior, doses = shipped_prior(model, size), steady_for(model, size)
    eta, samples = simulated(prior, doses, seed=2026)
    found = posterior_of(prior, doses, samples)
    truth = true_auc(prior, doses, eta)
    held = np.mean((found.auc.low <= truth) & (truth <= found.auc.high))
    agreement(held, 0.9, within=3.0 * math.sqrt(0.09 / size))
    agreement(np.mean(truth <= found.auc.median), 0.5, within=3.0 * math.sqrt(0.25 / size))


@reference(
    Method.INTERVALS,
    "many samples with little error: 5, 50 and 95 % of the AUC",
    "the normal approximation around the mode (Laplace), exact in that limit",
)
def test_the_normal_approximation_agrees_where_the_data_are_many(agreement: Agreement) -> None:
    """Laplace as a check only: with dense exact samples the posterior is normal in ln CL."""
    error = ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.1)
    prior = made_prior(BOLUS, {"CL": 15.0, "V1": 60.0}, {"CL": 0.16, "V1": 0.2}, error)
    times = tuple(np.linspace(0.25, 11.75, 24))
    expected = predictions(prior, steady(1), np.array([times]), np.array([[0.3, -0.2]]))
    noise = np.random.default_rng(3).standard_normal(expected.shape)
    samples = observed(times, with_error(error, expected, noise))
    maps = estimate(prior, steady(1), samples)
    sd = math.sqrt(2.0 * np.linalg.inv(maps.hessian[0])[0, 0])
    laplace = [1000.0 / maps.parameters[0, 0] * math.exp(norm.ppf(level) * sd) for level in LEVELS]
    agreement(three(posterior_of(prior, steady(1), samples)), laplace, rel=0.005)
