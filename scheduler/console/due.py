"""The dates of a matter as its reader sees them: civil days of the site, only where the protocol sets them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from scheduler.domain.civil import local_date
from scheduler.domain.due import due_at, raised_at
from scheduler.domain.reason import Reason
from scheduler.domain.speech import Speaker

__all__ = ["day_raised", "last_day"]

_INSTANT = timedelta(microseconds=1)


def last_day(reason: Reason, speaker: Speaker) -> date | None:
    """The last day before a matter becomes another one."""
    limit = due_at(reason)
    return local_date(limit - _INSTANT, speaker.zone) if limit is not None else None


def day_raised(reason: Reason, speaker: Speaker, now: datetime) -> date | None:
    """The day on which others will be told; None when they were."""
    moment = raised_at(reason)
    return local_date(moment, speaker.zone) if moment is not None and moment > now else None
