"""How the cut moves when one patient is left out, and when exposures are measured with error."""

import math
from dataclasses import dataclass

import numpy as np

from pk.target.cut.discrimination import Counts
from pk.target.cut.youden import best_cuts
from pk.target.statistics.proportions import Interval
from pk.target.statistics.resampling import Purpose, blocks, coded, percentile_interval, row_counts, stream
from pk.values.arrays import Floats

REPLICATES = 500


@dataclass(frozen=True, slots=True)
class Perturbed:
    """The cut with that coefficient of variation added to each exposure: median and central 95 % of replicates."""

    cv: float
    median: float
    ci: Interval


def leave_one_out(counts: Counts, *, upper: bool = False) -> Interval | None:
    """Return the lowest and highest cut found when each patient in turn is left out; None if it is never found.

    Patients with the same exposure and outcome are the same case.
    """
    places = [(0, k) for k in np.flatnonzero(counts.responders)] if counts.responders.sum() > 1 else []
    places += [(1, k) for k in np.flatnonzero(counts.others)] if counts.others.sum() > 1 else []
    found, start = [], 0
    for size in blocks(len(places), counts.values.size):
        group, place = np.array(places[start : start + size]).T
        left = [
            one - (group == i)[:, None] * (np.arange(counts.values.size) == place[:, None])
            for i, one in enumerate((counts.responders, counts.others))
        ]
        found.append(best_cuts(counts.values, left[0], left[1], upper=upper).value)
        start += size
    every = np.concatenate(found) if found else np.array([])
    known = every[np.isfinite(every)]
    return (float(known.min()), float(known.max())) if known.size else None


def with_measurement_error(
    exposure: Floats, responder: np.ndarray, cv: float, seed: int, *, upper: bool = False
) -> Perturbed:
    """Return the cut when every exposure carries another error of this coefficient of variation.

    Errors are log-normal with mean 1: exp(σz − σ²/2), σ² = ln(1 + cv²). At least two exposures differ.
    """
    random, sigma = stream(seed, Purpose.MEASUREMENT_ERROR), math.sqrt(math.log1p(cv * cv))
    cuts = []
    for size in blocks(REPLICATES, exposure.size):
        noise = random.standard_normal((size, exposure.size))
        changed = exposure * np.exp(sigma * noise - sigma * sigma / 2)
        order = np.argsort(changed, axis=1, kind="stable")
        responded = responder[order].astype(np.int64)
        sorted_rows = np.take_along_axis(changed, order, axis=1)
        cuts.append(_best_of_sorted(sorted_rows, responded, upper))
    every = np.concatenate(cuts)
    return Perturbed(cv, float(np.median(every)), percentile_interval(every))


def _best_of_sorted(values: Floats, responded: np.ndarray, upper: bool) -> Floats:
    """Best cut of each row; where exposures of a row are equal (all 0), they are counted together first."""
    if (np.diff(values, axis=1) > 0).all():
        return best_cuts(values, responded, 1 - responded, upper=upper).value
    found = []
    for row, outcome in zip(values, responded, strict=True):
        distinct, codes = coded(row)
        both = row_counts(np.stack([codes, codes]), distinct.size)[0]
        ones = np.bincount(codes, weights=outcome, minlength=distinct.size).astype(np.int64)
        found.append(best_cuts(distinct, ones[None, :], (both - ones)[None, :], upper=upper).value[0])
    return np.array(found)
