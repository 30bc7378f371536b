"""Each statistic against its plainest definition, or scipy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from target_cases import (
    cohorts,
    delong_variance,
    enumerated_p,
    every_cut,
    pairs_area,
    penalised_log_likelihood,
    simulated,
)

from pk.target.association.correlation import linear_slope, pearson, spearman, theil_sen
from pk.target.association.shape import curvature, per_doubling, shape_of
from pk.target.cut.discrimination import area_test, bootstrap_interval, counted, roc_area
from pk.target.cut.influence import leave_one_out, with_measurement_error
from pk.target.cut.interval import bootstrap_cut
from pk.target.cut.max_selected import max_selected
from pk.target.cut.prespecified import at_cut
from pk.target.cut.youden import best_cuts, closest_topleft, cuts_of, empirical_cut
from pk.target.statistics.binormal import binormal_cuts, fitted_cuts
from pk.target.statistics.exact import correlation_p, rank_sum_p
from pk.target.statistics.firth import firth
from pk.target.statistics.multiplicity import benjamini_hochberg, holm
from pk.target.statistics.proportions import proportion
from pk.target.statistics.resampling import coded, double_ranks, row_counts

Rows = list[tuple[float, bool]]
FEW = settings(max_examples=40, deadline=None)


def columns(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    return np.array([x for x, _ in rows]), np.array([y for _, y in rows])


# --- ranks and exact tests ------------------------------------------------------------------------------------


@FEW
@given(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=5))
def test_ranks_of_rows_are_those_of_scipy(rows: list[list[int]]) -> None:
    codes = np.array(rows)
    assert (double_ranks(codes, 6) == 2 * stats.rankdata(codes, axis=1)).all()
    assert (row_counts(codes, 6).sum(axis=1) == 6).all()


@FEW
@given(cohorts.filter(lambda rows: len(rows) <= 9))
def test_the_rank_sum_test_is_that_over_all_choices(rows: Rows) -> None:
    exposure, responder = columns(rows)
    values, codes = coded(exposure)
    found = rank_sum_p(double_ranks(codes[None, :], values.size)[0], responder)
    assert found is not None
    assert found.p == pytest.approx(enumerated_p(exposure.tolist(), responder.tolist()), rel=1e-12)
    assert 0 < found.smallest <= found.p


@pytest.mark.parametrize(("n1", "n0"), [(3, 4), (12, 9), (41, 72)])
def test_without_ties_the_rank_sum_test_is_scipys(n1: int, n0: int) -> None:
    random = np.random.default_rng(n1)
    exposure, responder = random.permutation(n1 + n0).astype(float), np.arange(n1 + n0) < n1
    theirs = stats.mannwhitneyu(exposure[responder], exposure[~responder], method="exact").pvalue
    found = area_test(counted(exposure, responder))
    assert (found.method, found.p) == ("exact", pytest.approx(theirs, rel=1e-9))


def test_very_many_patients_get_scipys_asymptotic_test() -> None:
    random = np.random.default_rng(1)
    exposure, responder = random.integers(0, 50, 2000).astype(float), random.random(2000) < 0.5
    theirs = stats.mannwhitneyu(exposure[responder], exposure[~responder], method="asymptotic").pvalue
    found = area_test(counted(exposure, responder))
    assert (found.method, found.smallest_p) == ("asymptotic", None)
    assert found.p == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("outcome", [[3, 1, 2, 5, 4], [1, 1, 2, 2, 3], [0, 0, 1, 1, 0]])
def test_few_patients_get_the_exact_test_of_a_correlation(outcome: list[int]) -> None:
    exposure = np.array([10.0, 20.0, 20.0, 40.0, 50.0])
    theirs = stats.permutation_test(
        (outcome,),
        lambda y: abs(stats.spearmanr(exposure, y).statistic),
        permutation_type="pairings",
        n_resamples=10**6,
        alternative="greater",
    )
    found = spearman(exposure, np.array(outcome, float), permutations=99, bootstrap=40, seed=1)
    assert found is not None and found.p_method == "exact" and found.ci is None
    assert found.rho == pytest.approx(stats.spearmanr(exposure, outcome).statistic, rel=1e-12)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_an_outcome_of_two_values_has_the_exact_p_of_the_rank_sum() -> None:
    exposure, outcome = (np.array(one) for one in simulated(40, 3, shift=10))
    found = spearman(exposure, outcome, permutations=99, bootstrap=40, seed=1)
    assert found is not None and found.p_method == "exact"
    assert found.p == area_test(counted(exposure, outcome == 1)).p


def test_random_orders_come_close_to_the_exact_p() -> None:
    random = np.random.default_rng(5)
    exposure, outcome = random.permutation(9).astype(float), random.permutation(9).astype(float)
    ranks = [double_ranks(coded(one)[1][None, :], 9)[0] for one in (exposure, outcome)]
    orders = np.array(list(itertools.permutations(range(9))))
    off = np.abs(ranks[1][orders] @ ranks[0] - 9 * 100)
    exact = float(np.mean(off >= abs(int(ranks[0] @ ranks[1]) - 900)))
    found = spearman(exposure, outcome, permutations=9999, bootstrap=0, seed=1)
    assert found is not None and found.p_method == "permutation"
    assert abs(found.p - exact) < 4 * math.sqrt(exact * (1 - exact) / 9999) + 1e-4


# --- association ----------------------------------------------------------------------------------------------


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


# --- discrimination -------------------------------------------------------------------------------------------


@FEW
@given(cohorts)
def test_the_area_and_its_variance_are_those_of_all_pairs(rows: Rows) -> None:
    exposure, responder = columns(rows)
    found = roc_area(counted(exposure, responder))
    area = pairs_area(exposure.tolist(), responder.tolist())
    assert found.value == pytest.approx(area, rel=1e-12)
    assert found.separated == (area in (0, 1))
    if found.standard_error is not None:
        variance = delong_variance(exposure.tolist(), responder.tolist())
        assert found.standard_error**2 == pytest.approx(variance, rel=1e-9, abs=1e-15)
        assert found.ci_logit_delong is not None
        low, high = found.ci_logit_delong
        assert 0 <= low <= found.value <= high <= 1
        half = 1.959963984540054 * found.standard_error / (area * (1 - area))
        assert math.log(high / (1 - high)) == pytest.approx(math.log(area / (1 - area)) + half, rel=1e-6)


def test_separated_groups_have_no_interval() -> None:
    counts = counted(np.arange(20.0), np.arange(20) >= 10)
    found = roc_area(counts)
    assert (found.value, found.separated, found.ci_delong, found.ci_logit_delong) == (1.0, True, None, None)
    assert bootstrap_interval(counts, 100, 1) is None
    assert area_test(counts).p == pytest.approx(2 / math.comb(20, 10), rel=1e-9)


def test_a_bootstrap_interval_of_the_area_holds_it() -> None:
    exposure, outcome = (np.array(one) for one in simulated(14, 2, shift=8))
    counts = counted(exposure, outcome == 1)
    limits = bootstrap_interval(counts, 400, 1)
    assert limits is not None and 0 <= limits[0] < roc_area(counts).value < limits[1] <= 1


def test_the_bootstrap_of_the_area_is_scipys_bias_corrected_and_accelerated_one() -> None:
    random = np.random.default_rng(4)
    responders, others = random.normal(52, 12, 9), random.normal(40, 15, 31)
    theirs = stats.bootstrap(
        (responders, others),
        lambda x, y, axis: np.mean(x[..., :, None] > y[..., None, :], axis=(-1, -2)),
        method="BCa",
        n_resamples=4000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    counts = counted(np.concatenate([responders, others]), np.arange(40) < 9)
    assert bootstrap_interval(counts, 4000, 1) == pytest.approx((theirs.low, theirs.high), abs=0.02)


# --- Firth ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [(7, 3, 2, 8), (5, 0, 0, 6), (1, 4, 4, 1)])
def test_firth_of_a_two_by_two_table_adds_a_half_to_every_cell(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    column = np.array([1.0] * (a + b) + [0.0] * (c + d))[:, None]
    responder = np.array([True] * a + [False] * b + [True] * c + [False] * d)
    found = firth(column, responder)
    assert found is not None
    expected = math.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))
    assert found.coefficients[0].value == pytest.approx(expected, abs=1e-8)
    assert found.intercept == pytest.approx(math.log((c + 0.5) / (d + 0.5)), abs=1e-7)


@pytest.mark.parametrize("separated", [False, True])
def test_firth_is_the_maximum_and_its_limits_are_where_the_profile_falls(separated: bool) -> None:
    random = np.random.default_rng(8)
    columns = np.column_stack([random.normal(40, 15, 24), random.normal(20, 5, 24)])
    responder = columns[:, 0] > 40 if separated else random.random(24) < 0.5
    found = firth(columns, responder)
    assert found is not None
    design = np.column_stack([np.ones(24), columns])
    best = np.array([found.intercept, *(one.value for one in found.coefficients)])
    top = penalised_log_likelihood(best, design, responder)
    assert found.penalised_log_likelihood == pytest.approx(top, abs=1e-7)

    def highest(value: float) -> float:
        """The profile of the second coefficient, by a search that knows nothing of scores."""
        free = optimize.minimize(
            lambda b: -penalised_log_likelihood(np.array([b[0], b[1], value]), design, responder),
            best[:2],
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000},
        )
        return -float(free.fun)

    assert highest(best[2]) == pytest.approx(top, abs=1e-7)
    second = found.coefficients[1]
    assert second.ci is not None
    for limit in second.ci:
        assert 2 * (top - highest(limit)) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=2e-3)
    assert second.p == pytest.approx(stats.chi2.sf(2 * (top - highest(0.0)), 1), abs=1e-3)


def test_firth_needs_columns_that_differ_and_patients() -> None:
    responder = np.array([True, False, True, False])
    assert firth(np.ones((4, 1)), responder) is None
    assert firth(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [5.0, 10.0]]), responder) is None
    assert firth(np.array([[1.0], [2.0]]), np.array([True, False])) is None


# --- cuts -----------------------------------------------------------------------------------------------------


@FEW
@given(cohorts)
def test_youden_is_the_best_of_every_cut(rows: Rows) -> None:
    exposure, responder = columns(rows)
    counts = counted(exposure, responder)
    cuts = list(every_cut(exposure.tolist(), responder.tolist()))
    best = max(se + sp for _, se, sp in cuts)
    ties = [cut for cut, se, sp in cuts if se + sp >= best - 1e-12]
    found = empirical_cut(counts)
    assert found.ties == pytest.approx(ties)
    assert found.value == ties[(len(ties) - 1) // 2]
    assert empirical_cut(counts, upper=True).value == ties[len(ties) // 2]
    assert found.sensitivity + found.specificity == pytest.approx(best, abs=1e-12)
    distances = [(1 - se) ** 2 + (1 - sp) ** 2 for _, se, sp in cuts]
    near = [cut for (cut, _, _), one in zip(cuts, distances, strict=True) if one <= min(distances) + 1e-12]
    assert closest_topleft(counts) in near
    assert cuts_of(counts).sensitivity == pytest.approx([se for _, se, _ in cuts])


@FEW
@given(cohorts, st.integers(0, 1000))
def test_the_best_cuts_of_many_samples_are_those_of_each(rows: Rows, seed: int) -> None:
    exposure, responder = columns(rows)
    values, codes = coded(exposure)
    random = np.random.default_rng(seed)
    drawn = random.integers(0, codes.size, size=(5, codes.size))
    ones = np.maximum(row_counts(codes[drawn], values.size) - 1, 0)
    ones[:, 0] += ones.sum(axis=1) == 0
    zeros = np.tile(np.bincount(codes[~responder], minlength=values.size), (5, 1))
    found = best_cuts(values, ones, zeros)
    for row in range(5):
        sample = np.repeat(np.tile(values, 2), np.concatenate([ones[row], zeros[row]]))
        outcome = np.repeat([True, False], [ones[row].sum(), zeros[row].sum()])
        if np.ptp(sample) == 0:
            assert math.isnan(found.value[row])
        else:
            assert found.value[row] == empirical_cut(counted(sample, outcome)).value


@pytest.mark.parametrize(("sd_1", "sd_0"), [(10.0, 10.0), (8.0, 15.0), (20.0, 6.0)])
def test_the_binormal_cut_is_where_the_densities_cross(sd_1: float, sd_0: float) -> None:
    one = np.ones(1)
    cut = float(binormal_cuts(55.0 * one, sd_1 * one, 40.0 * one, sd_0 * one)[0])
    assert stats.norm.pdf(cut, 55, sd_1) == pytest.approx(stats.norm.pdf(cut, 40, sd_0), rel=1e-9)
    j = stats.norm.sf(cut, 55, sd_1) + stats.norm.cdf(cut, 40, sd_0)
    for other in (cut - 0.5, cut + 0.5):
        assert j > stats.norm.sf(other, 55, sd_1) + stats.norm.cdf(other, 40, sd_0)


def test_there_is_no_binormal_cut_against_the_direction_or_without_spread() -> None:
    one = np.ones(2)
    means, spreads = np.array([30.0, 50.0]), np.array([10.0, 0.0])
    assert np.isnan(binormal_cuts(means, spreads, 40.0 * one, 10.0 * one)).all()
    ones, zeros = np.array([[0, 2, 1]]), np.array([[1, 1, 0]])
    values = np.array([20.0, 30.0, 40.0])
    expected = binormal_cuts(
        *(
            np.array([f(x)])
            for x in ([30.0, 30.0, 40.0], [20.0, 30.0])
            for f in (np.mean, lambda a: np.std(a, ddof=1))
        )
    )
    assert fitted_cuts(values, ones, zeros) == pytest.approx(expected)


def test_the_bootstrap_of_a_clear_cut_is_narrow_and_of_none_is_wide() -> None:
    clear, none = (simulated(100, 4, shift=shift) for shift in (60.0, 0.0))
    widths = []
    for exposure, outcome in (clear, none):
        counts = counted(np.array(exposure), np.array(outcome) == 1)
        found = bootstrap_cut(counts, empirical_cut(counts).value, 200, 1)
        widths.append(found.ci[1] - found.ci[0])
        assert found.cuts.shape == (200,) and 0 <= found.within_5 <= 1
        assert found.optimism_sensitivity + found.optimism_specificity > -0.02
    assert widths[0] < widths[1] / 2


@FEW
@given(cohorts.filter(lambda rows: min(sum(y for _, y in rows), sum(not y for _, y in rows)) > 1))
def test_leaving_one_out_is_the_range_of_all_such_samples(rows: Rows) -> None:
    exposure, responder = columns(rows)
    found = []
    for i in range(len(rows)):
        left = np.delete(exposure, i), np.delete(responder, i)
        if np.ptp(left[0]) > 0:
            found.append(empirical_cut(counted(*left)).value)
    expected = (min(found), max(found)) if found else None
    assert leave_one_out(counted(exposure, responder)) == expected


def test_measurement_error_moves_the_cut_more_when_it_is_larger() -> None:
    exposure, outcome = (np.array(one) for one in simulated(60, 5, shift=30))
    small, large = (with_measurement_error(exposure, outcome == 1, cv, 1) for cv in (0.01, 0.3))
    assert small.ci[1] - small.ci[0] < large.ci[1] - large.ci[0]
    assert abs(small.median - empirical_cut(counted(exposure, outcome == 1)).value) < 3
    assert with_measurement_error(np.array([0.0, 0.0, 40.0]), np.array([False, True, True]), 0.2, 1).cv == 0.2


def test_the_maximally_selected_statistic_is_the_largest_of_all_cuts() -> None:
    exposure, outcome = (np.array(one) for one in simulated(30, 6, shift=10))
    found = max_selected(counted(exposure, outcome == 1), 999, 1)
    assert found is not None
    n, best = 30, (0.0, 0.0)
    for cut, _, _ in every_cut(exposure.tolist(), (outcome == 1).tolist()):
        below = exposure < cut
        if 3 <= below.sum() <= 27:
            variance = below.sum() * (n - below.sum()) * outcome.var(ddof=1) / n
            z = abs(outcome[below].sum() - below.sum() * outcome.mean()) / math.sqrt(variance)
            best = max(best, (float(z), cut))
    assert (found.statistic, found.cut) == pytest.approx(best, rel=1e-12)
    assert found.statistics.max() == found.statistic and found.critical_95 > 1.5


def test_its_permutation_p_is_that_of_all_choices() -> None:
    exposure = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0])
    responder = np.array([False, False, False, True, False, True, True, True])

    def largest(chosen: np.ndarray) -> float:
        found = max_selected(counted(exposure, chosen), 99, 1)
        assert found is not None
        return found.statistic

    every = [
        largest(np.isin(np.arange(8), chosen)) >= largest(responder) - 1e-9
        for chosen in itertools.combinations(range(8), 4)
    ]
    found = max_selected(counted(exposure, responder), 9999, 1)
    assert found is not None
    assert abs(found.p_permutation - np.mean(every)) < 0.02


def test_a_prespecified_cut_has_scipys_tests() -> None:
    exposure, outcome = (np.array(one) for one in simulated(25, 9, shift=10))
    found = at_cut(exposure, outcome == 1, 45.0)
    above = exposure >= 45
    cells = [[int((above & (outcome == 1)).sum()), int((~above & (outcome == 1)).sum())]]
    cells.append([int((above & (outcome == 0)).sum()), int((~above & (outcome == 0)).sum())])
    assert found.fisher_p == pytest.approx(stats.fisher_exact(cells).pvalue)
    assert found.boschloo_p == pytest.approx(stats.boschloo_exact(cells).pvalue)
    assert found.boschloo_p is not None and found.boschloo_p <= found.fisher_p + 1e-9
    theirs = stats.binomtest(cells[0][0], int(outcome.sum())).proportion_ci(0.95, "exact")
    assert found.sensitivity.ci == pytest.approx((theirs.low, theirs.high), rel=1e-9)
    share = cells[0][0] / above.sum() - cells[0][1] / (~above).sum()
    assert found.risk_difference == pytest.approx(share)


def test_a_cut_with_nobody_on_one_side_compares_nothing() -> None:
    found = at_cut(np.array([50.0, 60.0, 70.0]), np.array([True, False, True]), 45.0)
    assert (found.fisher_p, found.boschloo_p, found.risk_difference) == (1.0, None, None)
    assert proportion(0, 0).ci is None


# --- multiplicity ---------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values(p_values: list[float]) -> None:
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values).tolist())
    adjusted, m = holm(p_values), len(p_values)
    order = sorted(range(m), key=lambda i: p_values[i])
    for place, i in enumerate(order):
        assert adjusted[i] == pytest.approx(
            min(1.0, max((m - k) * p_values[j] for k, j in enumerate(order[: place + 1])))
        )


def test_the_exact_test_of_a_correlation_enumerates_all_orders() -> None:
    assert correlation_p(2 * np.arange(1, 9), 2 * np.arange(1, 9)).p == pytest.approx(2 / math.factorial(8))


# --- shape ----------------------------------------------------------------------------------------------------


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
