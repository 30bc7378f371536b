"""Missing outcomes that are numbers: bounds of the correlation by all orders, imputation by what was simulated."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from json_schema import problems
from scipy import stats
from target_cases import asked, simulated

from pk.command.json_parser import schema_text
from pk.target.missing.bounds import Verdict
from pk.target.missing.changes import imputed_slope, rank_bounds
from pk.target.missing.imputation import pooled

SCHEMA = json.loads(schema_text("target-output"))


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
