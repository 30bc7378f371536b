"""Exposure over a year: the worked example, missing occasions, actual dates, and the laws of a mean."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pk.target.data.exposure_summary import (
    METRICS,
    Metric,
    OccasionAuc,
    SummaryFlag,
    auc_per_gram,
    carried_forward_mean,
    share_at_or_above,
    spearman_brown,
    summary_of,
    time_weighted_mean,
)

YEAR = {0: 35.0, 6: 42.0, 12: 50.0, 26: 38.0, 52: 55.0}


def occasions(aucs: dict[int, float], **days: float) -> list[OccasionAuc]:
    """Occasions on their nominal days, or on the days given as W6=44."""
    return [OccasionAuc(week, days.get(f"W{week}", 7.0 * week), auc) for week, auc in aucs.items()]


def without(*weeks: int) -> dict[int, float]:
    return {week: auc for week, auc in YEAR.items() if week not in weeks}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (Metric.MEAN_ALL, 44.0), (Metric.TWA_0_52, 44.85), (Metric.TWA_6_52, 45.67), (Metric.TWA_6_26, 44.60),
        (Metric.AUC_W12, 50.0), (Metric.MEAN_6_12, 46.0), (Metric.MIN, 35.0),
    ],
)  # fmt: skip
def test_the_worked_example_gives_its_values(metric: Metric, value: float) -> None:
    assert summary_of(occasions(YEAR)).values[metric] == pytest.approx(value, abs=0.005)


@pytest.mark.parametrize(
    ("metric", "weights"),
    [
        (Metric.TWA_0_52, {0: 5.8, 6: 11.5, 12: 19.2, 26: 38.5, 52: 25.0}),
        (Metric.TWA_6_26, {6: 15.0, 12: 50.0, 26: 35.0}),
    ],
)
def test_the_weight_of_each_occasion_is_as_published(metric: Metric, weights: dict[int, float]) -> None:
    for week in YEAR:
        alone = dict.fromkeys(YEAR, 0.0) | {week: 100.0}
        found = summary_of(occasions(alone)).values[metric]
        assert found == pytest.approx(weights.get(week, 0.0), abs=0.05)


def test_a_missing_occasion_in_between_is_bridged_by_a_straight_line_and_flagged() -> None:
    found = summary_of(occasions(without(26)))
    assert found.spans[Metric.TWA_0_52].value_mg_h_l == pytest.approx(50.13, abs=0.005)
    assert found.spans[Metric.TWA_0_52].flags == {SummaryFlag.BRIDGED}
    assert carried_forward_mean(occasions(without(26)), 364) == pytest.approx(47.35, abs=0.005)


def test_nothing_is_assumed_beyond_the_first_and_last_occasion() -> None:
    found = time_weighted_mean(occasions(without(26)), (6, 12, 26))
    assert (found.value_mg_h_l, found.days, found.flags) == (46.0, 42, {SummaryFlag.INCOMPLETE})
    bridged = time_weighted_mean(occasions(without(12)), (6, 12, 26))
    assert (bridged.value_mg_h_l, bridged.days, bridged.flags) == (40.0, 140, {SummaryFlag.BRIDGED})


def test_a_single_occasion_stands_for_the_span_and_is_flagged() -> None:
    found = summary_of(occasions({0: 35.0, 12: 50.0}))
    assert found.values[Metric.TWA_6_26] == 50.0
    assert found.flags == {SummaryFlag.SINGLE_OCCASION}
    assert found.reliability == pytest.approx(0.78)


def test_occasions_less_than_six_weeks_apart_give_no_mean() -> None:
    short = time_weighted_mean(occasions({6: 42.0, 12: 50.0}, W6=48), (6, 12, 26))
    assert short.value_mg_h_l is None
    assert SummaryFlag.SHORT_SPAN in short.flags
    assert time_weighted_mean(occasions({6: 42.0, 12: 50.0}), (6, 12, 26)).value_mg_h_l == 46.0


def test_the_actual_days_weigh_not_the_nominal_weeks() -> None:
    found = time_weighted_mean(occasions({6: 0.0, 12: 100.0, 26: 0.0}, W12=49), (6, 12, 26))
    assert found.value_mg_h_l == pytest.approx(50.0)  # a triangle, wherever its top is
    moved = time_weighted_mean(occasions({6: 0.0, 12: 100.0, 26: 100.0}, W12=49), (6, 12, 26))
    assert moved.value_mg_h_l == pytest.approx((7 * 50 + 133 * 100) / 140)


def test_nothing_on_record_gives_nothing() -> None:
    found = summary_of([])
    assert set(found.values) == set(METRICS)
    assert set(found.values.values()) == {None}
    assert (found.occasions, found.reliability, found.flags) == (0, None, frozenset())
    assert share_at_or_above([], 30) is None
    assert carried_forward_mean([], 364) is None
    assert summary_of(occasions({0: 0.0, 6: 0.0})).values[Metric.CV_PERCENT] is None


def test_the_reliability_of_a_mean_is_the_published_one() -> None:
    assert spearman_brown(0.78, 3) == pytest.approx(0.914, abs=0.0005)
    assert summary_of(occasions(YEAR)).reliability == spearman_brown(0.78, 3)
    for reliability, count in ((1.1, 3), (-0.1, 3), (0.5, 0)):
        with pytest.raises(ValueError, match="reliability"):
            spearman_brown(reliability, count)


def test_the_share_of_time_above_a_cut_is_read_off_the_straight_lines() -> None:
    line = occasions({0: 20.0, 10: 40.0})
    assert [share_at_or_above(line, cut) for cut in (20, 30, 40, 40.1)] == [1.0, 0.5, 0.0, 0.0]
    assert share_at_or_above(occasions({0: 40.0, 10: 40.0}), 40) == 1.0


def test_auc_per_gram_needs_the_dose() -> None:
    assert auc_per_gram(OccasionAuc(6, 42, 60.0, dose_g=2.0)) == 30.0
    assert auc_per_gram(OccasionAuc(6, 42, 60.0, dose_g=2.0), reference_g=3.0) == 90.0
    assert auc_per_gram(OccasionAuc(6, 42, 60.0)) is None


@pytest.mark.parametrize(("day", "auc"), [(0.0, -1.0), (0.0, float("nan")), (float("inf"), 30.0)])
def test_what_is_no_occasion_is_refused(day: float, auc: float) -> None:
    with pytest.raises(ValueError, match="finite day"):
        OccasionAuc(0, day, auc)


def test_an_occasion_is_given_once() -> None:
    for twice in (
        [OccasionAuc(6, 42, 30), OccasionAuc(6, 43, 30)],
        [OccasionAuc(6, 42, 30), OccasionAuc(12, 42, 30)],
    ):
        with pytest.raises(ValueError, match="given once"):
            summary_of(twice)


@st.composite
def _years(draw: st.DrawFn) -> list[OccasionAuc]:
    weeks = sorted(draw(st.sets(st.sampled_from([0, 6, 12, 26, 52]), min_size=1)))
    auc = st.floats(0, 200, allow_nan=False)
    return [OccasionAuc(week, 7 * week + draw(st.integers(-7, 7)), draw(auc)) for week in weeks]


@given(_years(), st.floats(0.1, 10))
def test_every_mean_lies_between_the_extremes_scales_and_does_not_depend_on_the_order(
    found: list[OccasionAuc], factor: float
) -> None:
    summary = summary_of(found)
    scaled = summary_of([OccasionAuc(one.week, one.day, one.auc_mg_h_l * factor) for one in reversed(found)])
    for name, value in summary.values.items():
        if value is None:
            assert scaled.values[name] is None
            continue
        if name != Metric.CV_PERCENT:
            low, high = min(one.auc_mg_h_l for one in found), max(one.auc_mg_h_l for one in found)
            assert low - 1e-9 <= value <= high + 1e-9
            assert scaled.values[name] == pytest.approx(value * factor, rel=1e-9, abs=1e-9)


@given(_years(), st.lists(st.floats(0, 200), min_size=2, max_size=6))
def test_less_time_is_spent_above_a_higher_cut(found: list[OccasionAuc], cuts: list[float]) -> None:
    shares = [share_at_or_above(found, cut) for cut in sorted(cuts)]
    for lower, higher in pairwise(shares):
        assert (lower is None) == (higher is None) == (len(found) < 2)
        if lower is not None and higher is not None:
            assert 1 >= lower >= higher - 1e-12 >= -1e-12
