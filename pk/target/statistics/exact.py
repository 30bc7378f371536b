"""Exact permutation distributions: of a sum of ranks, and of a rank correlation of few patients."""

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from pk.values.arrays import Ints

MOST_ENUMERATED = 8
"""Patients whose orders are all enumerated (8! = 40,320)."""

_MOST_WORK = 1_000_000_000
"""Additions for which the exact distribution of a rank sum is still made."""


@dataclass(frozen=True, slots=True)
class ExactP:
    """A two-sided permutation p, and the smallest that these patients could have given."""

    p: float
    smallest: float


def rank_sum_p(double_ranks: Ints, responder: np.ndarray) -> ExactP | None:
    """Return the exact two-sided p of the responders' rank sum (Mann-Whitney), ties included.

    p is the share of all choices of responders whose rank sum is at least as far from its mean as the one observed.
    The number of choices by size and sum is built up patient by patient. Without ties this equals the usual exact
    Mann-Whitney test.

    Parameters
    ----------
    double_ranks : array of int, shape (n,)
        Twice the mid-ranks of exposure.
    responder : array of bool, shape (n,)

    Returns
    -------
    ExactP or None
        None without patients on both sides, or where the distribution is too large to make.

    Source: the shift algorithm of Streitberg and Röhmel, as described with the R package exactRankTests.

    >>> rank_sum_p(np.array([2, 4, 6, 8]), np.array([False, False, True, True])).p
    0.3333333333333333
    """
    chosen = responder if 2 * np.count_nonzero(responder) <= responder.size else ~responder
    size, n = int(np.count_nonzero(chosen)), int(chosen.size)
    unit = int(np.gcd.reduce(double_ranks)) if n else 1
    ranks = np.sort(double_ranks) // unit
    highest = int(ranks[n - size :].sum())
    if size == 0 or n * size * highest > _MOST_WORK:
        return None
    lowest = int(ranks[:size].sum())
    last = _ways(ranks, size) / math.comb(n, size)
    off = np.abs(unit * np.arange(lowest, highest + 1) - size * (n + 1))
    observed = abs(int(double_ranks[chosen].sum()) - size * (n + 1))
    reached = off[last > 0].max()
    return ExactP(_share(last[off >= observed].sum()), _share(last[off >= reached].sum()))


def _ways(ranks: Ints, size: int) -> np.ndarray:
    """How many choices of `size` ranks have each sum, from the lowest possible sum to the highest.

    Row i counts the choices of i among the ranks seen so far, by how far their sum is above that of the i lowest.
    """
    n, sums = int(ranks.size), np.concatenate([[0], np.cumsum(ranks)]).tolist()
    lowest, highest = sums[: size + 1], [sums[n] - sums[n - i] for i in range(size + 1)]
    ways = [np.zeros(high - low + 1) for low, high in zip(lowest, highest, strict=True)]
    ways[0][0] = 1.0
    for seen, rank in enumerate(ranks.tolist(), start=1):
        # Rows are worked downwards, so that the rank is not taken twice; those that cannot grow to `size` are left.
        for i in range(min(seen, size), max(1, size - n + seen) - 1, -1):
            reached = sums[seen - 1] - sums[seen - i] - lowest[i - 1] + 1
            shift = rank - (lowest[i] - lowest[i - 1])
            ways[i][shift : shift + reached] += ways[i - 1][:reached]
    return ways[size]


def correlation_p(double_ranks_1: Ints, double_ranks_2: Ints) -> ExactP:
    """Return the exact two-sided p of a rank correlation of 2 to 8 patients, by enumeration of all orders.

    >>> ranks = np.array([2, 4, 6])
    >>> correlation_p(ranks, ranks).p
    0.3333333333333333
    """
    n = int(double_ranks_1.size)
    orders = np.array(list(permutations(range(n))))
    products = double_ranks_2[orders] @ double_ranks_1
    centre = n * (n + 1) ** 2
    off = np.abs(products - centre)
    observed = abs(int(double_ranks_1 @ double_ranks_2) - centre)
    return ExactP(float(np.mean(off >= observed)), float(np.mean(off == off.max())))


def _share(sum_of_shares: float) -> float:
    return min(1.0, float(sum_of_shares))
