"""One visit of one subject: its calendar with what is recorded of it. It knows no "now"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from scheduler.domain.civil import add_period, at_local, local_date, start_of_day
from scheduler.domain.facts import DoseGiven, SampleDrawn, SampleNotDrawn, Withdrawn
from scheduler.domain.history import SubjectFacts, VisitFacts
from scheduler.domain.planned import NEVER, AttendedDay, PlannedVisit, Slot, StudyPlan
from scheduler.domain.protocol import Protocol, SamplePoint, Trigger
from scheduler.domain.results import CurrentResult, Question

__all__ = ["Booking", "Dose", "Draw", "VisitPlan", "untouched", "visit_plan"]


class Booking(NamedTuple):
    """The appointment in force. `sequence` counts its changes, as iCalendar does."""

    local: datetime
    starts_at: datetime
    unconfirmed_at: datetime
    sequence: int
    fact_id: int | None


class Dose(NamedTuple):
    given: DoseGiven
    days_unchanged: float | None


class Draw(NamedTuple):
    """One point of the sampling day: its window once the dose is known, what was drawn, what was measured, and the
    held row that puts it in question."""

    point: SamplePoint
    window: tuple[datetime, datetime] | None
    drawn: SampleDrawn | None
    not_drawn: SampleNotDrawn | None
    result: CurrentResult | None
    question: Question | None = None

    @property
    def taken_at(self) -> datetime | None:
        """When the sample was taken: as recorded at the bedside, else as the laboratory says."""
        if self.drawn is not None:
            return self.drawn.at
        return self.result.version.collected_at if self.result is not None and self.result.is_final else None

    @property
    def outside(self) -> bool:
        """Whether the sample is known to have been taken out of its window."""
        at = self.taken_at
        return at is not None and self.window is not None and not self.window[0] <= at <= self.window[1]


class VisitPlan(NamedTuple):
    """One visit of one subject: calendar, appointment, evidence. `missed_at` is the calendar's, or what an
    appointment after the window makes of it. `amended_by` is the hash of the version that it follows, None under that
    of the enrolment; `left_out_by` the version that has no such visit."""

    id: str
    planned: PlannedVisit
    facts: VisitFacts
    missed_at: datetime
    booking: Booking | None
    booking_sequence: int
    attended_at: datetime | None
    attended_on: date | None
    attended_day: AttendedDay | None
    dose: Dose | None
    draws: tuple[Draw, ...]
    slots: tuple[Slot, ...]
    protocol: Protocol
    amended_by: str | None = None
    left_out_by: str | None = None

    @property
    def late_booking(self) -> Booking | None:
        """The appointment, when its day ends after the visit would have become overdue."""
        booking = self.booking
        return booking if booking is not None and booking.unconfirmed_at > self.planned.overdue_at else None


_NO_FACTS = VisitFacts()


def untouched(plan: StudyPlan, name: str, planned: PlannedVisit) -> VisitPlan:
    """A visit of which nothing is recorded yet."""
    return VisitPlan(
        name,
        planned,
        _NO_FACTS,
        planned.missed_at,
        None,
        0,
        None,
        None,
        None,
        None,
        (),
        planned.slots,
        plan.protocol,
    )


def visit_plan(
    plan: StudyPlan, facts: SubjectFacts, calendar: VisitPlan, attended: Mapping[str, tuple[datetime, date]]
) -> VisitPlan:
    """A visit of the calendar with what is recorded of it."""
    visit = facts.visits.get(calendar.id)
    if visit is None:
        return calendar
    planned = calendar.planned
    attended_at, attended_on = attended.get(calendar.id, (None, None))
    booking = _booking(plan, visit)
    missed_at = _missed_at(plan, planned, booking)
    dose = _dose(facts, visit.dose, plan)
    draws: tuple[Draw, ...] = ()
    if attended_on is not None:
        day = plan.attended_day(attended_on)
        slots = day.slots
        if planned.encounter.sampling:
            draws = _draws(plan, visit)
            slots += _draw_slots(plan, draws, facts.withdrawn)
    else:
        day = None
        slots = planned.slots if booking is None else _booked_slots(plan, planned, booking, missed_at)
    return VisitPlan(
        planned.encounter.id,
        planned,
        visit,
        missed_at,
        booking,
        visit.rebookings,
        attended_at,
        attended_on,
        day,
        dose,
        draws,
        slots,
        plan.protocol,
    )


def _booking(plan: StudyPlan, visit: VisitFacts) -> Booking | None:
    local = visit.booked_local
    if local is None:
        return None
    day = local.date()
    starts_at = at_local(day, local.time(), plan.calendar.zone)
    unconfirmed_at = plan.appointment_day(day).unconfirmed_at
    return Booking(local, starts_at, unconfirmed_at, visit.rebookings, visit.booked_fact)


def _missed_at(plan: StudyPlan, planned: PlannedVisit, booking: Booking | None) -> datetime:
    """When the visit can no longer be made up; an appointment after the window puts it off."""
    if booking is None or booking.unconfirmed_at <= planned.overdue_at:
        return planned.missed_at
    expires_after = planned.encounter.timing.expires_after
    put_off = add_period(local_date(booking.unconfirmed_at, plan.calendar.zone), expires_after)
    return max(planned.missed_at, start_of_day(put_off, plan.calendar.zone))


def _booked_slots(
    plan: StudyPlan, planned: PlannedVisit, booking: Booking, missed_at: datetime
) -> tuple[Slot, ...]:
    """The calendar's reminders and the appointment's; the one about a missed visit goes with `missed_at`."""
    day = booking.local.date()
    slots = (*planned.slots, *plan.appointment_day(day).slots)
    if missed_at == planned.missed_at:
        return slots
    missed_on = local_date(missed_at, plan.calendar.zone)
    put_off = [plan.day_slot(rule, missed_on, NEVER, day.isoformat()) for rule in plan.missed_rules]
    return (*[slot for slot in slots if slot.rule.trigger != Trigger.MISSED], *put_off)


def _dose(facts: SubjectFacts, given: DoseGiven | None, plan: StudyPlan) -> Dose | None:
    """The dose with how long its regimen was unchanged, when the record allows to say."""
    if given is None:
        return None
    day = local_date(given.at, plan.calendar.zone)
    current = None
    for period in facts.regimens:
        if period.from_instant is None or period.from_instant <= given.at:
            current = period
    if current is None:
        return Dose(given, None)
    regimen, since = current.regimen, current.since
    same = (
        regimen.formulation is given.formulation
        and regimen.dose_mg == given.dose_mg
        and regimen.interval_h == given.interval_h
    )
    if not same:
        return Dose(given, 0.0)
    if since is None and current.from_instant is not None:
        since = local_date(current.from_instant, plan.calendar.zone)
    return Dose(given, float((day - since).days) if since is not None else None)


def _draws(plan: StudyPlan, visit: VisitFacts) -> tuple[Draw, ...]:
    dose_at = visit.dose.at if visit.dose is not None else None
    recorded, results, questions = visit.draws, visit.results, visit.questions
    draws = []
    for point, earliest, latest in plan.point_windows:
        name = point.id
        window = (dose_at + earliest, dose_at + latest) if dose_at is not None else None
        found = recorded.get(name)
        if isinstance(found, SampleDrawn):
            draws.append(Draw(point, window, found, None, results.get(name), questions.get(name)))
        else:
            draws.append(Draw(point, window, None, found, results.get(name), questions.get(name)))
    return tuple(draws)


def _draw_slots(plan: StudyPlan, draws: tuple[Draw, ...], withdrawn: Withdrawn | None) -> tuple[Slot, ...]:
    """The reminders of draws that are still to come."""
    slots: list[Slot] = []
    for point, window, drawn, not_drawn, *_ in draws:
        if window is None or drawn is not None or not_drawn is not None:
            continue
        nominal = window[0] + timedelta(minutes=point.nominal_min - point.earliest_min)
        if withdrawn is not None and withdrawn.at <= nominal:
            continue
        for rule in plan.point_rules[point.id]:
            due_at = nominal + rule.sign * rule.value.elapsed
            until = min(due_at + rule.valid_for.elapsed, window[1])
            slots.append(Slot(rule, due_at, until, nominal.isoformat(timespec="minutes")))
    return tuple(slots)
