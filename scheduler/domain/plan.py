"""What should be recorded and said at an instant, and how that differs from what already was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from scheduler.domain import keys
from scheduler.domain.events import (
    Days,
    DomainEvent,
    ExposureChanged,
    ReminderDue,
    VisitRebooked,
    VisitReplanned,
)
from scheduler.domain.exposure import VisitExposures
from scheduler.domain.flag_rules import flags_of
from scheduler.domain.flags import Flag
from scheduler.domain.protocol import NOT_DRAWN, RECORDS_MISSING, RESULTS_OVERDUE, Event, VisitStatus
from scheduler.domain.reason import Reason
from scheduler.domain.recorded import Recorded, RecordedDraw, RecordedVisit
from scheduler.domain.status import MissingKind, VisitView, view_visit
from scheduler.domain.timeline import NEVER, Draw, Slot, Timeline

__all__ = [
    "Changes",
    "Desired",
    "DueReminder",
    "ExposureChange",
    "as_recorded",
    "assess",
    "diff",
    "is_silent",
    "is_still_due",
]


class DueReminder(NamedTuple):
    """A reminder whose instant has come and whose condition holds; `expired` when it comes too late."""

    visit: str
    slot: Slot
    key: str
    expired: bool


class Desired(NamedTuple):
    """What is true of a subject at `now`; nothing in it can differ before `next_change`."""

    views: tuple[VisitView, ...]
    flags: tuple[Flag, ...]
    reminders: tuple[DueReminder, ...]
    exposures: Mapping[str, VisitExposures]
    next_change: datetime | None


@dataclass(frozen=True, slots=True)
class ExposureChange:
    """A new version of a visit's exposures; `found` is None when they no longer stand."""

    visit: str
    version: int
    found: VisitExposures | None


class Changes(NamedTuple):
    """What must be written; empty when everything is as it should be."""

    visits: tuple[tuple[str, RecordedVisit], ...]
    opened: tuple[Flag, ...]
    reworded: tuple[Flag, ...]
    closed: tuple[str, ...]
    reminders: tuple[DueReminder, ...]
    exposures: tuple[ExposureChange, ...]
    events: tuple[DomainEvent, ...]

    @property
    def is_empty(self) -> bool:
        return not (
            self.visits or self.opened or self.reworded or self.closed or self.reminders or self.exposures
        )


def assess(timeline: Timeline, exposures: Mapping[str, VisitExposures], now: datetime) -> Desired:
    """What is true at `now`, what is due, and when that can next change. A step function of time."""
    views = tuple([view_visit(timeline, plan, now) for plan in timeline.visits])
    until = min([view.until for view in views])
    reminders: list[DueReminder] = []
    on_hold = bool(timeline.pauses) and timeline.pauses[-1].end is None
    for view in views:
        if view.status in _SILENT or (on_hold and view.plan.attended_at is None):
            continue
        until = min(until, _due(timeline.subject, view, now, reminders))
    flags = tuple(flags_of(timeline, views, exposures, now))
    return Desired(views, flags, tuple(reminders), exposures, until if until < NEVER else None)


_SILENT = frozenset({VisitStatus.COMPLETE, VisitStatus.CANCELLED, VisitStatus.NOT_APPLICABLE})


def is_silent(status: VisitStatus) -> bool:
    """Whether a visit calls for no reminder, whatever the rules say."""
    return status in _SILENT


def _due(subject: str, view: VisitView, now: datetime, found: list[DueReminder]) -> datetime:
    """Adds the reminders of one visit that are due; returns the next instant at which one changes."""
    until = NEVER
    for slot in view.plan.slots:
        due_at, valid_until = slot.due_at, slot.valid_until
        if now < due_at:
            if due_at < until:
                until = due_at
        elif is_still_due(view, slot):
            expired = now >= valid_until
            if not expired:
                until = min(until, valid_until)
            key = keys.reminder_key(subject, view.plan.id, slot.rule.id, slot.target)
            found.append(DueReminder(view.plan.id, slot, key, expired))
    return until


def is_still_due(view: VisitView, slot: Slot) -> bool:
    """Whether a reminder's condition holds for the visit as it is."""
    wanted = slot.rule.while_
    return (
        view.status in wanted
        or NOT_DRAWN in wanted
        or (view.results_overdue and RESULTS_OVERDUE in wanted)
        or (RECORDS_MISSING in wanted and _records_missing(view))
    )


def _records_missing(view: VisitView) -> bool:
    """Whether an incomplete visit lacks more than results that the laboratory will still send."""
    awaited = (one.kind is MissingKind.RESULT and not one.lost for one in view.missing)
    return view.status is VisitStatus.INCOMPLETE and not all(awaited)


_DrawRow = tuple[str, datetime | None, datetime | None, datetime | None, str | None, str | None, str | None]
_VisitRow = tuple[
    VisitStatus, Reason, date, date, date, datetime | None, int, datetime | None, tuple[Reason, ...],
    tuple[_DrawRow, ...], str | None,
]  # fmt: skip


def as_recorded(view: VisitView) -> RecordedVisit:
    """The row that a visit should have."""
    return _named(_row(view))


def _named(row: _VisitRow) -> RecordedVisit:
    return RecordedVisit(*row[:-2], tuple([RecordedDraw(*draw) for draw in row[-2]]), row[-1])


def _row(view: VisitView) -> _VisitRow:
    """The fields of `as_recorded`, without names: enough to compare, which is all that nearly every look needs."""
    plan = view.plan
    planned = plan.planned
    return (
        view.status,
        view.reason,
        planned.target,
        planned.first,
        planned.last,
        plan.booking.local if plan.booking is not None else None,
        plan.booking_sequence,
        plan.attended_at,
        tuple([one.reason for one in view.missing]) if view.missing else (),
        tuple(sorted(map(_draw_row, plan.draws))) if plan.draws else (),
        plan.amended_by,
    )


def _draw_row(draw: Draw) -> _DrawRow:
    point, window, drawn, not_drawn, result, _ = draw
    window_from, window_to = window or (None, None)
    return (
        point.id,
        window_from,
        window_to,
        drawn.at if drawn is not None else None,
        drawn.tube if drawn is not None else None,
        not_drawn.reason if not_drawn is not None else None,
        str(result.version.status) if result is not None else None,
    )


def diff(subject: str, desired: Desired, recorded: Recorded) -> Changes:
    """What to write and what to announce. Applied and asked again, it gives nothing."""
    events: list[DomainEvent] = []
    visits = []
    for view in desired.views:
        name, row = view.plan.id, _row(view)
        before = recorded.visits.get(name)
        if before == row:
            continue
        wanted = _named(row)
        if before is not None and before.sequence > wanted.sequence:
            wanted = wanted._replace(sequence=before.sequence)
            if before == wanted:
                continue
        event = _rebooked(subject, name, before, wanted) or _replanned(subject, name, before, wanted)
        if event is not None:
            events.append(event)
            wanted = wanted._replace(sequence=event.sequence)
        visits.append((name, wanted))
    open_flags = recorded.open_flags
    wanted_flags = {flag.key: flag for flag in desired.flags}
    opened = tuple([flag for key, flag in wanted_flags.items() if key not in open_flags])
    reworded = tuple(
        [flag for key, flag in wanted_flags.items() if open_flags.get(key, flag.reason) != flag.reason]
    )
    closed = tuple([key for key in open_flags if key not in wanted_flags])
    reminders = tuple([one for one in desired.reminders if one.key not in recorded.reminder_keys])
    events += [ReminderDue(subject, one.visit, one.slot, one.key) for one in reminders if not one.expired]
    exposures = tuple(_exposure_changes(subject, desired, recorded, events))
    return Changes(tuple(visits), opened, reworded, closed, reminders, exposures, tuple(events))


def _rebooked(
    subject: str, visit: str, before: RecordedVisit | None, wanted: RecordedVisit
) -> VisitRebooked | None:
    """An appointment made, moved or taken back; one in a visit that ended by attendance is history.

    Its sequence exceeds that of the announcement before, also when no booking changed: a withdrawal, a resumption
    after the window, and their corrections take appointments back and restore them.
    """
    old = before.booked_local if before is not None and not _is_off(before.status) else None
    new = wanted.booked_local if not _is_off(wanted.status) else None
    if old == new or wanted.attended_at is not None:
        return None
    made = Event.VISIT_MOVED if new is not None else Event.VISIT_CANCELLED
    event = Event.VISIT_BOOKED if old is None else made
    announced = before is not None and (before.booked_local is not None or before.sequence > 0)
    sequence = max(wanted.sequence, before.sequence + 1) if before and announced else wanted.sequence
    return VisitRebooked(
        event, subject, visit, old, new, sequence, keys.booking_key(subject, visit, sequence)
    )


def _replanned(
    subject: str, visit: str, before: RecordedVisit | None, wanted: RecordedVisit
) -> VisitReplanned | None:
    """Another version puts a visit that is still to come on other days, has none such, or has it again.

    Other changes of its days are no event.
    """
    if before is None or wanted.attended_at is not None:
        return None
    old, new = _days(before), _days(wanted)
    if old == new or (old is not None and new is not None and before.amended_by == wanted.amended_by):
        return None
    if any(_is_off(one.status) and not _is_left_out(one) for one in (before, wanted)):
        return None
    sequence = max(wanted.sequence, before.sequence + 1)
    key = keys.replanned_key(subject, visit, sequence)
    return VisitReplanned(Event.VISIT_REPLANNED, subject, visit, old, new, wanted.booked_local, sequence, key)


def _days(row: RecordedVisit) -> Days | None:
    return None if _is_left_out(row) else Days(row.target, row.first, row.last)


def _is_left_out(row: RecordedVisit) -> bool:
    return row.reason.code == "status_left_out"


def _is_off(status: VisitStatus) -> bool:
    return status in (VisitStatus.CANCELLED, VisitStatus.NOT_APPLICABLE)


def _exposure_changes(
    subject: str, desired: Desired, recorded: Recorded, events: list[DomainEvent]
) -> Iterator[ExposureChange]:
    """A new version wherever the inputs are others; an announcement only where what is shown is another."""
    for visit in {**recorded.exposures, **desired.exposures}:
        before, found = recorded.exposures.get(visit), desired.exposures.get(visit)
        wanted_hash = found.inputs_hash if found is not None else None
        if wanted_hash == (before.inputs_hash if before is not None else None):
            continue
        version = before.version + 1 if before is not None else 1
        yield ExposureChange(visit, version, found)
        now_shown = found.shown if found is not None else None
        was_shown = before.shown if before is not None else None
        if now_shown != was_shown:
            told = Event.AUC_AMENDED if was_shown is not None else Event.AUC_AVAILABLE
            event = told if now_shown is not None else Event.AUC_WITHDRAWN
            key = keys.exposure_key(subject, visit, version)
            events.append(ExposureChanged(event, subject, visit, version, key))
