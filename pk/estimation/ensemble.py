"""One occasion under several population models: the estimate by each, their average, and what none explains.

An average over models keeps one model from deciding silently; its weights follow from how well each model
predicted the samples (`pk.estimation.averaging`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pk.estimation.averaging import combined
from pk.estimation.case import Case, prepare
from pk.estimation.individual import Individual, Individuals, individuals
from pk.estimation.suspicion import suspicions
from pk.kinetics.batch import Doses
from pk.models.population import PopulationModel
from pk.posterior.predictive import Predictive, predictive
from pk.posterior.sampling import AucDraws
from pk.values.arrays import Bools, Floats
from pk.values.profile import Occasion, Sample
from pk.values.reason import Reason

_TOGETHER = 64
"""Occasions whose draws are kept at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Averaged:
    """The AUC0-12 averaged over models, in mg·h/L: a median with its interval, or reasons.

    Attributes
    ----------
    auc_0_12 : float or None
        Median of the averaged posterior: exceeded as probably as not.
    interval_90 : tuple of float or None
    weights : tuple of (str, float)
        After the samples, by model id, for every model that has an estimate.
    reasons, notes : tuple of Reason
    """

    auc_0_12: float | None = None
    interval_90: tuple[float, float] | None = None
    weights: tuple[tuple[str, float], ...] = ()
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What several models make of one occasion: `individuals` in the order of the models, and `average`.

    `suspicions` say what looks wrong with the samples as a whole, where no model explains them.
    """

    individuals: tuple[Individual, ...]
    average: Averaged
    suspicions: tuple[Reason, ...]


def ensembles(
    occasions: Sequence[Occasion], models: Sequence[PopulationModel], *, draws: int
) -> tuple[Ensemble, ...]:
    """Return what the models make of every occasion, in order.

    Parameters
    ----------
    occasions : sequence of Occasion
    models : sequence of PopulationModel
        Each has the same weight before the samples. One that is not defined for an occasion has
        reasons and no part in its average.
    draws : int
        From each posterior; above 0.
    """
    out: list[Ensemble] = []
    for first in range(0, len(occasions), _TOGETHER):
        some = occasions[first : first + _TOGETHER]
        cases = [Case(model, occasion) for occasion in some for model in models]
        found = individuals(cases, draws=draws, keep_draws=True)
        checks = _checks(found)
        for i in range(len(some)):
            here = range(i * len(models), (i + 1) * len(models))
            each = tuple(found.each[k] for k in here)
            said = _suspicions(prepare(cases[here[0]]).samples, [checks[k] for k in here if k in checks])
            out.append(Ensemble(each, _averaged(each), said))
    return tuple(out)


@dataclass(frozen=True, slots=True)
class _Check:
    """The samples of one case as estimated with, and what its model expected before it saw them."""

    conc_mg_l: Floats
    censored: Bools
    expected: Predictive


def _checks(found: Individuals) -> dict[int, _Check]:
    """The checks by case; equal doses and times under one model are simulated once."""
    known: dict[tuple[int, bytes], Predictive] = {}
    out: dict[int, _Check] = {}
    for number, batch in enumerate(found.batches):
        seen = batch.observations
        for row, i in enumerate(batch.places):
            numbers = (batch.prior.log_typical, *_tables(batch.doses), seen.time_h)
            key = (number, b"".join(table[row].tobytes() for table in numbers))
            if key not in known:
                known[key] = predictive(batch.prior, batch.doses, seen, row)
            out[i] = _Check(seen.conc_mg_l[row], seen.censored[row], known[key])
    return out


def _tables(doses: Doses) -> tuple[Floats, ...]:
    return doses.time_h, doses.amount_mg, doses.every_h


def _suspicions(samples: Sequence[Sample], checks: Sequence[_Check]) -> tuple[Reason, ...]:
    """What looks wrong with the samples under every model that could be tried."""
    if not checks:
        return ()
    first = checks[0]
    return suspicions(samples, first.conc_mg_l, first.censored, [one.expected for one in checks])


def _averaged(each: Sequence[Individual]) -> Averaged:
    """The average of the models that have an estimate."""
    sound = [one for one in each if one.draws is not None]
    if not sound:
        return Averaged(reasons=tuple(dict.fromkeys(reason for one in each for reason in one.reasons)))
    drawn: list[AucDraws] = [one.draws for one in sound if one.draws is not None]
    names = tuple(one.model.name for one in sound)
    found = combined(names, drawn)
    reasons = found.reasons(0)
    if reasons:
        return Averaged(reasons=reasons)
    return Averaged(
        auc_0_12=float(found.auc.median[0]),
        interval_90=(float(found.auc.low[0]), float(found.auc.high[0])),
        weights=tuple(zip((one.model.id for one in sound), found.weight[0].tolist(), strict=True)),
        notes=found.notes(0),
    )
