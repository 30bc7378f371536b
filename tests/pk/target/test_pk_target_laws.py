"""Laws of the whole analysis: what must not change it, and what must turn it round."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_cases import asked, simulated

from pk.target.planning.thresholds import plan

Rows = list[tuple[float, bool]]
FEW = settings(max_examples=8, deadline=None)
QUICK: dict[str, Any] = {"bootstrap": 60, "permutations": 99, "cuts": (), "unlock_tier": True}

rows = st.lists(st.tuples(st.integers(10, 60).map(float), st.booleans()), min_size=6, max_size=40).filter(
    lambda found: len({y for _, y in found}) == 2 and len({x for x, _ in found}) > 2
)


def columns(found: Rows) -> tuple[list[float], list[float]]:
    return [x for x, _ in found], [float(y) for _, y in found]


@FEW
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_byte(found: Rows, random: Any) -> None:
    shuffled = random.sample(found, len(found))
    assert json.dumps(asked(*columns(found), **QUICK)) == json.dumps(asked(*columns(shuffled), **QUICK))


@FEW
@given(rows)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_the_same_estimates(found: Rows) -> None:
    one, again, other = (asked(*columns(found), **QUICK, seed=seed) for seed in (5, 5, 6))
    assert json.dumps(one) == json.dumps(again)
    for name in ("value", "ties", "sensitivity", "binormal", "closest_topleft"):
        assert one["cutpoint"][name] == other["cutpoint"][name]
    assert one["firth"] == other["firth"] and one["data_hash"] == other["data_hash"]


@FEW
@given(rows)
def test_swapping_outcome_and_direction_is_the_same_question(found: Rows) -> None:
    exposure, outcome = columns(found)
    one = asked(exposure, outcome, **QUICK)
    other = asked(exposure, [1 - y for y in outcome], **QUICK, direction="lower")
    assert other["roc"]["area"] == pytest.approx(one["roc"]["area"], abs=1e-12)
    assert other["roc"]["p"] == pytest.approx(one["roc"]["p"], rel=1e-9)
    for name in ("value", "ties"):
        assert other["cutpoint"][name] == pytest.approx(one["cutpoint"][name], abs=1e-9)
    for name, mirrored in (("sensitivity", "specificity"), ("specificity", "sensitivity")):
        assert other["cutpoint"][name] == pytest.approx(one["cutpoint"][mirrored], abs=1e-12)
    assert other["max_selected"]["statistic"] == pytest.approx(one["max_selected"]["statistic"], rel=1e-9)
    # patients are kept by exposure and outcome, so the draws of the rank correlation differ, but not its value
    assert other["association"]["spearman"]["rho"] == pytest.approx(-one["association"]["spearman"]["rho"])
    if one["firth"] is not None:
        assert other["firth"]["coef"] == pytest.approx(-one["firth"]["coef"], abs=1e-7)


@FEW
@given(rows)
def test_a_monotone_change_of_exposure_changes_nothing_that_rests_on_ranks(found: Rows) -> None:
    exposure, outcome = columns(found)
    one, other = asked(exposure, outcome, **QUICK), asked([x**2 / 10 for x in exposure], outcome, **QUICK)
    assert other["association"]["spearman"] == one["association"]["spearman"]
    assert other["roc"] == one["roc"]
    for name in ("statistic", "p_approx", "p_permutation"):
        assert other["max_selected"][name] == one["max_selected"][name]
    assert other["cutpoint"]["table"] == one["cutpoint"]["table"]
    for name in ("sensitivity_corrected", "specificity_corrected"):
        assert other["cutpoint"][name] == pytest.approx(one["cutpoint"][name], abs=0.15)
    low, high = (max(x for x in exposure if x < one["cutpoint"]["value"]), one["cutpoint"]["value"])
    assert low**2 / 10 < other["cutpoint"]["value"] and high > low


@FEW
@given(rows, st.sampled_from([0.5, 2.0, 1000.0]))
def test_another_unit_of_exposure_scales_the_cuts(found: Rows, factor: float) -> None:
    exposure, outcome = columns(found)
    one, other = asked(exposure, outcome, **QUICK), asked([factor * x for x in exposure], outcome, **QUICK)
    for name in ("value", "ci", "ties", "closest_topleft", "binormal", "binormal_log"):
        expected = one["cutpoint"][name]
        if expected is not None:
            scaled = factor * np.array(expected)
            assert np.array(other["cutpoint"][name]) == pytest.approx(scaled, rel=1e-6)
    if one["firth"] is not None:
        assert other["firth"]["coef"] * factor == pytest.approx(one["firth"]["coef"], rel=1e-5, abs=1e-9)


# --- planning -------------------------------------------------------------------------------------------------


def planned(n: int, shift: float, seed: int = 1) -> Any:
    exposure, outcome = simulated(n, 2, shift=shift)
    return plan(np.array(exposure), np.array(outcome) == 1, 35.0, 45.0, studies=80, seed=seed)


def test_a_clear_difference_needs_fewer_patients_than_a_faint_one() -> None:
    clear, faint = planned(60, 40.0), planned(60, 8.0)
    assert clear.needed_empirical is not None and clear.needed_empirical < (faint.needed_empirical or 10**9)
    assert [one.n for one in clear.points] == sorted({one.n for one in clear.points})
    assert clear.points[0].n >= 60 and clear.points[-1].n == 3200
    assert clear.points[-1].empirical > 0.8 > faint.points[0].empirical


def test_a_plan_has_a_seed_and_turns_with_the_direction() -> None:
    assert planned(40, 20.0) == planned(40, 20.0) != planned(40, 20.0, seed=2)
    exposure, outcome = (np.array(one) for one in simulated(40, 2, shift=20.0))
    turned = plan(100 - exposure, outcome == 1, 35.0, 45.0, higher=False, studies=80)
    assert turned is not None
    straight = planned(40, 20.0)
    for one, other in zip(turned.points, straight.points, strict=True):
        assert abs(one.binormal - other.binormal) < 0.05


@pytest.mark.parametrize("responders", [0, 3, 12])
def test_too_few_in_a_group_give_no_plan(responders: int) -> None:
    exposure = np.arange(15.0)
    assert plan(exposure, np.arange(15) < responders, 35.0, 45.0) is None


def test_a_group_without_spread_gives_no_plan() -> None:
    exposure = np.array([40.0] * 5 + [30.0, 50.0, 55.0, 60.0])
    assert plan(exposure, np.arange(9) < 5, 35.0, 45.0) is None
