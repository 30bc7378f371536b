"""Area under the concentration-time curve by trapezoids over the actual sample times.

Two rules: linear everywhere, or linear where the concentration rises and logarithmic where it
falls (exact for a mono-exponential decline). A fall to zero has no logarithm and is linear.
"""

import math
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pk.result import Estimate, Reason, short

Floats = NDArray[np.float64]


class Rule(StrEnum):
    """How two neighbouring concentrations are joined."""

    LINEAR = "linear"
    LINUP_LOGDOWN = "linup_logdown"


def segment_areas_mg_h_l(time_h: ArrayLike, conc_mg_l: ArrayLike, rule: Rule = Rule.LINUP_LOGDOWN) -> Floats:
    """Return the area of every segment; for many profiles at once.

    Parameters
    ----------
    time_h : array_like, shape (..., n)
        Increasing times in hours; shapes broadcast.
    conc_mg_l : array_like, shape (..., n)
        Concentrations, 0 or more, in mg/L.
    rule : Rule
        Linear: (t2 - t1) (C1 + C2) / 2. Logarithmic where 0 < C2 < C1:
        (t2 - t1) (C1 - C2) / ln(C1 / C2).

    Returns
    -------
    ndarray, shape (..., n - 1)
        Areas in mg·h/L. Nothing is checked here; `auc` does that.

    Examples
    --------
    >>> segment_areas_mg_h_l([0, 1, 2], [0, 2, 1], Rule.LINEAR).tolist()
    [1.0, 1.5]
    """
    times, concs = np.broadcast_arrays(np.asarray(time_h, np.float64), np.asarray(conc_mg_l, np.float64))
    return _joined_areas(times, concs, _logarithmic(concs, rule))


def concentration_at(
    at_h: float, time_h: ArrayLike, conc_mg_l: ArrayLike, rule: Rule = Rule.LINUP_LOGDOWN
) -> float:
    """Return the concentration at a time within the samples, joined by the same rule as the area.

    Linear, or where 0 < C2 < C1 and the rule says so C1 (C2 / C1)^((t - t1) / (t2 - t1)).

    >>> round(concentration_at(3.0, [2, 4], [8, 2]), 12)
    4.0
    >>> concentration_at(3.0, [2, 4], [8, 2], Rule.LINEAR)
    5.0
    """
    times, concs = np.asarray(time_h, np.float64), np.asarray(conc_mg_l, np.float64)
    right = int(np.clip(np.searchsorted(times, at_h), 1, len(times) - 1))
    before_h, after_h = float(times[right - 1]), float(times[right])
    before, after = float(concs[right - 1]), float(concs[right])
    if at_h == after_h:
        return after
    share = (at_h - before_h) / (after_h - before_h)
    if rule is Rule.LINUP_LOGDOWN and 0.0 < after < before:
        joined = before * math.exp(-share * float(_log_ratio(before, after)))
    else:
        joined = before + share * (after - before)
    return min(max(joined, min(before, after)), max(before, after))


def auc(
    time_h: ArrayLike,
    conc_mg_l: ArrayLike,
    *,
    start_h: float | None = None,
    end_h: float | None = None,
    rule: Rule = Rule.LINUP_LOGDOWN,
) -> Estimate:
    """Return the area between two times, or the reasons why it cannot be computed.

    Parameters
    ----------
    time_h, conc_mg_l : array_like, shape (n,)
        Actual times in hours, strictly increasing, and concentrations in mg/L, 0 or more.
    start_h, end_h : float, optional
        Default to the first and last time; between samples the concentration is interpolated
        by the same rule. Nothing is extrapolated.
    rule : Rule
        How neighbouring samples are joined, see `segment_areas_mg_h_l`.

    Returns
    -------
    Estimate
        Method "trapezoid_" + rule. Without a value where times repeat or run back, where there are
        fewer than two points, a number is negative or not finite, or the interval is not covered.

    Raises
    ------
    ValueError
        If the two arrays are not one-dimensional and of one length.

    References
    ----------
    Yeh KC, Kwan KC. A comparison of numerical integrating algorithms by trapezoidal, Lagrange, and
    spline approximation. J Pharmacokin Biopharm 1978;6:79-98.

    Examples
    --------
    >>> auc([0, 1, 2, 4, 8, 12], [2, 6, 10, 8, 4, 2], rule=Rule.LINEAR).value_mg_h_l
    66.0
    >>> auc([0, 2, 1], [1, 1, 1]).reasons[0].code
    'times_not_increasing'
    """
    times, concs = np.asarray(time_h, np.float64), np.asarray(conc_mg_l, np.float64)
    if times.ndim != 1 or times.shape != concs.shape:
        raise ValueError("times and concentrations must be two lists of one length")
    start = start_h if start_h is not None else float(times[0]) if len(times) else 0.0
    end = end_h if end_h is not None else float(times[-1]) if len(times) else 0.0
    reasons = _point_problems(times, concs) or _interval_problems(times, start, end)
    area = None if reasons else _area(times, concs, start, end, rule)
    if area is not None and not math.isfinite(area):
        area, reasons = None, (Reason.of("auc_not_finite"),)
    return Estimate(
        method=f"trapezoid_{rule}",
        quantity=f"AUC{short(start)}-{short(end)}",
        interval_h=(start, end),
        value_mg_h_l=area,
        reasons=reasons,
    )


def _logarithmic(concs: Floats, rule: Rule) -> NDArray[np.bool_]:
    """Return which segments are joined logarithmically: those that fall, but not to zero."""
    before, after = concs[..., :-1], concs[..., 1:]
    falls: NDArray[np.bool_] = (after > 0) & (after < before)
    return falls if rule is Rule.LINUP_LOGDOWN else np.zeros_like(falls)


def _joined_areas(times: Floats, concs: Floats, logarithmic: NDArray[np.bool_]) -> Floats:
    before, after = concs[..., :-1], concs[..., 1:]
    with np.errstate(all="ignore"):
        mean = np.where(
            logarithmic & (after < before),
            (before - after) / _log_ratio(before, after),
            0.5 * before + 0.5 * after,
        )
        areas: Floats = np.diff(times, axis=-1) * mean
    return areas


def _log_ratio(before: ArrayLike, after: ArrayLike) -> Floats:
    """Return ln(before / after) without loss where the two are close or very far apart."""
    high, low = np.asarray(before, np.float64), np.asarray(after, np.float64)
    with np.errstate(all="ignore"):
        drop = high - low
        return np.where(drop < low, np.log1p(drop / low), np.log(high) - np.log(low))


def _area(times: Floats, concs: Floats, start: float, end: float, rule: Rule) -> float:
    """Area of the segments cut to the interval, each joined as the whole segment is."""
    inside = (times > start) & (times < end)
    ends = [concentration_at(at, times, concs, rule) for at in (start, end)]
    cut_times = np.concatenate(([start], times[inside], [end]))
    cut_concs = np.concatenate((ends[:1], concs[inside], ends[1:]))
    whole = np.searchsorted(times, cut_times[:-1], side="right") - 1
    areas: list[float] = _joined_areas(cut_times, cut_concs, _logarithmic(concs, rule)[whole]).tolist()
    return sum(areas)


def _point_problems(times: Floats, concs: Floats) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if len(times) < 2:
        found.append(Reason.of("too_few_points", count=len(times)))
    if not np.isfinite(times).all():
        found.append(Reason.of("times_not_finite"))
    for earlier, later in pairwise(times.tolist()):
        if later == earlier:
            found.append(Reason.of("times_repeated", time_h=short(later)))
        elif later < earlier:
            found.append(Reason.of("times_not_increasing", time_h=short(later)))
    for time, conc in zip(times.tolist(), concs.tolist(), strict=True):
        if not math.isfinite(conc):
            found.append(Reason.of("concentrations_not_finite", time_h=short(time)))
        elif conc < 0:
            found.append(Reason.of("concentrations_negative", time_h=short(time)))
    return tuple(found)


def _interval_problems(times: Floats, start: float, end: float) -> tuple[Reason, ...]:
    interval = {"start_h": short(start), "end_h": short(end)}
    if not end > start:
        return (Reason.of("interval_empty", **interval),)
    first, last = float(times[0]), float(times[-1])
    if not (first <= start and end <= last):
        return (Reason.of("interval_not_covered", **interval, first_h=short(first), last_h=short(last)),)
    return ()
