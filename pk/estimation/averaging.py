"""The AUC averaged over several population models, each weighted by how well it predicted the samples.

p(AUC | samples) = sum over models of p(model | samples) p(AUC | samples, model), and p(model | samples) is
proportional to the model's weight before the samples times the marginal likelihood. The doses are given to each
model in its own basis, so that every AUC is one of MPA in mg·h/L. Source: Hoeting et al., Stat Sci 14:382 (1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pk.fit.map import MapResult
from pk.kinetics.prior import Doses, Observations, Prior
from pk.posterior.sampling import DRAWS, LEVEL, SEED, TOO_FEW, AucDraws, auc_draws
from pk.posterior.weighted import Summary, effective_size, normalised, summarise
from pk.values.arrays import Bools, Floats
from pk.values.reason import Reason, short

DOMINANT = 0.9
"""Weight from which on one model is said to decide alone: the team's choice."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model for a batch of B subjects.

    Attributes
    ----------
    name : str
        What people call the model.
    prior : Prior
    doses : Doses
        In the model's dose basis.
    found : MapResult
        What `pk.fit.map.estimate` returned for the samples.
    defined : ndarray of bool, shape (B,)
        False: the model is not defined for the subject and has no part in the average.
    weight : float
        Before the samples, relative to the other candidates; above 0.
    """

    name: str
    prior: Prior
    doses: Doses
    found: MapResult
    defined: Bools
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Average:
    """The model-averaged AUC of B subjects over J models.

    Attributes
    ----------
    models : tuple of str, length J
    auc : Summary
        Shape (B,), mg·h/L; NaN exactly where `reasons` gives one.
    weight : ndarray, shape (B, J)
        After the samples; sums to 1, or to 0 where no model is defined.
    log_evidence : ndarray, shape (B, J)
        Of each model by itself, -inf where it is left out.
    effective : ndarray, shape (B,)
        How many equal draws the pooled ones are worth.
    effective_models : ndarray, shape (B,)
        1 / sum of squared weights: 1 where one model decides alone, J where all weigh the same.
    cannot_reach : ndarray of bool, shape (B, J)
        Left out because it predicts no drug at all at a sample that another model can explain.
    """

    models: tuple[str, ...]
    auc: Summary
    weight: Floats
    log_evidence: Floats
    effective: Floats
    effective_models: Floats
    cannot_reach: Bools

    def reasons(self, subject: int) -> tuple[Reason, ...]:
        """Return why a subject has no average; empty where there is one."""
        return () if self.weight[subject].any() else (Reason.of("average_none"),)

    def notes(self, subject: int) -> tuple[Reason, ...]:
        """Return what to know of a subject's average."""
        weight = self.weight[subject]
        found = [
            Reason.of("average_model_cannot_reach", model=self.models[j])
            for j in np.flatnonzero(self.cannot_reach[subject])
        ]
        most = int(np.argmax(weight))
        if weight[most] >= DOMINANT:
            others = int(np.count_nonzero(weight)) - 1
            percent = {"percent": short(round(100.0 * float(weight[most])))}
            found.append(Reason.of("average_one_model", model=self.models[most], others=others, **percent))
        if weight.any() and self.effective[subject] < TOO_FEW:
            effective = short(round(float(self.effective[subject])))
            found.append(Reason.of("posterior_uncertain", effective=effective))
        return tuple(found)


def average(
    candidates: Sequence[Candidate],
    observations: Observations,
    start_h: Floats,
    end_h: Floats,
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Average:
    """Return the averaged AUC from start to end (B,) of every subject.

    Parameters
    ----------
    candidates : sequence of Candidate, length J, at least 1
    observations : Observations
        The same samples for all.
    level, draws, seed
        As for `pk.posterior.sampling.auc_posterior`.
    """
    streams = [
        auc_draws(one.prior, one.doses, observations, one.found, start_h, end_h, draws=draws, seed=seed)
        for one in candidates
    ]
    names = tuple(one.name for one in candidates)
    before = np.array([one.weight for one in candidates])
    defined = np.stack([one.defined for one in candidates], axis=1)
    blocks = [
        combined(names, before, defined[block[0].subjects], block, level)
        for block in zip(*streams, strict=True)
    ]
    spreads = [one.auc for one in blocks]
    summary = Summary(
        np.concatenate([one.low for one in spreads]),
        np.concatenate([one.median for one in spreads]),
        np.concatenate([one.high for one in spreads]),
        np.concatenate([one.mean for one in spreads]),
    )
    columns = ("weight", "log_evidence", "effective", "effective_models", "cannot_reach")
    others = [np.concatenate([getattr(one, name) for one in blocks]) for name in columns]
    return Average(names, summary, *others)


def combined(
    models: tuple[str, ...], before: Floats, defined: Bools, block: Sequence[AucDraws], level: float = LEVEL
) -> Average:
    """Return the average of subjects whose AUC has been drawn under each model.

    Parameters
    ----------
    models : tuple of str, length J
        What people call the models.
    before : ndarray, shape (J,)
        Their weights before the samples, above 0.
    defined : ndarray of bool, shape (B, J)
    block : sequence of AucDraws, length J
        Of the same B subjects.
    """
    counted = np.where(defined, np.stack([one.samples for one in block], axis=1), -1)
    cannot_reach = defined & (counted < counted.max(axis=1, keepdims=True))
    evidence = np.stack([one.log_evidence for one in block], axis=1)
    log_evidence = np.where(defined & ~cannot_reach, evidence, -np.inf)
    weight, _ = normalised(log_evidence + np.log(before))
    some = np.any(log_evidence > -np.inf, axis=1)
    weight[~some] = 0.0
    pooled = np.concatenate([one.weight * weight[:, [j]] for j, one in enumerate(block)], axis=1)
    value = np.concatenate([one.auc for one in block], axis=1)
    spread = summarise(value, pooled, level)
    spread = Summary(
        *(np.where(some, one, np.nan) for one in (spread.low, spread.median, spread.high, spread.mean))
    )
    with np.errstate(divide="ignore"):
        size, worth = (np.where(some, effective_size(one), 0.0) for one in (pooled, weight))
    return Average(models, spread, weight, log_evidence, size, worth, cannot_reach)
