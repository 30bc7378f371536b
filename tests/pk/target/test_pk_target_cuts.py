"""Cuts: against the plainest search of their definition, or scipy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from target_cases import (
    FEW,
    Rows,
    cohorts,
    columns,
    every_cut,
    simulated,
)

from pk.target.cut.discrimination import counted
from pk.target.cut.influence import leave_one_out, with_measurement_error
from pk.target.cut.interval import bootstrap_cut
from pk.target.cut.max_selected import max_selected
from pk.target.cut.prespecified import at_cut
from pk.target.cut.youden import best_cuts, closest_topleft, cuts_of, empirical_cut
from pk.target.statistics.binormal import binormal_cuts, fitted_cuts
from pk.target.statistics.proportions import proportion
from pk.target.statistics.resampling import coded, row_counts


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


def test_the_permutation_p_of_any_cut_is_that_of_all_choices() -> None:
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
