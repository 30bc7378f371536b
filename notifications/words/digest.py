"""The daily mail: one per person, on working days, in the site's morning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, or_, select
from sqlmodel import Session

from notifications.messages.message import DIGEST, Message, digest_key
from notifications.outbox import posting
from notifications.outbox.calm import MailSite
from notifications.outbox.directory import Person, with_roles
from notifications.outbox.queue import IS_OPEN, OUTBOX, reason_in
from notifications.outbox.states import State
from notifications.words.discretion import discreet, one_line
from scheduler.domain.civil import at_local, local_date
from scheduler.domain.protocol import Protocol
from scheduler.domain.reason import because, from_json
from scheduler.store.worklist import Coming, held_files, visits_ahead, worklist

__all__ = ["digest_context", "digest_step", "mail_trouble", "next_digest_at"]

# The statements of every digest, made once; they read what is said and no more.
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
_WAITS_LONG = timedelta(minutes=10)
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

    def facts(person: Person) -> dict[str, Any]:
        """The same for everybody but the laboratory, which is led to no page."""
        laboratory = set(person.roles) & set(message.roles) == {"laboratory"}
        return {"day": today.isoformat(), **({"roles": ["laboratory"]} if laboratory else {})}

    people = with_roles(session, site.id, message.roles)
    return posting.enqueue(session, message, people, facts, domain, now)


def digest_context(session: Session, site: str, today: date, now: datetime) -> dict[str, Any]:
    """What a site's people are told this morning."""
    found = worklist(session, site, now)
    flags = [_flag(flag) for flag in found.flags]
    held = _held_rows(session, site)
    trouble = mail_trouble(session, site, now)
    return {
        "flags": flags,
        "older": found.older,
        "visits": [_coming(one) for one in visits_ahead(session, site, today)],
        "held": held,
        **trouble,
        "empty": not (flags or held or trouble["undelivered"] or trouble["waiting"]),
    }


def _flag(flag: Row[Any]) -> dict[str, Any]:
    return {
        "id": flag.id,
        "code": flag.code,
        "severity": flag.severity,
        "subject": flag.subject,
        "visit": flag.visit,
        "reason": discreet(from_json(flag.reason), flag.subject or "", flag.visit or ""),
        "closes": because(f"closes_{flag.code}"),
        "since": flag.since,
    }


def _coming(one: Coming) -> dict[str, Any]:
    return {"subject": one.subject, "visit": one.visit, "booked": one.booked, "target": one.target}


def _held_rows(session: Session, site: str) -> list[dict[str, Any]]:
    """The files of which rows are still held, with their number; files of one name together."""
    counts: Counter[str] = Counter()
    for file in held_files(session, site):
        counts[one_line(file.name)] += file.count
    return [{"name": name, "count": count} for name, count in counts.items()]


def mail_trouble(session: Session, site: str, now: datetime) -> dict[str, Any]:
    """The mails of a site that did not arrive, or may not have, and how many wait too long."""
    return {"undelivered": _undelivered(session, site, now), "waiting": _waiting(session, site, now)}


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
