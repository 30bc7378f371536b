"""Is there any cutpoint at all? The largest standardised rank statistic over all cuts, and its p values."""

import math
from dataclasses import dataclass

import numpy as np

from pk.target.cut.discrimination import Counts
from pk.target.statistics.resampling import Purpose, blocks, stream
from pk.values.arrays import Floats, Ints

EPSILON = 0.1
"""Share of patients that must lie on each side of a cut."""


@dataclass(frozen=True, slots=True)
class MaxSelected:
    """The maximally selected statistic, its cut, and p by approximation and by permutation.

    candidates, statistics: every cut considered with its standardised statistic. critical_95: what the largest one
    stays below in 95 % of permutations.
    """

    statistic: float
    cut: float
    p_approx: float
    p_permutation: float
    candidates: Floats
    statistics: Floats
    critical_95: float


def lausen_schumacher_p(statistic: float, epsilon: float = EPSILON) -> float:
    """Return the approximate p of a maximally selected statistic b over the central 1 − 2ε of patients.

    4φ(b)/b + φ(b)(b − 1/b) ln((1 − ε)²/ε²), at most 1; for large samples and b above 1.

    Source: Miller R, Siegmund D. Biometrics 1982;38:1011–1016; Lausen B, Schumacher M. Biometrics 1992;48:73–85.

    >>> round(lausen_schumacher_p(3.171), 5), round(lausen_schumacher_p(3.5691), 5)
    (0.03611, 0.01065)
    """
    if statistic <= 1:
        return 1.0
    density = math.exp(-statistic * statistic / 2) / math.sqrt(2 * math.pi)
    spread = math.log((1 - epsilon) ** 2 / epsilon**2)
    p = 4 * density / statistic + density * (statistic - 1 / statistic) * spread
    return min(1.0, p)


def max_selected(counts: Counts, permutations: int, seed: int) -> MaxSelected | None:
    """Return the maximally selected statistic of a 0/1 outcome; None if no cut has 10 % of patients on each side.

    At each cut with m patients below: T = (responders below − m·n₁/n) / √(m(n − m)n₁n₀ / (n²(n − 1))), and the largest
    |T| counts. p_permutation is (1 + as large) / (1 + permutations) over random assignments of the outcome.
    """
    both = counts.responders + counts.others
    n, n1 = int(both.sum()), int(counts.responders.sum())
    below = np.cumsum(both)[:-1]
    within = (below >= math.floor(EPSILON * n)) & (below <= math.floor((1 - EPSILON) * n)) & (below > 0)
    if not within.any():
        return None
    sizes = below[within]
    expected = sizes * n1 / n
    deviation = np.sqrt(sizes * (n - sizes) / n * (n1 / n) * ((n - n1) / (n - 1)))
    statistics = (np.cumsum(counts.responders)[:-1][within] - expected) / deviation
    middle = ((counts.values[:-1] + counts.values[1:]) / 2)[within]
    best = int(np.argmax(np.abs(statistics)))
    observed = float(np.abs(statistics[best]))
    largest = _permuted(sizes, expected, deviation, (n, n1), permutations, seed)
    extreme = int(np.count_nonzero(largest >= observed - 1e-9))
    return MaxSelected(
        observed,
        float(middle[best]),
        lausen_schumacher_p(observed),
        (1 + extreme) / (1 + permutations),
        middle,
        np.abs(statistics),
        float(np.quantile(largest, 0.95)),
    )


def _permuted(
    sizes: Ints, expected: Floats, deviation: Floats, sample: tuple[int, int], permutations: int, seed: int
) -> Floats:
    """The largest statistic of each permutation of the outcome."""
    random = stream(seed, Purpose.CUT_PERMUTATION)
    n, n1 = sample
    outcome = (np.arange(n) < n1).astype(np.int32)
    largest = []
    for rows in blocks(permutations, n):
        shuffled = random.permuted(np.broadcast_to(outcome, (rows, n)), axis=1)
        reached = np.cumsum(shuffled, axis=1)[:, sizes - 1]
        largest.append(np.abs((reached - expected) / deviation).max(axis=1))
    return np.concatenate(largest)
