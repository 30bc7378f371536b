"""The daily anchor: the head of the audit chain, sent out of the house while nobody has touched it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from scheduler.domain.civil import at_local, local_date
from scheduler.domain.events import AuditAnchored
from scheduler.domain.keys import anchor_key
from scheduler.engine.reconcile import Handle
from scheduler.engine.study import Study
from scheduler.store import audit
from scheduler.store.audit_read import anchors_sent
from scheduler.store.reconciliation import was_told

__all__ = ["anchor_step", "next_anchor_at"]


def anchor_step(
    session: Session, study: Study, now: datetime, handle: Handle, decided: frozenset[str]
) -> frozenset[str]:
    """Hand over the anchors that are due today; returns the keys of those that need no second look.

    A chain that had not grown by that hour since the last anchor needs no new one, however late it is looked at.
    """
    due = [(site, key, hour) for site, key, hour in _keys(study, now) if key not in decided]
    for site, key, hour in due:
        if was_told(session, key):
            continue
        head = audit.head(session, by=hour)
        if head.seq and head not in anchors_sent(session, site):
            handle(session, [AuditAnchored(site, head.seq, head.hash, key)], now)
    return frozenset(key for _, key, _ in due)


def next_anchor_at(study: Study, now: datetime) -> datetime | None:
    """The next instant at which an anchor is due."""
    coming = []
    for calendar in study.calendars.values():
        today = local_date(now, calendar.zone)
        at = at_local(today, study.newest[1].digest_at, calendar.zone)
        coming.append(
            at if at > now else at_local(today + timedelta(days=1), study.newest[1].digest_at, calendar.zone)
        )
    return min(coming, default=None)


def _keys(study: Study, now: datetime) -> list[tuple[str, str, datetime]]:
    """The sites whose hour has come today, each with the key of its anchor and that hour."""
    found = []
    for site, calendar in study.calendars.items():
        today = local_date(now, calendar.zone)
        hour = at_local(today, study.newest[1].digest_at, calendar.zone)
        if now >= hour:
            found.append((site, anchor_key(site, today.isoformat()), hour))
    return found
