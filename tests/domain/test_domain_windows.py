"""Targets and windows of the visits, day by day of the site."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import domain_cases as cases
import pytest
from dateutil.relativedelta import relativedelta
from domain_strategies import baselines
from hypothesis import given

from scheduler.domain.civil import start_of_day
from scheduler.domain.facts import Attended
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.timeline import StudyPlan, Timeline

OFFSETS = {
    "W6": (relativedelta(weeks=6), relativedelta(days=7), 14),
    "W12": (relativedelta(weeks=12), relativedelta(days=7), 28),
    "M6": (relativedelta(months=6), relativedelta(days=14), 28),
    "Y1": (relativedelta(years=1), relativedelta(days=30), 60),
}


@given(baselines())
def test_every_date_of_the_shipped_protocol_agrees_with_an_independent_calculation(baseline: date) -> None:
    line = cases.timeline(baseline=baseline)
    days = cases.calendar()
    for plan in line.visits[1:]:
        offset, half, expires = OFFSETS[plan.id]
        unshifted = baseline + offset
        assert plan.planned.derivation.unshifted == unshifted
        assert (plan.planned.first, plan.planned.last) == (unshifted - half, unshifted + half)
        assert days.is_open(plan.planned.target)
        assert plan.planned.first <= plan.planned.target <= plan.planned.last
        if days.is_open(unshifted):
            assert plan.planned.target == unshifted
        after = plan.planned.last + timedelta(days=1)
        assert plan.planned.closes_at == plan.planned.overdue_at == start_of_day(after, cases.PARIS)
        assert plan.planned.missed_at == start_of_day(after + timedelta(days=expires), cases.PARIS)


def test_a_31st_of_august_gives_the_last_day_of_february() -> None:
    plan = cases.timeline(baseline=date(2025, 8, 31)).visit("M6")
    assert plan is not None
    assert plan.planned.derivation.unshifted == date(2026, 2, 28)
    assert plan.planned.target == date(2026, 2, 27)  # 28 February 2026 is a Saturday; the Friday is nearest


def test_a_29th_of_february_gives_28_february_a_year_later() -> None:
    plan = cases.timeline(baseline=date(2024, 2, 29)).visit("Y1")
    assert plan is not None
    assert plan.planned.target == date(2025, 2, 28)


@pytest.mark.parametrize("baseline", [date(2025, 2, 16), date(2025, 9, 14), date(2025, 9, 15)])
def test_windows_are_whole_days_of_the_site_also_over_a_change_of_clocks(baseline: date) -> None:
    line = cases.timeline(baseline=baseline)
    for plan in line.visits:
        opens = plan.planned.opens_at.astimezone(cases.PARIS)
        closes = plan.planned.closes_at.astimezone(cases.PARIS)
        assert (opens.hour, opens.minute, closes.hour, closes.minute) == (0, 0, 0, 0)
        assert opens.date() == plan.planned.first
        assert closes.date() == plan.planned.last + timedelta(days=1)


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Tokyo", "America/Sao_Paulo"])
@pytest.mark.parametrize("hour", [0, 9, 23])
def test_the_hour_of_the_anchor_visit_does_not_move_a_window(zone: str, hour: int) -> None:
    plan = cases.study_plan(where=cases.calendar(ZoneInfo(zone), closed=()))
    at = cases.local(cases.BASELINE, hour, 30, ZoneInfo(zone))
    w6 = cases.timeline(Attended("INCLUSION", at), plan=plan).visit("W6")
    assert w6 is not None
    assert (w6.planned.first, w6.planned.last) == (date(2025, 10, 6), date(2025, 10, 20))


def test_a_window_is_half_open_its_last_instant_is_in_the_first_after_it_is_not() -> None:
    line = cases.timeline()
    w6 = line.visit("W6")
    assert w6 is not None
    tick = timedelta(microseconds=1)
    planned = w6.planned
    assert cases.status(line, "W6", planned.opens_at - tick) is VisitStatus.PLANNED
    assert cases.status(line, "W6", planned.opens_at) is VisitStatus.WINDOW_OPEN
    assert cases.status(line, "W6", planned.closes_at - tick) is VisitStatus.WINDOW_OPEN
    assert cases.status(line, "W6", planned.closes_at) is VisitStatus.OVERDUE
    for at, outside in ((planned.closes_at - tick, False), (planned.closes_at, True)):
        late = cases.timeline(Attended("W6", at))
        assert ("visit_out_of_window" in cases.flag_codes(late, "W6", at)) is outside


def test_later_visits_are_reckoned_from_the_day_the_anchor_was_attended() -> None:
    moved = cases.timeline(Attended("INCLUSION", cases.local(date(2025, 9, 3))))
    w6 = moved.visit("W6")
    assert w6 is not None
    assert w6.planned.derivation.anchor_is_actual
    assert w6.planned.target == date(2025, 10, 15)


def test_an_anchor_by_plan_stays_where_it_was_planned() -> None:
    plan = cases.study_plan(cases.shipped_with(W6={"anchor_basis": "planned"}))
    w6 = cases.timeline(Attended("INCLUSION", cases.local(date(2025, 9, 3))), plan=plan).visit("W6")
    assert w6 is not None
    assert w6.planned.target == date(2025, 10, 13)


def _without_open_day(shift: str) -> StudyPlan:
    weekend_only = {"value": "P40D", "window_lower": "P1D", "window_upper": "P0D", "shift": shift}
    protocol = cases.protocol_from(cases.small_document(cases.encounter("WE", **weekend_only)))
    return cases.study_plan(protocol)


@pytest.mark.parametrize("shift", ["nearest_open_day", "next_open_day"])
def test_a_window_without_an_open_day_keeps_its_target_and_is_flagged_until_it_is_booked(shift: str) -> None:
    plan = _without_open_day(shift)
    baseline = date(2025, 9, 2)  # 40 days later is a Sunday
    line = cases.timeline(baseline=baseline, plan=plan)
    visit = line.visit("WE")
    assert visit is not None
    assert visit.planned.derivation.no_open_day
    assert visit.planned.target == date(2025, 10, 12)
    now = line.enrolled_at
    assert cases.flag_codes(line, "WE", now) == {"no_open_day"}
    booked = cases.timeline(cases.booked("WE", date(2025, 10, 13)), baseline=baseline, plan=plan)
    assert cases.flag_codes(booked, "WE", now) == set()


@pytest.mark.parametrize("ended", ["withdrawn", "cancelled"])
def test_a_visit_that_will_not_take_place_needs_no_open_day(ended: str) -> None:
    from scheduler.domain.facts import VisitCancelled, Withdrawal, Withdrawn

    baseline = date(2025, 9, 2)
    now = cases.local(date(2025, 9, 10))
    off = Withdrawn(now, Withdrawal.DEATH, "") if ended == "withdrawn" else VisitCancelled("WE", "no", True)
    line = cases.timeline(off, baseline=baseline, plan=_without_open_day("next_open_day"))
    assert cases.flag_codes(line, "WE", now) == set()


def test_the_next_open_day_is_never_before_the_target() -> None:
    plan = cases.study_plan(cases.shipped_with(W6={"shift": "next_open_day"}))
    for shift in range(7):
        w6 = cases.timeline(baseline=cases.BASELINE + timedelta(days=shift), plan=plan).visit("W6")
        assert w6 is not None
        assert w6.planned.target >= w6.planned.derivation.unshifted


# --- blocked visits ---------------------------------------------------------------------------------------------

CHAIN = cases.study_plan(
    cases.protocol_from(
        cases.small_document(
            cases.encounter("A", window_lower="P2D", window_upper="P2D"),
            cases.encounter("B", relative_to="A", if_anchor_missed="block", window_upper="P2D"),
        )
    )
)


def _chain(*whats: object) -> Timeline:
    return cases.timeline(*whats, plan=CHAIN)  # type: ignore[arg-type]


def test_a_blocked_visit_has_no_date_and_never_opens_nor_becomes_overdue() -> None:
    line = _chain()
    for days in (0, 90, 500):
        view = cases.view(line, "B", line.enrolled_at + timedelta(days=days))
        assert view.status is VisitStatus.PLANNED
        assert view.reason.code == "status_blocked"


def test_a_blocked_visit_gets_its_date_when_its_anchor_takes_place() -> None:
    line = _chain(Attended("A", cases.local(date(2025, 10, 14))))
    b = line.visit("B")
    assert b is not None
    assert b.planned.target == date(2025, 11, 25)
    assert not b.planned.derivation.blocked


def test_a_blocked_visit_that_takes_place_all_the_same_is_not_out_of_a_window() -> None:
    at = cases.local(date(2025, 10, 1))
    assert cases.flag_codes(_chain(Attended("B", at)), "B", at) == set()


def test_a_blocked_visit_is_on_hold_and_released_like_the_others() -> None:
    from scheduler.domain.facts import Paused, Resumed

    start, end = cases.local(date(2025, 9, 10)), cases.local(date(2025, 12, 1))
    held = _chain(Paused(start, "x"))
    assert cases.view(held, "B", start).reason.code == "status_on_hold"
    released = _chain(Paused(start, "x"), Resumed(end, "x"))
    assert cases.view(released, "B", end).reason.code == "status_blocked"
    assert cases.view(released, "A", end).reason.code == "status_paused"
