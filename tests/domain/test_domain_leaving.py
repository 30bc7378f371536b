"""What becomes of visits when a subject leaves the study or pauses."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import domain_cases as cases

from scheduler.domain.facts import Attended, Corrected, Paused, Resumed, What, Withdrawal, Withdrawn
from scheduler.domain.protocol import VisitStatus as S

# Baseline Monday 1 September 2025: W6 is planned for 13 October, its window runs from 6 to 20 October.
TARGET = date(2025, 10, 13)
CLOSES = cases.local(date(2025, 10, 21), 0)
MISSED = cases.local(date(2025, 11, 4), 0)
TICK = timedelta(microseconds=1)


def w6(now: datetime, *whats: What, **more: object) -> S:
    return cases.status(cases.timeline(*whats, **more), "W6", now)  # type: ignore[arg-type]


def day(number: int, hour: int = 12) -> datetime:
    """An instant in October 2025."""
    return cases.local(date(2025, 10, 1) + timedelta(days=number - 1), hour)


def left(at: datetime) -> Withdrawn:
    return Withdrawn(at, Withdrawal.CONSENT, "asked")


def test_a_retro_dated_withdrawal_clears_the_visits_that_were_still_to_come_and_no_others() -> None:
    now = cases.local(date(2026, 6, 1))
    w12_target = date(2025, 11, 24)
    seen = [
        *cases.sampling_day("INCLUSION", cases.BASELINE),
        *cases.assessed("INCLUSION", cases.BASELINE),
        *cases.sampling_day("W12", w12_target),
    ]
    results = [
        *cases.results_of("INCLUSION", cases.BASELINE),
        *cases.results_of("W12", w12_target, first_id=11),
    ]
    before = cases.statuses(cases.timeline(*seen, results=results), now)
    after = cases.statuses(cases.timeline(*seen, left(cases.local(date(2026, 1, 10))), results=results), now)
    assert before == {
        "INCLUSION": S.COMPLETE, "W6": S.MISSED, "W12": S.COMPLETE, "M6": S.MISSED, "Y1": S.PLANNED,
    }  # fmt: skip
    # W6 was missed before the subject left; M6 and Y1 lay ahead.
    assert after == before | {"M6": S.NOT_APPLICABLE, "Y1": S.NOT_APPLICABLE}


def test_after_a_withdrawal_even_a_late_appointment_is_off() -> None:
    """The calendar's last day had gone by, but the visit was still to come."""
    late = cases.booked("W6", date(2025, 12, 15))
    assert w6(cases.local(date(2025, 12, 1)), late, left(cases.local(date(2025, 11, 30)))) is S.NOT_APPLICABLE


def test_a_visit_that_was_missed_before_the_withdrawal_stays_missed() -> None:
    assert w6(MISSED, left(MISSED)) is S.MISSED
    assert w6(MISSED, left(MISSED - TICK)) is S.NOT_APPLICABLE


def test_a_withdrawal_taken_back_restores_everything() -> None:
    booking = cases.booked("W6", TARGET)
    line = cases.timeline(booking, left(day(1)), Corrected(3, None, "another patient"))
    assert cases.status(line, "W6", day(2)) is S.BOOKED


def test_on_hold_keeps_what_lies_ahead_from_becoming_overdue() -> None:
    held = Paused(day(1), "holiday")
    for now in (day(2), CLOSES, MISSED, MISSED + timedelta(days=300)):
        view = cases.view(cases.timeline(held), "W6", now)
        assert (view.status, view.reason.code) == (S.PLANNED, "status_on_hold")


def test_after_a_resumption_inside_the_window_the_visit_goes_on() -> None:
    assert w6(day(10), Paused(day(1), "x"), Resumed(day(9), "x")) is S.WINDOW_OPEN
    assert w6(CLOSES, Paused(day(1), "x"), Resumed(day(9), "x")) is S.OVERDUE


def test_a_window_that_closed_during_a_pause_makes_the_visit_not_applicable() -> None:
    pause = [Paused(day(1), "x"), Resumed(MISSED, "x")]
    view = cases.view(cases.timeline(*pause), "W6", MISSED)
    assert (view.status, view.reason.code) == (S.NOT_APPLICABLE, "status_paused")
    assert w6(MISSED, *pause, Attended("W6", day(13))) is S.INCOMPLETE


def test_a_visit_made_up_after_the_pause_is_booked() -> None:
    pause = [Paused(day(1), "x"), Resumed(MISSED, "x")]
    later = date(2025, 11, 20)
    assert w6(cases.local(date(2025, 11, 10)), *pause, cases.booked("W6", later)) is S.BOOKED


def test_a_window_that_closed_before_the_pause_stays_as_it_was() -> None:
    assert w6(MISSED + timedelta(days=9), Paused(MISSED + timedelta(days=1), "x")) is S.MISSED


def test_two_pauses_each_count_and_a_second_pause_inside_the_first_changes_nothing() -> None:
    first = [Paused(cases.local(date(2025, 9, 10)), "a"), Resumed(cases.local(date(2025, 9, 20)), "a")]
    second = [Paused(day(1), "b"), Resumed(MISSED, "b")]
    assert w6(MISSED, *first, *second) is S.NOT_APPLICABLE
    line = cases.timeline(Paused(day(1), "a"), Paused(day(2), "b"), Resumed(day(3), "c"))
    assert [(one.start, one.end) for one in line.pauses] == [(day(1), day(3))]


def test_a_pause_whose_resumption_was_taken_back_is_one_pause_with_the_next() -> None:
    line = cases.timeline(
        Paused(day(1), "a"), Resumed(day(2), "a"), Paused(day(5), "b"), Resumed(day(6), "b"),
        Corrected(3, None, "not yet"),
    )  # fmt: skip
    assert [(one.start, one.end) for one in line.pauses] == [(day(1), day(6))]
    assert cases.status(line, "W6", day(7)) is S.WINDOW_OPEN


def test_pauses_are_in_the_order_of_time_whatever_the_order_of_recording() -> None:
    line = cases.timeline(
        Paused(day(8), "late"), Resumed(day(9), "late"), Paused(day(1), "early"), Resumed(day(2), "early")
    )
    assert [one.reason for one in line.pauses] == ["early", "late"]
