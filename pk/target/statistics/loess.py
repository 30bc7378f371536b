"""A smooth line through points: whether an outcome goes with exposure in a step, a slope or up to a plateau."""

import numpy as np

from pk.values.arrays import Floats

SPAN = 0.75
"""Share of the patients that a place of the line looks at."""

LEAST = 20
"""Patients from whom on a line is drawn."""


def loess(exposure: Floats, outcome: Floats, at: Floats, span: float = SPAN) -> Floats:
    """Return the locally weighted line at some exposures; shape as `at`. To look at, not to test.

    At each place a straight line is fitted to the nearest share of patients, with weights (1 − (d/dₘ)³)³ of their
    distance d, dₘ the farthest; where they all have one exposure it is their mean. Without the robust steps.

    Source: Cleveland W. J Am Stat Assoc 1979;74:829–836.

    >>> x = np.arange(10.0)
    >>> loess(x, 2 * x + 1, np.array([4.5])).round(6).tolist()
    [10.0]
    """
    near = max(2, int(np.ceil(span * exposure.size)))
    found = np.empty(at.size)
    for i, place in enumerate(at):
        distance = np.abs(exposure - place)
        farthest = np.sort(distance)[near - 1]
        weight = np.where(distance < farthest, (1 - (distance / (farthest or 1.0)) ** 3) ** 3, 0.0)
        if weight.sum() == 0:  # half of them or more have this very exposure
            weight = (distance <= farthest).astype(np.float64)
        centred = exposure - np.average(exposure, weights=weight)
        spread = float(np.sum(weight * centred**2))
        middle = float(np.average(outcome, weights=weight))
        slope = float(np.sum(weight * centred * outcome)) / spread if spread > 1e-12 * farthest**2 else 0.0
        found[i] = middle + slope * (place - (exposure - centred)[0])
    return found
