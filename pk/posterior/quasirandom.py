"""Standard random draws that fill the space evenly: scrambled Halton points as normal and Student variates.

The same draws serve every subject, so that a subject's numbers depend on the seed and not on its companions,
and their error is smaller than that of independent draws. Source: Owen, "A randomized Halton algorithm in R",
arXiv:1706.02808 (2017), for the digit scrambling.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaincinv, ndtri

from pk.values.arrays import Floats

FREEDOM = 6.0
"""Degrees of freedom of the Student variates: tails heavier than a normal posterior's."""

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)


@dataclass(frozen=True, slots=True)
class Standard:
    """M draws in K dimensions: `normal` N(0, I) and `student` t(0, I), both shape (K, M), not writable."""

    normal: Floats
    student: Floats


def halton(count: int, dimensions: int, seed: int) -> Floats:
    """Return `count` scrambled Halton points, shape (dimensions, count), strictly between 0 and 1.

    Each digit of each dimension is permuted at random, the same way for all points.

    >>> points = halton(9, 2, seed=1)
    >>> sorted((points[1] * 9).astype(int).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    """
    random = np.random.default_rng(seed)
    points = np.zeros((dimensions, count))
    for row, base in zip(points, _PRIMES[:dimensions], strict=True):
        left, size = np.arange(count), 1.0
        while size > 1e-15:
            size /= base
            left, digit = np.divmod(left, base)
            np.add(row, random.permutation(base)[digit] * size, out=row)
    return np.clip(points, 1e-15, 1.0 - 1e-15)


@lru_cache(maxsize=64)
def standard(count: int, effects: int, seed: int) -> Standard:
    """Return the draws of that seed; normal and Student draws share their directions.

    Raises
    ------
    ValueError
        If there are more effects than this has dimensions for.
    """
    if effects >= len(_PRIMES):
        raise ValueError(f"{effects} random effects; draws are for at most {len(_PRIMES) - 1}")
    points = halton(count, effects + 1, seed)
    normal = ndtri(points[:-1])
    chi_square = 2.0 * gammaincinv(0.5 * FREEDOM, points[-1])
    student = normal * np.sqrt(FREEDOM / chi_square)
    normal.setflags(write=False)
    student.setflags(write=False)
    return Standard(normal, student)
