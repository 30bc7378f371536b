"""Area under the concentration-time curve, and under its first moment, by trapezoids over actual times.

Two neighbouring samples are joined by a straight line or by an exponential; `Rule` says which is
used where. An exponential needs two different positive concentrations; else the line is used, which
for two equal ones is the exponential's own limit.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from pk.values.estimate import Estimate
from pk.values.reason import Reason, short


class Rule(StrEnum):
    """Which segments are exponential: none, those that fall, or all after the first maximum."""

    LINEAR = "linear"
    LINUP_LOGDOWN = "linear_up_log_down"
    LINEAR_LOG = "linear_log"


@dataclass(frozen=True, slots=True)
class Areas:
    """AUC in mg·h/L and AUMC (the area under time times concentration) in mg·h²/L."""

    auc: float
    aumc: float

    def __add__(self, other: "Areas") -> "Areas":
        return Areas(self.auc + other.auc, self.aumc + other.aumc)


def exponential_segments(concs: Sequence[float], rule: Rule) -> tuple[bool, ...]:
    """Return for each of the n - 1 segments whether its two concentrations are joined exponentially.

    >>> exponential_segments([0, 4, 2, 3, 3, 0], Rule.LINUP_LOGDOWN)
    (False, True, False, False, False)
    >>> exponential_segments([0, 4, 2, 3, 3, 0], Rule.LINEAR_LOG)
    (False, True, True, False, False)
    """
    if rule is Rule.LINEAR or not concs:
        return (False,) * max(len(concs) - 1, 0)
    if rule is Rule.LINUP_LOGDOWN:
        return tuple(0.0 < after < before for before, after in pairwise(concs))
    peak = concs.index(max(concs))
    return tuple(
        i >= peak and before > 0.0 and after > 0.0 and before != after
        for i, (before, after) in enumerate(pairwise(concs))
    )


def segment_areas(from_h: float, from_mg_l: float, to_h: float, to_mg_l: float, exponential: bool) -> Areas:
    """Return AUC and AUMC of one segment.

    Linear: dt (C1 + C2) / 2 and dt (t1 C1 + t2 C2) / 2, the usual trapezoid of the moment.
    Exponential, with L = ln(C1 / C2): dt (C1 - C2) / L and the exact integral of t C(t),
    dt (t1 C1 - t2 C2) / L + dt² (C1 - C2) / L². Nothing is checked.

    >>> segment_areas(0.0, 2.0, 2.0, 4.0, False)
    Areas(auc=6.0, aumc=8.0)
    """
    width = to_h - from_h
    if not exponential or from_mg_l == to_mg_l:
        moment = 0.5 * from_h * from_mg_l + 0.5 * to_h * to_mg_l
        return Areas(width * (0.5 * from_mg_l + 0.5 * to_mg_l), width * moment)
    high, low = max(from_mg_l, to_mg_l), min(from_mg_l, to_mg_l)
    ratio = _log_ratio(high, low)
    auc = width * min(max((high - low) / ratio, low), high)
    # The moment about the higher end, from where the curve falls; then about time 0.
    about_high = width * width * high * _decline_moment(ratio)
    if from_mg_l > to_mg_l:
        return Areas(auc, from_h * auc + about_high)
    return Areas(auc, to_h * auc - about_high)


def areas_between(
    times: Sequence[float],
    concs: Sequence[float],
    exponential: Sequence[bool],
    start_h: float,
    end_h: float,
) -> Areas:
    """Return AUC and AUMC from one time to another within the samples.

    A segment that is cut keeps the way in which the whole of it is joined, so that areas over
    neighbouring intervals add up (the AUC always; the AUMC of linear segments only at sample times).

    Parameters
    ----------
    times, concs : sequences of length n
        Strictly increasing hours; mg/L, 0 or more.
    exponential : sequence of length n - 1
        From `exponential_segments`.
    start_h, end_h : float
        Within the first and the last time; nothing is checked or extrapolated.

    Examples
    --------
    >>> areas_between([0, 2], [0, 4], [False], 0.0, 1.0).auc
    1.0
    """
    auc = aumc = 0.0
    for i, is_exponential in enumerate(exponential):
        left, right, before, after = times[i], times[i + 1], concs[i], concs[i + 1]
        if right <= start_h or left >= end_h:
            continue
        from_h, to_h, first, second = left, right, before, after
        if left < start_h:
            from_h, first = start_h, _joined(start_h, left, before, right, after, is_exponential)
        if right > end_h:
            to_h, second = end_h, _joined(end_h, left, before, right, after, is_exponential)
        part = segment_areas(from_h, first, to_h, second, is_exponential)
        auc, aumc = auc + part.auc, aumc + part.aumc
    return Areas(auc, aumc)


def auc(
    time_h: Iterable[float | None],
    conc_mg_l: Iterable[float | None],
    *,
    start_h: float | None = None,
    end_h: float | None = None,
    rule: Rule = Rule.LINUP_LOGDOWN,
) -> Estimate:
    """Return the area between two times, or the reasons why it cannot be computed.

    Parameters
    ----------
    time_h, conc_mg_l : n numbers each
        Actual times in hours, strictly increasing, and concentrations in mg/L, 0 or more.
    start_h, end_h : float, optional
        Default to the first and last time; between samples the concentration is interpolated
        by the same rule. Nothing is extrapolated.
    rule : Rule
        How neighbouring samples are joined, see `segment_areas`.

    Returns
    -------
    Estimate
        Method "trapezoid_" + rule. Without a value where times repeat or run back, where there are
        fewer than two points, a number is negative or not finite, or the interval is not covered.

    Raises
    ------
    ValueError
        If there are not as many times as concentrations.

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
    times, concs = _floats(time_h), _floats(conc_mg_l)
    if len(times) != len(concs):
        raise ValueError("times and concentrations must be two lists of one length")
    start = start_h if start_h is not None else times[0] if times else 0.0
    end = end_h if end_h is not None else times[-1] if times else 0.0
    reasons = point_problems(times, concs, least_points=2) or _interval_problems(times, start, end)
    area = None if reasons else areas_between(times, concs, exponential_segments(concs, rule), start, end).auc
    if area is not None and not math.isfinite(area):
        area, reasons = None, (Reason.of("auc_not_finite"),)
    return Estimate(
        method=f"trapezoid_{rule}",
        quantity=f"AUC{short(start)}-{short(end)}",
        interval_h=(start, end),
        value_mg_h_l=area,
        reasons=reasons,
    )


def point_problems(
    times: Sequence[float], concs: Sequence[float], *, least_points: int
) -> tuple[Reason, ...]:
    """Return everything that keeps points from being a profile: number, order, values."""
    found: list[Reason] = []
    if len(times) < least_points:
        found.append(Reason.of("too_few_points", count=len(times)))
    if not all(math.isfinite(time) for time in times):
        found.append(Reason.of("times_not_finite"))
    for earlier, later in pairwise(times):
        if later == earlier:
            found.append(Reason.of("times_repeated", time_h=short(later)))
        elif later < earlier:
            found.append(Reason.of("times_not_increasing", time_h=short(later)))
    for time, conc in zip(times, concs, strict=True):
        if not math.isfinite(conc):
            found.append(Reason.of("concentrations_not_finite", time_h=short(time)))
        elif conc < 0:
            found.append(Reason.of("concentrations_negative", time_h=short(time)))
    return tuple(found)


def _joined(
    at_h: float, from_h: float, from_mg_l: float, to_h: float, to_mg_l: float, exponential: bool
) -> float:
    """The concentration at a time within one segment; at its ends exactly the measured one."""
    if at_h == from_h:
        return from_mg_l
    if at_h == to_h:
        return to_mg_l
    share = (at_h - from_h) / (to_h - from_h)
    high, low = max(from_mg_l, to_mg_l), min(from_mg_l, to_mg_l)
    if exponential and low < high:
        fallen = share if from_mg_l > to_mg_l else 1.0 - share
        joined = high * math.exp(-fallen * _log_ratio(high, low))
    else:
        joined = from_mg_l + share * (to_mg_l - from_mg_l)
    return min(max(joined, low), high)


def _log_ratio(high: float, low: float) -> float:
    """Return ln(high / low), low below high, without loss where the two are close or very far apart."""
    drop = high - low
    return math.log1p(drop / low) if drop < low else math.log(high) - math.log(low)


def _decline_moment(ratio: float) -> float:
    """Return the integral of u exp(-ratio u) over u from 0 to 1, for a ratio above 0."""
    if ratio >= 0.5:
        return (1.0 - math.exp(-ratio) * (1.0 + ratio)) / (ratio * ratio)
    # The formula above cancels where the ratio is small; its power series does not.
    term, total = 1.0, 0.5
    for k in range(1, 14):
        term *= -ratio / k
        total += term / (k + 2)
    return total


def _floats(numbers: Iterable[float | None]) -> list[float]:
    return [math.nan if number is None else float(number) for number in numbers]


def _interval_problems(times: Sequence[float], start: float, end: float) -> tuple[Reason, ...]:
    interval = {"start_h": short(start), "end_h": short(end)}
    if not end > start:
        return (Reason.of("interval_empty", **interval),)
    first, last = times[0], times[-1]
    if not (first <= start and end <= last):
        return (Reason.of("interval_not_covered", **interval, first_h=short(first), last_h=short(last)),)
    return ()
