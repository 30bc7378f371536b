"""Until when a matter can be seen to as it is, and when others are told: by the protocol, else nothing is said."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import domain_cases as cases

from scheduler.domain.due import due_at, raised_at
from scheduler.domain.facts import Attended, What
from scheduler.domain.flags import FlagCode
from scheduler.domain.plan import assess
from scheduler.domain.reason import Reason, because

# Baseline Monday 1 September 2025: W6 is planned for 13 October, its window runs from 6 to 20 October.
CLOSES = cases.local(date(2025, 10, 21), 0)
MISSED = cases.local(date(2025, 11, 4), 0)
TICK = timedelta(microseconds=1)


def reason_of(code: FlagCode, now: datetime, *whats: What) -> Reason:
    found = assess(cases.timeline(*whats), {}, now)
    return next(flag.reason for flag in found.flags if flag.code is code and flag.visit == "W6")


def test_an_overdue_visit_can_be_made_up_until_it_is_missed_and_is_raised_a_week_on() -> None:
    reason = reason_of(FlagCode.VISIT_OVERDUE, CLOSES)
    assert due_at(reason) == MISSED
    assert raised_at(reason) == cases.local(date(2025, 10, 28), 8)


def test_an_unconfirmed_visit_is_to_be_recorded_before_it_is_overdue() -> None:
    booked = cases.booked("W6", date(2025, 10, 13))
    reason = reason_of(FlagCode.VISIT_UNCONFIRMED, cases.local(date(2025, 10, 14), 9), booked)
    assert due_at(reason) == CLOSES and raised_at(reason) is None


def test_an_appointment_after_the_window_puts_the_limit_off() -> None:
    booked = cases.booked("W6", date(2025, 10, 30))
    reason = reason_of(FlagCode.VISIT_UNCONFIRMED, cases.local(date(2025, 10, 31), 9), booked)
    limit = due_at(reason)
    assert limit is not None and limit >= MISSED
    assert reason_of(FlagCode.VISIT_MISSED, limit, booked)


def test_where_the_protocol_sets_nothing_nothing_is_invented() -> None:
    assert due_at(reason_of(FlagCode.VISIT_MISSED, MISSED)) is None
    attended = Attended("W6", cases.local(date(2025, 10, 13), 9))
    late = cases.local(date(2025, 12, 1), 9)
    assert due_at(reason_of(FlagCode.VISIT_INCOMPLETE, late, attended)) is None
    assert due_at(because("flag_file_quarantined")) is None
