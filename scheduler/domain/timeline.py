"""The planned year of one subject: for every visit its dates, its appointment, its draws. It knows no "now".

Values of which dozens are made at every look at a subject are named tuples: as immutable as the frozen dataclasses
elsewhere, and made in a third of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from scheduler.domain.civil import DayCalendar, add_period, at_local, local_date, start_of_day
from scheduler.domain.facts import DoseGiven, SampleDrawn, SampleNotDrawn, Withdrawn
from scheduler.domain.history import History, Pause, SubjectFacts, VisitFacts, fold
from scheduler.domain.planned import NEVER, AttendedDay, Derivation, PlannedVisit, Slot, StudyPlan
from scheduler.domain.protocol import AnchorBasis, Encounter, IfAnchorMissed, Protocol, SamplePoint, Trigger
from scheduler.domain.results import CurrentResult

__all__ = [
    "NEVER",
    "Booking",
    "Derivation",
    "Dose",
    "Draw",
    "PlannedVisit",
    "Slot",
    "StudyPlan",
    "Timeline",
    "VisitPlan",
    "build_timeline",
]


class Booking(NamedTuple):
    """The appointment in force. `sequence` counts its changes, as iCalendar does."""

    local: datetime
    starts_at: datetime
    day_ends_at: datetime
    unconfirmed_at: datetime
    sequence: int
    fact_id: int | None


class Dose(NamedTuple):
    given: DoseGiven
    days_unchanged: float | None


class Draw(NamedTuple):
    """One point of the sampling day: its window once the dose is known, what was drawn, what was measured."""

    point: SamplePoint
    window: tuple[datetime, datetime] | None
    drawn: SampleDrawn | None
    not_drawn: SampleNotDrawn | None
    result: CurrentResult | None

    @property
    def taken_at(self) -> datetime | None:
        """When the sample was taken: as recorded at the bedside, else as the laboratory says."""
        if self.drawn is not None:
            return self.drawn.at
        return self.result.version.collected_at if self.result is not None and self.result.is_final else None


class VisitPlan(NamedTuple):
    """One visit of one subject: calendar, appointment, evidence. `missed_at` is the calendar's, or what an
    appointment after the window makes of it."""

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

    @property
    def id(self) -> str:
        return self.planned.encounter.id

    @property
    def late_booking(self) -> Booking | None:
        """The appointment, when its day ends after the visit would have become overdue."""
        booking = self.booking
        return booking if booking is not None and booking.unconfirmed_at > self.planned.overdue_at else None


@dataclass(frozen=True, slots=True)
class Timeline:
    subject: str
    site: str
    protocol: Protocol
    zone_calendar: DayCalendar
    enrolled_at: datetime
    visits: tuple[VisitPlan, ...]
    pauses: tuple[Pause, ...]
    withdrawn_at: datetime | None
    facts: SubjectFacts

    def visit(self, name: str) -> VisitPlan | None:
        return next((v for v in self.visits if v.id == name), None)


_NO_FACTS = VisitFacts()


def build_timeline(plan: StudyPlan, history: History) -> Timeline | None:
    """The subject's year as the facts and the calendar give it; None when nobody was enrolled."""
    facts = fold(history)
    if facts.enrolled is None or facts.enrolled_at is None:
        return None
    anchors: dict[str, tuple[date, date | None]] = {}
    visits = []
    zone = plan.calendar.zone
    for encounter in plan.protocol.encounters:
        visit = facts.visits.get(encounter.id)
        attended_at = visit.evidence_at if visit is not None else None
        attended_on = local_date(attended_at, zone) if attended_at is not None else None
        planned = _planned(plan, encounter, facts.enrolled.baseline, anchors)
        anchors[encounter.id] = (planned.derivation.unshifted, attended_on)
        if visit is None:
            visits.append(_untouched(planned))
        else:
            visits.append(_visit(plan, facts, planned, visit, attended_at, attended_on))
    return Timeline(
        history.subject,
        plan.site,
        plan.protocol,
        plan.calendar,
        facts.enrolled_at,
        tuple(visits),
        tuple(facts.pauses),
        facts.withdrawn.at if facts.withdrawn else None,
        facts,
    )


def _planned(
    plan: StudyPlan, encounter: Encounter, baseline: date, anchors: dict[str, tuple[date, date | None]]
) -> PlannedVisit:
    timing = encounter.timing
    if timing.relative_to is None:
        return plan.planned(encounter, baseline, False, False)
    target, attended_on = anchors[timing.relative_to]
    if timing.anchor_basis is AnchorBasis.PLANNED:
        return plan.planned(encounter, target, False, False)
    if attended_on is not None:
        return plan.planned(encounter, attended_on, True, False)
    return plan.planned(encounter, target, False, timing.if_anchor_missed is IfAnchorMissed.BLOCK)


def _untouched(planned: PlannedVisit) -> VisitPlan:
    """A visit of which nothing is recorded yet."""
    return VisitPlan(
        planned, _NO_FACTS, planned.missed_at, None, 0, None, None, None, None, (), planned.slots
    )


def _visit(
    plan: StudyPlan,
    facts: SubjectFacts,
    planned: PlannedVisit,
    visit: VisitFacts,
    attended_at: datetime | None,
    attended_on: date | None,
) -> VisitPlan:
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
    )


def _booking(plan: StudyPlan, visit: VisitFacts) -> Booking | None:
    if not visit.bookings or visit.bookings[-1] is None:
        return None
    local = visit.bookings[-1]
    day = plan.appointment_day(local.date())
    starts_at = at_local(local.date(), local.time(), plan.calendar.zone)
    return Booking(local, starts_at, day.ends_at, day.unconfirmed_at, visit.rebookings, visit.booked_fact)


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
    same = (
        current.regimen.formulation is given.formulation
        and current.regimen.dose_mg == given.dose_mg
        and current.regimen.interval_h == given.interval_h
    )
    if not same:
        return Dose(given, 0.0)
    since = current.since
    if since is None and current.from_instant is not None:
        since = local_date(current.from_instant, plan.calendar.zone)
    return Dose(given, float((day - since).days) if since is not None else None)


def _draws(plan: StudyPlan, visit: VisitFacts) -> tuple[Draw, ...]:
    dose_at = visit.dose.at if visit.dose is not None else None
    draws = []
    for point, earliest, latest in plan.point_windows:
        window = (dose_at + earliest, dose_at + latest) if dose_at is not None else None
        recorded = visit.draws.get(point.id)
        drawn = recorded if type(recorded) is SampleDrawn else None
        not_drawn = recorded if type(recorded) is SampleNotDrawn else None
        draws.append(Draw(point, window, drawn, not_drawn, visit.results.get(point.id)))
    return tuple(draws)


def _draw_slots(plan: StudyPlan, draws: tuple[Draw, ...], withdrawn: Withdrawn | None) -> tuple[Slot, ...]:
    """The reminders of draws that are still to come."""
    slots: list[Slot] = []
    for draw in draws:
        if draw.window is None or draw.drawn is not None or draw.not_drawn is not None:
            continue
        nominal = draw.window[0] + timedelta(minutes=draw.point.nominal_min - draw.point.earliest_min)
        if withdrawn is not None and withdrawn.at <= nominal:
            continue
        for rule in plan.point_rules[draw.point.id]:
            due_at = nominal + rule.sign * rule.value.elapsed
            until = min(due_at + rule.valid_for.elapsed, draw.window[1])
            slots.append(Slot(rule, due_at, until, nominal.isoformat(timespec="minutes")))
    return tuple(slots)
