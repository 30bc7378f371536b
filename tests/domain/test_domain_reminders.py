"""The reminders of the shipped protocol: when they leave, what stops them, what an outage does to them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import domain_cases as cases
import pytest
from domain_ledger import Ledger

from scheduler.domain.facts import (
    Attended,
    Corrected,
    Fact,
    Paused,
    Resumed,
    SampleNotDrawn,
    Source,
    VisitCancelled,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.history import History
from scheduler.domain.plan import is_still_due

TARGET = date(2025, 10, 13)  # of W6; window from 6 to 20 October
SEEN_INCLUSION = [
    *cases.sampling_day("INCLUSION", cases.BASELINE),
    *cases.assessed("INCLUSION", cases.BASELINE),
]


def at(month: int, day: int, hour: int = 8, minute: int = 0, year: int = 2025) -> datetime:
    return cases.local(date(year, month, day), hour, minute)


def lived(*told: tuple[datetime, What], days: int = 480) -> Ledger:
    """A subject whose facts arrive at the instants given, looked at whenever something can change."""
    start = at(9, 1, 12)
    whats = [(start, cases.enrolled()), *[(start, what) for what in SEEN_INCLUSION], *told]
    facts = tuple(Fact(i, what, moment, "t", Source.CLI) for i, (moment, what) in enumerate(whats, 1))
    results = tuple(cases.results_of("INCLUSION", cases.BASELINE, first_id=900))
    ledger = Ledger(cases.shipped_plan())
    moments = sorted({fact.recorded_at for fact in facts})
    for moment, until in zip(moments, [*moments[1:], start + timedelta(days=days)], strict=True):
        known = tuple(fact for fact in facts if fact.recorded_at <= moment)
        ledger.run(History(cases.CODE, known, results), moment, until)
    return ledger


def of_w6(ledger: Ledger, rule: str) -> list[datetime]:
    return [moment for target, moment in ledger.sent(rule).items() if target.startswith("W6 ")]


# --- each rule at its local time --------------------------------------------------------------------------------


def test_a_subject_of_whom_nothing_is_told_is_reminded_of_step_by_step() -> None:
    ledger = lived()
    assert of_w6(ledger, "book_visit") == [at(9, 22)]
    assert of_w6(ledger, "window_closes") == [at(10, 15)]
    assert of_w6(ledger, "overdue") == [at(10, 21)]
    assert of_w6(ledger, "overdue_escalation") == [at(10, 28)]
    assert of_w6(ledger, "missed") == [at(11, 4)]
    for silent in ("visit_soon", "sampling_day", "unconfirmed", "incomplete", "results_awaited", "h30_due"):
        assert of_w6(ledger, silent) == []


def test_an_appointment_is_announced_three_days_before_and_on_its_morning() -> None:
    ledger = lived((at(9, 23), cases.booked("W6", TARGET)))
    assert of_w6(ledger, "visit_soon") == [at(10, 10)]
    assert of_w6(ledger, "sampling_day") == [at(10, 13, 6, 30)]
    assert of_w6(ledger, "unconfirmed") == [at(10, 14)]


def test_the_draws_are_announced_minutes_before_their_time() -> None:
    attended, dose, h0, h30, h2 = cases.sampling_day("W6", TARGET)
    ledger = lived(
        (at(10, 13, 9, 1), attended), (at(10, 13, 9, 1), dose), (at(10, 13, 9, 1), h0),
        (at(10, 13, 9, 31), h30), (at(10, 13, 11, 1), h2),
    )  # fmt: skip
    assert of_w6(ledger, "h30_due") == [at(10, 13, 9, 20)]
    assert of_w6(ledger, "h2_due") == [at(10, 13, 10, 45)]


def test_missing_records_are_asked_for_on_the_third_morning() -> None:
    ledger = lived((at(10, 13, 10), Attended("W6", at(10, 13, 9))))
    assert of_w6(ledger, "incomplete") == [at(10, 16)]


def test_missing_results_are_asked_for_once_five_full_days_have_gone_by() -> None:
    """The condition holds from the end of the fifth day; the mail leaves at 08:00 of the next."""
    ledger = lived(*[(at(10, 13, 12), what) for what in cases.sampling_day("W6", TARGET)])
    assert of_w6(ledger, "results_awaited") == [at(10, 19, 8)]


@pytest.mark.parametrize(
    ("baseline", "target"),
    [(date(2025, 9, 14), date(2025, 10, 27)), (date(2026, 2, 15), date(2026, 3, 30))],
)
def test_local_times_stay_local_when_the_clocks_change_between(baseline: date, target: date) -> None:
    line = cases.timeline(cases.booked("W6", target), baseline=baseline)
    plan = line.visit("W6")
    assert plan is not None
    local = {slot.rule.id: slot.due_at.astimezone(cases.PARIS) for slot in plan.slots}
    assert local["visit_soon"].date() == target - timedelta(days=3)
    assert {local[rule].hour for rule in ("book_visit", "visit_soon", "window_closes", "unconfirmed")} == {8}
    assert (local["sampling_day"].hour, local["sampling_day"].minute) == (6, 30)


# --- what stops them --------------------------------------------------------------------------------------------


def test_a_booked_visit_is_not_asked_to_be_booked_and_its_window_does_not_worry() -> None:
    ledger = lived((at(9, 10), cases.booked("W6", TARGET)), (at(10, 13, 12), Attended("W6", at(10, 13, 9))))
    for rule in ("book_visit", "window_closes", "overdue", "missed", "unconfirmed"):
        assert of_w6(ledger, rule) == []


def test_an_attended_visit_is_not_reminded_of_any_more() -> None:
    whole = [(at(10, 6, 12), what) for what in cases.sampling_day("W6", date(2025, 10, 6))]
    ledger = lived(*whole)
    assert of_w6(ledger, "window_closes") == []
    assert of_w6(ledger, "overdue") == []
    assert of_w6(ledger, "missed") == []


def test_nothing_is_sent_about_visits_to_come_after_a_withdrawal() -> None:
    gone = at(9, 20)
    ledger = lived((gone, Withdrawn(gone, Withdrawal.DEATH, "")))
    assert [moment for moment in ledger.sent_at.values() if moment >= gone] == []


def test_a_withdrawal_on_the_sampling_day_stops_the_draws_still_to_come() -> None:
    attended, dose, *_ = cases.sampling_day("W6", TARGET)
    gone = at(10, 13, 9, 45)
    ledger = lived(
        (at(10, 13, 9, 1), attended),
        (at(10, 13, 9, 1), dose),
        (gone, Withdrawn(gone, Withdrawal.CONSENT, "")),
    )
    assert of_w6(ledger, "h30_due") == [at(10, 13, 9, 20)]
    assert of_w6(ledger, "h2_due") == []


@pytest.mark.parametrize("drawn", [True, False])
def test_a_draw_that_is_recorded_either_way_is_not_announced(drawn: bool) -> None:
    attended, dose, _, h30, _ = cases.sampling_day("W6", TARGET)
    what = h30 if drawn else SampleNotDrawn("W6", "H30", at(10, 13, 9, 10), "no vein")
    now = at(10, 13, 9, 15)
    ledger = lived((now, attended), (now, dose), (now, what))
    assert of_w6(ledger, "h30_due") == []
    assert len(of_w6(ledger, "h2_due")) == 1


def test_on_hold_is_silent_about_visits_to_come_and_resuming_catches_up_with_what_still_makes_sense() -> None:
    hold, back = at(9, 20), at(9, 30, 10)
    silent = lived((hold, Paused(hold, "x")))
    assert [moment for moment in silent.sent_at.values() if moment > hold] == []
    resumed = lived((hold, Paused(hold, "x")), (back, Resumed(back, "x")))
    assert of_w6(resumed, "book_visit") == [back]  # due on 22 September and valid for 14 days
    late = at(10, 10, 10)
    expired = lived((hold, Paused(hold, "x")), (late, Resumed(late, "x")))
    assert of_w6(expired, "book_visit") == []
    assert any("book_visit" in key and "|W6|" in key for key in expired.expired)


def test_a_visit_cancelled_for_good_is_not_reminded_of() -> None:
    ledger = lived((at(9, 10), VisitCancelled("W6", "no", final=True)))
    assert [key for key in ledger.sent_at if "|W6|" in key] == []


# --- moving -----------------------------------------------------------------------------------------------------


def test_moving_a_visit_reminds_of_its_new_date() -> None:
    moved = lived(
        (at(9, 23), cases.booked("W6", TARGET)), (at(10, 11), cases.moved("W6", date(2025, 10, 17)))
    )
    assert moved.sent("visit_soon") == {"W6 2025-10-13": at(10, 10), "W6 2025-10-17": at(10, 14)}
    assert moved.sent("sampling_day") == {"W6 2025-10-17": at(10, 17, 6, 30)}


def test_moving_within_the_day_does_not_remind_again() -> None:
    moved = lived((at(9, 23), cases.booked("W6", TARGET)), (at(10, 11), cases.moved("W6", TARGET, 14)))
    assert len(moved.sent("visit_soon")) == 1


def test_a_target_moved_by_its_anchor_asks_for_a_booking_anew() -> None:
    corrected = Corrected(2, Attended("INCLUSION", at(9, 3, 8, 30)), "wrong day")
    ledger = lived((at(9, 23), corrected))
    assert {key for key in ledger.sent("book_visit") if key.startswith("W6")} == {
        "W6 2025-10-13",
        "W6 2025-10-15",
    }


def test_a_late_appointment_that_lapsed_is_chased_and_missed_is_said_anew() -> None:
    late = date(2025, 11, 20)
    ledger = lived((at(11, 6), cases.booked("W6", late)))
    assert of_w6(ledger, "unconfirmed") == [at(11, 21)]
    # once because the calendar said so, and once because the late appointment came to nothing as well
    assert ledger.sent("missed")["W6 2025-10-13"] == at(11, 4)
    assert ledger.sent("missed")["W6 2025-11-20"] == at(12, 5)


# --- outages ----------------------------------------------------------------------------------------------------


def _outage(hours: float, rule: str) -> tuple[list[datetime], list[str]]:
    """What is sent when nobody looks from the instant a rule is due on W6 for some hours."""
    past = cases.history()
    line = cases.timeline()
    plan = line.visit("W6")
    assert plan is not None
    due = next(slot.due_at for slot in plan.slots if slot.rule.id == rule)
    ledger = Ledger(cases.shipped_plan())
    ledger.tick(past, due - timedelta(seconds=1))
    ledger.tick(past, due + timedelta(hours=hours))
    return of_w6(ledger, rule), [key for key in ledger.expired if f"|W6|{rule}|" in key]


def test_after_an_outage_what_is_still_valid_is_sent_late() -> None:
    sent, expired = _outage(24 * 13, "book_visit")
    assert len(sent) == 1
    assert expired == []


def test_after_an_outage_longer_than_its_validity_a_reminder_is_expired_and_not_sent() -> None:
    sent, expired = _outage(24 * 14, "book_visit")
    assert sent == []
    assert len(expired) == 1


def test_validity_ends_with_the_window_even_if_the_rule_would_allow_more() -> None:
    content = cases.document()
    for rule in content["reminders"]:
        if rule["id"] == "window_closes":
            rule["valid_for"] = "P30D"
    plan = cases.study_plan(cases.protocol_from(content, "long"))
    visit = cases.timeline(plan=plan).visit("W6")
    assert visit is not None
    slot = next(slot for slot in visit.slots if slot.rule.id == "window_closes")
    assert slot.valid_until == visit.planned.closes_at


def test_an_expired_reminder_is_recorded_once_and_never_sent_later() -> None:
    past = cases.history()
    ledger = Ledger(cases.shipped_plan())
    start = at(2, 1, year=2026)
    for hours in range(0, 48, 6):
        ledger.tick(past, start + timedelta(hours=hours))
    assert len(ledger.expired) == len(set(ledger.expired))
    assert not set(ledger.expired) & set(ledger.sent_at)


def test_a_reminder_is_looked_at_again_when_it_is_written() -> None:
    """What delivery asks: does the slot still make sense for the visit as it is?"""
    now = at(9, 22)
    slot = next(s for s in cases.view(cases.timeline(), "W6", now).plan.slots if s.rule.id == "book_visit")
    assert is_still_due(cases.view(cases.timeline(), "W6", now), slot)
    booked = cases.timeline(cases.booked("W6", TARGET))
    assert not is_still_due(cases.view(booked, "W6", now), slot)
