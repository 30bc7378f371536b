"""Whether an outcome goes with exposure in a straight line: restricted cubic splines, and the scale of logarithms."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pk.target.association.correlation import linear_slope
from pk.target.statistics.firth import firth
from pk.target.statistics.proportions import Interval
from pk.values.arrays import Floats

QUANTILES = (0.10, 0.50, 0.90)
"""Of exposure, where the knots lie."""

LEAST = 20
"""Patients from whom on the shape of a change is looked at."""

LEAST_SMALLER_GROUP = 10
"""Patients in the smaller of responders and others from whom on the shape of a response is."""

_AT = (0.10, 0.25, 0.50, 0.75, 0.90)


@dataclass(frozen=True, slots=True)
class Shape:
    """A restricted cubic spline: its `knots`, p of its curvature, and (exposure, fitted outcome) at five quantiles.

    The fitted outcome is a probability where there are responders.
    """

    knots: tuple[float, float, float]
    p: float
    fitted: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Doubling:
    """Change of the outcome, or of its log odds, per doubling of exposure, with limits and p."""

    value: float
    ci: Interval | None
    p: float


def curvature(exposure: Floats, knots: tuple[float, float, float]) -> Floats:
    """Return the term of a restricted cubic spline that is not linear, shape (n,), in units of exposure.

    With knots t₁ < t₂ < t₃: ((x−t₁)₊³ − (x−t₂)₊³(t₃−t₁)/(t₃−t₂) + (x−t₃)₊³(t₂−t₁)/(t₃−t₂))/(t₃−t₁)². Beyond the outer
    knots it is straight.

    Source: Harrell F. Regression modeling strategies. Springer 2001, section 2.4.5.

    >>> curvature(np.array([0.0, 10.0, 20.0, 30.0]), (0.0, 10.0, 20.0)).tolist()
    [0.0, 2.5, 15.0, 30.0]
    """
    first, middle, last = knots

    def cube(knot: float) -> Floats:
        return np.maximum(exposure - knot, 0.0) ** 3

    left, right = (last - first) / (last - middle), (middle - first) / (last - middle)
    term: Floats = (cube(first) - left * cube(middle) + right * cube(last)) / (last - first) ** 2
    return term


def shape_of(exposure: Floats, outcome: Floats, responder: np.ndarray | None) -> Shape | None:
    """Return the shape; None with too few patients, or where knots coincide or a model has no solution.

    p: of the curvature in a least-squares model, or in Firth's where there are responders.
    """
    smaller = exposure.size if responder is None else min(np.sum(responder), np.sum(~responder))
    if exposure.size < LEAST or smaller < LEAST_SMALLER_GROUP:
        return None
    first, middle, last = (float(one) for one in np.quantile(exposure, QUANTILES))
    if not first < middle < last:
        return None
    knots = (first, middle, last)
    at = np.quantile(exposure, _AT)
    columns = np.column_stack([exposure, curvature(exposure, knots)])
    places = np.column_stack([np.ones(at.size), at, curvature(at, knots)])
    if responder is not None:
        found = firth(columns, responder)
        if found is None:
            return None
        beta = np.array([found.intercept, *(one.value for one in found.coefficients)])
        return Shape(knots, found.coefficients[1].p, _pairs(at, expit(places @ beta)))
    slope = linear_slope(columns[:, 1], outcome, exposure)
    if slope is None:
        return None
    design = np.column_stack([np.ones(exposure.size), columns])
    beta, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    return Shape(knots, slope[1], _pairs(at, places @ beta))


def per_doubling(exposure: Floats, outcome: Floats, responder: np.ndarray | None) -> Doubling | None:
    """Return the effect of a doubling of exposure: its logarithm to base 2 instead of itself; None if one is 0.

    Least squares, or Firth's log odds where there are responders.
    """
    if (exposure <= 0).any():
        return None
    doublings = np.log2(exposure)
    if responder is not None:
        found = firth(doublings[:, None], responder)
        if found is None:
            return None
        one = found.coefficients[0]
        return Doubling(one.value, one.ci, one.p)
    slope = linear_slope(doublings, outcome)
    if slope is None or slope[0].ci_per_10 is None:
        return None
    low, high = slope[0].ci_per_10
    return Doubling(slope[0].per_10 / 10, (low / 10, high / 10), slope[1])


def _pairs(at: Floats, fitted: Floats) -> tuple[tuple[float, float], ...]:
    return tuple(zip(at.tolist(), fitted.tolist(), strict=True))
