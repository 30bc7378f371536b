"""Seeded random numbers, counts and ranks for many samples at once.

A sample of n patients whose values are among K distinct ones is kept as K counts: one row per sample. Every purpose
draws from a stream of its own, so that leaving one computation out changes no other.
"""

from collections.abc import Iterator
from enum import IntEnum

import numpy as np
from scipy.special import ndtr, ndtri

from pk.values.arrays import Floats, Ints

_CELLS = 2_000_000
"""Numbers held at once: rows are worked in blocks of about this many cells."""


class Purpose(IntEnum):
    """What random numbers are for. Numbers are never given anew: results with a seed would change."""

    ASSOCIATION_PERMUTATION = 1
    ASSOCIATION_BOOTSTRAP = 2
    AREA_BOOTSTRAP = 3
    CUT_BOOTSTRAP = 4
    CUT_PERMUTATION = 5
    MEASUREMENT_ERROR = 6
    PLANNING = 7
    IMPUTATION = 8
    CHANGE_IMPUTATION = 9


def stream(seed: int, purpose: Purpose) -> np.random.Generator:
    """Return the random numbers of a seed (0 or more) for one purpose."""
    return np.random.default_rng([seed, int(purpose)])


def blocks(rows: int, width: int) -> Iterator[int]:
    """Return the sizes of blocks that add up to `rows`, each of about two million cells at most.

    >>> list(blocks(5, 1_000_000))
    [2, 2, 1]
    """
    size = max(1, _CELLS // max(1, width))
    while rows > 0:
        yield min(size, rows)
        rows -= size


def row_counts(codes: Ints, distinct: int) -> Ints:
    """Return how often each code 0 … K−1 occurs in each row; shapes (R, n) and (R, K).

    >>> row_counts(np.array([[0, 2, 2], [1, 1, 1]]), 3).tolist()
    [[1, 0, 2], [0, 3, 0]]
    """
    rows = codes.shape[0]
    flat = codes + distinct * np.arange(rows)[:, None]
    return np.bincount(flat.ravel(), minlength=rows * distinct).reshape(rows, distinct)


def resampled_counts(random: np.random.Generator, codes: Ints, distinct: int, rows: int) -> Ints:
    """Return the counts of `rows` bootstrap samples of the patients with these codes; shape (rows, K)."""
    drawn = codes[random.integers(0, codes.size, size=(rows, codes.size))]
    return row_counts(drawn, distinct)


def double_ranks(codes: Ints, distinct: int) -> Ints:
    """Return twice the mid-ranks (whole numbers) within each row; shape (R, n) as the codes.

    >>> double_ranks(np.array([[1, 0, 1]]), 2).tolist()
    [[5, 2, 5]]
    """
    counts = row_counts(codes, distinct)
    twice = 2 * np.cumsum(counts, axis=1) - counts + 1
    return np.take_along_axis(twice, codes, axis=1)


def coded(values: Floats) -> tuple[Floats, Ints]:
    """Return the distinct values in order, shape (K,), and the code of each value, shape (n,)."""
    distinct, codes = np.unique(values, return_inverse=True)
    return distinct, codes.astype(np.int64)


def percentile_interval(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the central percentiles of bootstrap values (at least one, all finite).

    Source: Efron B, Tibshirani R. An introduction to the bootstrap. Chapman & Hall 1993, chapter 13.
    """
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bca_interval(
    values: Floats, estimate: float, influence: Floats, level: float = 0.95
) -> tuple[float, float]:
    """Return the bias-corrected and accelerated limits of bootstrap values of a smooth statistic.

    Parameters
    ----------
    values : array, shape (R,)
        Of the samples, all finite.
    estimate : float
        Of the data.
    influence : array, shape (n,)
        How each patient moves the estimate, divided by the size of the group from which it is drawn.

    Source: Efron B, Tibshirani R. An introduction to the bootstrap. Chapman & Hall 1993, chapter 14.

    >>> low, high = bca_interval(np.arange(1.0, 1000.0), 500.0, np.array([-1.0, 1.0]))
    >>> round(low), round(high)
    (26, 974)
    """
    below = (np.count_nonzero(values < estimate) + 0.5 * np.count_nonzero(values == estimate)) / values.size
    least = 0.5 / values.size
    bias = float(ndtri(min(max(below, least), 1 - least)))
    size = float(np.sum(influence**2)) ** 1.5
    acceleration = float(np.sum(influence**3)) / (6 * size) if size > 0 else 0.0
    z = np.array([-1.0, 1.0]) * float(ndtri((1 + level) / 2))
    shifted = bias + (bias + z) / (1 - acceleration * (bias + z))
    low, high = np.quantile(values, ndtr(shifted))
    return float(low), float(high)
