"""Summaries of one subject's exposure over the occasions of a year, by the days on which they took place.

An occasion is an AUC0-12 (mg·h/L) on a day counted from the baseline. Nominal weeks only name the occasions; areas and
spans use the actual days. Nothing is extrapolated before the first occasion of a span or after its last.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

DAYS_PER_WEEK = 7
MIN_SPAN_DAYS = 42
RELIABILITY_ONE = 0.78
"""Intraclass correlation of repeated AUCs in lupus nephritis (PMID 25014074); none is known in systemic sclerosis."""


class Metric(StrEnum):
    """The summaries, by the names that are used everywhere."""

    MEAN_ALL = "mean_all"
    TWA_0_52 = "twa_0_52"
    TWA_6_52 = "twa_6_52"
    TWA_6_26 = "twa_6_26"
    AUC_W12 = "auc_w12"
    MEAN_6_12 = "mean_6_12"
    MIN = "min"
    CV_PERCENT = "cv_percent"


METRICS: tuple[str, ...] = tuple(Metric)
TWA_6_26 = Metric.TWA_6_26
"""The primary summary: neither the inclusion (titration) nor one year (at the same time as the outcome) is in it."""


class SummaryFlag(StrEnum):
    """What is to be known of a summary."""

    SINGLE_OCCASION = "single_occasion"
    """One AUC stands for a whole span."""
    BRIDGED = "bridged"
    """An occasion between two others is missing; the straight line between them stands for it."""
    SHORT_SPAN = "short_span"
    """The occasions lie too close together for a mean over the span."""
    INCOMPLETE = "incomplete"
    """The first or last occasion of the span is missing; the mean is over the days that were observed."""


@dataclass(frozen=True, slots=True)
class OccasionAuc:
    """One AUC0-12 of one occasion: nominal `week`, `day` on which it was (days since baseline), value in mg·h/L.

    `dose_g` is what is taken of the drug in a day, in grams; None when it is not known.
    """

    week: int
    day: float
    auc_mg_h_l: float
    dose_g: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.day) and math.isfinite(self.auc_mg_h_l) and self.auc_mg_h_l >= 0):
            raise ValueError("an occasion has a finite day and an AUC of 0 or more")


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over a span with the days it covers and what is to be known of it; no value means that none is allowed."""

    value_mg_h_l: float | None
    weeks: tuple[int, ...]
    days: float
    flags: frozenset[SummaryFlag]


@dataclass(frozen=True, slots=True)
class ExposureSummary:
    """Every metric of one subject (mg·h/L; `cv_percent` in percent), and of the time-weighted ones how they came about.

    `window_days` is the length of the primary span that was observed: report it against the response.
    """

    values: dict[str, float | None]
    spans: dict[str, Mean]
    occasions: int
    window_days: float
    flags: frozenset[SummaryFlag]
    reliability: float | None


_SPANS: dict[Metric, tuple[int, ...]] = {
    Metric.TWA_0_52: (0, 6, 12, 26, 52),
    Metric.TWA_6_52: (6, 12, 26, 52),
    Metric.TWA_6_26: (6, 12, 26),
}


def summary_of(occasions: Iterable[OccasionAuc]) -> ExposureSummary:
    """Every summary of a subject's occasions.

    Parameters
    ----------
    occasions : of distinct weeks, in any order

    Raises
    ------
    ValueError
        A week or a day occurs twice.

    Examples
    --------
    >>> found = summary_of(OccasionAuc(w, 7 * w, a) for w, a in zip((0, 6, 12, 26, 52), (35, 42, 50, 38, 55)))
    >>> {name: round(value, 2) for name, value in found.values.items() if name.startswith(("mean", "twa"))}
    {'mean_all': 44.0, 'twa_0_52': 44.85, 'twa_6_52': 45.67, 'twa_6_26': 44.6, 'mean_6_12': 46.0}
    """
    found = sorted(occasions, key=lambda one: one.day)
    if len({one.week for one in found}) < len(found) or len({one.day for one in found}) < len(found):
        raise ValueError("an occasion is given once, and no two on one day")
    by_week = {one.week: one for one in found}
    spans = {metric.value: time_weighted_mean(found, weeks) for metric, weeks in _SPANS.items()}
    aucs = [one.auc_mg_h_l for one in found]
    early = [by_week[week].auc_mg_h_l for week in (6, 12) if week in by_week]
    values: dict[str, float | None] = {
        Metric.MEAN_ALL.value: _mean(aucs),
        **{name: one.value_mg_h_l for name, one in spans.items()},
        Metric.AUC_W12.value: by_week[12].auc_mg_h_l if 12 in by_week else None,
        Metric.MEAN_6_12.value: _mean(early) if len(early) == 2 else None,
        Metric.MIN.value: min(aucs, default=None),
        Metric.CV_PERCENT.value: _cv_percent(aucs),
    }
    primary = spans[TWA_6_26.value]
    reliability = spearman_brown(RELIABILITY_ONE, len(primary.weeks)) if primary.weeks else None
    return ExposureSummary(values, spans, len(found), primary.days, primary.flags, reliability)


def time_weighted_mean(occasions: Iterable[OccasionAuc], weeks: Sequence[int]) -> Mean:
    """The mean AUC over the span of these occasions, by the linear trapezoidal rule and actual days.

    Two occasions or more must lie at least six weeks apart. A missing one between two others is bridged by the straight
    line; before the first and after the last nothing is assumed. A single occasion stands for itself and is flagged.
    """
    found = sorted((one for one in occasions if one.week in weeks), key=lambda one: one.day)
    have = tuple(one.week for one in found)
    if not found:
        return Mean(None, (), 0.0, frozenset())
    if len(found) == 1:
        return Mean(found[0].auc_mg_h_l, have, 0.0, frozenset({SummaryFlag.SINGLE_OCCASION}))
    days = found[-1].day - found[0].day
    flags = set()
    if any(week not in have for week in weeks if have[0] < week < have[-1]):
        flags.add(SummaryFlag.BRIDGED)
    if have[0] != weeks[0] or have[-1] != weeks[-1]:
        flags.add(SummaryFlag.INCOMPLETE)
    if days < MIN_SPAN_DAYS:
        return Mean(None, have, days, frozenset(flags | {SummaryFlag.SHORT_SPAN}))
    area = sum(
        (later.day - one.day) * (one.auc_mg_h_l + later.auc_mg_h_l) / 2 for one, later in pairwise(found)
    )
    return Mean(area / days, have, days, frozenset(flags))


def carried_forward_mean(occasions: Iterable[OccasionAuc], until_day: float) -> float | None:
    """The mean up to a day if every AUC held until the next one (last observation carried forward): sensitivity only.

    >>> round(carried_forward_mean([OccasionAuc(w, 7 * w, a) for w, a in ((0, 35), (6, 42), (12, 50))], 364), 2)
    47.35
    """
    found = sorted((one for one in occasions if one.day < until_day), key=lambda one: one.day)
    if not found:
        return None
    ends = [one.day for one in found[1:]] + [until_day]
    area = sum(one.auc_mg_h_l * (end - one.day) for one, end in zip(found, ends, strict=True))
    return area / (until_day - found[0].day)


def share_at_or_above(occasions: Iterable[OccasionAuc], threshold_mg_h_l: float) -> float | None:
    """The share of the observed time at which the AUC, straight between occasions, is at or above a threshold.

    None with fewer than two occasions.
    """
    found = sorted(occasions, key=lambda one: one.day)
    if len(found) < 2:
        return None
    above = sum(_above(one, later, threshold_mg_h_l) for one, later in pairwise(found))
    return above / (found[-1].day - found[0].day)


def _above(one: OccasionAuc, later: OccasionAuc, threshold: float) -> float:
    """The days between two occasions on which the line between them is at or above the threshold."""
    days, low, high = later.day - one.day, *sorted((one.auc_mg_h_l, later.auc_mg_h_l))
    if low >= threshold:
        return days
    if high < threshold:
        return 0.0
    return days * (high - threshold) / (high - low)


def auc_per_gram(one: OccasionAuc, reference_g: float = 1.0) -> float | None:
    """The AUC0-12 per reference dose of a day: a surrogate of clearance, not a target metric.

    None when the dose is not known. Doses are of one formulation; proportionality is assumed.
    """
    return None if not one.dose_g else one.auc_mg_h_l * reference_g / one.dose_g


def spearman_brown(reliability: float, occasions: int) -> float:
    """The reliability of the mean of several occasions from that of one, by the formula of Spearman and Brown.

    >>> round(spearman_brown(0.78, 3), 3)
    0.914
    """
    if not 0 <= reliability <= 1 or occasions < 1:
        raise ValueError("a reliability lies from 0 to 1, and there is at least one occasion")
    return occasions * reliability / (1 + (occasions - 1) * reliability)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _cv_percent(values: Sequence[float]) -> float | None:
    """Standard deviation (n - 1) in percent of the mean; None with fewer than two values or a mean of 0."""
    mean = _mean(values)
    if len(values) < 2 or not mean:
        return None
    variance = math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1)
    return 100 * math.sqrt(variance) / mean
