"""How exposure and outcome go together over their whole range, without a cutpoint."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from pk.target.statistics.exact import MOST_ENUMERATED, correlation_p, rank_sum_p
from pk.target.statistics.proportions import Interval
from pk.target.statistics.resampling import Purpose, blocks, coded, double_ranks, percentile_interval, stream
from pk.values.arrays import Floats, Ints

LEAST_FOR_BOOTSTRAP = 10
"""Patients from which on the interval of a rank correlation is bootstrapped."""

LEAST_FOR_FISHER_Z = 4


@dataclass(frozen=True, slots=True)
class Spearman:
    """A rank correlation: `ci` is None below 10 patients or where it cannot be made.

    p_method: "exact" (all orders), or "permutation" of that many random orders. smallest_p: what the same test of
    these patients could give at least.
    """

    rho: float
    ci: Interval | None
    p: float
    p_method: str
    smallest_p: float


@dataclass(frozen=True, slots=True)
class Pearson:
    """A linear correlation with the limits of Fisher's z; they are None below 4 patients and for r of ±1."""

    r: float
    ci: Interval | None


@dataclass(frozen=True, slots=True)
class Slope:
    """Change of the outcome per 10 mg·h/L (10 units of exposure), with limits where they can be made."""

    per_10: float
    ci_per_10: Interval | None


def spearman(
    exposure: Floats, outcome: Floats, *, permutations: int, bootstrap: int, seed: int
) -> Spearman | None:
    """Return the rank correlation of exposure and outcome, its permutation p and bootstrap interval.

    Correlation of mid-ranks. p is exact by enumeration for n ≤ 8, and for an outcome of two values by the exact
    distribution of the rank sum; else (1 + extreme orders) / (1 + random orders), two-sided by |rho|. The interval is
    the percentile interval over patients drawn with replacement, from 10 patients on; with `bootstrap` 0 there is none.

    Returns None where exposure or outcome is constant.
    """
    (values_1, codes_1), (values_2, codes_2) = coded(exposure), coded(outcome)
    if min(values_1.size, values_2.size) < 2:
        return None
    ranks_1 = double_ranks(codes_1[None, :], values_1.size)[0]
    ranks_2 = double_ranks(codes_2[None, :], values_2.size)[0]
    rho = float(_correlations(ranks_1[None, :], ranks_2[None, :])[0])
    p, method, smallest = rank_test(ranks_1, ranks_2, permutations, seed)
    ci = None
    if bootstrap and exposure.size >= LEAST_FOR_BOOTSTRAP:
        ci = _bootstrap(codes_1, values_1.size, codes_2, values_2.size, bootstrap, seed)
    return Spearman(rho, ci, p, method, smallest)


def rank_test(ranks_1: Ints, ranks_2: Ints, permutations: int, seed: int) -> tuple[float, str, float]:
    """Return p, how it was found, and the smallest possible p, of a correlation of doubled mid-ranks, shapes (n,).

    As `spearman` has it.
    """
    exact = None
    if ranks_1.size <= MOST_ENUMERATED:
        exact = correlation_p(ranks_1, ranks_2)
    elif np.unique(ranks_2).size == 2:
        exact = rank_sum_p(ranks_1, ranks_2 == ranks_2.max())
    if exact is not None:
        return exact.p, "exact", exact.smallest
    return _permutation_p(ranks_1, ranks_2, permutations, seed), "permutation", 1 / (permutations + 1)


def pearson(exposure: Floats, outcome: Floats, level: float = 0.95) -> Pearson | None:
    """Return the linear correlation; None where exposure or outcome is constant.

    Limits tanh(atanh r ± z/√(n − 3)). Source: Fisher R. Metron 1921;1:3–32.
    """
    if np.ptp(exposure) == 0 or np.ptp(outcome) == 0:
        return None
    scaled = [(one - one.mean()) / np.max(np.abs(one - one.mean())) for one in (exposure, outcome)]
    r = float(_correlations(scaled[0][None, :], scaled[1][None, :])[0])
    if exposure.size < LEAST_FOR_FISHER_Z or abs(r) >= 1:
        return Pearson(r, None)
    half = float(ndtri((1 + level) / 2)) / math.sqrt(exposure.size - 3)
    return Pearson(r, (math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)))


def theil_sen(exposure: Floats, outcome: Floats, level: float = 0.95) -> Slope | None:
    """Return the median of the slopes between all pairs of patients, with Sen's limits; None for constant exposure.

    Source: Sen P. J Am Stat Assoc 1968;63:1379–1389. Memory grows with the square of the number of patients.
    """
    if exposure.size < 2 or np.ptp(exposure) == 0:
        return None
    from scipy.stats import theilslopes  # a second to import, and not needed for outcomes of two values

    with np.errstate(invalid="ignore"):
        found = theilslopes(outcome, exposure, alpha=level)
    if not math.isfinite(found.slope):
        return None
    limits = (float(found.low_slope), float(found.high_slope))
    ci = (10 * limits[0], 10 * limits[1]) if all(map(math.isfinite, limits)) else None
    return Slope(10 * float(found.slope), ci)


def linear_slope(
    exposure: Floats, outcome: Floats, baseline: Floats | None = None, level: float = 0.95
) -> tuple[Slope, float] | None:
    """Return the least-squares slope, adjusted for the baseline where there is one, with Student limits and p.

    Returns None where a column is constant or follows from the others, or no degree of freedom is left.
    """
    columns = [exposure] if baseline is None else [exposure, baseline]
    design = np.column_stack([np.ones(exposure.size), *(one - one.mean() for one in columns)])
    freedom = exposure.size - design.shape[1]
    spread = design.std(axis=0)[1:]
    if freedom < 1 or (spread == 0).any() or np.linalg.matrix_rank(design[:, 1:] / spread) < len(columns):
        return None
    coefficients, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    variance = float(np.sum((outcome - design @ coefficients) ** 2)) / freedom
    error = math.sqrt(variance * float(np.linalg.inv(design.T @ design)[1, 1]))
    slope = float(coefficients[1])
    if error == 0:
        return None
    half = error * float(stdtrit(freedom, (1 + level) / 2))
    p = 2 * float(stdtr(freedom, -abs(slope) / error))
    return Slope(10 * slope, (10 * (slope - half), 10 * (slope + half))), p


def _correlations(one: np.ndarray, other: np.ndarray) -> Floats:
    """Pearson's r of each row; NaN where a row is constant."""
    a = one - one.mean(axis=1, keepdims=True)
    b = other - other.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.sum(a * a, axis=1) * np.sum(b * b, axis=1))
    r = np.full(scale.size, np.nan)
    np.divide(np.sum(a * b, axis=1), scale, out=r, where=scale > 0)
    return np.clip(r, -1.0, 1.0)


def _permutation_p(ranks_1: np.ndarray, ranks_2: np.ndarray, permutations: int, seed: int) -> float:
    random = stream(seed, Purpose.ASSOCIATION_PERMUTATION)
    n = ranks_1.size
    centre = n * (n + 1) ** 2
    observed, extreme = abs(int(ranks_1 @ ranks_2) - centre), 0
    for rows in blocks(permutations, n):
        shuffled = random.permuted(np.broadcast_to(ranks_2, (rows, n)), axis=1)
        extreme += int(np.count_nonzero(np.abs(shuffled @ ranks_1 - centre) >= observed))
    return (1 + extreme) / (1 + permutations)


def _bootstrap(
    codes_1: np.ndarray, distinct_1: int, codes_2: np.ndarray, distinct_2: int, rows: int, seed: int
) -> Interval | None:
    """The percentile interval over samples in which neither variable is constant; None if there are none."""
    random = stream(seed, Purpose.ASSOCIATION_BOOTSTRAP)
    n, found = codes_1.size, []
    for size in blocks(rows, n):
        drawn = random.integers(0, n, size=(size, n))
        ranks_1 = double_ranks(codes_1[drawn], distinct_1)
        ranks_2 = double_ranks(codes_2[drawn], distinct_2)
        found.append(_correlations(ranks_1, ranks_2))
    every = np.concatenate(found)
    usable = every[np.isfinite(every)]
    return percentile_interval(usable) if usable.size else None
