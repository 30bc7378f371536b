"""What looks wrong with a profile that no model explains: exchanged tubes, a wrong unit. Nothing is changed."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

import numpy as np

from pk.posterior.predictive import Predictive
from pk.values.arrays import Bools, Floats
from pk.values.profile import Sample
from pk.values.reading import predose_highest_by_time
from pk.values.reason import Reason, short
from pk.values.units import ConcentrationUnit, to_mg_l

UNUSUAL = 0.01
"""A profile is unexplained if its p-value is below this under every model: the team's choice."""

ORDINARY = 0.10
"""An explanation is offered if it lifts the p-value to this under some model: the team's choice."""

_OUT_OF_LINE = 2.0


def suspicions(
    samples: Sequence[Sample], conc_mg_l: Floats, censored: Bools, models: Sequence[Predictive]
) -> tuple[Reason, ...]:
    """Return what looks wrong with one subject's profile; empty where some model explains it.

    Parameters
    ----------
    samples : sequence of Sample, length S
        For their names and times; those that `conc_mg_l` has.
    conc_mg_l, censored : ndarray, shape (S,)
        As estimated with; for a censored sample the limit.
    models : sequence of Predictive, at least 1
        Of every model tried, for the same samples.

    Returns
    -------
    tuple of Reason
        A pre-dose sample above every later one is named even where a model explains it.
    """
    found = list(predose_highest_by_time(samples))
    if not samples or _best(models, conc_mg_l, censored) >= UNUSUAL:
        return tuple(found)
    names = [samples[i].timepoint for i in _out_of_line(models, conc_mg_l, censored)]
    said = {"models": len(models), "percent": short(100.0 * UNUSUAL), "timepoints": ", ".join(names)}
    found.append(Reason.of("profile_unexplained", **said))
    pairs = [
        (_best(models, conc_mg_l[order], censored[order]), first, second)
        for first, second, order in _exchanges(len(samples))
    ]
    best = max(pairs, default=(0.0, 0, 0))
    if best[0] >= ORDINARY:
        first, second = (samples[i].timepoint for i in best[1:])
        found.append(Reason.of("profile_looks_swapped", first=first, second=second))
    units = [(_best(models, conc_mg_l * factor, censored), factor, unit) for factor, unit in _factors()]
    likeliest = max(units)
    if likeliest[0] >= ORDINARY:
        _, factor, unit = likeliest
        per = short(1.0 / float(to_mg_l(Decimal(1), unit)))
        found.append(Reason.of("profile_unit_suspected", factor=short(factor), per=per, unit=unit.value))
    return tuple(found)


def _best(models: Sequence[Predictive], conc_mg_l: Floats, censored: Bools) -> float:
    return max(model.p_value(conc_mg_l, censored) for model in models)


def _out_of_line(models: Sequence[Predictive], conc_mg_l: Floats, censored: Bools) -> list[int]:
    """Return the samples far from what the others let expect under every model, at least the farthest."""
    away = np.min([np.abs(model.given_others(conc_mg_l, censored)) for model in models], axis=0)
    return [int(i) for i in np.flatnonzero(away >= min(_OUT_OF_LINE, float(away.max())))]


def _exchanges(count: int) -> Iterator[tuple[int, int, list[int]]]:
    for first, second in combinations(range(count), 2):
        order = list(range(count))
        order[first], order[second] = second, first
        yield first, second, order


def _factors() -> Iterator[tuple[float, ConcentrationUnit]]:
    """The factors that undo a conversion that was forgotten, or done once too often."""
    for unit in (ConcentrationUnit.UMOL_L, ConcentrationUnit.NG_ML):
        mg_l = float(to_mg_l(Decimal(1), unit))
        yield mg_l, unit
        yield 1.0 / mg_l, unit
