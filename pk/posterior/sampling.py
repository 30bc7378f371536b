"""The posterior distribution of each subject: credible intervals of areas and concentrations, and the evidence.

After three samples the posterior is neither normal nor narrow, so it is sampled (`pk.posterior.importance`), not read
off the curvature at its mode. Draws are the same standard ones for every subject and seeded: equal input gives
equal output, whatever else is in the batch.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pk.fit.map import MapResult
from pk.fit.objective import Problem, problem
from pk.fit.residual import FLOOR_MG_L
from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.dosing import areas, courses, individual_parameters
from pk.kinetics.structure import ErrorKind
from pk.posterior.importance import ENOUGH, approximation, first_round, prior_root, sampled_again
from pk.posterior.weighted import Summary, effective_size, normalised, resampled, summarise
from pk.values.arrays import Bools, Floats, Indices, Ints

DRAWS = 1024
LEVEL = 0.90
SEED = 20020901

TOO_FEW = 100.0
"""Effective draws below which an interval is called uncertain: the team's choice. With 100, the true
probability below a 5 % limit is known to about 2 points."""

_RIVAL = 9.0
"""A second optimum at most this much worse (e^-4.5 of the density) sends a subject to more rounds."""

_BLOCK = 16
_BAND_DRAWS = 256


@dataclass(frozen=True, slots=True)
class Draws:
    """M weighted draws from the posteriors of B subjects.

    Attributes
    ----------
    eta : ndarray, shape (B, M, K)
    weight : ndarray, shape (B, M)
        Sums to 1 for each subject.
    effective : ndarray, shape (B,)
        How many equal draws they are worth.
    log_evidence : ndarray, shape (B,)
        Natural logarithm of the marginal likelihood of the samples, every constant included: the density of
        the measured concentrations (mg/L)^-1 times the probability of the censored ones.
    samples : ndarray of int, shape (B,)
        How many samples it is of; those that the model cannot have reached are not counted.
    rounds : ndarray of int, shape (B,)
        1, or how often it was sampled.
    """

    eta: Floats
    weight: Floats
    effective: Floats
    log_evidence: Floats
    samples: Ints
    rounds: Ints


def sample(
    prior: Prior,
    doses: Doses,
    observations: Observations,
    found: MapResult,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Draws:
    """Return weighted draws from the posterior of every subject.

    Parameters
    ----------
    prior, doses, observations
        As given to `pk.fit.map.estimate`.
    found : MapResult
        What it returned: where to look first. Nothing depends on its being right but the effort.
    draws : int
        M. A subject that needs more gets more and is reduced to M equal draws again.
    seed : int
        Equal seeds give equal draws.

    Returns
    -------
    Draws
        For areas of large batches use `auc_draws`, which yields a few subjects at a time.
    """
    whole = problem(prior, doses, observations)
    blocks = [_sampled(whole.take(here), prior, found, here, draws, seed) for here in _blocks(whole.size)]
    return Draws(
        np.concatenate([one.eta for one in blocks]),
        np.concatenate([one.weight for one in blocks]),
        np.concatenate([one.effective for one in blocks]),
        np.concatenate([one.log_evidence for one in blocks]),
        np.concatenate([one.samples for one in blocks]),
        np.concatenate([one.rounds for one in blocks]),
    )


def _blocks(size: int) -> Iterator[Indices]:
    for first in range(0, size, _BLOCK):
        yield np.arange(first, min(first + _BLOCK, size))


def _sampled(batch: Problem, prior: Prior, found: MapResult, here: Indices, count: int, seed: int) -> Draws:
    """Return the draws of one block."""
    root = prior_root(prior)
    around = approximation(root, found.eta[here], found.hessian[here])
    begun = first_round(batch, root, around, count, seed)
    weight, log_mean = normalised(begun.log_weight)
    effective = effective_size(weight)
    eta = np.ascontiguousarray(np.swapaxes(root @ begun.z, 1, 2))
    rounds = np.ones(batch.size, np.int64)
    poor = (effective < ENOUGH * count) | (found.runner_up[here] < _RIVAL)
    for i in np.flatnonzero(poor):
        again = sampled_again(batch, root, around, begun, int(i), count, seed)
        rounds[i], effective[i], log_mean[i] = again.rounds, again.effective, again.log_mean
        eta[i] = again.z.T @ root.T
        weight[i] = 1.0 / count
    counted, log_constant = _constants(batch)
    return Draws(eta, weight, effective, log_mean + log_constant, counted, rounds)


def _constants(batch: Problem) -> tuple[Ints, Floats]:
    """Return how many samples count, and what the objective leaves out of -2 ln (likelihood x prior), halved.

    With m measured samples and K effects: -(m + K) / 2 ln 2 pi, and -ln y for each measured sample whose
    error is additive on the logarithm, because the density is that of y. The determinant of Omega
    cancels on the scale of z.
    """
    used = np.ones(batch.conc.shape) if batch.used is None else batch.used
    measured = used if batch.censored is None else used * ~batch.censored
    constant = -0.5 * math.log(2.0 * math.pi) * (np.sum(measured, axis=0) + batch.effects)
    if batch.error.kind is ErrorKind.LOG_ADDITIVE:
        constant = constant - np.sum(measured * np.log(np.maximum(batch.conc, FLOOR_MG_L)), axis=0)
    return np.sum(used, axis=0).astype(np.int64), constant


def auc(prior: Prior, doses: Doses, draws: Draws, start_h: Floats, end_h: Floats) -> Floats:
    """Return the AUC from start to end (B,) of every draw, in mg·h/L, shape (B, M)."""
    subjects, count = draws.weight.shape
    out = np.empty((subjects, count))
    whole = _is_whole_interval(doses, start_h, end_h)
    for i in range(subjects):
        with np.errstate(all="ignore"):
            if whole[i]:
                log_clearance = prior.log_typical[i, 0] + draws.eta[i] @ prior.loading[0]
                out[i] = doses.amount_mg[i].sum() * np.exp(-log_clearance)
                continue
            each = np.full(count, i)
            parameters = individual_parameters(prior_of(prior, each), draws.eta[i])
            found = areas(prior, doses_of(doses, each), start_h[each], end_h[each], parameters)
            out[i] = found.value[0]
    return out


def _is_whole_interval(doses: Doses, start_h: Floats, end_h: Floats) -> Bools:
    """Whether the time from start to end is one interval of every row of doses: its AUC is dose / CL."""
    every, end = (end_h - start_h)[:, None], end_h[:, None]
    whole = (doses.every_h == every) & (doses.time_h + every >= end)
    return np.asarray(np.all(whole | (doses.amount_mg == 0), axis=1))


def doses_of(doses: Doses, subjects: Indices) -> Doses:
    """Return the doses of these subjects, in this order; any may occur more than once."""
    return Doses(doses.time_h[subjects], doses.amount_mg[subjects], doses.every_h[subjects])


def prior_of(prior: Prior, subjects: Indices) -> Prior:
    """Return the prior of these subjects, in this order; any may occur more than once."""
    return replace(prior, log_typical=prior.log_typical[subjects])


@dataclass(frozen=True, slots=True)
class AucPosterior:
    """The posterior of B subjects' AUC in mg·h/L, arrays of shape (B,); the others as of `Draws`."""

    auc: Summary
    effective: Floats
    log_evidence: Floats
    samples: Ints
    rounds: Ints


def auc_posterior(
    prior: Prior,
    doses: Doses,
    observations: Observations,
    found: MapResult,
    start_h: Floats,
    end_h: Floats,
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = SEED,
) -> AucPosterior:
    """Return interval, median and mean of every subject's AUC from start to end (B,), keeping no draws.

    Parameters
    ----------
    level : float
        Of the equal-tailed credible interval.

    Other parameters as of `sample`.
    """
    parts = []
    for some in auc_draws(prior, doses, observations, found, start_h, end_h, draws=draws, seed=seed):
        spread = summarise(some.auc, some.weight, level)
        parts.append(
            (
                *(spread.low, spread.median, spread.high, spread.mean),
                *(some.effective, some.log_evidence, some.samples, some.rounds),
            )
        )
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return AucPosterior(Summary(*columns[:4]), *columns[4:])


@dataclass(frozen=True, slots=True)
class AucDraws:
    """Weighted draws (n, M) of the AUC of some subjects of a batch; the others as of `Draws`."""

    subjects: Indices
    auc: Floats
    weight: Floats
    effective: Floats
    log_evidence: Floats
    samples: Ints
    rounds: Ints


def auc_draws(
    prior: Prior,
    doses: Doses,
    observations: Observations,
    found: MapResult,
    start_h: Floats,
    end_h: Floats,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Iterator[AucDraws]:
    """Yield draws of the AUC for a few subjects at a time, so that a large batch needs little memory."""
    whole = problem(prior, doses, observations)
    for here in _blocks(whole.size):
        some = _sampled(whole.take(here), prior, found, here, draws, seed)
        area = auc(prior_of(prior, here), doses_of(doses, here), some, start_h[here], end_h[here])
        yield AucDraws(here, area, some.weight, some.effective, some.log_evidence, some.samples, some.rounds)


def band(prior: Prior, doses: Doses, draws: Draws, time_h: Floats, *, level: float = LEVEL) -> Summary:
    """Return the pointwise credible band of the concentration (mg/L), without residual error.

    Parameters
    ----------
    time_h : ndarray, shape (B, T)

    Returns
    -------
    Summary
        Arrays of shape (B, T), from 256 of the draws.
    """
    parts = []
    for i in range(time_h.shape[0]):
        picked = resampled(draws.eta[i] @ prior.loading[0], draws.weight[i], _BAND_DRAWS)
        each = np.full(_BAND_DRAWS, i)
        with np.errstate(all="ignore"):
            parameters = individual_parameters(prior_of(prior, each), draws.eta[i][picked])
            course = courses(prior, doses_of(doses, each), time_h[each], parameters)
        equal = np.full(course.value.shape, 1.0 / _BAND_DRAWS)
        parts.append(summarise(course.value, equal, level))
    fields = ("low", "median", "high", "mean")
    return Summary(*(np.stack([getattr(one, field) for one in parts]) for field in fields))
