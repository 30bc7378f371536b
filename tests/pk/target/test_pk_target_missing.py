"""Missing responses: bounds by all answers, imputation by its definition written out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from target_cases import asked, simulated

from pk.target.missing.bounds import Verdict, bounds
from pk.target.missing.imputation import imputed, pooled
from pk.target.statistics.firth import curved, firth


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=4, max_size=8).filter(
        lambda rows: len({y for _, y in rows}) == 2
    ),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.booleans(),
)
def test_no_answer_of_the_missing_goes_beyond_the_bounds(
    rows: list[tuple[int, bool]], unknown: list[int], higher: bool
) -> None:
    exposure, responder = (np.array(one) for one in zip(*rows, strict=True))
    found = bounds(exposure.astype(float), responder, np.array(unknown, dtype=float), higher=higher)
    assert found is not None
    every, rhos = np.concatenate([exposure, unknown]), []
    for answers in itertools.product([False, True], repeat=len(unknown)):
        filled = np.concatenate([responder, answers])
        if len(set(every.tolist())) > 1:
            rhos.append(stats.spearmanr(every, filled).statistic)
    if rhos:
        low, high = sorted((found.best.rho, found.worst.rho))
        assert (min(rhos), max(rhos)) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))
        assert (found.best.rho >= found.worst.rho) is higher or math.isclose(low, high)


def test_the_finding_turns_where_it_is_said_to() -> None:
    exposure, responder, unknown = np.arange(20.0, 40.0), np.arange(20) >= 10, np.arange(41.0, 61.0)
    found = bounds(exposure, responder, unknown)
    assert found is not None and found.verdict is Verdict.DEPENDS and found.tipping is not None
    every = np.concatenate([exposure, unknown])

    def p_with(turned: int) -> float:
        """The best case has all of them respond; those farthest from the middle, the highest, are turned first."""
        filled = np.concatenate([responder, np.arange(20) < 20 - turned])
        return float(stats.mannwhitneyu(every[filled], every[~filled], method="exact").pvalue)

    assert p_with(found.tipping - 1) < 0.05 <= p_with(found.tipping)


def test_some_findings_stand_whatever_the_missing_answer_and_some_never_do() -> None:
    exposure, one = np.arange(20.0, 40.0), np.array([41.0])
    always, never = bounds(exposure, np.arange(20) >= 10, one), bounds(exposure, np.arange(20) % 2 == 0, one)
    assert always is not None and never is not None
    assert (always.verdict, never.verdict) == (Verdict.ALWAYS, Verdict.NEVER)
    assert always.tipping is None and never.tipping is None
    assert bounds(exposure, np.arange(20) >= 10, np.array([])) is None


def test_the_covariance_is_the_inverse_information_at_the_maximum() -> None:
    random = np.random.default_rng(2)
    columns = random.normal(40, 15, (60, 2))
    responder = random.random(60) < 1 / (1 + np.exp(-(columns[:, 0] - 40) / 15))
    fitted, found = firth(columns, responder), curved(columns, responder)
    assert fitted is not None and found is not None
    beta, covariance = found
    assert beta.tolist() == pytest.approx(
        [fitted.intercept, *(one.value for one in fitted.coefficients)], rel=1e-9
    )
    design = np.column_stack([np.ones(60), columns])
    chance = 1 / (1 + np.exp(-design @ beta))
    assert np.allclose(
        covariance, np.linalg.inv(design.T @ (design * (chance * (1 - chance))[:, None])), rtol=1e-6
    )


def test_estimates_are_pooled_by_rubins_rules() -> None:
    found = [(0.5, 0.04), (0.7, 0.05), (0.6, 0.03)]
    one = pooled(found)
    within, between = 0.04, (1 + 1 / 3) * 0.01
    freedom = 2 * (1 + within / between) ** 2
    half = math.sqrt(within + between) * float(stats.t.ppf(0.975, freedom))
    assert one.value == pytest.approx(0.6) and one.ci == pytest.approx((0.6 - half, 0.6 + half))
    assert one.p == pytest.approx(2 * stats.t.sf(0.6 / math.sqrt(within + between), freedom))
    same = pooled([(1.0, 0.04)] * 3)
    assert same.ci == pytest.approx(
        (1 - 0.2 * stats.norm.ppf(0.975), 1 + 0.2 * stats.norm.ppf(0.975)), rel=1e-6
    )


def test_imputing_at_random_leaves_the_estimate_near_that_of_the_known() -> None:
    random = np.random.default_rng(4)
    exposure = random.normal(40, 15, 200)
    responder = random.random(200) < 1 / (1 + np.exp(-(exposure - 40) / 15))
    nothing = np.empty((160, 0)), np.empty((40, 0))
    found = imputed((exposure[:160], responder[:160]), exposure[160:], nothing, 1)
    assert found is not None and (found.missing, found.imputations) == (40, 20)
    assert found.odds.ci[0] < found.known < found.odds.ci[1]
    assert 0 < found.odds.from_missing < 0.6
    assert found == imputed((exposure[:160], responder[:160]), exposure[160:], nothing, 1)


def test_imputed_responses_have_a_tipping_point_where_significance_turns() -> None:
    random = np.random.default_rng(11)
    exposure = random.normal(40, 12, 60)
    responder = random.random(60) < 1 / (1 + np.exp(-(exposure - 40) / 8))
    unknown, nothing = np.full(12, 75.0), (np.empty((60, 0)), np.empty((12, 0)))
    found = imputed((exposure, responder), unknown, nothing, 1)
    assert found is not None and found.odds.p < 0.05
    # all missing at a high exposure: the association is lost if they respond more rarely, never if more often
    assert found.tipping is not None and found.tipping < 0
    one = imputed((exposure, responder), np.full(1, 40.0), (nothing[0], np.empty((1, 0))), 1)
    assert one is not None and one.tipping is None


def test_a_column_that_says_nothing_more_is_not_imputed_from() -> None:
    random = np.random.default_rng(5)
    exposure = random.normal(40, 15, 40)
    responder = random.random(40) < 0.4
    known, unknown = (exposure, responder), np.array([30.0, 50.0])
    alone = imputed(known, unknown, (np.empty((40, 0)), np.empty((2, 0))), 1)
    idle = np.column_stack(
        [np.ones(40), 2 * exposure, np.where(np.arange(40) == 3, np.nan, 1.0 * np.arange(40))]
    )
    assert imputed(known, unknown, (idle, idle[:2]), 1) == alone


def test_missing_outcomes_are_bounded_or_imputed_and_never_left_unsaid() -> None:
    for n, method in ((20, "bounds"), (60, "imputation")):
        exposure, outcome = simulated(n, 3, shift=15.0)
        with_gaps: list[float | None] = [None if i % 7 == 0 else one for i, one in enumerate(outcome)]
        found = asked(exposure, with_gaps)
        assert found["missing_outcomes"]["method"] == method
        assert (
            found["missing_outcomes"]["count"]
            == found["left_out"]["outcome_missing"]
            == with_gaps.count(None)
        )
        assert asked(exposure, outcome)["missing_outcomes"] is None
    assert (
        asked([38.0, 52.0, 44.0], [1.0, 0.0, None])["missing_outcomes"] is None
    )  # tier 0: nothing is tested
