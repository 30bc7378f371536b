"""What the calendar alone says of a visit: target, window, reminders; the same for all with the same anchor date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from scheduler.domain.civil import DayCalendar, add_period, at_local, local_date, start_of_day
from scheduler.domain.protocol import AnchorBasis, Encounter, Protocol, ReminderRule, Shift, Trigger

__all__ = ["NEVER", "AppointmentDay", "AttendedDay", "Derivation", "PlannedVisit", "Slot", "StudyPlan"]

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a target date came about."""

    anchor: str | None
    anchor_date: date
    anchor_is_actual: bool
    unshifted: date
    shift: Shift
    no_open_day: bool = False
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A reminder with its instants: due, and no longer worth sending. `target` is the date in its key."""

    rule: ReminderRule
    due_at: datetime
    valid_until: datetime
    target: str


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """What the calendar alone says of a visit; shared by all subjects with the same anchor date."""

    encounter: Encounter
    target: date
    first: date
    last: date
    opens_at: datetime
    closes_at: datetime
    overdue_at: datetime
    missed_at: datetime
    derivation: Derivation
    slots: tuple[Slot, ...]
    instants: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class AppointmentDay:
    """What the calendar says of a day with an appointment."""

    ends_at: datetime
    unconfirmed_at: datetime
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class AttendedDay:
    """What the calendar says of the day of a visit: by when its records and its results are expected."""

    records_by: datetime
    results_by: datetime
    slots: tuple[Slot, ...]


_BY_CALENDAR = {Trigger.WINDOW_OPEN, Trigger.TARGET, Trigger.WINDOW_CLOSE, Trigger.OVERDUE, Trigger.MISSED}


class StudyPlan:
    """A protocol at a site; remembers what the calendar says for each anchor date and each day."""

    def __init__(self, protocol: Protocol, site: str, calendar: DayCalendar) -> None:
        self.protocol = protocol
        self.site = site
        self.calendar = calendar
        by_trigger: dict[str, list[ReminderRule]] = {}
        for rule in protocol.reminders:
            by_trigger.setdefault(rule.trigger, []).append(rule)
        self.missed_rules = by_trigger.get(Trigger.MISSED, [])
        self.calendar_rules = [r for r in protocol.reminders if r.trigger in _BY_CALENDAR]
        self.booking_rules = by_trigger.get(Trigger.BOOKING, [])
        self.attended_rules = [*by_trigger.get(Trigger.ATTENDED, []), *by_trigger.get(Trigger.DRAWS, [])]
        self.point_windows = [
            (p, timedelta(minutes=p.earliest_min), timedelta(minutes=p.latest_min)) for p in protocol.points
        ]
        self.point_rules = {p.id: by_trigger.get(p.id, []) for p in protocol.points}
        timings = [e.timing for e in protocol.encounters]
        followed = {t.relative_to for t in timings if t.anchor_basis is AnchorBasis.ACTUAL}
        self.anchors = tuple(e.id for e in protocol.encounters if e.id in followed)
        self._planned: dict[tuple[str, date, bool, bool], PlannedVisit] = {}
        self._appointment_days: dict[date, AppointmentDay] = {}
        self._attended_days: dict[date, AttendedDay] = {}

    def planned(self, encounter: Encounter, anchor: date, actual: bool, blocked: bool) -> PlannedVisit:
        """The calendar of an encounter for an anchor date; made once."""
        key = (encounter.id, anchor, actual, blocked)
        found = self._planned.get(key)
        if found is None:
            found = self._planned[key] = self._plan(encounter, anchor, actual, blocked)
        return found

    def appointment_day(self, day: date) -> AppointmentDay:
        """The calendar of an appointment's day; made once."""
        found = self._appointment_days.get(day)
        if found is None:
            zone, within = self.calendar.zone, self.protocol.limits.attendance_within
            ends_at = start_of_day(day + timedelta(days=1), zone)
            unconfirmed_at = start_of_day(day + timedelta(days=within.days), zone)
            slots = [
                self.day_slot(rule, day, NEVER if rule.sign > 0 else ends_at, day.isoformat())
                for rule in self.booking_rules
            ]
            found = self._appointment_days[day] = AppointmentDay(ends_at, unconfirmed_at, tuple(slots))
        return found

    def attended_day(self, day: date) -> AttendedDay:
        """The calendar of the day of a visit; made once."""
        found = self._attended_days.get(day)
        if found is None:
            zone, limits = self.calendar.zone, self.protocol.limits
            records_by = start_of_day(day + timedelta(days=1 + limits.complete_within.days), zone)
            results_by = start_of_day(day + timedelta(days=1 + limits.results_within.days), zone)
            slots = [self.day_slot(rule, day, NEVER, day.isoformat()) for rule in self.attended_rules]
            found = self._attended_days[day] = AttendedDay(records_by, results_by, tuple(slots))
        return found

    def _plan(self, encounter: Encounter, anchor: date, actual: bool, blocked: bool) -> PlannedVisit:
        timing = encounter.timing
        unshifted = add_period(anchor, timing.value, timing.sign)
        first = add_period(unshifted, timing.window_lower, -1)
        last = add_period(unshifted, timing.window_upper)
        target, no_open_day = self._shift(timing.shift, unshifted, first, last)
        zone = self.calendar.zone
        overdue_on = add_period(last, timing.grace) + timedelta(days=1)
        overdue_at = NEVER if blocked else start_of_day(overdue_on, zone)
        missed_at = NEVER if blocked else start_of_day(add_period(overdue_on, timing.expires_after), zone)
        derivation = Derivation(
            timing.relative_to, anchor, actual, unshifted, timing.shift, no_open_day, blocked
        )
        planned = PlannedVisit(
            encounter, target, first, last, start_of_day(first, zone),
            start_of_day(last + timedelta(days=1), zone), overdue_at, missed_at, derivation, (), (),
        )  # fmt: skip
        slots = () if blocked else tuple(self._calendar_slot(rule, planned) for rule in self.calendar_rules)
        instants = set() if blocked else {planned.opens_at, planned.closes_at, overdue_at, missed_at}
        for slot in slots:
            instants |= {slot.due_at, slot.valid_until}
        return replace(planned, slots=slots, instants=tuple(sorted(instants - {NEVER})))

    def _shift(self, shift: Shift, target: date, first: date, last: date) -> tuple[date, bool]:
        if shift is Shift.NONE:
            return target, False
        if shift is Shift.NEAREST_OPEN_DAY:
            found = self.calendar.nearest_open_day(target, first, last)
        else:
            found = self.calendar.next_open_day(target, last)
        return (found, False) if found is not None else (target, True)

    def _calendar_slot(self, rule: ReminderRule, planned: PlannedVisit) -> Slot:
        zone = self.calendar.zone
        reference, until = {
            Trigger.WINDOW_OPEN: (planned.first, planned.closes_at),
            Trigger.TARGET: (planned.target, planned.closes_at),
            Trigger.WINDOW_CLOSE: (planned.last, planned.closes_at),
            Trigger.OVERDUE: (local_date(planned.overdue_at, zone), planned.missed_at),
            Trigger.MISSED: (local_date(planned.missed_at, zone), NEVER),
        }[Trigger(rule.trigger)]
        return self.day_slot(rule, reference, until, planned.target.isoformat())

    def day_slot(self, rule: ReminderRule, reference: date, until: datetime, target: str) -> Slot:
        """A reminder at a local time of a day; `target` is the day that it is about."""
        day = add_period(reference, rule.value, rule.sign) if rule.sign else reference
        due_at = at_local(day, rule.at or time(8), self.calendar.zone)
        return Slot(rule, due_at, min(due_at + rule.valid_for.elapsed, until), target)
