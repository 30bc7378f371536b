"""The daily mail: one per person, on working days, in the site's morning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, or_, select
from sqlmodel import Session, col

from notifications import outbox
from notifications.calm import MailSite
from notifications.directory import with_roles
from notifications.discretion import discreet
from notifications.messages import DIGEST, Message, digest_key
from notifications.outbox import IS_OPEN, OUTBOX, reason_in
from notifications.states import State
from scheduler.domain.civil import at_local, local_date
from scheduler.domain.flags import Severity
from scheduler.domain.protocol import Protocol, VisitStatus
from scheduler.domain.reason import because, from_json
from scheduler.store.lab import any_held, held_rows
from scheduler.store.tables import (
    AcknowledgementRow,
    FactRow,
    FlagRow,
    LabFileRow,
    SubjectRow,
    VisitRow,
)

__all__ = ["digest_context", "digest_step", "next_digest_at"]

_AHEAD_STATUSES = (VisitStatus.BOOKED, VisitStatus.PLANNED, VisitStatus.WINDOW_OPEN)

# The statements of every digest, made once; they read what is said and no more.
_FLAGS = (
    select(
        col(FlagRow.key), col(FlagRow.code), col(FlagRow.severity), col(FlagRow.subject), col(FlagRow.visit),
        col(FlagRow.reason), col(FlagRow.since), col(FlagRow.opened_at),
    )
    .where(col(FlagRow.site_id) == bindparam("site"), col(FlagRow.closed_at).is_(None))
    .order_by(col(FlagRow.severity), col(FlagRow.since), col(FlagRow.key))
)  # fmt: skip
_SEEN_FACTS = select(col(FactRow.payload), col(FactRow.recorded_at)).where(
    col(FactRow.kind) == "flag_acknowledged",
    col(FactRow.subject).in_(bindparam("subjects", expanding=True)),
)
_SEEN = (
    select(col(AcknowledgementRow.flag_key), func.max(col(AcknowledgementRow.at)))
    .where(col(AcknowledgementRow.flag_key).in_(bindparam("keys", expanding=True)))
    .group_by(col(AcknowledgementRow.flag_key))
)
_VISITS = (
    select(col(VisitRow.subject), col(VisitRow.visit), col(VisitRow.booked_local), col(VisitRow.target))
    .join(SubjectRow, col(SubjectRow.code) == col(VisitRow.subject))
    .where(
        col(SubjectRow.site_id) == bindparam("site"),
        or_(*(col(VisitRow.status) == status.value for status in _AHEAD_STATUSES)),
        or_(
            # an appointment is a local time in ISO form, whose order is that of its text
            and_(
                col(VisitRow.booked_local) >= bindparam("first_text"),
                col(VisitRow.booked_local) < bindparam("end_text"),
            ),
            and_(
                col(VisitRow.booked_local).is_(None),
                col(VisitRow.target) >= bindparam("first"),
                col(VisitRow.target) < bindparam("end"),
            ),
        ),
    )
)
_FILES = select(col(LabFileRow.id), col(LabFileRow.original_name)).where(
    col(LabFileRow.id).in_(bindparam("these", expanding=True)), col(LabFileRow.site_id) == bindparam("site")
)
_UNDELIVERED = (
    select(
        OUTBOX.c.id, OUTBOX.c.staff_id, OUTBOX.c.template, OUTBOX.c.subject, OUTBOX.c.visit, OUTBOX.c.state,
        OUTBOX.c.reason,
    )
    .where(
        or_(*(OUTBOX.c.state == state.value for state in (State.FAILED, State.UNCERTAIN, State.EXPIRED))),
        OUTBOX.c.not_before > bindparam("since"),
        OUTBOX.c.site_id == bindparam("site"),
        OUTBOX.c.template != DIGEST,
    )
    .order_by(OUTBOX.c.id)
)  # fmt: skip
_WAITING = select(func.count()).where(
    OUTBOX.c.site_id == bindparam("site"),
    IS_OPEN,
    OUTBOX.c.not_before < bindparam("before"),
)

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
    return outbox.enqueue(session, message, people, lambda _: {"day": today.isoformat()}, domain, now)


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
    flags = session.connection().execute(_FLAGS, {"site": site}).all()
    seen_at = _acknowledged(session, flags)
    unseen = [flag for flag in flags if flag.opened_at > seen_at.get(flag.key, _NEVER_SEEN)]
    told = [flag for flag in unseen if flag.severity < Severity.KNOW or flag.opened_at > now - _NEWS]
    return [_flag(flag) for flag in told], len(unseen) - len(told)


_NEVER_SEEN = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


def _flag(flag: Row[Any]) -> dict[str, Any]:
    return {
        "code": flag.code,
        "severity": flag.severity,
        "subject": flag.subject,
        "visit": flag.visit,
        "reason": discreet(from_json(flag.reason), flag.subject or "", flag.visit or ""),
        "closes": because(f"closes_{flag.code}"),
        "since": flag.since,
    }


def _acknowledged(session: Session, flags: Sequence[Row[Any]]) -> dict[str, datetime]:
    """Flag key → when a person last said that it has been seen."""
    keys = [flag.key for flag in flags]
    if not keys:
        return {}
    connection = session.connection()
    found: dict[str, datetime] = dict(connection.execute(_SEEN, {"keys": keys}).all())
    subjects = sorted({flag.subject for flag in flags if flag.subject is not None})
    for payload, at in connection.execute(_SEEN_FACTS, {"subjects": subjects}):
        key = payload.get("flag", "")
        found[key] = max(found.get(key, _NEVER_SEEN), at)
    return found


def _visits_ahead(session: Session, site: str, today: date) -> list[dict[str, Any]]:
    """The appointments of the next seven days, then the visits whose target lies there and that have none."""
    end = today + _AHEAD
    asked = {
        "site": site,
        "first": today,
        "end": end,
        "first_text": today.isoformat(),
        "end_text": end.isoformat(),
    }
    found = []
    for row in session.connection().execute(_VISITS, asked):
        booked = datetime.fromisoformat(row.booked_local) if row.booked_local else None
        one = {"subject": row.subject, "visit": row.visit, "booked": booked, "target": row.target}
        found.append((booked is None, booked or datetime.combine(row.target, time()), row.subject, one))
    return [one for *_, one in sorted(found, key=lambda entry: entry[:3])]


def _held_rows(session: Session, site: str) -> list[dict[str, Any]]:
    """The files of which rows are still held, with their number."""
    if not any_held(session):
        return []
    held: Counter[int | None] = Counter(row.file_id for row in held_rows(session))
    counts: Counter[str] = Counter()
    for file_id, name in session.connection().execute(_FILES, {"site": site, "these": list(held)}):
        counts[name] += held[file_id]
    return [{"name": " ".join(name.split())[:120], "count": count} for name, count in sorted(counts.items())]


def _undelivered(session: Session, site: str, now: datetime) -> list[dict[str, Any]]:
    """The mails of the last days that never left, or of which nobody knows."""
    rows = session.connection().execute(_UNDELIVERED, {"site": site, "since": now - _UNDELIVERED_SINCE})
    return [
        {
            "id": row.id,
            "staff": row.staff_id,
            "template": row.template,
            "subject": row.subject,
            "visit": row.visit,
            "state": row.state,
            "reason": reason_in(row.reason),
        }
        for row in rows
    ]


def _waiting(session: Session, site: str, now: datetime) -> int:
    """How many mails should have left by now and have not."""
    asked = {"site": site, "before": now - _WAITS_LONG}
    return int(session.connection().execute(_WAITING, asked).scalar_one())
