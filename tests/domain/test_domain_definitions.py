"""Every definition of a response at its limits, what cannot be evaluated, events, and the composite."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import domain_cases as cases
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trial_cases import BOTH, EQUATION, USUAL, YEAR

from scheduler.domain.facts import Answer, EligibilityAssessed
from scheduler.domain.trial.changes import Change, Happened, change_of, window_of
from scheduler.domain.trial.definitions import Measure, compared
from scheduler.domain.trial.eligibility import BiologicScope, Eligibility, eligibility_of
from scheduler.domain.trial.endpoints import Outcome, outcomes_of
from scheduler.domain.trial.measurements import Measurement
from scheduler.domain.trial.settings import (
    ChangeUnit,
    EndpointSettings,
    EventKind,
    LungRule,
    Operator,
    SkinRule,
    Strategy,
    other_comparison,
    while_on_treatment,
)

UNITS = {Measure.MRSS: "points", Measure.FVC: "% predicted", Measure.DLCO: "% predicted"}


def arms(of: EligibilityAssessed = BOTH) -> Eligibility:
    return eligibility_of(of, BiologicScope.LUNG)


def measured(measure: Measure, value: float | str | None, visit: str, on: date, **more: Any) -> Measurement:
    exact = None if value is None else Fraction(str(value))
    usual = {"assessor": "A", "equation": EQUATION, "hb_corrected": True} | more
    return Measurement(measure, visit, on, exact, UNITS[measure], **usual)


def change(
    measure: Measure,
    before: float | str | None,
    after: float | str | None,
    settings: EndpointSettings = USUAL,
    happened: tuple[Happened, ...] = (),
    **more: Any,
) -> Change:
    found = [measured(measure, before, "INCLUSION", cases.BASELINE)] if before is not None else []
    found += [measured(measure, after, "Y1", YEAR, **more)] if after is not None else []
    return change_of(measure, found, "INCLUSION", window_of(cases.BASELINE, settings), happened, settings)


def outcomes(
    mrss: tuple[Any, Any] = (None, None),
    fvc: tuple[Any, Any] = (None, None),
    dlco: tuple[Any, Any] = (None, None),
    *,
    settings: EndpointSettings = USUAL,
    eligibility: Eligibility | None = arms(),  # noqa: B008
    happened: tuple[Happened, ...] = (),
) -> dict[str, Outcome]:
    pairs = {Measure.MRSS: mrss, Measure.FVC: fvc, Measure.DLCO: dlco}
    changes = {one: change(one, *pair, settings, happened) for one, pair in pairs.items()}
    return {one.id: one for one in outcomes_of(changes, eligibility, settings)}


def held(found: dict[str, Outcome], *names: str) -> list[bool | None]:
    return [found[name].holds for name in names]


# --- definitions ----------------------------------------------------------------------------------------------


def test_the_worked_example_of_the_lung_definitions() -> None:
    found = outcomes(fvc=(70, 75), dlco=(50, 58))
    assert held(found, "omeract_improve", "assist_lung", "mcid_fvc", "stable", "lung_response") == [
        True, False, True, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "mrss", "holds"),
    [
        ("mcid_dcssc", (20, 15), True), ("mcid_dcssc", (20, 16), False), ("mcid_dcssc", (20, 25), False),
        ("mcid_dpen", (20, 17), False), ("mcid_dpen", (20, 16), True), ("mcid_dpen", ("20", "16.8"), True),
        ("eustar", (20, 15), False), ("eustar", (20, 14), True),  # more than 5 means 6
        ("eustar", (24, 18), True), ("eustar", (25, 19), False),  # 25 % exactly, and less
        ("eustar", (7, 1), True), ("eustar", (6, 0), None),
        ("eustar_prog", (20, 26), True), ("eustar_prog", (20, 25), False), ("eustar_prog", (25, 31), False),
        ("assist_skin", (16, 12), False), ("assist_skin", (16, 11), True), ("assist_skin", (14, 0), None),
        ("assist_skin", (15, 11), True),
        ("skin_response", (20, 15), True), ("skin_response", (21, 16), False), ("skin_response", (16, 12), False),
        ("skin_response", (7, 2), True), ("skin_response", (6, 0), None),
        ("skin_worse", (20, 25), True), ("skin_worse", (20, 24), False),
    ],
)  # fmt: skip
def test_each_skin_definition_at_its_limits(name: str, mrss: tuple[Any, Any], holds: bool | None) -> None:
    assert outcomes(mrss)[name].holds is holds


@pytest.mark.parametrize(
    ("name", "fvc", "dlco", "holds"),
    [
        ("omeract_prog", (70, 63), (50, 50), True),  # exactly -10 %
        ("omeract_prog", (70, "63.01"), (50, 50), False),
        ("omeract_prog", (80, 76), (60, 51), True),  # -5 % with -15 %
        ("omeract_prog", (80, 76), (60, "51.1"), False),
        ("omeract_prog", (80, "76.1"), (60, 40), False),
        ("omeract_improve", (70, 77), (50, 40), True),
        ("omeract_improve", (80, 84), (60, 69), True), ("omeract_improve", (80, 84), (60, 68), False),
        ("mcid_fvc", (70, 73), (50, 50), True), ("mcid_fvc", (70, "72.9"), (50, 50), False),
        ("mcid_fvc_worse", (70, 67), (50, 50), True), ("mcid_fvc_worse", (70, "67.1"), (50, 50), False),
        ("ppf_2022", (70, 65), (50, 50), True), ("ppf_2022", (70, 70), (50, 40), True),
        ("ppf_2022", (70, "65.1"), (50, "40.1"), False),
        ("assist_lung", (70, 77), (50, 50), False), ("assist_lung", (70, "77.1"), (50, 50), True),
        ("stable", (70, 63), (50, 50), False), ("stable", (70, 90), (50, 50), True),
    ],
)  # fmt: skip
def test_each_lung_definition_at_its_limits(
    name: str, fvc: tuple[Any, Any], dlco: tuple[Any, Any], holds: bool
) -> None:
    assert outcomes(fvc=fvc, dlco=dlco)[name].holds is holds


def test_without_dlco_only_fvc_decides_and_it_is_flagged() -> None:
    found = outcomes(fvc=(80, 85))  # +6.25 %
    assert found["lung_response"].holds is False
    assert [flag.code for flag in found["lung_response"].flags] == ["endpoint_without_dlco"]
    assert outcomes(fvc=(80, 88))["lung_response"].holds is True
    worse = outcomes(fvc=(80, 75))  # -6.25 %: DLCO would decide
    assert held(worse, "omeract_prog", "stable", "lung_response") == [None, None, False]
    assert held(outcomes(fvc=(80, 79)), "omeract_prog", "stable") == [False, True]


@given(st.integers(1, 400), st.integers(1, 400))
def test_improvement_and_worsening_mirror_each_other(before: int, after: int) -> None:
    found = outcomes(fvc=(before, after), dlco=(50, 50))
    absolute, relative = after - before, Fraction(after - before, before)
    assert found["mcid_fvc"].holds == (absolute >= 3)
    assert found["mcid_fvc_worse"].holds == (absolute <= -3)
    assert found["omeract_prog"].holds == (relative <= Fraction(-1, 10))
    assert found["omeract_improve"].holds == (relative >= Fraction(1, 10))
    assert found["stable"].holds == (not found["omeract_prog"].holds)


@given(st.integers(0, 51), st.integers(0, 51))
def test_more_than_five_is_never_met_where_five_is_not(before: int, after: int) -> None:
    found = outcomes((before, after))
    if found["eustar"].holds:
        assert found["skin_response"].holds and found["mcid_dcssc"].holds


def test_comparisons_allow_for_the_last_digit_and_no_more() -> None:
    ten = Fraction(10)
    assert compared(ten - Fraction(1, 10**10), Operator.AT_LEAST, ten)
    assert not compared(ten - Fraction(1, 10**8), Operator.AT_LEAST, ten)
    assert not compared(ten + Fraction(1, 10**10), Operator.GREATER, ten)
    assert compared(ten + Fraction(1, 10**8), Operator.GREATER, ten)
    assert outcomes(fvc=(70, str(Decimal(70) * Decimal("0.9"))), dlco=(5, 5))["omeract_prog"].holds is True


# --- evaluable or not -----------------------------------------------------------------------------------------


def test_the_arm_decides_what_can_be_evaluated() -> None:
    values = {"mrss": (20, 14), "fvc": (70, 80), "dlco": (50, 50)}
    skin_only = arms(replace(BOTH, ild_on_imaging=Answer.NO))
    open_ = arms(replace(BOTH, diffuse_skin=Answer.UNKNOWN))
    for eligibility, skin, lung in (
        (arms(), [], []),
        (skin_only, [], ["endpoint_arm_other_lung"]),
        (open_, ["endpoint_arm_open_skin"], []),
        (None, ["endpoint_no_eligibility"], ["endpoint_no_eligibility"]),
    ):
        found = outcomes(**values, eligibility=eligibility)
        assert [one.code for one in found["skin_response"].why] == skin
        assert [one.code for one in found["lung_response"].why] == lung
        assert found["any"].holds is (None if eligibility is None else True)
        assert found["mcid_fvc"].holds is True  # of everybody


def test_a_change_needs_the_same_equation_and_unit_and_a_corrected_dlco() -> None:
    other = change(Measure.FVC, 70, 80, equation="ECSC 1993")
    assert other.absolute is None and [one.code for one in other.why] == ["endpoint_equations_differ"]
    silent = change(Measure.FVC, 70, 80, equation=None)
    assert silent.absolute == 10 and [one.code for one in silent.flags] == ["endpoint_equation_unknown"]
    assert change(Measure.FVC, 70, 80, equation="gli-2012").flags == ()
    mixed = [
        measured(Measure.FVC, 70, "INCLUSION", cases.BASELINE),
        replace(measured(Measure.FVC, 3, "Y1", YEAR), unit="L"),
    ]
    found = change_of(Measure.FVC, mixed, "INCLUSION", window_of(cases.BASELINE, USUAL), (), USUAL)
    assert [one.code for one in found.why] == ["endpoint_units_differ"]
    uncorrected = outcomes(
        fvc=(70, 70), dlco=(50, 30), settings=replace(USUAL, dlco_hb_corrected_required=False)
    )
    assert uncorrected["ppf_2022"].holds is True


def test_another_assessor_of_the_skin_score_is_flagged() -> None:
    assert [one.code for one in change(Measure.MRSS, 20, 10, assessor="B").flags] == [
        "endpoint_assessors_differ"
    ]
    assert [one.code for one in change(Measure.MRSS, 20, 10, assessor=None).flags] == [
        "endpoint_assessor_unknown"
    ]
    assert change(Measure.MRSS, 20, 10).flags == ()


@given(st.lists(st.integers(-200, 200), max_size=5, unique=True))
def test_the_closest_measurement_in_the_window_counts_the_earlier_of_two(days: list[int]) -> None:
    found = [measured(Measure.MRSS, 20, "INCLUSION", cases.BASELINE)]
    found += [measured(Measure.MRSS, 10, f"V{day}", YEAR + timedelta(days=day)) for day in days]
    after = change_of(Measure.MRSS, found, "INCLUSION", window_of(cases.BASELINE, USUAL), (), USUAL).after
    inside = [day for day in days if abs(day) <= 91]
    expected = min(inside, key=lambda day: (abs(day), day), default=None)
    assert (after.on if after else None) == (
        YEAR + timedelta(days=expected) if expected is not None else None
    )


# --- events and composites ------------------------------------------------------------------------------------


def after_event(strategy: Strategy, kind: EventKind = EventKind.RESCUE_TREATMENT, day: int = 100) -> Outcome:
    settings = replace(USUAL, strategies=dict(USUAL.strategies) | {kind: strategy})
    happened = (Happened(kind, cases.BASELINE + timedelta(days=day)),)
    return outcomes((20, 10), settings=settings, happened=happened)["skin_response"]


def test_an_event_before_the_endpoint_counts_by_its_strategy() -> None:
    assert after_event(Strategy.NON_RESPONDER).holds is False
    assert after_event(Strategy.TREATMENT_POLICY).holds is True
    assert after_event(Strategy.MISSING).holds is None
    assert after_event(Strategy.WHILE_ON_TREATMENT).holds is None  # nothing was measured before it
    assert after_event(Strategy.NON_RESPONDER, day=365).holds is True  # on the day itself, not before


def test_while_on_treatment_the_last_value_before_the_event_counts() -> None:
    strategies = dict(USUAL.strategies) | {EventKind.MMF_STOPPED: Strategy.WHILE_ON_TREATMENT}
    settings = replace(USUAL, strategies=strategies)
    found = [
        measured(Measure.MRSS, 20, "INCLUSION", cases.BASELINE),
        measured(Measure.MRSS, 18, "W12", cases.BASELINE + timedelta(days=84)),
        measured(Measure.MRSS, 14, "M6", cases.BASELINE + timedelta(days=182)),
        measured(Measure.MRSS, 5, "Y1", YEAR),
    ]
    stopped = Happened(EventKind.MMF_STOPPED, cases.BASELINE + timedelta(days=200))
    window = window_of(cases.BASELINE, settings)
    assert change_of(Measure.MRSS, found, "INCLUSION", window, (stopped,), settings).absolute == -6


def test_the_composite_leaves_out_what_cannot_be_evaluated() -> None:
    both = {"mrss": (20, 14), "fvc": (70, 60), "dlco": (50, 50)}
    assert held(outcomes(**both), "any", "any_no_worsening", "all") == [True, False, False]
    skin_only = arms(replace(BOTH, ild_on_imaging=Answer.NO))
    found = outcomes(**both, eligibility=skin_only)
    assert held(found, "any", "any_no_worsening", "all") == [True, True, True]
    assert held(outcomes((20, 14)), "any", "all") == [True, True]  # no FVC: the lung is missing, not a no
    nothing = outcomes()
    assert held(nothing, "any", "any_no_worsening", "all", "assist") == [None] * 4
    assert nothing["any"].why
    open_ = outcomes(mrss=(20, 14), fvc=(80, 75))  # without DLCO nobody knows whether the lung is worse
    assert held(open_, "any", "any_no_worsening") == [True, None]


def test_the_assist_composite_counts_the_skin_only_above_fourteen() -> None:
    assert outcomes((12, 2), (70, 70), (50, 50))["assist"].holds is False
    assert outcomes((20, 10), (70, 70), (50, 50))["assist"].holds is True
    assert outcomes((12, 12), (70, 80), (50, 50))["assist"].holds is True


def test_thresholds_operators_units_and_baselines_are_configurable() -> None:
    strict = replace(USUAL, skin=SkinRule(5, Operator.GREATER, None, Operator.AT_LEAST, 10))
    assert held(outcomes((20, 15), settings=strict), "skin_response") == [False]
    assert held(outcomes((20, 14), settings=strict), "skin_response") == [True]
    assert held(outcomes((9, 0), settings=strict), "skin_response") == [None]
    absolute = replace(USUAL, lung=LungRule(ChangeUnit.ABS, Operator.GREATER, 5, None, None))
    assert held(outcomes(fvc=(70, 75), settings=absolute), "lung_response") == [False]
    assert held(outcomes(fvc=(70, 76), settings=absolute), "lung_response", "lung_worse") == [True, False]


def test_the_settings_of_an_analysis_of_sensitivity() -> None:
    assert while_on_treatment(USUAL).strategies == {
        **USUAL.strategies,
        EventKind.MMF_STOPPED: Strategy.WHILE_ON_TREATMENT,
    }
    strict = other_comparison(USUAL)
    for pair, usual in (((20, 15), True), ((20, 14), True), ((20, 16), False)):
        assert held(outcomes(pair), "skin_response") == [usual]
        assert held(outcomes(pair, settings=strict), "skin_response") == [pair[1] == 14]
    assert held(outcomes(fvc=(70, 77)), "lung_response") == [True]
    assert held(outcomes(fvc=(70, 77), settings=strict), "lung_response") == [False]
    assert other_comparison(strict) == USUAL


def test_litres_need_no_equation() -> None:
    litres = replace(USUAL, lung=LungRule(ChangeUnit.LITRES, Operator.AT_LEAST, 0.2, None, None))
    found = [
        measured(Measure.FVC, 70, "INCLUSION", cases.BASELINE, litres=Fraction("2.5")),
        measured(Measure.FVC, 75, "Y1", YEAR, litres=Fraction("2.7"), equation="another"),
    ]
    window = window_of(cases.BASELINE, litres)
    changes = {one: change_of(one, found, "INCLUSION", window, (), litres) for one in Measure}
    said = {one.id: one for one in outcomes_of(changes, arms(), litres)}
    assert (said["lung_response"].holds, said["mcid_fvc"].holds) == (True, None)
