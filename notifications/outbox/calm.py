"""When a mail may leave: quiet hours, working days, and not too many at once to one person. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from config.schema import SiteFile
from scheduler.domain.civil import DayCalendar, at_local

__all__ = [
    "MailSite",
    "after_burst",
    "after_closed_days",
    "after_quiet",
    "in_quiet_hours",
    "mail_site",
    "quiet_ends_at",
]

BURST_SPAN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MailSite:
    """What the mails of a site need to know of it."""

    id: str
    name: str
    calendar: DayCalendar
    quiet_from: time
    quiet_until: time


def mail_site(file: SiteFile, calendar: DayCalendar) -> MailSite:
    """The site of a configuration file."""
    return MailSite(
        file.id,
        file.name,
        calendar,
        time.fromisoformat(file.quiet_from),
        time.fromisoformat(file.quiet_until),
    )


def in_quiet_hours(site: MailSite, now: datetime) -> bool:
    """Whether ordinary mail has to wait. Equal bounds mean that there are no quiet hours."""
    clock = now.astimezone(site.calendar.zone).time()
    if site.quiet_from <= site.quiet_until:
        return site.quiet_from <= clock < site.quiet_until
    return clock >= site.quiet_from or clock < site.quiet_until


def quiet_ends_at(site: MailSite, now: datetime) -> datetime:
    """The end of the quiet hours in which `now` lies."""
    zone = site.calendar.zone
    today = now.astimezone(zone).date()
    ends = at_local(today, site.quiet_until, zone)
    return ends if ends > now else at_local(today + timedelta(days=1), site.quiet_until, zone)


def after_quiet(site: MailSite, urgent: bool, expires_at: datetime | None, now: datetime) -> datetime:
    """When the mail may leave: now, or at the end of the quiet hours if it is still of use then."""
    if urgent or not in_quiet_hours(site, now):
        return now
    ends = quiet_ends_at(site, now)
    return ends if expires_at is None or ends < expires_at else now


def after_closed_days(site: MailSite, urgent: bool, expires_at: datetime | None, now: datetime) -> datetime:
    """When a reminder may leave: now, or at the same hour of the next working day if it is still of use then.

    What has no end of use (a changed date, an AUC) tells of something that happened, and does not wait.
    """
    zone = site.calendar.zone
    local = now.astimezone(zone)
    if urgent or expires_at is None or site.calendar.is_open(local.date()):
        return now
    for ahead in range(1, 15):
        day = local.date() + timedelta(days=ahead)
        if site.calendar.is_open(day):
            opens = at_local(day, local.time(), zone)
            return opens if opens < expires_at else now
    return now


def after_burst(
    taken: Sequence[datetime], per_hour: int, exempt: bool, expires_at: datetime | None, now: datetime
) -> datetime:
    """When the mail may leave, with those for the same person that left or are put off to the instants `taken`.

    Now, if fewer than `per_hour` left in the last hour or the mail would be of no use later; else the first instant at
    which the hour before has room for it beside those that are put off already.
    """
    times = sorted(instant for instant in taken if instant > now - BURST_SPAN)
    if exempt or bisect_right(times, now) < per_hour:
        return now
    starts = zip(times, [*times[per_hour:], datetime.max.replace(tzinfo=now.tzinfo)], strict=False)
    free_at = next(first + BURST_SPAN for first, beyond in starts if beyond > first + BURST_SPAN)
    return free_at if expires_at is None or free_at < expires_at else now
