"""The AUC averaged over several population models, each weighted by how well it predicted the samples.

p(AUC | samples) = sum over models of p(model | samples) p(AUC | samples, model), and p(model | samples) is
proportional to the marginal likelihood: before the samples all models weigh the same. The doses are given to each
model in its own basis, so that every AUC is one of MPA in mg·h/L. Source: Hoeting et al., Stat Sci 14:382 (1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pk.posterior.sampling import LEVEL, TOO_FEW, AucDraws
from pk.posterior.weighted import Summary, effective_size, normalised, summarise
from pk.values.arrays import Bools, Floats
from pk.values.reason import Reason, short

DOMINANT = 0.9
"""Weight from which on one model is said to decide alone: the team's choice."""


@dataclass(frozen=True, slots=True)
class Average:
    """The model-averaged AUC of B subjects over J models.

    Attributes
    ----------
    models : tuple of str, length J
    auc : Summary
        Shape (B,), mg·h/L; NaN exactly where `reasons` gives one.
    weight : ndarray, shape (B, J)
        After the samples; sums to 1, or to 0 where no model has any evidence.
    log_evidence : ndarray, shape (B, J)
        Of each model by itself, -inf where it is left out.
    effective : ndarray, shape (B,)
        How many equal draws the pooled ones are worth.
    cannot_reach : ndarray of bool, shape (B, J)
        Left out because it predicts no drug at all at a sample that another model can explain.
    """

    models: tuple[str, ...]
    auc: Summary
    weight: Floats
    log_evidence: Floats
    effective: Floats
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


def combined(models: tuple[str, ...], drawn: Sequence[AucDraws]) -> Average:
    """Return the average of subjects whose AUC has been drawn under each model.

    Parameters
    ----------
    models : tuple of str, length J
        What people call the models.
    drawn : sequence of AucDraws, length J
        Of the same B subjects.
    """
    counted = np.stack([one.samples for one in drawn], axis=1)
    cannot_reach = counted < counted.max(axis=1, keepdims=True)
    evidence = np.stack([one.log_evidence for one in drawn], axis=1)
    log_evidence = np.where(cannot_reach, -np.inf, evidence)
    weight, _ = normalised(log_evidence)
    some = np.any(log_evidence > -np.inf, axis=1)
    weight[~some] = 0.0
    pooled = np.concatenate([one.weight * weight[:, [j]] for j, one in enumerate(drawn)], axis=1)
    value = np.concatenate([one.auc for one in drawn], axis=1)
    spread = summarise(value, pooled, LEVEL)
    spread = Summary(
        *(np.where(some, one, np.nan) for one in (spread.low, spread.median, spread.high, spread.mean))
    )
    with np.errstate(divide="ignore"):
        size = np.where(some, effective_size(pooled), 0.0)
    return Average(models, spread, weight, log_evidence, size, cannot_reach)
