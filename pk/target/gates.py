"""The conditions of the tiers, and those that a cut from the data must meet to be more than arbitrary."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pk.target.findings import Gate
from pk.target.statistics.proportions import Interval
from pk.target.tiers import LARGEST_P, TIERS
from pk.values.arrays import Floats

LARGEST_WIDTH = 20.0
"""mg·h/L: an interval that is wider cannot tell the thresholds 35, 45 and 60 apart."""

LEAST_SIDE = 0.10


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the extra gates look at; area and its limit turned to the direction stated beforehand."""

    area: float
    area_lower_limit: float | None
    max_selected_p: float | None
    cut: float
    cut_interval: Interval
    exposure: Floats


def tier_gates(patients: int, smaller_group: int | None) -> Iterator[Gate]:
    """Return the conditions of every tier above the lowest; without responders there is no smaller group."""
    for tier in TIERS[1:]:
        yield Gate(f"tier_{tier.number}_patients", patients, tier.patients, patients >= tier.patients)
        smaller = smaller_group is not None and smaller_group >= tier.smaller_group
        yield Gate(f"tier_{tier.number}_smaller_group", smaller_group, tier.smaller_group, smaller)


def extra_gates(found: Evidence | None) -> tuple[Gate, ...]:
    """Return the extra gates; all closed and without values where there is no cut to judge."""
    if found is None:
        limits = {
            "roc_lower_limit": 0.5,
            "max_selected_p": LARGEST_P,
            "cut_interval_width": LARGEST_WIDTH,
            "smaller_side_share": LEAST_SIDE,
            "direction": 0.5,
        }
        return tuple(Gate(name, None, limit, False) for name, limit in limits.items())
    low, high = (float(one) for one in np.quantile(found.exposure, [0.1, 0.9]))
    side = float(np.mean(found.exposure >= found.cut))
    width = found.cut_interval[1] - found.cut_interval[0]
    lower, p = found.area_lower_limit, found.max_selected_p
    share = min(side, 1 - side)
    return (
        Gate("roc_lower_limit", lower, 0.5, lower is not None and lower > 0.5),
        Gate("max_selected_p", p, LARGEST_P, p is not None and p < LARGEST_P),
        Gate("cut_interval_width", width, LARGEST_WIDTH, width <= LARGEST_WIDTH),
        Gate("smaller_side_share", share, LEAST_SIDE, share >= LEAST_SIDE),
        Gate("cut_above_p10", found.cut, low, found.cut >= low),
        Gate("cut_below_p90", found.cut, high, found.cut <= high),
        Gate("direction", found.area, 0.5, found.area > 0.5),
    )
