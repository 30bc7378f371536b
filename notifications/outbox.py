"""The outbox: mails are put in with the change they tell of, lent to a sender, put off, taken back, expired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, or_, select

from notifications.calm import BURST_SPAN, MailSite, after_burst, after_closed_days, after_quiet
from notifications.messages import DIGEST, Message
from notifications.states import OPEN, State
from notifications.verdict import Attempt, Settle
from scheduler.domain import keys
from scheduler.domain.protocol import Event
from scheduler.domain.reason import Reason, because, from_json, to_json
from scheduler.store.tables import DeliveryRow, OutboxRow, StaffRow

__all__ = [
    "CLAIM_LEASE",
    "Calm",
    "Claim",
    "Claimed",
    "attempt_of",
    "cancel",
    "claim",
    "end_lease",
    "enqueue",
    "expire",
    "open_state",
    "reason_of",
    "supersede",
    "written",
]

CLAIM_LEASE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Calm:
    """What holds ordinary mail back: the sites' quiet hours and the number per person and hour."""

    sites: Mapping[str, MailSite]
    per_hour: int = 60


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that is ours to send while the token holds."""

    id: int
    token: str
    key: str
    site: str
    staff: str
    template: str
    address: str
    message_id: str
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Claim:
    """What one look at the outbox gave: mails to send now, and how many were put off to a calmer hour."""

    mails: tuple[Claimed, ...]
    put_off: int


def enqueue(
    session: Session, message: Message, person: StaffRow, facts: dict[str, Any], domain: str, now: datetime
) -> bool:
    """Put one person's copy of a message in the outbox; False when it is there already."""
    key = keys.for_recipient(message.key, person.id)
    values = {
        "key": key,
        "topic": message.topic,
        "site_id": person.site_id,
        "subject": message.subject,
        "visit": message.visit,
        "staff_id": person.id,
        "address": person.email,
        "language": person.language,
        "template": message.template,
        "facts": facts,
        "message_id": keys.message_id(key, domain),
        "thread": keys.message_id(message.thread, domain),
        "urgent": message.urgent,
        "state": State.PENDING.value,
        "created_at": now,
        "not_before": message.not_before or now,
        "expires_at": message.expires_at,
        "attempts": 0,
        "uncertain": False,
    }
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(OutboxRow).values(**values).on_conflict_do_nothing().returning(col(OutboxRow.id))
    return session.execute(insert).first() is not None


def claim(session: Session, now: datetime, owner: str, calm: Calm, limit: int) -> Claim:
    """Lease up to `limit` due mails, urgent ones first; those that should wait get a later hour instead."""
    query = (
        select(OutboxRow)
        .where(col(OutboxRow.state).in_(OPEN), OutboxRow.not_before <= now)
        .where(or_(col(OutboxRow.expires_at).is_(None), col(OutboxRow.expires_at) > now))
        .order_by(col(OutboxRow.urgent).desc(), col(OutboxRow.not_before), col(OutboxRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = list(session.exec(query))
    left_at = _left_at(session, {row.address for row in rows}, now)
    token, claimed, put_off = token_hex(8), [], 0
    for row in rows:
        leaves_at = _leaves_at(row, calm, left_at.setdefault(row.address, []), now)
        session.add(row)
        if leaves_at > now:
            row.not_before = leaves_at
            put_off += 1
            continue
        left_at[row.address].append(now)
        row.state, row.lease_owner, row.lease_token = State.LEASED, owner, token
        row.lease_until = now + CLAIM_LEASE
        claimed.append(_claimed(session, row, token, now))
    return Claim(tuple(claimed), put_off)


def expire(session: Session, now: datetime) -> list[OutboxRow]:
    """Put aside the mails that could not leave while they were of use."""
    query = (
        select(OutboxRow)
        .where(col(OutboxRow.state).in_(OPEN), col(OutboxRow.expires_at) <= now)
        .with_for_update(skip_locked=True)
    )
    rows = list(session.exec(query))
    for row in rows:
        row.state = State.UNCERTAIN if row.uncertain else State.EXPIRED
        row.reason = written(because("mail_expired", at=row.expires_at or now))
        session.add(row)
    return rows


def cancel(session: Session, row: OutboxRow, reason: Reason) -> None:
    """Take a mail back that has lost its sense."""
    end_lease(row, State.CANCELLED)
    row.reason = written(reason)
    session.add(row)


def supersede(session: Session, subject: str, visit: str, sequence: int) -> int:
    """Take back unsent mails about earlier states of this appointment."""
    query = select(OutboxRow).where(
        OutboxRow.subject == subject, OutboxRow.visit == visit, col(OutboxRow.state).in_(OPEN)
    )
    count = 0
    for row in session.exec(query.where(col(OutboxRow.uncertain).is_(False))):
        rebooked = row.facts.get("event") in _REBOOKED
        if rebooked and row.facts.get("sequence", sequence) < sequence:
            cancel(session, row, because("mail_superseded"))
            count += 1
    return count


def reason_of(row: OutboxRow) -> Reason | None:
    """Why the mail stands where it stands."""
    return from_json(json.loads(row.reason)) if row.reason else None


_REBOOKED = {Event.VISIT_BOOKED, Event.VISIT_MOVED, Event.VISIT_CANCELLED}


def _leaves_at(row: OutboxRow, calm: Calm, left_at: list[datetime], now: datetime) -> datetime:
    exempt = row.urgent or row.template == DIGEST
    site = calm.sites.get(row.site_id)
    after = now
    if site is not None:
        after = max(rule(site, row.urgent, row.expires_at, now) for rule in (after_quiet, after_closed_days))
    return max(after, after_burst(left_at, calm.per_hour, exempt, row.expires_at, now))


def _left_at(session: Session, addresses: set[str], now: datetime) -> dict[str, list[datetime]]:
    """When mails left for these addresses in the last hour; those under way count as now."""
    query = select(OutboxRow.address, OutboxRow.sent_at).where(
        col(OutboxRow.address).in_(addresses),
        or_(col(OutboxRow.sent_at) > now - BURST_SPAN, col(OutboxRow.state) == State.LEASED),
    )
    found: dict[str, list[datetime]] = {}
    for address, sent_at in session.exec(query):
        found.setdefault(address, []).append(sent_at or now)
    return found


def _claimed(session: Session, row: OutboxRow, token: str, now: datetime) -> Claimed:
    assert row.id is not None
    attempt = attempt_of(session, row, now)
    return Claimed(
        row.id, token, row.key, row.site_id, row.staff_id, row.template, row.address, row.message_id, attempt
    )


def attempt_of(session: Session, row: OutboxRow, now: datetime) -> Attempt:
    since = now
    if row.attempts:
        counted = (Settle.RETRY, Settle.UNCERTAIN_AGAIN)
        query = select(DeliveryRow.started_at).where(
            DeliveryRow.outbox_id == row.id, col(DeliveryRow.outcome).in_(counted)
        )
        since = min(session.exec(query), default=now)
    return Attempt(row.key, row.attempts, since, row.expires_at, row.urgent, row.uncertain)


def open_state(row: OutboxRow) -> State:
    return State.RETRY if row.attempts else State.PENDING


def end_lease(row: OutboxRow, state: State) -> None:
    row.state = state
    row.lease_owner = row.lease_token = row.lease_until = None


def written(reason: Reason) -> str:
    return json.dumps(to_json(reason), ensure_ascii=False)
