"""Proportions with exact or score limits, and the difference of two of them."""

import math
from dataclasses import dataclass

from scipy.special import betaincinv, ndtri

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Proportion:
    """`successes` of `total`, and the Clopper-Pearson limits; `value` is None where `total` is 0."""

    successes: int
    total: int
    value: float | None
    ci: Interval | None


def proportion(successes: int, total: int, level: float = 0.95) -> Proportion:
    """Return a proportion with its exact limits.

    Limits are quantiles of beta distributions. Source: Clopper C, Pearson E. Biometrika 1934;26:404–413.

    >>> [round(limit, 3) for limit in proportion(0, 2).ci]
    [0.0, 0.842]
    """
    if total == 0:
        return Proportion(successes, total, None, None)
    alpha = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, total - successes + 1, alpha))
    high = 1.0 if successes == total else float(betaincinv(successes + 1, total - successes, 1 - alpha))
    return Proportion(successes, total, successes / total, (low, high))


def wilson(successes: int, total: int, level: float = 0.95) -> Interval:
    """Return the score limits of a proportion of one patient or more.

    Source: Wilson E. J Am Stat Assoc 1927;22:209–212.
    """
    z2 = float(ndtri((1 + level) / 2)) ** 2
    middle = successes + z2 / 2
    half = math.sqrt(z2 * (successes * (total - successes) / total + z2 / 4))
    return max(0.0, (middle - half) / (total + z2)), min(1.0, (middle + half) / (total + z2))


def newcombe(
    successes_1: int, total_1: int, successes_2: int, total_2: int, level: float = 0.95
) -> tuple[float, Interval] | None:
    """Return the difference of two independent proportions (first − second) with limits; None without patients.

    The hybrid score interval without continuity correction.
    Source: Newcombe R. Stat Med 1998;17:873–890, method 10.

    >>> difference, limits = newcombe(56, 70, 48, 80)
    >>> round(difference, 4), [round(limit, 4) for limit in limits]
    (0.2, [0.0524, 0.3339])
    """
    if total_1 == 0 or total_2 == 0:
        return None
    p1, p2 = successes_1 / total_1, successes_2 / total_2
    (low_1, high_1), (low_2, high_2) = (
        wilson(successes_1, total_1, level),
        wilson(successes_2, total_2, level),
    )
    low = p1 - p2 - math.hypot(p1 - low_1, high_2 - p2)
    high = p1 - p2 + math.hypot(high_1 - p1, p2 - low_2)
    return p1 - p2, (low, high)
