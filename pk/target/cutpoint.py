"""A cut chosen from the data, with its interval, its optimism and how it moves."""

import math
from dataclasses import replace

import numpy as np

from pk.target.asked import Direction
from pk.target.cut.discrimination import Counts, counted
from pk.target.cut.influence import Perturbed, leave_one_out, with_measurement_error
from pk.target.cut.interval import bootstrap_cut
from pk.target.cut.kernel import kernel_cut
from pk.target.cut.prespecified import crossed
from pk.target.cut.youden import closest_topleft, empirical_cut
from pk.target.findings import Cutpoint, Settings, Standing
from pk.target.statistics.binormal import fitted_cuts
from pk.target.statistics.proportions import Interval, proportion
from pk.values.arrays import Floats

ERRORS = (0.15, 0.20)
"""Coefficients of variation of the measurement error that is tried."""


def cutpoint(exposure: Floats, responder: np.ndarray, settings: Settings) -> Cutpoint:
    """Return the cut of patients with both outcomes and at least two exposures, not yet judged by the gates.

    Where lower is better everything is computed on exposures with the sign turned, and turned back.
    """
    lower = settings.direction is Direction.LOWER
    sign = -1.0 if lower else 1.0
    counts = counted(sign * exposure, responder)
    best = empirical_cut(counts, upper=lower)
    sample = bootstrap_cut(counts, best.value, settings.bootstrap, settings.seed, upper=lower)
    table = crossed(exposure, responder, sign * best.value, higher=not lower)
    moved = tuple(
        _turned_error(
            with_measurement_error(sign * exposure, responder, cv, settings.seed, upper=lower), sign
        )
        for cv in ERRORS
    )
    return Cutpoint(
        value=sign * best.value,
        standing=Standing.ARBITRARY,
        sensitivity=proportion(table.tp, table.tp + table.fn),
        specificity=proportion(table.tn, table.tn + table.fp),
        positive_predictive=proportion(table.tp, table.tp + table.fp),
        negative_predictive=proportion(table.tn, table.tn + table.fn),
        table=table,
        ties=tuple(sorted(sign * one for one in best.ties)),
        ci=_turned(sample.ci, sign),
        sensitivity_corrected=best.sensitivity - sample.optimism_sensitivity,
        specificity_corrected=best.specificity - sample.optimism_specificity,
        positive_corrected=_less(table.tp, table.fp, sample.optimism_positive),
        negative_corrected=_less(table.tn, table.fn, sample.optimism_negative),
        within_5=sample.within_5,
        closest_topleft=sign * closest_topleft(counts, upper=lower),
        binormal=_binormal(counts, sign),
        binormal_log=_log_binormal(exposure, responder, sign),
        kernel=_kernel(sign * exposure[responder], sign * exposure[~responder], sign),
        ci_binormal=None if sample.ci_binormal is None else _turned(sample.ci_binormal, sign),
        leave_one_out=_turned_or_none(leave_one_out(counts, upper=lower), sign),
        measurement_error=moved,
        bootstrap_cuts=sign * sample.cuts,
    )


def _less(right: int, wrong: int, optimism: float) -> float | None:
    """A predictive value less its optimism; None where nobody is on that side of the cut."""
    return None if right + wrong == 0 else right / (right + wrong) - optimism


def _kernel(responders: Floats, others: Floats, sign: float) -> float | None:
    cut = kernel_cut(responders, others)
    return None if cut is None else sign * cut


def _binormal(counts: Counts, sign: float) -> float | None:
    cut = float(fitted_cuts(counts.values, counts.responders[None, :], counts.others[None, :])[0])
    return None if math.isnan(cut) else sign * cut


def _log_binormal(exposure: Floats, responder: np.ndarray, sign: float) -> float | None:
    """The binormal cut of the logarithms, as an exposure; None where an exposure is 0."""
    if (exposure <= 0).any():
        return None
    cut = _binormal(counted(sign * np.log(exposure), responder), sign)
    return None if cut is None else math.exp(cut)


def _turned(interval: Interval, sign: float) -> Interval:
    low, high = sorted(sign * one for one in interval)
    return low, high


def _turned_or_none(interval: Interval | None, sign: float) -> Interval | None:
    return None if interval is None else _turned(interval, sign)


def _turned_error(one: Perturbed, sign: float) -> Perturbed:
    return replace(one, median=sign * one.median, ci=_turned(one.ci, sign))
