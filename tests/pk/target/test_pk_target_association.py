"""Correlations, slopes and the shape of a relation: by their definitions, or as scipy has them."""

import numpy as np
import pytest
from scipy import stats
from target_cases import (
    simulated,
)

from pk.target.association.correlation import linear_slope, pearson, theil_sen
from pk.target.association.shape import curvature, per_doubling, shape_of
from pk.target.statistics.firth import firth


def test_pearson_has_scipys_limits() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=25)
    y = x + random.normal(size=25)
    theirs = stats.pearsonr(x, y)
    found = pearson(x, y)
    assert found is not None and found.ci is not None
    assert (found.r, *found.ci) == pytest.approx(
        (theirs.statistic, *theirs.confidence_interval(0.95)), rel=1e-12
    )


@pytest.mark.parametrize("y", [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]])
def test_a_correlation_of_few_or_of_one_has_no_limits(y: list[float]) -> None:
    found = pearson(np.arange(len(y), dtype=float), np.array(y))
    assert found is not None and (found.r, found.ci) == (1.0, None)


def test_slopes_are_scipys() -> None:
    random = np.random.default_rng(3)
    x, z = random.normal(40, 15, 30), random.normal(20, 5, 30)
    y = -0.1 * x + z + random.normal(size=30)
    plain, median = linear_slope(x, y), theil_sen(x, y)
    theirs, sen = stats.linregress(x, y), stats.theilslopes(y, x)
    assert plain is not None and median is not None
    assert (plain[0].per_10, plain[1]) == pytest.approx((10 * theirs.slope, theirs.pvalue), rel=1e-9)
    assert median.ci_per_10 == pytest.approx((10 * sen.low_slope, 10 * sen.high_slope), rel=1e-12)
    adjusted = linear_slope(x, y, z)
    left = [
        one - np.polyval(np.polyfit(z, one, 1), z) for one in (x, y)
    ]  # what the baseline does not explain
    assert adjusted is not None
    assert adjusted[0].per_10 == pytest.approx(10 * stats.linregress(*left).slope, rel=1e-9)


def test_a_column_that_follows_from_the_others_gives_no_slope() -> None:
    x, y = np.arange(6.0), np.array([1.0, 3.0, 2.0, 5.0, 4.0, 6.0])
    assert linear_slope(x, y, 2 * x + 1) is None
    assert linear_slope(x, y, np.ones(6)) is None
    assert linear_slope(x[:2], y[:2]) is None
    assert theil_sen(np.ones(6), y) is None and pearson(np.ones(6), y) is None


def spline_columns(x: np.ndarray) -> np.ndarray:
    """A restricted cubic spline by its definition: cubic between the knots, straight outside, smooth at them."""
    knots = np.quantile(x, [0.1, 0.5, 0.9])
    return np.column_stack([np.ones(x.size), x, curvature(x, tuple(knots))])


def test_the_spline_is_straight_outside_its_knots_and_smooth_at_them() -> None:
    knots = (20.0, 35.0, 60.0)
    x = np.linspace(0.0, 100.0, 100_001)
    second = np.diff(curvature(x, knots), 2) / (x[1] - x[0]) ** 2
    assert np.abs(second[(x[1:-1] < 19.9) | (x[1:-1] > 60.1)]).max() < 1e-3
    assert np.abs(np.diff(second)).max() < 1e-2  # no step of the second derivative anywhere
    assert second[np.searchsorted(x, 35.0)] > 0.01


def test_curvature_is_tested_as_one_term_more() -> None:
    random = np.random.default_rng(12)
    x = random.normal(40, 12, 50)
    y = -6 * np.tanh(x / 40) + random.normal(0, 1, 50)
    found = shape_of(x, y, None)
    assert found is not None
    design = spline_columns(x)
    straight, bent = (
        np.sum((y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]) ** 2)
        for columns in (design[:, :2], design)
    )
    assert found.p == pytest.approx(stats.f.sf((straight - bent) / (bent / 47), 1, 47), rel=1e-6)
    beta = np.linalg.lstsq(design, y, rcond=None)[0]
    order, (at, fitted) = np.argsort(x), found.fitted[2]
    assert at == pytest.approx(np.median(x))
    assert fitted == pytest.approx(np.interp(at, x[order], (design @ beta)[order]), abs=0.05)


def test_the_shape_of_a_response_is_a_chance_and_needs_enough_of_both() -> None:
    exposure, outcome = (np.array(one) for one in simulated(60, 5, shift=15))
    found = shape_of(exposure, outcome, outcome == 1)
    assert found is not None and all(0 < chance < 1 for _, chance in found.fitted)
    assert [at for at, _ in found.fitted] == sorted(at for at, _ in found.fitted)
    few = np.arange(60) < 9
    assert shape_of(exposure, few.astype(float), few) is None
    assert shape_of(exposure[:19], exposure[:19], None) is None
    assert shape_of(np.repeat([30.0, 60.0], 30), outcome, None) is None  # knots coincide


def test_a_doubling_is_a_step_of_the_binary_logarithm() -> None:
    x = 2.0 ** np.linspace(3, 7, 30)
    random = np.random.default_rng(1)
    y = -1.5 * np.log2(x) + random.normal(0, 0.5, 30)
    found, theirs = per_doubling(x, y, None), stats.linregress(np.log2(x), y)
    assert found is not None and (found.value, found.p) == pytest.approx(
        (theirs.slope, theirs.pvalue), rel=1e-8
    )
    responder = random.random(30) < 0.5
    odds, by_hand = per_doubling(x, responder.astype(float), responder), firth(np.log2(x)[:, None], responder)
    assert odds is not None and by_hand is not None and odds.value == by_hand.coefficients[0].value
    assert per_doubling(np.array([0.0, 1.0, 2.0]), np.arange(3.0), None) is None
