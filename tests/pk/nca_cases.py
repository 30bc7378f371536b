"""Profiles, settings and an independent reference for the tests of the non-compartmental analysis."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st
from pk_cases import profiles
from scipy.integrate import quad

from pk.nca.analysis import Analysis, Settings, analyse
from pk.nca.blq import Point
from pk.nca.trapezoid import Rule
from pk.values.quantity import Quantity

# A perfect decline of half-life 1 h after a maximum at 1 h.
TIMES = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
HALVES = [0.0, 16.0, 8.0, 4.0, 2.0, 1.0]
LN2 = math.log(2)

QUANTITIES = tuple(name for name in Analysis.__slots__ if name not in ("partial", "terminal", "notes"))


def points(times: Sequence[float], concs: Sequence[float | None]) -> list[Point]:
    return [Point(time, conc) for time, conc in zip(times, concs, strict=True)]


def analysis(times: Sequence[float], concs: Sequence[float | None], **settings: Any) -> Analysis:
    found = analyse(points(times, concs), Settings(**settings))
    assert isinstance(found, Analysis), found
    return found


def refusal(times: Sequence[float], concs: Sequence[float | None], **settings: Any) -> list[str]:
    found = analyse(points(times, concs), Settings(**settings))
    assert isinstance(found, tuple), found
    return [reason.code for reason in found]


def value(quantity: Quantity) -> float:
    assert quantity.value is not None, quantity.reasons
    return quantity.value


def why(quantity: Quantity) -> list[str]:
    assert quantity.value is None
    return [reason.code for reason in quantity.reasons]


def interpolant(times: Sequence[float], concs: Sequence[float], rule: Rule) -> Callable[[float], float]:
    """The concentration between samples, written without the package: numpy's line, or through its logarithm."""
    peak = int(np.argmax(concs))

    def at(time: float) -> float:
        i = min(max(int(np.searchsorted(times, time)) - 1, 0), len(times) - 2)
        x, y = list(times[i : i + 2]), list(concs[i : i + 2])
        falls = 0 < y[1] < y[0]
        after_peak = i >= peak and min(y) > 0
        if (rule is Rule.LINUP_LOGDOWN and falls) or (rule is Rule.LINEAR_LOG and after_peak):
            return math.exp(float(np.interp(time, x, np.log(y))))
        return float(np.interp(time, x, y))

    return at


def integral(curve: Callable[[float], float], times: Sequence[float], start: float, end: float) -> float:
    """Adaptive quadrature, piece by piece, because the curve has kinks at the samples."""
    knots = [start, *(time for time in times if start < time < end), end]
    pieces = [quad(curve, a, b, epsabs=1e-13, epsrel=1e-12, limit=200)[0] for a, b in pairwise(knots)]
    return math.fsum(pieces)


rules = st.sampled_from(Rule)


@st.composite
def declining_profiles(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """A maximum first, then four or more samples on a noisy decline."""
    gaps = draw(st.lists(st.floats(0.5, 4.0), min_size=5, max_size=10))
    rate = draw(st.floats(0.05, 0.8))
    noise = draw(st.lists(st.floats(-0.05, 0.05), min_size=len(gaps) + 1, max_size=len(gaps) + 1))
    times = [0.0, *(math.fsum(gaps[: i + 1]) for i in range(len(gaps)))]
    return times, [20 * math.exp(-rate * t + e) for t, e in zip(times, noise, strict=True)]


@st.composite
def any_points(draw: st.DrawFn) -> list[Point]:
    """Anything at all, sound or not."""
    conc = st.one_of(st.none(), st.just(0.0), st.floats(0, 50), st.floats())
    limit = st.one_of(st.none(), st.floats(min_value=0, exclude_min=True, allow_infinity=False))
    if draw(st.booleans()):
        times, _ = draw(profiles())
        shift = draw(st.sampled_from([0.0, -1.0, 0.5]))
        return [Point(time + shift, draw(conc), draw(limit)) for time in times]
    return draw(st.lists(st.builds(Point, st.floats(), conc, limit), max_size=6))
