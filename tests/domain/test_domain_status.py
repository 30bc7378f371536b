"""Where a visit stands: every transition of the shipped protocol, and what takes a visit out of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import domain_cases as cases
import pytest

from scheduler.domain.facts import Attended, Corrected, SampleNotDrawn, VisitCancelled, What
from scheduler.domain.protocol import VisitStatus as S
from scheduler.domain.results import ResultStatus

# Baseline Monday 1 September 2025: W6 is planned for 13 October, its window runs from 6 to 20 October.
TARGET = date(2025, 10, 13)
OPENS = cases.local(date(2025, 10, 6), 0)
CLOSES = cases.local(date(2025, 10, 21), 0)
MISSED = cases.local(date(2025, 11, 4), 0)
TICK = timedelta(microseconds=1)


def w6(now: datetime, *whats: What, **more: object) -> S:
    return cases.status(cases.timeline(*whats, **more), "W6", now)  # type: ignore[arg-type]


def day(number: int, hour: int = 12) -> datetime:
    """An instant in October 2025."""
    return cases.local(date(2025, 10, 1) + timedelta(days=number - 1), hour)


# --- before attendance ------------------------------------------------------------------------------------------


def test_nothing_recorded_is_planned_then_open_then_overdue_then_missed() -> None:
    assert w6(OPENS - TICK) is S.PLANNED
    assert w6(OPENS) is S.WINDOW_OPEN
    assert w6(CLOSES - TICK) is S.WINDOW_OPEN
    assert w6(CLOSES) is S.OVERDUE
    assert w6(MISSED - TICK) is S.OVERDUE
    assert w6(MISSED) is S.MISSED


def test_a_booked_visit_is_unconfirmed_from_the_day_after_and_overdue_after_the_window() -> None:
    booking = cases.booked("W6", TARGET)
    assert w6(day(1), booking) is S.BOOKED
    assert w6(day(13, 23), booking) is S.BOOKED
    assert w6(cases.local(date(2025, 10, 14), 0), booking) is S.UNCONFIRMED
    assert w6(CLOSES - TICK, booking) is S.UNCONFIRMED
    assert w6(CLOSES, booking) is S.OVERDUE
    assert w6(MISSED, booking) is S.MISSED


def test_a_visit_booked_for_the_last_day_of_its_window_is_overdue_the_day_after() -> None:
    booking = cases.booked("W6", date(2025, 10, 20))
    assert w6(CLOSES - TICK, booking) is S.BOOKED
    assert w6(CLOSES, booking) is S.OVERDUE


@pytest.mark.parametrize("booked_on", [date(2025, 9, 20), date(2025, 10, 27), date(2025, 12, 15)])
def test_a_booking_outside_the_window_counts_as_booked(booked_on: date) -> None:
    assert w6(cases.local(booked_on, 8), cases.booked("W6", booked_on)) is S.BOOKED


def test_a_booking_before_the_window_that_lapsed_is_unconfirmed_although_the_window_is_yet_to_open() -> None:
    assert w6(cases.local(date(2025, 9, 22)), cases.booked("W6", date(2025, 9, 20))) is S.UNCONFIRMED


@pytest.mark.parametrize("booked_on", [date(2025, 10, 27), date(2025, 11, 3), date(2025, 12, 15)])
def test_an_appointment_after_the_window_puts_off_missed_and_is_unconfirmed_until_then(
    booked_on: date,
) -> None:
    booking = cases.booked("W6", booked_on)
    line = cases.timeline(booking)
    plan = line.visit("W6")
    assert plan is not None
    lapsed = cases.local(booked_on + timedelta(days=1), 0)
    assert cases.status(line, "W6", lapsed - TICK) is S.BOOKED
    assert cases.status(line, "W6", lapsed) is S.UNCONFIRMED
    assert plan.missed_at == cases.local(booked_on + timedelta(days=15), 0)
    assert cases.status(line, "W6", plan.missed_at - TICK) is S.UNCONFIRMED
    assert cases.view(line, "W6", plan.missed_at).since == plan.missed_at
    assert cases.status(line, "W6", plan.missed_at) is S.MISSED


def test_grace_puts_off_overdue() -> None:
    plan = cases.study_plan(cases.shipped_with(W6={"grace": "P3D"}))
    assert w6(CLOSES, plan=plan) is S.WINDOW_OPEN
    assert w6(CLOSES + timedelta(days=3), plan=plan) is S.OVERDUE


def test_a_moved_visit_has_its_new_date_and_a_cancelled_appointment_none() -> None:
    booking, moved = cases.booked("W6", TARGET), cases.moved("W6", date(2025, 10, 16))
    assert w6(day(14), booking, moved) is S.BOOKED
    cancelled = VisitCancelled("W6", "ill")
    assert w6(day(10), booking, cancelled) is S.WINDOW_OPEN
    assert w6(day(10), booking, cancelled, cases.booked("W6", date(2025, 10, 17))) is S.BOOKED


def test_a_visit_cancelled_for_good_stays_cancelled_until_it_is_booked_again_or_takes_place() -> None:
    for_good = VisitCancelled("W6", "pregnancy", final=True)
    for now in (day(1), day(13), CLOSES, MISSED):
        assert w6(now, for_good) is S.CANCELLED
    assert w6(day(10), for_good, cases.booked("W6", TARGET)) is S.BOOKED
    assert w6(day(13), for_good, Attended("W6", day(13, 9))) is S.ATTENDED


# --- after attendance -------------------------------------------------------------------------------------------

SEEN = cases.sampling_day("W6", TARGET)


def test_the_day_of_a_visit_goes_from_attended_to_awaiting_to_complete() -> None:
    attended, dose, *draws = SEEN
    assert w6(day(13, 9), attended) is S.ATTENDED
    assert w6(day(13), attended, dose) is S.ATTENDED
    assert w6(day(13), attended, dose, *draws[:2]) is S.ATTENDED
    assert w6(day(13), *SEEN) is S.AWAITING_RESULTS
    results = cases.results_of("W6", TARGET)
    assert w6(day(15), *SEEN, results=results[:2]) is S.AWAITING_RESULTS
    assert w6(day(16), *SEEN, results=results) is S.COMPLETE


def test_assessments_are_needed_where_they_are_required_and_only_there() -> None:
    seen = cases.sampling_day("INCLUSION", cases.BASELINE)
    results = cases.results_of("INCLUSION", cases.BASELINE)
    now = cases.local(cases.BASELINE, 18)
    line = cases.timeline(*seen, results=results)
    view = cases.view(line, "INCLUSION", now)
    assert view.status is S.ATTENDED
    assert [one.item for one in view.missing] == ["mrss", "fvc", "dlco"]
    done = cases.timeline(*seen, *cases.assessed("INCLUSION", cases.BASELINE), results=results)
    assert cases.status(done, "INCLUSION", now) is S.COMPLETE


def test_missing_records_make_a_visit_incomplete_two_full_days_after_it() -> None:
    line = cases.timeline(SEEN[0], SEEN[1])
    due = cases.local(date(2025, 10, 16), 0)
    assert cases.status(line, "W6", due - TICK) is S.ATTENDED
    view = cases.view(line, "W6", due)
    assert view.status is S.INCOMPLETE
    assert view.since == due
    assert [one.item for one in view.missing] == ["H0", "H30", "H2"]


def test_missing_results_are_overdue_five_full_days_after_the_draws() -> None:
    line = cases.timeline(*SEEN)
    due = cases.local(date(2025, 10, 19), 0)
    assert cases.status(line, "W6", due - TICK) is S.AWAITING_RESULTS
    view = cases.view(line, "W6", due)
    assert view.status is S.INCOMPLETE
    assert view.results_overdue
    assert cases.flag_codes(line, "W6", due) == {"visit_incomplete", "result_overdue"}


def test_results_are_overdue_also_while_another_draw_is_still_missing() -> None:
    line = cases.timeline(*cases.sampling_day("W6", TARGET, without=["H30"]))
    records_due, results_due = cases.local(date(2025, 10, 16), 0), cases.local(date(2025, 10, 19), 0)
    early, late = cases.view(line, "W6", records_due), cases.view(line, "W6", results_due)
    assert early.status is late.status is S.INCOMPLETE
    assert not early.results_overdue
    assert late.results_overdue
    assert early.since == late.since == records_due
    overdue = [flag.detail for flag in cases.stand(line, results_due).flags if flag.code == "result_overdue"]
    assert overdue == ["H0", "H2"]


def test_a_lost_sample_makes_the_visit_incomplete_at_once_and_for_good() -> None:
    lost = SampleNotDrawn("W6", "H30", day(13, 10), "no vein")
    whats = [*cases.sampling_day("W6", TARGET, without=["H30"]), lost]
    others = [one for one in cases.results_of("W6", TARGET) if one.timepoint != "H30"]
    for now in (day(13), day(60)):
        view = cases.view(cases.timeline(*whats, results=others), "W6", now)
        assert view.status is S.INCOMPLETE
        assert view.since == lost.at
        assert [(one.item, one.lost, one.why) for one in view.missing] == [("H30", True, "no vein")]


def test_a_result_that_the_laboratory_could_not_obtain_is_lost() -> None:
    results = cases.results_of("W6", TARGET)
    none = cases.result("W6", "H2", ResultStatus.NOT_OBTAINED, number=9, conc_mg_l=None)
    view = cases.view(cases.timeline(*SEEN, results=[*results[:2], none]), "W6", day(20))
    assert view.status is S.INCOMPLETE
    assert view.since == none.recorded_at
    assert [(one.item, one.lost) for one in view.missing] == [("H2", True)]


@pytest.mark.parametrize("status", [ResultStatus.PRELIMINARY, ResultStatus.WITHDRAWN])
def test_a_result_that_is_not_final_is_still_awaited(status: ResultStatus) -> None:
    results = [*cases.results_of("W6", TARGET)[:2], cases.result("W6", "H2", status, number=9)]
    assert w6(day(15), *SEEN, results=results) is S.AWAITING_RESULTS


# --- evidence ---------------------------------------------------------------------------------------------------


def test_results_alone_are_evidence_of_attendance() -> None:
    results = cases.results_of("W6", TARGET)
    line = cases.timeline(results=results)
    view = cases.view(line, "W6", day(30))
    assert view.status is S.INCOMPLETE
    assert view.plan.attended_on == TARGET
    assert [one.item for one in view.missing] == ["DOSE", "H0", "H30", "H2"]
    assert "result_without_draw" in cases.flag_codes(line, "W6", day(30))


@pytest.mark.parametrize("status", [ResultStatus.PRELIMINARY, ResultStatus.WITHDRAWN])
def test_a_result_that_is_not_final_is_no_evidence(status: ResultStatus) -> None:
    assert w6(day(14), results=[cases.result("W6", "H0", status)]) is S.WINDOW_OPEN


def test_a_dose_or_a_draw_is_evidence_of_attendance_and_the_first_counts() -> None:
    _, dose, *draws = SEEN
    plan = cases.timeline(dose, *draws).visit("W6")
    assert plan is not None
    assert plan.attended_at == cases.local(TARGET, 8, 55)


def test_what_the_site_recorded_comes_before_what_the_laboratory_says_of_the_day() -> None:
    wrong = cases.results_of("W6", TARGET - timedelta(days=30))
    plan = cases.timeline(SEEN[1], results=wrong).visit("W6")
    assert plan is not None
    assert plan.attended_on == TARGET


@pytest.mark.parametrize(
    ("now", "before", "flag"),
    [
        (CLOSES, S.OVERDUE, "visit_overdue"),
        (MISSED, S.MISSED, "visit_missed"),
    ],
)
def test_late_evidence_closes_overdue_and_missed(now: datetime, before: S, flag: str) -> None:
    assert w6(now) is before
    assert flag in cases.flag_codes(cases.timeline(), "W6", now)
    late = cases.timeline(*SEEN, results=cases.results_of("W6", TARGET))
    assert cases.status(late, "W6", now) is S.COMPLETE
    assert cases.flag_codes(late, "W6", now) == set()


def test_late_records_close_incomplete() -> None:
    now = day(25)
    results = cases.results_of("W6", TARGET)
    partial = cases.timeline(*cases.sampling_day("W6", TARGET, without=["H2"]), results=results[:2])
    assert cases.flag_codes(partial, "W6", now) == {"visit_incomplete"}
    whole = cases.timeline(*SEEN, results=results)
    assert cases.flag_codes(whole, "W6", now) == set()


def test_a_correction_of_the_attendance_is_followed() -> None:
    line = cases.timeline(Attended("W6", day(13)), Corrected(2, Attended("W6", day(15)), "wrong day"))
    plan = line.visit("W6")
    assert plan is not None
    assert plan.attended_on == date(2025, 10, 15)
    void = cases.timeline(Attended("W6", day(13)), Corrected(2, None, "another patient"))
    assert cases.status(void, "W6", day(14)) is S.WINDOW_OPEN
