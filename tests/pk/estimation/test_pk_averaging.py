"""The average over models: evidence that can be compared, weights that are honest, and what is said about them."""

import math
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from pk_cases import codes, occasion
from posterior_cases import (
    made_prior,
    observed,
    shipped_prior,
    simulated,
    steady,
    steady_for,
    true_auc,
    weighted_quantile,
    whole_interval,
)

from pk.estimation.averaging import Average, combined
from pk.estimation.ensemble import ensembles
from pk.fit.map import MapResult, estimate
from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.structure import ErrorKind, ErrorModel, Structure
from pk.models.shipped import shipped_models
from pk.posterior.sampling import AucDraws, auc_draws, auc_posterior, doses_of, prior_of, sample

BOLUS = Structure.ONE_COMPARTMENT_BOLUS
RELATIVE = ErrorModel(ErrorKind.PROPORTIONAL, prop=0.2)
ON_LOG = ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.2)


@dataclass(frozen=True)
class Candidate:
    """One model for a batch of subjects."""

    name: str
    prior: Prior
    doses: Doses
    found: MapResult


def candidate(name: str, prior: Prior, doses: Doses, samples: Observations) -> Candidate:
    return Candidate(name, prior, doses, estimate(prior, doses, samples))


def averaged(candidates: list[Candidate], samples: Observations) -> Average:
    return combined(tuple(one.name for one in candidates), [drawn(one, samples) for one in candidates])


def drawn(one: Candidate, samples: Observations) -> AucDraws:
    """The draws of all subjects together."""
    interval = whole_interval(samples.time_h.shape[0])
    blocks = list(auc_draws(one.prior, one.doses, samples, one.found, *interval))
    return AucDraws(
        *(np.concatenate([getattr(block, field.name) for block in blocks]) for field in fields(AucDraws))
    )


def shipped(names: tuple[str, ...], samples: Observations) -> list[Candidate]:
    size = samples.time_h.shape[0]
    return [candidate(name, shipped_prior(name, size), steady_for(name, size), samples) for name in names]


def test_a_model_averaged_with_itself_is_itself() -> None:
    name = "van_hest_2007"
    _, samples = simulated(shipped_prior(name, 3), steady_for(name, 3), seed=1)
    twice = averaged(shipped((name, name), samples), samples)
    one = shipped((name,), samples)[0]
    alone = auc_posterior(one.prior, one.doses, samples, one.found, *whole_interval(3))
    assert twice.weight == pytest.approx(np.full((3, 2), 0.5))
    assert twice.auc.low == pytest.approx(alone.auc.low, rel=1e-3)
    assert twice.auc.median == pytest.approx(alone.auc.median, rel=1e-3)
    assert twice.auc.mean == pytest.approx(alone.auc.mean, rel=1e-12)


def test_the_average_is_the_mixture_of_the_posteriors() -> None:
    names = ("van_hest_2007", "yu_2017", "quintairos_2021")
    _, samples = simulated(shipped_prior(names[0], 2), steady_for(names[0], 2), seed=2)
    candidates = shipped(names, samples)
    found = averaged(candidates, samples)
    evidence = np.exp(found.log_evidence - found.log_evidence.max(axis=1, keepdims=True))
    assert found.weight == pytest.approx(evidence / evidence.sum(axis=1, keepdims=True))
    for subject in range(2):
        areas, weights = [], []
        for j, one in enumerate(candidates):
            draws = sample(one.prior, one.doses, samples, one.found)
            each = np.full(draws.weight.shape[1], subject)
            areas.append(true_auc(prior_of(one.prior, each), doses_of(one.doses, each), draws.eta[subject]))
            weights.append(found.weight[subject, j] * draws.weight[subject])
        pooled = np.concatenate(areas), np.concatenate(weights)
        got = [float(one[subject]) for one in (found.auc.low, found.auc.median, found.auc.high)]
        expected = [weighted_quantile(*pooled, level) for level in (0.05, 0.5, 0.95)]
        assert got == pytest.approx(expected, rel=1e-9)
        assert found.auc.mean[subject] == pytest.approx(np.average(pooled[0], weights=pooled[1]))


def test_weights_are_honest_when_either_model_may_be_true() -> None:
    """If patients come from both models equally, a weight of w must be right in a share w of them.

    That fails if any constant of the marginal likelihood is missing, the Jacobian of the logarithm most of all.
    """
    each = 150
    relative = made_prior(BOLUS, {"CL": 15.0, "V1": 60.0}, {"CL": 0.1, "V1": 0.1}, RELATIVE, size=2 * each)
    on_log = made_prior(BOLUS, {"CL": 25.0, "V1": 60.0}, {"CL": 0.2}, ON_LOG, size=2 * each)
    doses, half = steady(2 * each), np.arange(each)
    first = simulated(prior_of(relative, half), doses_of(doses, half), seed=5)[1]
    second = simulated(prior_of(on_log, half), doses_of(doses, half), seed=6)[1]
    samples = observed(
        np.concatenate((first.time_h, second.time_h)),
        np.concatenate((first.conc_mg_l, second.conc_mg_l)),
        censored=np.concatenate((first.censored, second.censored)),
    )
    candidates = [candidate("a", relative, doses, samples), candidate("b", on_log, doses, samples)]
    weight = averaged(candidates, samples).weight[:, 0]
    truth = np.arange(2 * each) < each
    spread = np.sqrt(np.sum(weight * (1.0 - weight)))
    assert abs(weight.sum() - each) < 3.0 * spread
    sure = weight > 0.7
    assert abs(np.sum(truth[sure]) - weight[sure].sum()) < 3.0 * np.sqrt(
        np.sum((weight * (1.0 - weight))[sure])
    )
    assert np.mean(weight[truth]) > np.mean(weight[~truth]) + 0.2, "and the samples must tell something"


def test_without_evidence_for_any_model_there_is_a_reason_and_no_average() -> None:
    name = "van_hest_2007"
    prior, doses = shipped_prior(name, 2), steady_for(name, 2)
    _, samples = simulated(prior, doses, seed=4)
    one = drawn(candidate(name, prior, doses, samples), samples)
    found = combined((name,), [replace(one, log_evidence=np.array([one.log_evidence[0], -math.inf]))])
    assert found.reasons(0) == () and np.isfinite(found.auc.median[0])
    assert codes(found.reasons(1)) == ["average_none"]
    assert np.isnan(found.auc.median[1]) and found.notes(1) == ()


def test_one_model_that_decides_alone_is_named() -> None:
    narrow = made_prior(BOLUS, {"CL": 15.0, "V1": 60.0}, {"CL": 0.1}, RELATIVE)
    wrong = made_prior(BOLUS, {"CL": 60.0, "V1": 20.0}, {"CL": 0.01}, RELATIVE)
    samples = observed((-0.1, 0.5, 2.0), [[1.4, 16.0, 11.0]])
    pair = [candidate("fits", narrow, steady(1), samples), candidate("does not", wrong, steady(1), samples)]
    found = averaged(pair, samples)
    assert found.weight[0] == pytest.approx([1.0, 0.0], abs=1e-3)
    (note,) = found.notes(0)
    assert note.code == "average_one_model" and dict(note.params)["model"] == "fits"


def test_a_model_that_cannot_have_reached_a_sample_is_left_out() -> None:
    """Its density of a measured concentration is 0, however well it fits the other samples."""
    first_order = Structure.ONE_COMPARTMENT_FIRST_ORDER_LAG
    typical = {"CL": 15.0, "V1": 60.0, "ka": 2.0}
    variance = {"CL": 0.1, "ka": 0.3}
    at_once = made_prior(first_order, typical, variance, RELATIVE)
    late = made_prior(first_order, {**typical, "tlag": 0.5}, variance, RELATIVE)
    first_dose = steady(1, every_h=0.0)
    samples = observed((0.25, 2.0), [[5.0, 11.0]])
    pair = [candidate("at once", at_once, first_dose, samples), candidate("late", late, first_dose, samples)]
    found = averaged(pair, samples)
    assert found.weight[0] == pytest.approx([1.0, 0.0])
    assert codes(found.notes(0)) == ["average_model_cannot_reach", "average_one_model"]


def test_a_subject_does_not_depend_on_its_companions() -> None:
    names = ("van_hest_2007", "de_winter_2008")
    _, samples = simulated(shipped_prior(names[0], 20), steady_for(names[0], 20), seed=7)
    together = averaged(shipped(names, samples), samples)
    only = observed(samples.time_h[[18]], samples.conc_mg_l[[18]], censored=samples.censored[[18]])
    alone = averaged(shipped(names, only), only)
    assert alone.auc.high[0] == pytest.approx(together.auc.high[18], rel=1e-9)
    assert alone.weight[0] == pytest.approx(together.weight[18], abs=1e-9)


def test_too_few_effective_draws_are_said_of_an_interval_and_of_an_average() -> None:
    (found,) = ensembles((occasion(),), shipped_models()[:1], draws=32)
    for notes in (found.individuals[0].notes, found.average.notes):
        assert "posterior_uncertain" in codes(notes)
