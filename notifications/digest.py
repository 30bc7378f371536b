"""The daily mail: one per person, on working days, in the site's morning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlmodel import Session, col, select

from notifications import outbox
from notifications.calm import MailSite
from notifications.directory import with_roles
from notifications.discretion import discreet
from notifications.messages import DIGEST, Message, digest_key
from notifications.outbox import reason_of
from notifications.states import OPEN, State
from scheduler.domain.civil import at_local, local_date
from scheduler.domain.flags import Severity
from scheduler.domain.protocol import Protocol, VisitStatus
from scheduler.domain.reason import because, from_json
from scheduler.store.lab import held_rows
from scheduler.store.tables import (
    AcknowledgementRow,
    FactRow,
    FlagRow,
    LabFileRow,
    OutboxRow,
    SubjectRow,
    VisitRow,
)

__all__ = ["digest_context", "digest_step", "next_digest_at"]

_USELESS_FROM = time(18)
_AHEAD = timedelta(days=7)
_WAITS_LONG = timedelta(minutes=10)
_NEWS = timedelta(days=3)
_UNDELIVERED_SINCE = timedelta(days=3)


def digest_step(
    session: Session, sites: Mapping[str, MailSite], protocol: Protocol, domain: str, now: datetime
) -> int:
    """Put the digests that are due in the outbox; how many were new. Asked again, it adds none."""
    return sum(_digest_of_site(session, site, protocol, domain, now) for site in sites.values())


def next_digest_at(site: MailSite, digest_at: time, now: datetime) -> datetime | None:
    """The next instant at which a digest is due; None when the site does not open within a month."""
    zone = site.calendar.zone
    today = local_date(now, zone)
    for ahead in range(32):
        day = today + timedelta(days=ahead)
        due_at = at_local(day, digest_at, zone)
        if due_at > now and site.calendar.is_open(day):
            return due_at
    return None


def _digest_of_site(session: Session, site: MailSite, protocol: Protocol, domain: str, now: datetime) -> int:
    zone = site.calendar.zone
    today = local_date(now, zone)
    due_at = at_local(today, protocol.digest_at, zone)
    if now < due_at or not site.calendar.is_open(today):
        return 0
    key = digest_key(site.id, today)
    message = Message(
        template=DIGEST,
        roles=protocol.digest_roles,
        topic=key,
        key=key,
        subject=None,
        visit=None,
        thread=key,
        not_before=due_at,
        expires_at=max(at_local(today, _USELESS_FROM, zone), due_at + timedelta(hours=1)),
    )
    people = with_roles(session, site.id, message.roles)
    return sum(
        outbox.enqueue(session, message, person, {"day": today.isoformat()}, domain, now) for person in people
    )


def digest_context(session: Session, site: str, today: date, now: datetime) -> dict[str, Any]:
    """What a site's people are told this morning."""
    flags, older = _worklist(session, site, now)
    visits = _visits_ahead(session, site, today)
    held = _held_rows(session, site)
    undelivered = _undelivered(session, site, now)
    waiting = _waiting(session, site, now)
    return {
        "flags": flags,
        "older": older,
        "visits": visits,
        "held": held,
        "undelivered": undelivered,
        "waiting": waiting,
        "empty": not (flags or held or undelivered or waiting),
    }


def _worklist(session: Session, site: str, now: datetime) -> tuple[list[dict[str, Any]], int]:
    """The open flags that nobody has acknowledged, the most severe and oldest first.

    What is only to be known is told for some days; after that only how many there are, so that the list keeps
    to what somebody can do something about.
    """
    query = (
        select(FlagRow)
        .where(FlagRow.site_id == site, col(FlagRow.closed_at).is_(None))
        .order_by(col(FlagRow.severity), col(FlagRow.since), col(FlagRow.key))
    )
    flags = list(session.exec(query))
    seen_at = _acknowledged(session, flags)
    unseen = [flag for flag in flags if flag.opened_at > seen_at.get(flag.key, _NEVER_SEEN)]
    told = [flag for flag in unseen if flag.severity < Severity.KNOW or flag.opened_at > now - _NEWS]
    return [_flag(flag) for flag in told], len(unseen) - len(told)


_NEVER_SEEN = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


def _flag(flag: FlagRow) -> dict[str, Any]:
    return {
        "code": flag.code,
        "severity": flag.severity,
        "subject": flag.subject,
        "visit": flag.visit,
        "reason": discreet(from_json(flag.reason), flag.subject or "", flag.visit or ""),
        "closes": because(f"closes_{flag.code}"),
        "since": flag.since,
    }


def _acknowledged(session: Session, flags: Iterable[FlagRow]) -> dict[str, datetime]:
    """Flag key → when a person last said that it has been seen."""
    wanted = {flag.key for flag in flags}
    subjects = {flag.subject for flag in flags if flag.subject is not None}
    found: dict[str, datetime] = {}
    facts = select(FactRow).where(FactRow.kind == "flag_acknowledged", col(FactRow.subject).in_(subjects))
    for fact in session.exec(facts):
        key = fact.payload.get("flag", "")
        found[key] = max(found.get(key, _NEVER_SEEN), fact.recorded_at)
    rows = select(AcknowledgementRow).where(col(AcknowledgementRow.flag_key).in_(wanted))
    for row in session.exec(rows):
        found[row.flag_key] = max(found.get(row.flag_key, _NEVER_SEEN), row.at)
    return found


_AHEAD_STATUSES = (VisitStatus.BOOKED, VisitStatus.PLANNED, VisitStatus.WINDOW_OPEN)


def _visits_ahead(session: Session, site: str, today: date) -> list[dict[str, Any]]:
    """The appointments of the next seven days, then the visits whose target lies there and that have none."""
    query = (
        select(VisitRow)
        .join(SubjectRow, col(SubjectRow.code) == col(VisitRow.subject))
        .where(SubjectRow.site_id == site, col(VisitRow.status).in_(_AHEAD_STATUSES))
    )
    found = []
    for row in session.exec(query):
        booked = datetime.fromisoformat(row.booked_local) if row.booked_local else None
        day = booked.date() if booked is not None else row.target
        if today <= day < today + _AHEAD:
            one = {"subject": row.subject, "visit": row.visit, "booked": booked, "target": row.target}
            found.append((booked is None, booked or datetime.combine(day, time()), row.subject, one))
    return [one for *_, one in sorted(found, key=lambda entry: entry[:3])]


def _held_rows(session: Session, site: str) -> list[dict[str, Any]]:
    """The files of which rows are still held, with their number."""
    counts: dict[str, int] = {}
    for row in held_rows(session):
        file = session.get(LabFileRow, row.file_id)
        if file is not None and file.site_id == site:
            counts[file.original_name] = counts.get(file.original_name, 0) + 1
    return [{"name": " ".join(name.split())[:120], "count": count} for name, count in sorted(counts.items())]


def _undelivered(session: Session, site: str, now: datetime) -> list[dict[str, Any]]:
    """The mails of the last days that never left, or of which nobody knows."""
    query = (
        select(OutboxRow)
        .where(OutboxRow.site_id == site, OutboxRow.template != DIGEST)
        .where(col(OutboxRow.state).in_((State.FAILED, State.UNCERTAIN, State.EXPIRED)))
        .where(col(OutboxRow.not_before) > now - _UNDELIVERED_SINCE)
        .order_by(col(OutboxRow.id))
    )
    return [
        {
            "id": row.id,
            "staff": row.staff_id,
            "template": row.template,
            "subject": row.subject,
            "visit": row.visit,
            "state": row.state,
            "reason": reason_of(row),
        }
        for row in session.exec(query)
    ]


def _waiting(session: Session, site: str, now: datetime) -> int:
    """How many mails should have left by now and have not."""
    query = select(OutboxRow.id).where(
        OutboxRow.site_id == site, col(OutboxRow.state).in_(OPEN), OutboxRow.not_before < now - _WAITS_LONG
    )
    return len(list(session.exec(query)))
