"""The exposures of the study once a month: when they are due, and whether there is anything new to show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlmodel import Session

from scheduler.domain.civil import DayCalendar, at_local, local_date
from scheduler.domain.events import ExposureMonthDue
from scheduler.domain.keys import exposure_month_key
from scheduler.domain.protocol import Event
from scheduler.engine.reconcile import Handle
from scheduler.engine.study import Study
from scheduler.store.exposures import Tally, aucs_in_force
from scheduler.store.reconciliation import facts_last_told, was_told

__all__ = ["exposure_months", "next_month_at"]

_OF_USE = timedelta(days=7)
"""After a stop the mail is still put in the outbox for so long."""


def exposure_months(
    session: Session, study: Study, now: datetime, handle: Handle, decided: frozenset[str]
) -> frozenset[str]:
    """Hand over what is due now; returns the keys of the months that were decided, with or without a mail.

    A month without an AUC that was computed or amended since the last mail and by its hour has none, whenever and by
    whomever it is looked at. `decided` need no second look.
    """
    done = set()
    for site, calendar in study.calendars.items():
        month = local_date(now, calendar.zone).replace(day=1)
        due = _due_at(study, calendar, month)
        key = exposure_month_key(site, month)
        if due is None or not due <= now < due + _OF_USE or key in decided:
            continue
        done.add(key)
        tally = aucs_in_force(session, _last_told(session, site), due)
        if tally.new > 0 and not was_told(session, key):
            handle(session, [_event(site, month, due, key, tally)], now)
    return frozenset(done)


def next_month_at(study: Study, now: datetime) -> datetime | None:
    """The next instant at which a month is due; None without a site, or where none opens for a month."""
    return min(
        (at for calendar in study.calendars.values() for at in _coming(study, calendar, now)), default=None
    )


def _coming(study: Study, calendar: DayCalendar, now: datetime) -> Iterator[datetime]:
    month = local_date(now, calendar.zone).replace(day=1)
    for one in (month, _next(month)):
        at = _due_at(study, calendar, one)
        if at is not None and at > now:
            yield at


def _due_at(study: Study, calendar: DayCalendar, month: date) -> datetime | None:
    """The hour of the digest on the first open day of a month, in the site's zone."""
    days = (month + timedelta(days=ahead) for ahead in range((_next(month) - month).days))
    first = next(filter(calendar.is_open, days), None)
    return None if first is None else at_local(first, study.newest[1].digest_at, calendar.zone)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _last_told(session: Session, site: str) -> datetime | None:
    """When the last month that a mail told of was looked at."""
    until = facts_last_told(session, exposure_month_key(site, None)).get("until")
    return datetime.fromisoformat(until) if until else None


def _event(site: str, month: date, due: datetime, key: str, tally: Tally) -> ExposureMonthDue:
    return ExposureMonthDue(
        event=Event.EXPOSURE_MONTH,
        site=site,
        month=month,
        until=tally.until,
        subjects=tally.subjects,
        aucs=tally.aucs,
        new=tally.new,
        expires_at=due + _OF_USE,
        key=key,
    )
