"""What is announced: appointments with a growing sequence, AUCs that come, change and go; once each."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import domain_cases as cases
import pytest
from domain_ledger import NOTHING, Ledger, apply

from scheduler.domain.exposure import Exposure, Shown, VisitExposures
from scheduler.domain.facts import (
    Attended,
    Corrected,
    Fact,
    Paused,
    Resumed,
    Source,
    VisitBooked,
    VisitCancelled,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.history import History
from scheduler.domain.plan import Desired, assess, diff
from scheduler.domain.protocol import Event
from scheduler.domain.reason import because
from scheduler.domain.recorded import Recorded, RecordedExposure

NOW = cases.local(date(2025, 9, 20))
FIRST, SECOND = date(2025, 10, 13), date(2025, 10, 16)
Said = list[tuple[Event, datetime | None, datetime | None, int]]


def told(*whats: What, apart: timedelta = timedelta(hours=1)) -> Said:
    """What is announced about W6 while the facts come in one after the other."""
    everything = [cases.enrolled(), *whats]
    facts = tuple(Fact(i, what, NOW + i * apart, "t", Source.CLI) for i, what in enumerate(everything, 1))
    ledger = Ledger(cases.shipped_plan())
    for number, fact in enumerate(facts, 1):
        ledger.tick(History(cases.CODE, facts[:number]), fact.recorded_at)
        ledger.tick(History(cases.CODE, facts[:number]), fact.recorded_at)
    rebooked = [event for event in ledger.rebookings if event.visit == "W6"]
    assert [event.key for event in rebooked] == [f"booking|{cases.CODE}|W6|{e.sequence}" for e in rebooked]
    return [(event.event, event.old_local, event.new_local, event.sequence) for event in rebooked]


def at(day: date, hour: int = 9) -> datetime:
    return cases.naive(day.year, day.month, day.day, hour)


BOOKED = cases.booked("W6", FIRST)
MOVED = cases.moved("W6", SECOND)
CANCELLED = VisitCancelled("W6", "ill")
LEFT = Withdrawn(NOW, Withdrawal.CONSENT, "asked")
SAID_BOOKED = (Event.VISIT_BOOKED, None, at(FIRST), 0)


def test_a_booking_is_said_once_with_sequence_zero() -> None:
    assert told(BOOKED) == [SAID_BOOKED]


def test_booking_moving_cancelling_and_booking_again_are_four_announcements_with_growing_sequences() -> None:
    assert told(BOOKED, MOVED, CANCELLED, cases.booked("W6", FIRST)) == [
        SAID_BOOKED,
        (Event.VISIT_MOVED, at(FIRST), at(SECOND), 1),
        (Event.VISIT_CANCELLED, at(SECOND), None, 2),
        (Event.VISIT_BOOKED, None, at(FIRST), 3),
    ]


def test_a_change_of_the_hour_alone_is_a_move() -> None:
    assert told(BOOKED, cases.moved("W6", FIRST, 14))[1:] == [
        (Event.VISIT_MOVED, at(FIRST), at(FIRST, 14), 1)
    ]


def test_a_move_to_the_same_time_is_not_said() -> None:
    assert told(BOOKED, cases.moved("W6", FIRST)) == [SAID_BOOKED]


def test_cancelling_for_good_takes_the_appointment_back_once() -> None:
    said = told(BOOKED, VisitCancelled("W6", "no", final=True))
    assert said == [SAID_BOOKED, (Event.VISIT_CANCELLED, at(FIRST), None, 1)]
    assert told(VisitCancelled("W6", "no", final=True)) == []


def test_a_withdrawal_takes_the_appointments_back_and_its_correction_restores_them() -> None:
    assert told(BOOKED, LEFT, Corrected(3, None, "another patient")) == [
        SAID_BOOKED,
        (Event.VISIT_CANCELLED, at(FIRST), None, 1),
        (Event.VISIT_BOOKED, None, at(FIRST), 2),
    ]


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (VisitBooked("W6", at(SECOND)), (Event.VISIT_MOVED, at(FIRST), at(SECOND), 1)),
        (None, (Event.VISIT_CANCELLED, at(FIRST), None, 1)),
    ],
)
def test_the_correction_of_a_booking_is_said_under_a_number_of_its_own(
    instead: VisitBooked | None, said: object
) -> None:
    assert told(BOOKED, Corrected(2, instead, "typed wrongly")) == [SAID_BOOKED, said]


def test_a_booking_taken_back_and_made_again_goes_on_counting() -> None:
    said = told(BOOKED, Corrected(2, None, "wrong patient"), cases.booked("W6", SECOND))
    assert [one[3] for one in said] == [0, 1, 2]


def test_a_window_that_closed_on_hold_takes_the_appointment_back_and_a_corrected_resumption_restores_it() -> (
    None
):
    resumed = cases.local(date(2025, 11, 10))
    said = told(
        BOOKED, Paused(NOW, "x"), Resumed(resumed, "x"), Corrected(4, Resumed(NOW, "x"), "the same day")
    )  # fmt: skip
    assert [(event, sequence) for event, _, _, sequence in said] == [
        (Event.VISIT_BOOKED, 0),
        (Event.VISIT_CANCELLED, 1),
        (Event.VISIT_BOOKED, 2),
    ]


@pytest.mark.parametrize(
    ("whats", "number"),
    [
        ([BOOKED], 0),
        ([BOOKED, MOVED, CANCELLED], 2),
        ([BOOKED, Corrected(2, MOVED, "typed wrongly")], 1),
        ([BOOKED, Corrected(2, None, "wrong patient")], 1),
        ([BOOKED, Corrected(2, BOOKED, "the remark only")], 0),
        ([BOOKED, LEFT, Corrected(3, None, "another patient")], 2),
        ([BOOKED, Attended("W6", cases.local(FIRST)), Corrected(3, None, "no")], 0),
    ],
)
def test_the_number_of_an_appointment_follows_from_the_facts_alone(whats: list[What], number: int) -> None:
    """So that rows that were deleted and derived again do not repeat a number, and delivery can compare it."""
    plan = cases.timeline(*whats).visit("W6")
    assert plan is not None
    assert plan.booking_sequence == number


def test_attendance_ends_an_appointment_without_a_word() -> None:
    assert told(BOOKED, Attended("W6", cases.local(FIRST))) == [SAID_BOOKED]


def test_an_appointment_that_becomes_history_before_anybody_looked_is_not_said() -> None:
    past = cases.history(BOOKED, Attended("W6", cases.local(FIRST)))
    ledger = Ledger(cases.shipped_plan())
    ledger.tick(past, NOW)
    assert ledger.rebookings == []


# --- exposures --------------------------------------------------------------------------------------------------


def estimate(inputs_hash: str, value: float | None = 42.0) -> VisitExposures:
    reasons = () if value is not None else (because("pk_sample_missing"),)
    one = Exposure("m", "AUC0-12", value, None, None, "mg·h/L", (0.0, 12.0), reasons, ())
    return VisitExposures(inputs_hash, (one,), "{}")


def exposure_events(*found: VisitExposures | None) -> list[tuple[Event, int]]:
    """What is announced while the estimates of W6 come one after the other."""
    line = cases.timeline()
    recorded, said = NOTHING, []
    for one in found:
        desired: Desired = assess(line, {} if one is None else {"W6": one}, NOW)
        changes = diff(cases.CODE, desired, recorded)
        recorded = apply(recorded, changes)
        again = diff(cases.CODE, desired, recorded)
        assert again.is_empty and again.events == ()
        said += [
            (event.event, event.version) for event in changes.events if event.key.startswith("exposure|")
        ]
    return said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([estimate("a")], [(Event.AUC_AVAILABLE, 1)]),
        ([estimate("a"), estimate("b", 50.0)], [(Event.AUC_AVAILABLE, 1), (Event.AUC_AMENDED, 2)]),
        ([estimate("a"), None], [(Event.AUC_AVAILABLE, 1), (Event.AUC_WITHDRAWN, 2)]),
        ([estimate("a"), estimate("b", None)], [(Event.AUC_AVAILABLE, 1), (Event.AUC_WITHDRAWN, 2)]),
        ([estimate("a", None)], []),
        ([estimate("a", None), None], []),
        # nobody had been told a value, so there is nothing to amend
        ([estimate("a", None), estimate("b")], [(Event.AUC_AVAILABLE, 2)]),
        (
            [estimate("a"), None, estimate("a")],
            [(Event.AUC_AVAILABLE, 1), (Event.AUC_WITHDRAWN, 2), (Event.AUC_AVAILABLE, 3)],
        ),
    ],
)
def test_an_auc_is_said_to_be_available_amended_or_withdrawn_by_what_was_said_before(
    found: list[VisitExposures | None], said: list[tuple[Event, int]]
) -> None:
    assert exposure_events(*found) == said


def test_the_primary_is_the_first_with_a_value_else_the_first_refused() -> None:
    def one(method: str, quantity: str, value: float | None) -> Exposure:
        return Exposure(method, quantity, value, None, None, "mg·h/L", (0.0, 12.0), (), ())

    partial, refused = one("trapezoid", "AUC0-2", 9.0), one("a", "AUC0-12", None)
    good = one("b", "AUC0-12", 41.0)
    assert VisitExposures("h", (partial, refused, good), "").primary is good
    assert VisitExposures("h", (partial, refused, one("c", "AUC0-12", None)), "").primary is refused
    assert VisitExposures("h", (partial,), "").primary is None


# --- flags ------------------------------------------------------------------------------------------------------


def test_flags_open_are_reworded_and_close_and_an_unchanged_one_is_left_alone() -> None:
    now = cases.local(date(2025, 10, 25))
    desired = cases.stand(cases.timeline(), now)
    first = diff(cases.CODE, desired, NOTHING)
    key = f"{cases.CODE}|W6|visit_overdue|-"
    assert key in {flag.key for flag in first.opened}
    recorded = apply(NOTHING, first)
    other = {**recorded.open_flags, key: because("status_overdue", closed=date(2025, 1, 1))}
    reworded = diff(cases.CODE, desired, Recorded(recorded.visits, other, recorded.reminder_keys, {}))
    assert [flag.key for flag in reworded.reworded] == [key]
    assert reworded.opened == reworded.closed == ()
    seen = cases.timeline(*cases.sampling_day("W6", FIRST), results=cases.results_of("W6", FIRST))
    later = diff(cases.CODE, cases.stand(seen, now), recorded)
    assert key in later.closed


def test_an_estimate_on_record_that_is_still_desired_is_no_change() -> None:
    desired = assess(cases.timeline(), {"W6": estimate("a")}, NOW)
    recorded = Recorded({}, {}, frozenset(), {"W6": RecordedExposure("a", 3, Shown("m", 42.0, None, None))})
    assert diff(cases.CODE, desired, recorded).exposures == ()
