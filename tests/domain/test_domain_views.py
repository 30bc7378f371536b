"""The view of a visit at an instant, whole: status, reason with every parameter, since when, until when it holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import domain_cases as cases
import pytest
from domain_strategies import AMENDED_PLANS, PLANS

from scheduler.domain.facts import (
    Attended,
    Paused,
    ProtocolApplied,
    Resumed,
    VisitBooked,
    VisitCancelled,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.planned import NEVER
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.reason import Reason, because
from scheduler.domain.status import Missing, MissingKind, VisitView

# Baseline Monday 1 September 2025; W6: target 13 October, window 6 to 20 October, missed from 4 November.
FIRST, W6, LAST = date(2025, 10, 6), date(2025, 10, 13), date(2025, 10, 20)


def at(month: int, day: int, hour: int = 0) -> datetime:
    return cases.local(date(2025, month, day), hour)


PLAIN = cases.timeline().visit("W6")
assert PLAIN is not None
OPENS, CLOSES, OVERDUE, MISSED = (
    PLAIN.planned.opens_at, PLAIN.planned.closes_at, PLAIN.planned.overdue_at, PLAIN.missed_at,
)  # fmt: skip


def view(now: datetime, *whats: What) -> VisitView:
    return cases.view(cases.timeline(*whats), "W6", now)


def seen(found: VisitView) -> tuple[Any, ...]:
    assert found.plan.id == "W6"
    return found[1:]


def stands(
    status: VisitStatus,
    reason: Reason,
    since: datetime | None,
    until: datetime,
    *missing: Missing,
    late: bool = False,
) -> tuple[Any, ...]:
    return status, reason, missing, since, late, until


def test_before_its_window_a_visit_is_planned_from_its_target_until_the_window_opens() -> None:
    reason = because("status_planned", target=W6, first=FIRST)
    found = view(at(9, 3), Attended("INCLUSION", at(9, 1, 9)))
    assert seen(found)[:4] == (VisitStatus.PLANNED, reason, (), None)
    assert found.results_overdue is False
    last = view(OPENS.replace(hour=OPENS.hour - 1))
    assert last.until == OPENS


def test_in_its_window_it_is_open_since_the_first_day() -> None:
    reason = because("status_window_open", first=FIRST, last=LAST)
    found = view(OPENS)
    assert seen(found)[:4] == (VisitStatus.WINDOW_OPEN, reason, (), OPENS)
    assert found.results_overdue is False
    assert OPENS < found.until <= CLOSES


BOOKED = VisitBooked("W6", cases.naive(2025, 10, 14))


def test_an_appointment_holds_until_nobody_confirmed_it() -> None:
    unconfirmed = cases.timeline(BOOKED).visit("W6")
    assert unconfirmed is not None
    assert unconfirmed.booking is not None
    from_then = unconfirmed.booking.unconfirmed_at
    reason = because("status_booked", at=at(10, 14, 9))
    assert seen(view(at(10, 14, 8), BOOKED)) == stands(VisitStatus.BOOKED, reason, None, from_then)
    reason = because("status_unconfirmed", at=at(10, 14, 9), due_at=OVERDUE)
    found = view(from_then, BOOKED)
    assert seen(found)[:4] == (VisitStatus.UNCONFIRMED, reason, (), from_then)
    assert found.results_overdue is False
    late = VisitBooked("W6", cases.naive(2025, 10, 24))
    plan = cases.timeline(late).visit("W6")
    assert plan is not None
    assert plan.booking is not None
    reason = because("status_unconfirmed", at=at(10, 24, 9), due_at=plan.missed_at)
    assert view(plan.booking.unconfirmed_at, late).reason == reason


def test_after_its_grace_it_is_overdue_until_it_is_missed() -> None:
    found = view(OVERDUE)
    assert found.reason.code == "status_overdue"
    said = dict(found.reason.params)
    assert (said["closed"], said["due_at"]) == (LAST, MISSED)
    assert seen(found)[2:5] == ((), OVERDUE, False)
    just_before = view(MISSED.replace(hour=MISSED.hour - 1))
    assert (just_before.status, just_before.until) == (VisitStatus.OVERDUE, MISSED)
    reason = because("status_missed", closed=LAST, missed=MISSED)
    found = view(MISSED)
    assert seen(found)[:5] == (VisitStatus.MISSED, reason, (), MISSED, False)
    assert found.until > MISSED
    assert view(at(12, 31)).until == NEVER


def test_a_visit_that_waits_for_another_is_planned_without_a_day() -> None:
    first = cases.encounter("A", window_lower="P2D", window_upper="P2D")
    second = cases.encounter("B", relative_to="A", if_anchor_missed="block", window_upper="P2D")
    plan = cases.study_plan(cases.protocol_from(cases.small_document(first, second)))
    line = cases.timeline(plan=plan)
    found = cases.view(line, "B", line.enrolled_at)
    assert found[1:6] == (VisitStatus.PLANNED, because("status_blocked", anchor="A"), (), None, False)


def test_why_a_visit_will_not_take_place() -> None:
    reason = because("status_cancelled", why="moved away")
    off = VisitCancelled("W6", "moved away", final=True)
    assert seen(view(at(9, 20), off)) == stands(VisitStatus.CANCELLED, reason, None, NEVER)
    left_at = at(9, 20, 10)
    reason = because("status_withdrawn", on=left_at, cause=because("withdrawal_death"))
    left = Withdrawn(left_at, Withdrawal.DEATH, "died")
    assert seen(view(at(9, 21), left)) == stands(VisitStatus.NOT_APPLICABLE, reason, left_at, NEVER)


@pytest.mark.parametrize("passed", [False, True])
def test_a_withdrawal_after_a_visit_was_missed_leaves_it_missed(passed: bool) -> None:
    left = Withdrawn(MISSED if passed else MISSED.replace(hour=MISSED.hour - 1), Withdrawal.LOST, "no answer")
    found = view(at(12, 1), left)
    assert found.status is (VisitStatus.MISSED if passed else VisitStatus.NOT_APPLICABLE)


def test_a_visit_that_another_version_leaves_out_says_which() -> None:
    version = ProtocolApplied(date(2025, 9, 25), "second", "second", "approved")
    line = cases.timeline(version, plan=PLANS[0], amended=AMENDED_PLANS[PLANS[0]])
    found = cases.view(line, "W12", at(10, 1))
    left_out = found.plan.left_out_by
    assert left_out is not None
    reason = because("status_left_out", version=left_out)
    assert found[1:] == stands(VisitStatus.NOT_APPLICABLE, reason, None, NEVER)


def test_on_hold_is_planned_and_a_pause_over_the_end_of_the_window_takes_the_visit_away() -> None:
    start = at(10, 1, 9)
    held = because("status_on_hold", since=start)
    paused = Paused(start, "ill")
    assert seen(view(at(10, 10), paused)) == stands(VisitStatus.PLANNED, held, start, NEVER)
    resumed = Resumed(OVERDUE, "well")
    reason = because("status_paused", since=start, until=OVERDUE)
    assert seen(view(at(11, 1), paused, resumed)) == stands(VisitStatus.NOT_APPLICABLE, reason, start, NEVER)
    sooner = Resumed(OVERDUE.replace(hour=OVERDUE.hour - 1), "well")
    assert view(at(10, 21), paused, sooner).status is VisitStatus.OVERDUE
    earlier = [Paused(at(9, 2), "ill"), Resumed(at(9, 5), "well")]
    assert view(at(11, 1), *earlier, paused, resumed).status is VisitStatus.NOT_APPLICABLE
    afterwards = [Paused(at(11, 20), "ill"), Resumed(at(11, 25), "well")]
    assert view(at(12, 1), *afterwards).status is VisitStatus.MISSED
    at_the_end = [Paused(OVERDUE, "ill"), Resumed(at(11, 25), "well")]
    assert view(at(12, 1), *at_the_end).status is VisitStatus.NOT_APPLICABLE


ATTENDED, DOSE, H0, H30, H2 = cases.sampling_day("W6", W6)
ASSESSED = cases.assessed("W6", W6)
RESULTS = cases.results_of("W6", W6)
RECORDS_BY, RESULTS_BY = at(10, 16), at(10, 19)


def after(now: datetime, *whats: What, results: Any = ()) -> VisitView:
    return cases.view(cases.timeline(*whats, results=results), "W6", now)


def test_a_visit_with_everything_is_complete_for_ever() -> None:
    found = after(at(10, 20), ATTENDED, DOSE, H0, H30, H2, *ASSESSED, results=RESULTS)
    assert seen(found) == stands(VisitStatus.COMPLETE, because("status_complete"), None, NEVER)


def test_an_attended_visit_is_attended_until_its_records_are_due_and_then_incomplete_since_then() -> None:
    missing = (
        Missing(MissingKind.DOSE, "DOSE", False, RECORDS_BY),
        *(Missing(MissingKind.DRAW, point, False, RECORDS_BY) for point in ("H0", "H30", "H2")),
    )
    reason = because("status_attended", at=ATTENDED.at)
    found = after(at(10, 14), ATTENDED, *ASSESSED)
    assert seen(found) == stands(VisitStatus.ATTENDED, reason, ATTENDED.at, RECORDS_BY, *missing)
    reason = because("status_incomplete", missing=tuple(one.reason for one in missing))
    found = after(RECORDS_BY, ATTENDED, *ASSESSED)
    assert seen(found) == stands(VisitStatus.INCOMPLETE, reason, RECORDS_BY, NEVER, *missing)


def test_with_the_results_alone_missing_it_waits_for_them_and_then_lacks_them() -> None:
    missing = tuple(Missing(MissingKind.RESULT, point, False, RESULTS_BY) for point in ("H0", "H30", "H2"))
    reason = because("status_incomplete", missing=tuple(one.reason for one in missing))
    whats = (ATTENDED, DOSE, H0, H30, H2, *ASSESSED)
    found = after(at(10, 17), *whats)
    assert seen(found) == stands(VisitStatus.AWAITING_RESULTS, reason, None, RESULTS_BY, *missing)
    found = after(RESULTS_BY, *whats)
    assert seen(found) == stands(VisitStatus.INCOMPLETE, reason, RESULTS_BY, NEVER, *missing, late=True)


def test_what_is_late_is_said_with_until_when_the_rest_is_expected() -> None:
    missing = (
        Missing(MissingKind.DRAW, "H0", False, RECORDS_BY),
        *(Missing(MissingKind.RESULT, point, False, RESULTS_BY) for point in ("H30", "H2")),
    )
    whats = (ATTENDED, DOSE, H30, H2)
    found = after(RECORDS_BY, *whats)
    reason = because("status_incomplete", missing=tuple(one.reason for one in missing), due_at=RESULTS_BY)
    assert seen(found) == stands(VisitStatus.INCOMPLETE, reason, RECORDS_BY, RESULTS_BY, *missing)
