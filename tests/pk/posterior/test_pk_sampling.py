"""Draws from the posterior: what they depend on, and the areas and bands that are made of them."""

import math

import numpy as np
import pytest
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
    weighted_quantile,
    whole_interval,
)

from pk.fit.map import estimate
from pk.fit.objective import predictions
from pk.kinetics.batch import Doses
from pk.kinetics.dosing import areas, individual_parameters
from pk.kinetics.structure import ErrorKind, ErrorModel, Structure
from pk.posterior.sampling import (
    TOO_FEW,
    auc,
    band,
    doses_of,
    prior_of,
    sample,
)

BOLUS = Structure.ONE_COMPARTMENT_BOLUS


def test_a_subject_does_not_depend_on_its_companions() -> None:
    size = 37
    prior, doses = shipped_prior("de_winter_2008", size), steady_for("de_winter_2008", size)
    _, samples = simulated(prior, doses, seed=8)
    together = posterior_of(prior, doses, samples)
    for subject in (0, 17, 36):
        here = np.array([subject])
        only = observed(samples.time_h[here], samples.conc_mg_l[here], censored=samples.censored[here])
        alone = posterior_of(prior_of(prior, here), doses_of(doses, here), only)
        assert three(alone) == pytest.approx(three(together, subject), rel=1e-9)
        assert alone.log_evidence[0] == pytest.approx(together.log_evidence[subject], abs=1e-9)


def test_the_seed_alone_decides_the_draws() -> None:
    prior, doses = shipped_prior("van_hest_2007", 2), steady_for("van_hest_2007", 2)
    _, samples = simulated(prior, doses, seed=1)
    found = estimate(prior, doses, samples)
    first, again, other = (sample(prior, doses, samples, found, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.eta, again.eta) and np.array_equal(first.weight, again.weight)
    assert not np.array_equal(first.eta, other.eta)


def test_few_draws_of_a_narrow_posterior_are_worth_too_little() -> None:
    error = ErrorModel(ErrorKind.PROPORTIONAL, prop=0.02)
    prior = made_prior(BOLUS, {"CL": 15.0, "V1": 60.0}, {"CL": 0.1, "V1": 0.1}, error)
    found = estimate(prior, steady(1), samples := observed((0.5, 2.0), [[10.0, 9.0]]))
    few = sample(prior, steady(1), samples, found, draws=32)
    assert few.effective[0] < TOO_FEW
    assert sample(prior, steady(1), samples, found).effective[0] >= TOO_FEW


def test_the_area_of_any_interval_is_that_of_the_draws() -> None:
    model = "van_hest_2007"
    prior = shipped_prior(model, 1)
    mixed = Doses(np.array([[0.0, 12.0]]), np.array([[1000.0, 500.0]]), np.full((1, 2), 24.0))
    samples = observed((-0.1, 0.5, 2.0), [[2.0, 9.0, 5.0]])
    draws = sample(prior, mixed, samples, estimate(prior, mixed, samples), draws=64)
    day, morning, rest = (
        auc(prior, mixed, draws, np.array([start]), np.array([end]))
        for start, end in ((0.0, 24.0), (0.0, 5.0), (5.0, 24.0))
    )
    assert day == pytest.approx(morning + rest, rel=1e-9)
    each = np.zeros(64, np.intp)
    parameters = individual_parameters(prior_of(prior, each), draws.eta[0])
    closed = areas(prior, doses_of(mixed, each), np.zeros(64), np.full(64, 24.0), parameters)
    assert day[0] == pytest.approx(closed.value[0], rel=1e-12)
    assert day[0] == pytest.approx(1500.0 / parameters[:, 0], rel=1e-12)


def test_a_first_dose_has_less_than_dose_over_clearance() -> None:
    prior = shipped_prior("van_hest_2007", 1)
    first = steady(1, every_h=0.0)
    samples = observed((0.5, 2.0), [[9.0, 5.0]])
    draws = sample(prior, first, samples, estimate(prior, first, samples), draws=64)
    area = auc(prior, first, draws, *whole_interval(1))[0]
    clearance = individual_parameters(prior_of(prior, np.zeros(64, np.intp)), draws.eta[0])[:, 0]
    assert np.all(area < 1000.0 / clearance)


def test_the_band_holds_the_quantiles_of_the_prediction() -> None:
    prior, doses = shipped_prior("van_hest_2007", 2), steady_for("van_hest_2007", 2)
    _, samples = simulated(prior, doses, seed=9)
    draws = sample(prior, doses, samples, estimate(prior, doses, samples))
    time_h = np.array([[0.5, 4.0], [1.0, 12.0]])
    found = band(prior, doses, draws, time_h)
    assert np.all(found.low < found.median) and np.all(found.median < found.high)
    for subject in range(2):
        each = np.full(draws.weight.shape[1], subject)
        course = predictions(prior_of(prior, each), doses_of(doses, each), time_h[each], draws.eta[subject])
        for column in range(2):
            expected = [
                weighted_quantile(course[:, column], draws.weight[subject], level) for level in LEVELS
            ]
            got = [float(one[subject, column]) for one in (found.low, found.median, found.high)]
            assert np.log(got) == pytest.approx(
                np.log(expected), abs=0.06 * math.log(expected[2] / expected[0])
            )
