"""What a number of patients forbids is nowhere in the output, and what it allows is."""

import itertools
import json
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from json_schema import problems
from target_cases import QUICK, asked, simulated

from pk.command.json_parser import schema_text
from pk.target.analysis import analyse
from pk.target.findings import Conclusion, Settings
from pk.target.tiers import FROM_TIER, TIERS, Allowance, Item, tier_of

SCHEMA = json.loads(schema_text("target-output"))
TWO_PATIENTS = (
    "Two patients cannot identify a target. Any correlation is +1 or -1 by construction; with one responder and one "
    "non-responder the ROC area is 0 or 1 and is 'perfect' half of the time under no effect; the smallest possible p "
    "is 1.00. Individual exposures are listed against literature thresholds for description only."
)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one, path)
    else:
        yield path, value


def p_values(found: dict[str, Any]) -> list[tuple[str, ...]]:
    """Where a p stands."""
    return [
        path
        for path, value in leaves(found)
        if value is not None and path[-1].split("_")[0] == "p" and path[-1] != "p_method"
    ] + [path for path, value in leaves(found) if value is not None and path[-1].endswith("_p")]


def codes(found: dict[str, Any]) -> set[str]:
    return {one["code"] for one in found["warnings"]}


@pytest.mark.parametrize(
    ("n", "m", "tier"),
    [
        (0, 0, 0), (2, 1, 0), (40, 0, 0), (3, 1, 1), (9, 4, 1), (50, 3, 1), (10, 4, 2), (24, 10, 2), (29, 14, 2),
        (60, 9, 2), (30, 10, 3), (49, 24, 3), (200, 19, 3), (50, 20, 4), (149, 60, 4), (500, 49, 4), (150, 50, 5),
        (2, None, 0), (9, None, 1), (10, None, 2), (500, None, 2),
    ],
)  # fmt: skip
def test_every_condition_of_a_tier_must_be_met(n: int, m: int | None, tier: int) -> None:
    assert tier_of(n, m).number == tier
    assert tier_of(n, m, contrast=False).number == 0


@given(st.integers(0, 400), st.integers(0, 200))
def test_more_patients_never_lower_the_tier(n: int, m: int) -> None:
    assert tier_of(n, m).number <= tier_of(n + 1, m).number <= tier_of(n + 1, m + 1).number


def test_every_item_has_its_tier_and_unlocking_allows_all() -> None:
    assert set(FROM_TIER) == set(Item)
    assert [item for item in Item if item in Allowance(TIERS[0])] == []
    assert [item for item in Item if item not in Allowance(TIERS[0], unlocked=True)] == []


@pytest.mark.parametrize("outcome", [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
@pytest.mark.parametrize("exposure", [[25.0, 50.0], [40.0, 40.0]])
def test_two_patients_get_the_mandatory_text_and_nothing_more(
    exposure: list[float], outcome: list[float]
) -> None:
    found = asked(exposure, outcome)
    assert (found["tier"], found["cutpoint"], found["conclusion"]) == (0, None, "not estimable")
    assert TWO_PATIENTS in [one["text"] for one in found["statements"]]
    assert p_values(found) == []
    assert {"C5", "C9"} <= codes(found)
    for name in ("association", "roc", "firth", "max_selected", "description", "planning"):
        assert found[name] is None
    assert found["prespecified_cuts"] == found["sensitivity"] == []
    assert sorted(one["exposure"] for one in found["listing"]) == exposure


@pytest.mark.parametrize(
    ("n", "share", "tier", "present", "absent"),
    [
        (8, 0.5, 1, {"association", "description"}, {"roc", "firth", "max_selected", "cutpoint"}),
        (40, 0.1, 2, {"association", "roc", "firth"}, {"max_selected", "cutpoint"}),
        (40, 0.4, 3, {"association", "roc", "firth", "max_selected", "cutpoint"}, {"listing"}),
        (60, 0.4, 4, {"cutpoint"}, {"listing"}),
        (150, 0.4, 5, {"cutpoint"}, {"listing"}),
    ],
)
def test_what_a_tier_forbids_is_null(
    n: int, share: float, tier: int, present: set[str], absent: set[str]
) -> None:
    found = asked(*simulated(n, 11, shift=15, share=share), cuts=(45.0,))
    assert found["tier"] == tier
    assert {name for name in present if found[name] is None} == set()
    assert {name for name in absent if found[name] is not None} == set()
    assert [one["cut"] for one in found["prespecified_cuts"]] == [45.0]
    if tier == 1:
        assert found["association"]["spearman"]["ci"] is None
        assert found["association"]["spearman"]["smallest_p"] == pytest.approx(2 / 70)
    assert problems(found, SCHEMA) == []


def test_a_small_group_has_a_bootstrap_interval_called_unstable() -> None:
    few, enough = (asked(*simulated(40, 11, shift=15, share=share), cuts=())["roc"] for share in (0.15, 0.2))
    assert few["ci_logit_delong"] is None and few["ci_delong"] is None and few["ci_bootstrap_unstable"]
    assert enough["ci_logit_delong"] and enough["ci_delong"] and enough["ci_bootstrap_unstable"] is None


def test_a_cut_is_a_candidate_only_if_every_gate_is_open() -> None:
    found = asked(*simulated(200, 1, shift=25), bootstrap=200, cuts=())
    extra = [one for one in found["gates"] if not one["name"].startswith("tier_")]
    assert [one["name"] for one in extra if not one["pass"]] == []
    assert (found["conclusion"], found["cutpoint"]["standing"]) == (Conclusion.CANDIDATE, "candidate")
    against = asked(*simulated(200, 1, shift=25), direction="lower", cuts=())
    closed = {one["name"] for one in against["gates"] if not one["pass"]}
    assert {"roc_lower_limit", "direction"} <= closed
    assert against["cutpoint"]["standing"] == "arbitrary" and "target_opposite" in codes(against)
    assert against["conclusion"] == Conclusion.NO_USABLE_CUT


def test_no_cut_from_few_patients_is_ever_called_a_target() -> None:
    found = asked(*simulated(40, 2, shift=40), bootstrap=200, cuts=())
    assert (found["tier"], found["conclusion"]) == (3, Conclusion.EXPLORATORY)
    assert found["cutpoint"]["standing"] == "exploratory"


def test_permuted_outcomes_give_no_candidate() -> None:
    exposure, outcome = simulated(60, 3, shift=15)
    random, called = np.random.default_rng(1), 0
    for _ in range(25):
        found = asked(exposure, random.permutation(outcome).tolist(), bootstrap=60, cuts=())
        called += found["conclusion"] in (Conclusion.CANDIDATE, Conclusion.EXPLORATORY)
    assert called == 0


def test_unlocking_shows_the_numbers_under_a_watermark_and_changes_no_conclusion() -> None:
    data = simulated(12, 1, shift=15)
    locked, unlocked = asked(*data), asked(*data, unlock_tier=True)
    assert locked["watermark"] is None and "UNLOCKED" in unlocked["watermark"]
    assert locked["cutpoint"] is None and unlocked["cutpoint"]["standing"] == "arbitrary"
    assert locked["conclusion"] == unlocked["conclusion"] and locked["tier"] == unlocked["tier"] == 2
    assert problems(unlocked, SCHEMA) == []


def test_few_patients_that_cannot_reach_significance_are_not_estimable() -> None:
    found = asked([20.0, 30.0, 40.0, 50.0], [0.0, 0.0, 1.0, 1.0])
    assert found["association"]["spearman"]["smallest_p"] == pytest.approx(1 / 3)
    assert found["conclusion"] == Conclusion.NOT_ESTIMABLE
    enough = asked([20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0], [0.0] * 4 + [1.0] * 4)
    assert enough["conclusion"] == Conclusion.NO_USABLE_CUT


def test_separated_groups_are_said_and_have_no_interval() -> None:
    found = asked(np.arange(20.0, 60.0).tolist(), [0.0] * 20 + [1.0] * 20)
    assert found["roc"]["area"] == 1 and found["roc"]["separated"]
    assert found["roc"]["ci_logit_delong"] is None and found["roc"]["p"] < 1e-9
    assert {"C12", "target_separated"} <= codes(found)
    assert found["firth"]["coef"] > 0 and found["firth"]["ci"] is not None
    assert found["cutpoint"]["value"] == 39.5 and found["cutpoint"]["standing"] == "arbitrary"


def test_an_outcome_without_responders_has_no_cut() -> None:
    random = np.random.default_rng(1)
    exposure = random.normal(40, 10, 60).round(1)
    found = asked(exposure.tolist(), (-exposure / 10 + random.normal(0, 0.5, 60)).tolist())
    assert (found["tier"], found["n_responders"], found["cutpoint"], found["roc"]) == (2, None, None, None)
    assert found["association"]["spearman"]["rho"] < -0.8 and found["association"]["theil_sen"]["per_10"] < 0
    assert found["conclusion"] == Conclusion.NO_USABLE_CUT


numbers = st.one_of(
    st.none(),
    st.just(0.0),
    st.sampled_from([40.0, 1e-8, 9e8]),
    st.floats(-50, 200).map(lambda x: round(x, 1)),
)
outcomes = st.one_of(st.none(), st.sampled_from([0.0, 1.0]))
MANY = {"x": [40.0] * 35, "y": [0.0, 1.0] * 17 + [1.0]}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(numbers, outcomes), max_size=34), st.sampled_from(["higher", "lower"]), st.booleans()
)
@example([], "higher", True)
@example([(40.0, 1.0)], "higher", True)
@example([(20.0, 0.0), (40.0, 1.0)], "lower", True)
@example([(40.0, y) for y in MANY["y"]], "higher", True)
@example([(float(i), 1.0) for i in range(30)], "higher", True)
@example([(float(i), float(i > 14)) for i in range(30)], "higher", True)
@example([(0.0, float(i % 2)) for i in range(29)] + [(40.0, 1.0)], "lower", True)
@example([(-5.0, 1.0)] * 30 + [(35.0, 0.0)], "higher", False)
def test_whatever_the_data_the_output_is_valid_and_nothing_is_nan(
    rows: list[tuple[float | None, float | None]], direction: str, unlock: bool
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = asked(
            [x for x, _ in rows], [y for _, y in rows], direction=direction, unlock_tier=unlock, bootstrap=40,
            permutations=99, cuts=(35.0,),
        )  # fmt: skip
    assert problems(found, SCHEMA) == []
    kept = [(x, y) for x, y in rows if x is not None and x >= 0 and y is not None]
    left = found["left_out"]
    assert found["n"] == len(kept)
    assert found["n"] + sum(left.values()) == len(rows)
    assert found["tier"] == 0 or len({x for x, _ in kept}) > 1
    if found["tier"] < 3 and not unlock:
        assert found["cutpoint"] is None and found["max_selected"] is None


@pytest.mark.parametrize(
    ("exposure", "outcome", "code"),
    [
        ([40.0] * 12, [0.0, 1.0] * 6, "target_exposure_constant"),
        ([30.0, 40.0, 50.0], [1.0, 1.0, 1.0], "target_outcome_constant"),
        ([-1.0, 40.0, 50.0, 60.0], [0.0, 1.0, 0.0, 1.0], "target_exposure_negative"),
        ([None, 40.0, 50.0, 60.0], [0.0, 1.0, 0.0, 1.0], "target_exposure_missing"),
        ([30.0, 40.0, 50.0, 60.0], [None, 1.0, 0.0, 1.0], "target_outcome_missing"),
    ],
)
def test_what_the_data_are_short_of_is_said(
    exposure: list[float | None], outcome: list[float | None], code: str
) -> None:
    found = asked(exposure, outcome)
    assert code in codes(found)
    assert found["tier"] == (0 if code.endswith("constant") else 1)


def test_the_standing_caveats_are_always_there() -> None:
    for n, seed in itertools.product((0, 2, 12, 40), (1,)):
        found = asked(*simulated(n, seed), cuts=())
        assert {f"C{i}" for i in range(1, 11)} <= codes(found)
    assert "C11" in codes(asked(*simulated(12, 1), flagged_exposures=3))


def test_a_missing_baseline_leaves_only_the_adjusted_analyses() -> None:
    exposure, outcome = simulated(30, 4, shift=10)
    whole = analyse(exposure, outcome, baseline=[float(i % 7) for i in range(30)], settings=QUICK)
    partly = analyse(
        exposure, outcome, baseline=[None if i < 5 else float(i % 7) for i in range(30)], settings=QUICK
    )
    assert partly.left_out.baseline_missing == 5 and partly.n == whole.n == 30
    assert partly.firth is not None and whole.firth is not None
    assert partly.firth.exposure == whole.firth.exposure
    assert partly.firth.adjusted is not None and partly.firth.adjusted != whole.firth.adjusted
    assert "target_baseline_missing" in {one.code for one in partly.warnings}


def test_responders_may_be_told_beside_a_continuous_outcome() -> None:
    exposure, _ = simulated(12, 1)
    found = analyse(
        exposure, [-x for x in exposure], responder=[None if i == 0 else i % 2 == 0 for i in range(12)]
    )
    assert (found.n, found.n_responders, found.left_out.outcome_missing) == (11, 5, 1)
    assert found.association is not None and found.association.spearman.rho == pytest.approx(-1.0)


@pytest.mark.parametrize("exposure", [[1.0, 2.0, 3.0], [1.0, float("nan")], [1.0, float("inf")]])
def test_columns_that_do_not_fit_are_the_callers_mistake(exposure: list[float]) -> None:
    with pytest.raises(ValueError, match=r"columns|finite"):
        analyse(exposure, [0.0, 1.0])


@pytest.mark.parametrize("wrong", [{"bootstrap": 10}, {"permutations": 9}, {"seed": -1}])
def test_settings_without_sense_are_the_callers_mistake(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="needed"):
        Settings(**wrong)  # type: ignore[arg-type]
