"""How well exposure tells responders from the others: the ROC area, its limits and its exact test."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from pk.target.statistics.exact import rank_sum_p
from pk.target.statistics.proportions import Interval
from pk.target.statistics.resampling import (
    Purpose,
    bca_interval,
    blocks,
    coded,
    double_ranks,
    resampled_counts,
    stream,
)
from pk.values.arrays import Floats, Ints


@dataclass(frozen=True, slots=True)
class Counts:
    """Responders and non-responders at each distinct exposure, in increasing order; shapes (K,)."""

    values: Floats
    responders: Ints
    others: Ints


@dataclass(frozen=True, slots=True)
class Area:
    """An ROC area: the chance that a responder's exposure is above another's, ties counting half.

    separated: no responder lies on the wrong side of any other; no interval can be estimated then.
    """

    value: float
    standard_error: float | None
    ci_delong: Interval | None
    ci_logit_delong: Interval | None
    separated: bool


@dataclass(frozen=True, slots=True)
class AreaTest:
    """The two-sided Mann-Whitney p, "exact" or "asymptotic" (very many patients), and the smallest possible."""

    p: float
    method: str
    smallest_p: float | None


def counted(exposure: Floats, responder: np.ndarray) -> Counts:
    """Return how many responders and others there are at each distinct exposure."""
    values, codes = coded(exposure)
    responders = np.bincount(codes[responder], minlength=values.size)
    return Counts(values, responders, np.bincount(codes, minlength=values.size) - responders)


def area_of(responders: Ints, others: Ints) -> Floats:
    """Return the ROC area of each row of counts; shapes (R, K) and (R,). Both sides have patients."""
    below = np.cumsum(others, axis=1) - others
    pairs = np.sum(responders * (2 * below + others), axis=1)
    area: Floats = pairs / (2.0 * responders.sum(axis=1) * others.sum(axis=1))
    return area


def roc_area(counts: Counts, level: float = 0.95) -> Area:
    """Return the ROC area with DeLong's variance and its limits, plain and on the logit scale.

    With V(i) the share of others below responder i and V(j) the share of responders above other j (ties half):
    variance = var V(i)/n₁ + var V(j)/n₀; logit limits expit(logit A ± z·se/(A(1 − A))). Where the groups are
    separated (A is 0 or 1) the variance is 0 and no interval is given. One patient in a group: no interval either.

    Source: DeLong E, DeLong D, Clarke-Pearson D. Biometrics 1988;44:837–845. Logit: Pepe M. The statistical
    evaluation of medical tests for classification and prediction. Oxford 2003.
    """
    n1, n0 = int(counts.responders.sum()), int(counts.others.sum())
    area = float(area_of(counts.responders[None, :], counts.others[None, :])[0])
    separated = area in (0.0, 1.0)
    if separated or min(n1, n0) < 2:
        return Area(area, None, None, None, separated)
    below = (np.cumsum(counts.others) - counts.others / 2) / n0
    above = (n1 - np.cumsum(counts.responders) + counts.responders / 2) / n1
    variance = _variance(below, counts.responders) / n1 + _variance(above, counts.others) / n0
    error, z = math.sqrt(variance), float(ndtri((1 + level) / 2))
    centre, half = float(logit(area)), z * error / (area * (1 - area))
    on_logit = (float(expit(centre - half)), float(expit(centre + half)))
    return Area(area, error, (max(0.0, area - z * error), min(1.0, area + z * error)), on_logit, False)


def area_test(counts: Counts) -> AreaTest:
    """Return the Mann-Whitney test of no difference; exact, ties included, unless there are very many patients.

    The asymptotic one has the variance for ties and a continuity correction.
    Source: Mann H, Whitney D. Ann Math Stat 1947;18:50–60.
    """
    both = counts.responders + counts.others
    codes = np.repeat(np.arange(both.size), both)
    ranks = double_ranks(codes[None, :], both.size)[0]
    responder = np.concatenate(
        [np.repeat([True, False], [r, o]) for r, o in zip(counts.responders, counts.others, strict=True)]
    )
    exact = rank_sum_p(ranks, responder)
    if exact is not None:
        return AreaTest(exact.p, "exact", exact.smallest)
    n1, n0 = int(counts.responders.sum()), int(counts.others.sum())
    n = n1 + n0
    ties = float(np.sum(both.astype(np.float64) ** 3 - both)) / (n * (n - 1.0))
    deviation = math.sqrt(n1 * n0 / 12 * (n + 1 - ties))
    off = abs(float(ranks[responder].sum()) - n1 * (n + 1)) / 2
    return AreaTest(min(1.0, 2 * float(ndtr(-max(0.0, off - 0.5) / deviation))), "asymptotic", None)


def bootstrap_interval(counts: Counts, rows: int, seed: int) -> Interval | None:
    """Return the BCa interval of the area over stratified samples; None where the groups are separated.

    For groups too small for DeLong's variance: the interval is unstable and must be called so. A patient's influence
    is how far its structural component is from the area, over the size of its group.
    """
    n1, n0 = int(counts.responders.sum()), int(counts.others.sum())
    area = float(area_of(counts.responders[None, :], counts.others[None, :])[0])
    if area in (0.0, 1.0):
        return None
    below = (np.cumsum(counts.others) - counts.others / 2) / n0
    above = (n1 - np.cumsum(counts.responders) + counts.responders / 2) / n1
    influence = np.concatenate(
        [np.repeat((below - area) / n1, counts.responders), np.repeat((above - area) / n0, counts.others)]
    )
    random, distinct = stream(seed, Purpose.AREA_BOOTSTRAP), counts.values.size
    codes_1 = np.repeat(np.arange(distinct), counts.responders)
    codes_0 = np.repeat(np.arange(distinct), counts.others)
    areas = [
        area_of(
            resampled_counts(random, codes_1, distinct, size),
            resampled_counts(random, codes_0, distinct, size),
        )
        for size in blocks(rows, codes_1.size + codes_0.size)
    ]
    return bca_interval(np.concatenate(areas), area, influence)


def _variance(values: Floats, counts: Ints) -> float:
    """Sample variance of values that occur these numbers of times."""
    total = int(counts.sum())
    mean = float(np.sum(values * counts)) / total
    return float(np.sum(counts * (values - mean) ** 2)) / (total - 1)
