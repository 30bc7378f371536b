"""Why a fact is refused, and what deserves a second look."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import domain_cases as cases
import pytest

from scheduler.domain.facts import (
    Answer,
    Assessed,
    Attended,
    EligibilityAssessed,
    Enrolled,
    FlagAcknowledged,
    Formulation,
    Paused,
    Regimen,
    RegimenChanged,
    Resumed,
    SampleNotDrawn,
    VisitCancelled,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.rules import refusals, refusals_of_enrolment, warnings
from scheduler.domain.sentences import SENTENCES
from scheduler.domain.timeline import Timeline

DAY = date(2025, 10, 13)
NOW = cases.local(DAY, 18)
ATTENDED, DOSE, H0, H30, H2 = cases.sampling_day("W6", DAY)


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return cases.local(day, hour, minute)


def refused(what: What, *before: What, now: datetime = NOW, line: Timeline | None = None) -> list[str]:
    reasons = refusals(line or cases.timeline(*before), what, now)
    assert all(reason.code in SENTENCES for reason in reasons)
    return [reason.code for reason in reasons]


def warned(what: What, *before: What) -> list[str]:
    return [reason.code for reason in warnings(cases.timeline(*before), what, NOW)]


SCORES = dict.fromkeys(cases.shipped_protocol().activities[0].sites, 1)
ELIGIBLE = EligibilityAssessed(DAY, 40, raynaud=Answer.YES)


def skin(total: float | None, **sites: int) -> Assessed:
    """A skin score by all sites, some of them changed."""
    return Assessed("W6", "mrss", at(10), total, "points", tuple((SCORES | sites).items()))


LEFT = Withdrawn(at(8), Withdrawal.CONSENT, "asked")
BOOKED = cases.booked("W6", DAY + timedelta(days=1))


@pytest.mark.parametrize(
    ("what", "before", "codes"),
    [
        # what is in order
        (BOOKED, [], []),
        (cases.moved("W6", DAY, 20), [BOOKED], []),
        (VisitCancelled("W6", "ill"), [BOOKED], []),
        (VisitCancelled("W6", "no", final=True), [], []),
        (cases.booked("W6", DAY, 20), [VisitCancelled("W6", "no", final=True)], []),
        (ATTENDED, [], []),
        (DOSE, [ATTENDED], []),
        (DOSE, [], []),
        (H0, [ATTENDED, DOSE], []),
        (H30, [DOSE, H0], []),
        (SampleNotDrawn("W6", "H30", at(10), "no vein"), [ATTENDED], []),
        (Assessed("W6", "mrss", at(10), 12.0, "points"), [ATTENDED], []),
        (Paused(at(9), "x"), [], []),
        (Resumed(at(10), "x"), [Paused(at(9), "x")], []),
        (LEFT, [], []),
        (RegimenChanged(at(9), Regimen(Formulation.MMF, 500.0, 12.0), "x"), [], []),
        (FlagAcknowledged("k", "seen"), [], []),
        # moments
        (Attended("W6", at(18, 5)), [], []),
        (Attended("W6", at(18, 6)), [], ["refused_future"]),
        (Attended("W6", at(23, 59, date(2025, 8, 31))), [], ["refused_before_enrolment"]),
        (Attended("W6", at(9)), [LEFT], ["refused_after_withdrawal"]),
        (Attended("W6", at(7)), [LEFT], []),
        # appointments
        (BOOKED, [LEFT], ["refused_withdrawn"]),
        (VisitCancelled("W6", "x"), [BOOKED, LEFT], ["refused_withdrawn"]),
        (BOOKED, [ATTENDED], ["refused_already_attended"]),
        (BOOKED, [BOOKED], ["refused_already_booked"]),
        (cases.moved("W6", DAY, 20), [], ["refused_not_booked"]),
        (VisitCancelled("W6", "ill"), [], ["refused_not_booked"]),
        (VisitCancelled("W6", "ill"), [BOOKED, VisitCancelled("W6", "ill")], ["refused_not_booked"]),
        (cases.booked("W6", date(2026, 3, 29), 2, 30), [], ["refused_time_skipped"]),
        (cases.booked("W6", date(2025, 10, 26), 2, 30), [], ["refused_time_twice"]),
        (cases.booked("W6", DAY - timedelta(days=1)), [], ["refused_booking_past"]),
        (cases.booked("W6", DAY, 0), [], []),  # earlier today
        (cases.booked("W6", date(2029, 10, 13)), [], ["refused_booking_far"]),
        # the sampling day
        (Attended("W6", at(9)), [ATTENDED], ["refused_attended_twice"]),
        (Attended("W12", at(9)), [ATTENDED], ["refused_same_day_as"]),
        (DOSE, [DOSE], ["refused_dose_twice"]),
        (replace(DOSE, at=at(9, day=DAY - timedelta(days=1))), [ATTENDED], ["refused_other_day"]),
        (replace(H0, at=at(9, day=DAY - timedelta(days=1))), [DOSE], ["refused_other_day"]),
        (replace(DOSE, dose_mg=0.0), [], ["refused_dose_mg"]),
        (replace(DOSE, dose_mg=5001.0), [], ["refused_dose_mg"]),
        (replace(DOSE, dose_mg=float("nan")), [], ["refused_dose_mg"]),
        (replace(DOSE, interval_h=0.5), [], ["refused_interval"]),
        (replace(DOSE, interval_h=49.0), [], ["refused_interval"]),
        (replace(DOSE, at=at(9, 30)), [H30], ["refused_dose_after_draw"]),
        (H0, [H0], ["refused_draw_twice"]),
        (H0, [SampleNotDrawn("W6", "H0", at(9), "x")], ["refused_draw_twice"]),
        (SampleNotDrawn("W6", "H0", at(9), "x"), [H0], ["refused_draw_twice"]),
        (replace(H30, at=at(9)), [DOSE], ["refused_draw_before_dose"]),
        (replace(H2, at=at(9, 30)), [DOSE, H30], ["refused_draw_order"]),
        (replace(H30, at=at(11)), [DOSE, H2], ["refused_draw_order"]),
        (replace(H0, at=at(9, 40)), [DOSE, H30], ["refused_draw_order"]),
        # assessments
        (Assessed("W6", "height", at(10), 1.0, "cm"), [ATTENDED], ["refused_not_foreseen"]),
        (Assessed("W6", "mrss", at(10), 12.0, "points"), [], ["refused_not_attended"]),
        (Assessed("W6", "mrss", at(10), 52.0, "points"), [ATTENDED], ["refused_out_of_range"]),
        (Assessed("W6", "mrss", at(10), float("nan"), "points"), [ATTENDED], ["refused_out_of_range"]),
        (Assessed("W6", "mrss", at(10), 12.5, "points"), [ATTENDED], ["refused_not_whole"]),
        (Assessed("W6", "fvc", at(10), 72.5, "%"), [ATTENDED], []),
        (
            Assessed("W6", "mrss", at(10), 12.0, "points"),
            [ATTENDED, Assessed("W6", "mrss", at(10), 11.0, "points")],
            ["refused_assessed_twice"],
        ),
        (skin(sum(SCORES.values())), [ATTENDED], []),
        (skin(None), [ATTENDED], []),
        (skin(99), [ATTENDED], ["refused_out_of_range", "refused_total"]),
        (skin(12), [ATTENDED], ["refused_total"]),
        (skin(None, face=4), [ATTENDED], ["refused_site_score"]),
        (skin(None, face=-1), [ATTENDED], ["refused_site_score"]),
        (skin(None, nose=1), [ATTENDED], ["refused_score_site_unknown"]),
        (Assessed("W6", "mrss", at(10), None, "points", (("face", 1),)), [ATTENDED], []),
        (Assessed("W6", "mrss", at(10), 1.0, "points", (("face", 1),)), [ATTENDED], ["refused_total_of_some"]),
        (Assessed("W6", "mrss", at(10), None, "points", (("face", 1), ("face", 2))), [ATTENDED],
         ["refused_site_twice"]),
        (Assessed("W6", "mrss", at(10), None, "points"), [ATTENDED], ["refused_value_missing"]),
        (Assessed("W6", "mrss", at(10), 12.0, "points", equation="GLI", hb_corrected=True), [ATTENDED],
         ["refused_no_equation", "refused_no_hb"]),
        (Assessed("W6", "fvc", at(10), 72.5, "%", measured=2.5, measured_unit="L", equation="GLI"), [ATTENDED], []),
        (Assessed("W6", "fvc", at(10), 72.5, "%", measured=2500.0, measured_unit="mL"), [ATTENDED],
         ["refused_measured_unit"]),
        (Assessed("W6", "fvc", at(10), 72.5, "%", measured=0.0, measured_unit="L"), [ATTENDED], ["refused_measured"]),
        (Assessed("W6", "fvc", at(10), 72.5, "%", (("face", 1),)), [ATTENDED],
         ["refused_score_site_unknown", "refused_total"]),
        # eligibility
        (ELIGIBLE, [], []),
        (ELIGIBLE, [ELIGIBLE], ["refused_eligibility_twice"]),
        (replace(ELIGIBLE, on=DAY + timedelta(days=1)), [], ["eligibility_on_future"]),
        (replace(ELIGIBLE, age_years=200, first_sign="soon"), [], ["eligibility_age", "eligibility_partial_date"]),
        # taking part
        (Paused(at(10), "x"), [Paused(at(9), "x")], ["refused_already_on_hold"]),
        (Resumed(at(10), "x"), [], ["refused_not_on_hold"]),
        (Resumed(at(12), "x"), [Paused(at(9), "x"), Resumed(at(10), "x")], ["refused_not_on_hold"]),
        (Resumed(at(8), "x"), [Paused(at(9), "x")], ["refused_resumed_before_pause"]),
        (LEFT, [LEFT], ["refused_already_withdrawn"]),
        (RegimenChanged(at(9), Regimen(Formulation.MMF, -1.0, 99.0), "x"), [],
         ["refused_dose_mg", "refused_interval"]),
    ],
)  # fmt: skip
def test_a_fact_is_refused_for_every_reason_and_for_no_other(
    what: What, before: list[What], codes: list[str]
) -> None:
    assert refused(what, *before) == codes


def test_several_faults_are_said_together() -> None:
    wrong = replace(DOSE, at=at(9, day=DAY + timedelta(days=2)), dose_mg=9000.0)
    assert refused(wrong, ATTENDED) == ["refused_future", "refused_other_day", "refused_dose_mg"]


def test_a_visit_without_samples_takes_no_dose_and_no_draw() -> None:
    content = cases.document()
    content["encounters"][1]["sampling"] = False
    line = cases.timeline(plan=cases.study_plan(cases.protocol_from(content)))
    for what in (DOSE, H0, SampleNotDrawn("W6", "H0", at(9), "x")):
        assert refused(what, line=line) == ["refused_no_sampling"]


def test_a_visit_planned_before_the_inclusion_may_take_place_before_it() -> None:
    ahead = cases.encounter("SCREEN", type="before", value="P14D", window_lower="P3D", window_upper="P3D")
    line = cases.timeline(plan=cases.study_plan(cases.protocol_from(cases.small_document(ahead))))
    assert refused(Attended("SCREEN", cases.local(date(2025, 8, 18))), line=line) == []
    early = Attended("SCREEN", cases.local(date(2025, 8, 10)))
    assert refused(early, line=line) == ["refused_before_enrolment"]


def test_a_slip_in_the_laboratorys_date_does_not_keep_the_right_day_out() -> None:
    wrong = cases.results_of("W6", DAY - timedelta(days=30))
    line = cases.timeline(results=wrong)
    for what in (ATTENDED, DOSE, H0):
        assert refused(what, line=line) == []


# --- second looks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "before", "codes"),
    [
        (cases.booked("W6", date(2025, 10, 14)), [], []),
        (cases.booked("W6", date(2025, 10, 18)), [], ["warned_closed_day"]),  # a Saturday
        (cases.booked("W6", date(2025, 10, 21)), [], ["warned_out_of_window"]),
        (cases.moved("W6", date(2025, 11, 11)), [BOOKED], ["warned_closed_day", "warned_out_of_window"]),
        (Attended("W6", at(9, day=date(2025, 10, 5))), [], ["warned_out_of_window"]),
        (ATTENDED, [VisitCancelled("W6", "x", final=True)], ["warned_was_cancelled"]),
        (ATTENDED, [], []),
        (H30, [DOSE], []),
        (replace(H30, at=at(9, 41)), [DOSE], ["flag_sample_out_of_window"]),
        (replace(H30, at=at(9, 40) + timedelta(seconds=20)), [DOSE], ["flag_sample_out_of_window"]),
        (replace(DOSE, at=at(9, 15)), [ATTENDED, H0, H30], ["flag_sample_out_of_window"]),
        (LEFT, [], []),
    ],
)
def test_what_is_unusual_is_recorded_with_a_warning(what: What, before: list[What], codes: list[str]) -> None:
    assert warned(what, *before) == codes


# --- enrolment --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "what", "codes"),
    [
        (cases.CODE, Enrolled(DAY), []),
        (cases.CODE, Enrolled(DAY, DAY, Regimen(Formulation.EC_MPS, 720.0, 12.0)), []),
        (cases.CODE, Enrolled(DAY + timedelta(days=366)), []),
        (cases.CODE, Enrolled(DAY + timedelta(days=367)), ["refused_baseline_far"]),
        (cases.CODE, Enrolled(DAY - timedelta(days=1831)), ["refused_baseline_old"]),
        (cases.CODE, Enrolled(DAY, DAY + timedelta(days=400)), ["refused_treatment_far"]),
        (cases.CODE, Enrolled(DAY, None, Regimen(Formulation.MMF, 0.0, 12.0)), ["refused_dose_mg"]),
        ("MPA-0042-8", Enrolled(DAY), ["refused_code"]),
    ],
)
def test_an_enrolment_is_refused_for_every_reason_and_for_no_other(
    code: str, what: Enrolled, codes: list[str]
) -> None:
    found = refusals_of_enrolment(cases.shipped_protocol(), code, what, NOW)
    assert [reason.code for reason in found] == codes


def test_whoever_was_enrolled_may_leave_or_pause_before_the_first_visit() -> None:
    enrolled_at = at(9, 0, date(2025, 8, 28))
    timeline = cases.timeline()._replace(enrolled_at=enrolled_at)  # the first day is 1 September
    later = enrolled_at + timedelta(hours=1)
    for what in (Withdrawn(later, Withdrawal.CONSENT, "-"), Paused(later, "-")):
        assert refused(what, now=later, line=timeline) == []
        before = replace(what, at=enrolled_at - timedelta(days=1))
        assert refused(before, now=later, line=timeline) == ["refused_before_enrolment"]
    assert refused(Attended("INCLUSION", later), now=later, line=timeline) == ["refused_before_enrolment"]


def test_who_is_not_eligible_is_recorded_all_the_same_and_said() -> None:
    assert warned(ELIGIBLE) == ["flag_eligibility_undetermined"]
    assert warned(replace(ELIGIBLE, age_years=17)) == ["flag_eligibility_not_eligible"]
