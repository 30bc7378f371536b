"""Missing outcomes, smoothed cuts, lines and predicted exposures: against their definitions written out."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from json_schema import problems
from scipy import stats
from target_cases import asked, simulated

from pk.command.json_parser import schema_text
from pk.target.cut.kernel import kernel_cut
from pk.target.data.mixed_model import predicted_means
from pk.target.missing.bounds import Verdict, bounds
from pk.target.missing.changes import imputed_slope, rank_bounds
from pk.target.missing.imputation import imputed, pooled
from pk.target.statistics.firth import curved, firth
from pk.target.statistics.loess import loess

SCHEMA = json.loads(schema_text("target-output"))

# --- bounds -----------------------------------------------------------------------------------------------------


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


# --- imputation -------------------------------------------------------------------------------------------------


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


# --- outcomes that are numbers ----------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3)), min_size=3, max_size=5),
    st.lists(st.integers(1, 6), min_size=1, max_size=2),
)
def test_no_value_of_the_missing_goes_beyond_the_bounds_of_the_correlation(
    rows: list[tuple[int, int]], unknown: list[int]
) -> None:
    exposure, outcome = (np.array(one, dtype=float) for one in zip(*rows, strict=True))
    found = rank_bounds(exposure, outcome, np.array(unknown, dtype=float), 99, 1)
    every, rhos = np.concatenate([exposure, unknown]), []
    if len(set(every.tolist())) == 1:
        assert found is None
        return
    assert found is not None
    # between any two known values, and in any order where several lie between the same two
    for places in itertools.product(np.arange(-1.0, 4.0) + 0.5, repeat=len(unknown)):
        for order in itertools.permutations(range(len(unknown))):
            filled = [place + 0.1 * one for place, one in zip(places, order, strict=True)]
            rhos.append(stats.spearmanr(every, np.concatenate([outcome, filled])).statistic)
    assert found.lowest.rho == pytest.approx(min(rhos), abs=1e-12)
    assert found.highest.rho == pytest.approx(max(rhos), abs=1e-12)


def test_missing_changes_leave_a_clear_association_and_no_association_as_they_are() -> None:
    x, one = np.arange(12.0), np.array([6.0])
    clear, none = (
        rank_bounds(x, -x, one, 999, 1),
        rank_bounds(x, np.array([0.0, 5, 1, 4, 2, 3] * 2), one, 999, 1),
    )
    open_ = rank_bounds(x, -x, np.arange(20.0), 999, 1)
    assert clear is not None and none is not None and open_ is not None
    assert (clear.verdict, none.verdict, open_.verdict) == (Verdict.ALWAYS, Verdict.NEVER, Verdict.DEPENDS)
    assert clear.highest.rho < -0.7 and rank_bounds(x, -x, np.array([]), 999, 1) is None


def test_imputed_changes_are_pooled_with_the_freedom_of_few_patients() -> None:
    found = [(0.5, 0.04), (0.7, 0.05), (0.6, 0.03)]
    within, between = 0.04, (1 + 1 / 3) * 0.01
    old, share = 2 * (1 + within / between) ** 2, between / (within + between)
    observed = 31 / 33 * 30 * (1 - share)
    half = math.sqrt(within + between) * float(stats.t.ppf(0.975, 1 / (1 / old + 1 / observed)))
    assert pooled(found, complete=30).ci == pytest.approx((0.6 - half, 0.6 + half))


def test_imputed_changes_keep_what_depends_on_exposure_and_correct_what_depends_on_baseline() -> None:
    random = np.random.default_rng(9)
    n, truth = 600, -0.1
    baseline = random.normal(20, 6, n)
    exposure = 40 + 1.5 * (baseline - 20) + random.normal(0, 12, n)
    change = truth * exposure - 0.4 * baseline + random.normal(0, 3, n)
    gone = (baseline > 22) & (random.random(n) < 0.8)  # the more ill, the less often seen again
    known = ~gone
    others = baseline[known][:, None], baseline[gone][:, None]
    found = imputed_slope(exposure[known], change[known], exposure[gone], others, 1)
    assert found is not None and found.missing == gone.sum()
    whole = float(np.polyfit(exposure, change, 1)[0])
    assert abs(found.slope.value - whole) < abs(found.known - whole)
    assert found.slope.ci[0] < whole < found.slope.ci[1]
    assert [one.shift for one in found.shifts] == sorted(one.shift for one in found.shifts)
    assert found == imputed_slope(exposure[known], change[known], exposure[gone], others, 1)


def test_the_tipping_point_is_where_significance_turns() -> None:
    random = np.random.default_rng(3)
    exposure = random.normal(40, 12, 40)
    change = -0.12 * exposure + random.normal(0, 3, 40)
    unknown, nothing = np.array([70.0, 75.0, 80.0]), (np.empty((40, 0)), np.empty((3, 0)))
    found = imputed_slope(exposure, change, unknown, nothing, 1)
    assert found is not None and found.slope.p < 0.05 and found.tipping is not None
    assert 0 < found.tipping <= found.searched  # higher changes at high exposures weaken a falling line
    worst = found.shifts[-1]
    assert worst.value > found.slope.value and (worst.p >= 0.05) is (worst.shift >= found.tipping)
    assert imputed_slope(exposure, 2 * exposure, unknown, nothing, 1) is None  # nothing left to draw


@pytest.mark.parametrize(("n", "method"), [(14, "rank_bounds"), (40, "linear_imputation")])
def test_missing_changes_stand_in_the_answer(n: int, method: str) -> None:
    exposure, _ = simulated(n, 3)
    change = [None if i % 5 == 0 else float(-x / 8 + i % 4) for i, x in enumerate(exposure)]
    found = asked(exposure, change)
    assert problems(found, SCHEMA) == []
    assert (found["missing_outcomes"]["method"], found["n_responders"]) == (method, None)
    assert found["missing_outcomes"]["count"] == change.count(None)


# --- smoothed cut and line --------------------------------------------------------------------------------------


def test_the_smoothed_cut_is_the_best_of_the_smoothed_distributions() -> None:
    random = np.random.default_rng(6)
    responders, others = random.normal(52, 12, 30), random.normal(38, 15, 45)

    def smooth(values: np.ndarray, at: float) -> float:
        quarter, three = np.quantile(values, [0.25, 0.75])
        width = 0.9 * min(values.std(ddof=1), (three - quarter) / 1.34) * len(values) ** -0.2
        return float(np.mean(stats.norm.cdf((at - values) / width)))

    grid = np.linspace(5, 80, 7501)
    best = grid[np.argmax([smooth(others, one) - smooth(responders, one) for one in grid])]
    assert kernel_cut(responders, others) == pytest.approx(best, abs=0.02)
    assert kernel_cut(3 * responders, 3 * others) == pytest.approx(3 * best, abs=0.06)


@pytest.mark.parametrize(
    ("responders", "others"),
    [([50.0, 50.0], [30.0, 40.0]), ([50.0], [30.0, 40.0]), ([10.0, 11.0], [50.0, 52.0])],
    ids=["constant", "one patient", "the other way round"],
)
def test_without_spread_or_order_there_is_no_smoothed_cut(
    responders: list[float], others: list[float]
) -> None:
    assert kernel_cut(np.array(responders), np.array(others)) is None


def test_a_smooth_line_keeps_a_line_and_stands_ties() -> None:
    x = np.linspace(10, 80, 30)
    assert np.allclose(loess(x, 3 - 0.2 * x, x), 3 - 0.2 * x)
    tied = np.repeat([20.0, 60.0], [25, 5])
    assert np.allclose(loess(tied, np.arange(30.0), np.array([20.0])), 12.0)


# --- predicted exposure -----------------------------------------------------------------------------------------


def _year(subjects: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    found: np.ndarray = 40 + random.normal(0, 10, (subjects, 1)) + random.normal(0, 6, (subjects, 3))
    return found


def test_of_whole_rows_the_prediction_is_that_of_the_analysis_of_variance() -> None:
    values = _year(30, 7)
    mean, week = values.mean(axis=1), values.mean(axis=0)
    error = ((values - mean[:, None] - week + values.mean()) ** 2).sum() / (29 * 2)
    between = (3 * mean.var(ddof=1) - error) / 3
    share = 3 * between / (3 * between + error)
    expected = week @ [0.15, 0.5, 0.35] + share * (mean - values.mean())
    rows: list[dict[int, float]] = [dict(zip((6, 12, 26), one, strict=True)) for one in values.tolist()]
    assert predicted_means(rows, (6, 12, 26)) == pytest.approx(expected.tolist(), rel=1e-6)


def test_a_subject_with_one_occasion_is_drawn_further_to_the_others() -> None:
    values = _year(40, 8)
    rows: list[dict[int, float]] = [dict(zip((6, 12, 26), one, strict=True)) for one in values.tolist()]
    whole = predicted_means(rows, (6, 12, 26))
    highest = int(np.argmax(values.mean(axis=1)))
    rows[highest] = {12: float(values[highest].mean())}
    fewer = predicted_means([*rows, {}, {52: 40.0}], (6, 12, 26))
    assert whole is not None and fewer is not None
    assert (fewer[-2], fewer[-1]) == (None, None)
    one, other = fewer[highest], whole[highest]
    assert one is not None and other is not None and values.mean() < one < other


@pytest.mark.parametrize(
    "rows",
    [
        [{6: 40.0, 12: 41.0, 26: 39.0}] * 19,
        [{6: 40.0, 12: 41.0}] * 30,
        [{(6, 12, 26)[i % 3]: 40.0 + i} for i in range(30)],
    ],
    ids=["too few", "a week never measured", "nobody twice"],
)
def test_without_enough_to_tell_them_apart_nothing_is_predicted(rows: list[dict[int, Any]]) -> None:
    assert predicted_means(rows, (6, 12, 26)) is None
