"""What is written and announced about a subject, whole: events name their subject, visit, number and key."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import domain_cases as cases
from domain_ledger import NOTHING, apply
from domain_strategies import AMENDED_PLANS, PLANS

from scheduler.domain.events import Days, ExposureChanged, ReminderDue, VisitRebooked, VisitReplanned
from scheduler.domain.exposure import Exposure, Shown, VisitExposures
from scheduler.domain.facts import ProtocolApplied, VisitCancelled
from scheduler.domain.plan import Desired, assess, diff
from scheduler.domain.protocol import Event
from scheduler.domain.recorded import Recorded, RecordedExposure

NOW = cases.local(date(2025, 9, 20))
W6 = date(2025, 10, 13)
BOOKED_AT = cases.naive(2025, 10, 13)


def desired(*whats: object) -> Desired:
    return cases.stand(cases.timeline(*whats), NOW)  # type: ignore[arg-type]


def recorded(found: Desired) -> Recorded:
    """All of it is on record."""
    return apply(NOTHING, diff(cases.CODE, found, NOTHING))


def with_visit(before: Recorded, visit: str, **changes: object) -> Recorded:
    row = before.visits[visit]._replace(**changes)  # type: ignore[arg-type]
    return replace(before, visits={**before.visits, visit: row})


def test_what_is_on_record_already_is_neither_written_nor_said() -> None:
    found = desired(cases.booked("W6", W6))
    changes = diff(cases.CODE, found, recorded(found))
    assert not any((changes.visits, changes.opened, changes.reworded, changes.closed, changes.events))


def test_a_reminder_is_said_of_its_subject_visit_and_slot_unless_it_came_too_late() -> None:
    later = cases.stand(cases.timeline(), cases.local(date(2025, 9, 23)))
    said = [one for one in diff(cases.CODE, later, NOTHING).events if isinstance(one, ReminderDue)]
    due = [one for one in later.reminders if not one.expired]
    assert due
    assert said == [ReminderDue(cases.CODE, one.visit, one.slot, one.key) for one in due]


def test_a_flag_that_opens_is_not_reworded_as_well() -> None:
    overdue = cases.stand(cases.timeline(), cases.local(date(2025, 11, 1)))
    changes = diff(cases.CODE, overdue, NOTHING)
    assert changes.opened
    assert changes.reworded == ()


def test_an_appointment_is_announced_with_its_subject_and_the_number_after_the_last_announced_one() -> None:
    found = desired(cases.booked("W6", W6))
    for number, booked, expected in ((0, None, 0), (1, None, 2), (4, cases.naive(2025, 10, 14), 5)):
        before = with_visit(recorded(desired()), "W6", sequence=number, booked_local=booked)
        event = Event.VISIT_BOOKED if booked is None else Event.VISIT_MOVED
        (said,) = diff(cases.CODE, found, before).events
        assert said == VisitRebooked(
            event, cases.CODE, "W6", booked, BOOKED_AT, expected, f"booking|{cases.CODE}|W6|{expected}"
        )


def test_a_number_never_falls_and_the_visits_after_it_are_looked_at_all_the_same() -> None:
    found = desired(cases.booked("W6", W6), cases.booked("W12", date(2025, 11, 24)))
    before = with_visit(recorded(found), "W6", sequence=3)
    before = with_visit(before, "W12", booked_local=None, sequence=0)
    changes = diff(cases.CODE, found, before)
    assert [(name, row.sequence) for name, row in changes.visits] == [("W12", 0)]
    assert [one.visit for one in changes.events if isinstance(one, VisitRebooked)] == ["W12"]


def test_other_days_by_another_version_are_said_whole_with_the_appointment_that_stays() -> None:
    plan, amended = PLANS[0], AMENDED_PLANS[PLANS[0]]
    booked = cases.booked("W6", W6)
    before = recorded(cases.stand(cases.timeline(booked, plan=plan), NOW))
    version = ProtocolApplied(date(2025, 9, 25), "second", "second", "approved")
    found = cases.stand(cases.timeline(booked, version, plan=plan, amended=amended), NOW)
    said = next(one for one in diff(cases.CODE, found, before).events if getattr(one, "visit", "") == "W6")
    number = before.visits["W6"].sequence + 1
    assert said == VisitReplanned(
        Event.VISIT_REPLANNED,
        cases.CODE,
        "W6",
        Days(W6, date(2025, 10, 6), date(2025, 10, 20)),
        Days(date(2025, 10, 20), date(2025, 10, 17), date(2025, 10, 23)),
        BOOKED_AT,
        number,
        f"replanned|{cases.CODE}|W6|{number}",
    )


def test_an_appointment_cancelled_for_good_is_no_other_days() -> None:
    """A visit that is off is not told to have moved."""
    plan, amended = PLANS[0], AMENDED_PLANS[PLANS[0]]
    off = VisitCancelled("W6", "moved away", final=True)
    before = recorded(cases.stand(cases.timeline(off, plan=plan), NOW))
    version = ProtocolApplied(date(2025, 9, 25), "second", "second", "approved")
    found = cases.stand(cases.timeline(off, version, plan=plan, amended=amended), NOW)
    said = [one for one in diff(cases.CODE, found, before).events if isinstance(one, VisitReplanned)]
    assert "W6" not in {one.visit for one in said}


def estimate(inputs_hash: str, value: float | None) -> VisitExposures:
    one = Exposure("fake", "AUC0-12", value, None, None, "mg·h/L", (0.0, 12.0), (), ())
    return VisitExposures(inputs_hash, (one,), "{}")


def test_an_exposure_is_announced_with_its_subject_visit_and_version_also_after_one_that_did_not_change() -> (
    None
):
    line = cases.timeline()
    found = assess(line, {"INCLUSION": estimate("a", 40.0), "W6": estimate("b", 41.0)}, NOW)
    same = RecordedExposure("a", 1, Shown("fake", 40.0, None, None))
    older = RecordedExposure("c", 2, Shown("fake", 42.0, None, None))
    before = replace(recorded(found), exposures={"INCLUSION": same, "W6": older})
    key = f"exposure|{cases.CODE}|W6|3"
    changes = diff(cases.CODE, found, before)
    assert changes.events == (ExposureChanged(Event.AUC_AMENDED, cases.CODE, "W6", 3, key),)
    assert [(one.visit, one.version) for one in changes.exposures] == [("W6", 3)]
