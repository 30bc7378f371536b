"""Exact permutation distributions: of a sum of ranks, and of a rank correlation of few patients."""

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from pk.target.resampling import Ints

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
    ways = np.zeros((size + 1, highest + 1))
    ways[0, 0] = 1.0
    for seen, rank in enumerate(ranks.tolist(), start=1):
        top = min(seen, size)
        reach = int(ranks[seen - top : seen].sum()) + 1
        ways[1 : top + 1, rank:reach] += ways[:top, : reach - rank].copy()
    last = ways[size] / math.comb(n, size)
    off = np.abs(unit * np.arange(highest + 1) - size * (n + 1))
    observed = abs(int(double_ranks[chosen].sum()) - size * (n + 1))
    reached = off[last > 0].max()
    return ExactP(_share(last[off >= observed].sum()), _share(last[off >= reached].sum()))


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
