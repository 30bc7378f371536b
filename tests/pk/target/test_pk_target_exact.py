"""Ranks, exact tests and adjusted p values: by enumeration, or as scipy has them."""

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
    enumerated_p,
    simulated,
)

from pk.target.association.correlation import spearman
from pk.target.cut.discrimination import area_test, counted
from pk.target.statistics.exact import correlation_p, rank_sum_p
from pk.target.statistics.multiplicity import benjamini_hochberg, holm
from pk.target.statistics.resampling import coded, double_ranks, row_counts


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


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values_are_scipys_and_those_of_holms_definition(p_values: list[float]) -> None:
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values).tolist())
    adjusted, m = holm(p_values), len(p_values)
    order = sorted(range(m), key=lambda i: p_values[i])
    for place, i in enumerate(order):
        assert adjusted[i] == pytest.approx(
            min(1.0, max((m - k) * p_values[j] for k, j in enumerate(order[: place + 1])))
        )


def test_the_exact_test_of_a_correlation_enumerates_all_orders() -> None:
    assert correlation_p(2 * np.arange(1, 9), 2 * np.arange(1, 9)).p == pytest.approx(2 / math.factorial(8))
