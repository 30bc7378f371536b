"""Which lists are due to the laboratories: of overdue results once a day, of the week once a week."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from sqlmodel import Session

from config.schema import LabFile
from scheduler.domain.civil import DayCalendar, at_local, local_date, start_of_day
from scheduler.domain.events import LabListDue, LabListKind
from scheduler.domain.keys import laboratory_key
from scheduler.domain.reconciliation import LineState
from scheduler.engine.reconcile import Handle
from scheduler.engine.study import Study
from scheduler.store.reconciliation import load_tally, overdue_tubes, tubes_last_told, was_told

__all__ = ["laboratory_lists", "next_list_at", "week_before"]

_USELESS_FROM = time(18)
_WEEK = timedelta(days=7)
_SAYS_SOMETHING = frozenset({LineState.MISSING, LineState.HELD, LineState.WITHOUT_DRAW, LineState.RECEIVED})


def laboratory_lists(
    session: Session, study: Study, now: datetime, handle: Handle, decided: frozenset[str]
) -> frozenset[str]:
    """Hand over the lists that are due now; returns the keys of those that were decided, with or without a mail.

    `decided` are those that need not be looked at again.
    """
    done = set()
    for lab in study.labs.values():
        for event in _due(study, lab, now):
            if event.key in decided:
                continue
            done.add(event.key)
            if not was_told(session, event.key):
                _tell(session, event, now, handle)
    return frozenset(done)


def next_list_at(study: Study, now: datetime) -> datetime | None:
    """The next instant at which a list is due; None when nobody is to be sent one."""
    coming = [
        at
        for lab in study.labs.values()
        for ahead in range(15)
        for _, at in _instants(study, lab, _today(study, lab, now) + timedelta(days=ahead))
        if at > now
    ]
    return min(coming, default=None)


def week_before(day: date, calendar: DayCalendar) -> tuple[datetime, datetime]:
    """The seven civil days before a day of the site."""
    return start_of_day(day - _WEEK, calendar.zone), start_of_day(day, calendar.zone)


def _today(study: Study, lab: LabFile, now: datetime) -> date:
    return local_date(now, study.calendars[lab.site].zone)


def _instants(study: Study, lab: LabFile, day: date) -> Iterator[tuple[LabListKind, datetime]]:
    """What is due to a laboratory on a day, and when."""
    calendar = study.calendars[lab.site]
    if not any(one.active for one in lab.contacts) or not calendar.is_open(day):
        return
    yield LabListKind.OVERDUE, at_local(day, study.newest[1].digest_at, calendar.zone)
    if _list_day(lab, day, calendar) == day:
        yield LabListKind.WEEK, at_local(day, time.fromisoformat(lab.reconciliation.at), calendar.zone)


def _scheduled(lab: LabFile, day: date) -> date:
    """The last day, this one included, that is the laboratory's weekday."""
    return day - timedelta(days=(day.isoweekday() - lab.reconciliation.weekday) % 7)


def _list_day(lab: LabFile, day: date, calendar: DayCalendar) -> date | None:
    """The day on which the list of this week is sent: its weekday, or the next open day before it comes again."""
    scheduled = _scheduled(lab, day)
    days = (scheduled + timedelta(days=ahead) for ahead in range(7))
    return next(filter(calendar.is_open, days), None)


def _due(study: Study, lab: LabFile, now: datetime) -> Iterator[LabListDue]:
    """What is due to a laboratory now: at its hour or later on the same day, after a stop."""
    day, calendar = _today(study, lab, now), study.calendars[lab.site]
    for kind, at in _instants(study, lab, day):
        until = max(at_local(day, _USELESS_FROM, calendar.zone), at + timedelta(hours=1))
        if at <= now < until:
            about = day if kind is LabListKind.OVERDUE else _scheduled(lab, day)
            first, end = week_before(about, calendar)
            key = laboratory_key(kind, lab.code, about.isoformat())
            yield LabListDue(kind, lab.site, lab.code, first, end, until, key)


def _tell(session: Session, event: LabListDue, now: datetime, handle: Handle) -> None:
    if event.kind is LabListKind.WEEK:
        lines = load_tally(session, event.site, event.lab, event.first, event.until)
        if any(line.state in _SAYS_SOMETHING for line in lines):
            handle(session, [event], now)
        return
    tubes = tuple(" ".join(line.place) for line in overdue_tubes(session, event.site, event.lab, now))
    if set(tubes) - tubes_last_told(session, laboratory_key(event.kind, event.lab, "")):
        handle(session, [replace(event, tubes=tubes)], now)
