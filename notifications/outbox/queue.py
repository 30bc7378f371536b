"""The outbox: mails are put in with the change they tell of, lent to a sender, put off, taken back, expired."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import bindparam, func, update
from sqlalchemy import select as core_select
from sqlalchemy.orm import defer
from sqlmodel import Session, col, or_, select

from notifications.messages.message import DIGEST
from notifications.outbox.brake import taken_instants
from notifications.outbox.calm import MailSite, after_burst, after_closed_days, after_quiet
from notifications.outbox.states import OPEN, State
from notifications.outbox.verdict import Attempt, Settle
from scheduler.domain.protocol import Event
from scheduler.domain.reason import Reason, because, from_json, to_json
from scheduler.store.tables import DeliveryRow, OutboxRow

__all__ = [
    "CLAIM_LEASE",
    "IS_OPEN",
    "NO_LEASE",
    "OUTBOX",
    "Calm",
    "Claim",
    "Claimed",
    "attempt_of",
    "cancel",
    "cancelled_by",
    "claim",
    "end_lease",
    "expire",
    "open_state",
    "reason_in",
    "reason_of",
    "supersede",
    "written",
]

CLAIM_LEASE = timedelta(minutes=2)
OUTBOX = OutboxRow.__table__
_DELIVERY = DeliveryRow.__table__

# The hot statements, made once. Only what a statement needs is read, and never the bytes of a mail.
# (Not IN: its list would be written out anew at every execution.)
IS_OPEN = or_(*(OUTBOX.c.state == state.value for state in OPEN))
_DUE = (
    select(OutboxRow)
    .options(defer(OutboxRow.body))  # type: ignore[arg-type]
    .where(IS_OPEN, OUTBOX.c.not_before <= bindparam("now"))
    .where(or_(OUTBOX.c.expires_at.is_(None), OUTBOX.c.expires_at > bindparam("now")))
    .order_by(OUTBOX.c.urgent.desc(), OUTBOX.c.not_before, OUTBOX.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_LEND = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("this"))
    .values(
        state=State.LEASED.value,
        lease_owner=bindparam("owner"),
        lease_token=bindparam("token"),
        lease_until=bindparam("until"),
    )
)
_PUT_OFF = update(OUTBOX).where(OUTBOX.c.id == bindparam("this")).values(not_before=bindparam("leaves_at"))
_EXPIRED = (
    select(OutboxRow)
    .options(defer(OutboxRow.body))  # type: ignore[arg-type]
    .where(IS_OPEN, OUTBOX.c.expires_at <= bindparam("now"))
    .with_for_update(skip_locked=True)
)
_COUNTED = (Settle.RETRY.value, Settle.UNCERTAIN_AGAIN.value)
_FIRST_COUNTED = core_select(func.min(_DELIVERY.c.started_at)).where(
    _DELIVERY.c.outbox_id == bindparam("this"), _DELIVERY.c.outcome.in_(_COUNTED)
)


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
    """What one look at the outbox gave: mails to send now, and how many were put off to a calmer hour.

    `rows` are the rows of the mails by number, without their bytes. `more` when the look did not see everything.
    """

    mails: tuple[Claimed, ...]
    put_off: int
    rows: Mapping[int, OutboxRow] = field(default_factory=dict)
    more: bool = False


def claim(
    session: Session,
    now: datetime,
    owner: str,
    calm: Calm,
    limit: int,
    token: str | None = None,
    urgent_at_once: int | None = None,
) -> Claim:
    """Lease up to `limit` due mails, urgent ones first; those that should wait get a later hour instead.

    With `urgent_at_once`, a look that finds urgent mails takes only these, and no more than so many.
    """
    rows = list(session.execute(_DUE, {"now": now, "most": limit}).scalars())
    more = len(rows) == limit
    if urgent_at_once is not None and rows and rows[0].urgent:
        few = [row for row in rows if row.urgent][:urgent_at_once]
        rows, more = few, more or len(few) < len(rows)
    coming = Counter(row.address for row in rows)
    braked = {row.address: coming[row.address] for row in rows if not _exempt(row)}
    taken = taken_instants(session, braked, calm.per_hour, now)
    token = token or token_hex(8)
    lent: list[OutboxRow] = []
    put_off: list[dict[str, Any]] = []
    for row in rows:
        instants = taken.setdefault(row.address, [])
        leaves_at = _leaves_at(row, calm, instants, now)
        instants.append(leaves_at)
        if leaves_at > now:
            put_off.append({"this": row.id, "leaves_at": leaves_at})
        else:
            lent.append(row)
    lease = {"owner": owner, "token": token, "until": now + CLAIM_LEASE}
    if lent:
        session.connection().execute(_LEND, [{"this": row.id, **lease} for row in lent])
    if put_off:
        session.connection().execute(_PUT_OFF, put_off)
    mails = tuple(_claimed(session, row, token, now) for row in lent)
    return Claim(mails, len(put_off), {row.id: row for row in lent if row.id is not None}, more)


def expire(session: Session, now: datetime) -> list[OutboxRow]:
    """Put aside the mails that could not leave while they were of use."""
    rows = list(session.execute(_EXPIRED, {"now": now}).scalars())
    for row in rows:
        row.state = State.UNCERTAIN if row.uncertain else State.EXPIRED
        row.reason = written(because("mail_expired", at=row.expires_at or now))
        session.add(row)
    return rows


def cancel(session: Session, row: OutboxRow, reason: Reason) -> None:
    """Take a mail back that has lost its sense."""
    for name, value in cancelled_by(reason).items():
        setattr(row, name, value)
    session.add(row)


def cancelled_by(reason: Reason) -> dict[str, Any]:
    """What is written on a mail that has lost its sense."""
    return {**NO_LEASE, "state": State.CANCELLED, "reason": written(reason)}


def supersede(session: Session, subject: str, visit: str, sequence: int) -> int:
    """Take back unsent mails about earlier states of this appointment."""
    query = select(OutboxRow).options(defer(OutboxRow.body))  # type: ignore[arg-type]
    query = query.where(
        OutboxRow.subject == subject, OutboxRow.visit == visit, col(OutboxRow.state).in_(OPEN)
    )
    count = 0
    for row in session.exec(query.where(col(OutboxRow.uncertain).is_(False)).with_for_update()):
        rebooked = row.facts.get("event") in _REBOOKED
        if rebooked and row.facts.get("sequence", sequence) < sequence:
            cancel(session, row, because("mail_superseded"))
            count += 1
    return count


def reason_of(row: OutboxRow) -> Reason | None:
    """Why the mail stands where it stands."""
    return reason_in(row.reason)


def reason_in(text: str | None) -> Reason | None:
    """The reason as it was written down."""
    return from_json(json.loads(text)) if text else None


_REBOOKED = {Event.VISIT_BOOKED, Event.VISIT_MOVED, Event.VISIT_CANCELLED}


def _leaves_at(row: OutboxRow, calm: Calm, taken: list[datetime], now: datetime) -> datetime:
    site = calm.sites.get(row.site_id)
    after = now
    if site is not None:
        after = max(rule(site, row.urgent, row.expires_at, now) for rule in (after_quiet, after_closed_days))
    return max(after, after_burst(taken, calm.per_hour, _exempt(row), row.expires_at, now))


def _exempt(row: OutboxRow) -> bool:
    """Whether the brake does not hold this mail."""
    return row.urgent or row.template == DIGEST


def _claimed(session: Session, row: OutboxRow, token: str, now: datetime) -> Claimed:
    assert row.id is not None
    attempt = attempt_of(session, row, now)
    return Claimed(
        row.id, token, row.key, row.site_id, row.staff_id, row.template, row.address, row.message_id, attempt
    )


def attempt_of(session: Session, row: OutboxRow, now: datetime) -> Attempt:
    """What is known of the attempts at a mail."""
    first = session.connection().execute(_FIRST_COUNTED, {"this": row.id}).scalar() if row.attempts else None
    return Attempt(row.key, row.attempts, first or now, row.expires_at, row.urgent, row.uncertain)


def open_state(attempts: int) -> State:
    """How a mail waits after so many attempts that counted."""
    return State.RETRY if attempts else State.PENDING


NO_LEASE: Mapping[str, None] = {"lease_owner": None, "lease_token": None, "lease_until": None}


def end_lease(row: OutboxRow, state: State) -> None:
    row.state = state
    row.lease_owner = row.lease_token = row.lease_until = None


def written(reason: Reason) -> str:
    return json.dumps(to_json(reason), ensure_ascii=False)
