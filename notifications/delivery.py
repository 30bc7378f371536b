"""One delivery step: take back, put aside, claim, write, send, settle. The loop around it is the service's."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from config.language import Language
from notifications import attempts, outbox
from notifications.alarms import CHANNEL, address_matter, lower_flag, raise_flag
from notifications.channel import Channel
from notifications.context import ProtocolLookup, gather
from notifications.handlers import Handle
from notifications.ledger import next_due
from notifications.letter import Letterhead, appointment_of, write_letter
from notifications.messages import mail_failed_key
from notifications.outbox import Calm, Claimed
from notifications.render import render
from notifications.sentences import MAIL_SENTENCES
from notifications.transport import Burst, Parcel, Transport
from notifications.verdict import Decision, Outcome, Settle, verdict
from scheduler.clock import Clock
from scheduler.domain.civil import local_date
from scheduler.domain.events import MailFailed
from scheduler.domain.protocol import Event
from scheduler.domain.reason import Reason, because
from scheduler.domain.speech import speaker_for
from scheduler.store.database import Database
from scheduler.store.tables import OutboxRow, StaffRow

__all__ = ["DeliveryReport", "Mailroom", "Recheck", "delivery_step", "write"]

Recheck = Callable[[Session, OutboxRow, datetime], Reason | None]
"""Why the mail no longer makes sense, looked at again just before it leaves."""


@dataclass(frozen=True, slots=True)
class Mailroom:
    """What delivery needs besides the database, the way out and the clock."""

    letterhead: Letterhead
    calm: Calm
    protocol_of: ProtocolLookup
    handle: Handle
    recheck: Recheck
    owner: str
    sentences: Mapping[str, str] = field(default_factory=dict)
    batch: int = 20


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a step did, the state of the way out after it, and when there is something to do again."""

    settled: Mapping[str, int]
    rescued: int
    expired: int
    put_off: int
    channel: Channel
    next_due: datetime | None

    @property
    def sent(self) -> int:
        return self.settled.get(Settle.SENT, 0)


@dataclass(slots=True)
class _Tally:
    """What a step has done so far."""

    channel: Channel
    settled: Counter[str] = field(default_factory=Counter)
    put_off: int = 0
    digests: dict[str, dict[str, Any]] = field(default_factory=dict)


async def delivery_step(
    db: Database,
    transport: Transport,
    clock: Clock,
    room: Mailroom,
    channel: Channel | None = None,
    everyone: bool = False,
) -> DeliveryReport:
    """Deliver what is due. `channel` is that of the last report; `everyone` takes back all leases (at start)."""
    now = clock.now()
    tally = _Tally(channel or Channel())
    rescued, expired = await db.run(lambda session: _clear(session, room, now, everyone))
    if tally.channel.is_open(now):
        async with transport.burst() as burst:
            await _send_all(db, burst, clock, room, tally)
    due = await db.run(next_due)
    held = tally.channel.held_until
    if due is not None and held is not None:
        due = max(due, held)
    return DeliveryReport(dict(tally.settled), rescued, expired, tally.put_off, tally.channel, due)


def _clear(session: Session, room: Mailroom, now: datetime, everyone: bool) -> tuple[int, int]:
    """Before sending: what stopped senders left, and what came too late."""
    rescued = attempts.rescue(session, now, everyone)
    for row, decision in rescued:
        if decision.alarm and decision.reason is not None:
            _tell(session, room, row, decision.reason, now)
    return len(rescued), len(outbox.expire(session, now))


async def _send_all(db: Database, burst: Burst, clock: Clock, room: Mailroom, tally: _Tally) -> None:
    """Claim and send until nothing is due or the way out closes."""
    while tally.channel.is_open(clock.now()):
        now = clock.now()
        claim = await db.run(lambda session: outbox.claim(session, now, room.owner, room.calm, room.batch))  # noqa: B023
        tally.put_off += claim.put_off
        handled, sent_before = 0, tally.settled[Settle.SENT]
        try:
            for mail in claim.mails:
                if not tally.channel.is_open(clock.now()):
                    break
                await _deliver(db, burst, clock, room, mail, tally)
                handled += 1
        finally:
            if handled < len(claim.mails):
                token = claim.mails[0].token
                await db.run(lambda session: attempts.release(session, token, clock.now()))  # noqa: B023
        all_sent = tally.settled[Settle.SENT] - sent_before == len(claim.mails)
        if all_sent and len(claim.mails) + claim.put_off < room.batch:
            return  # a mail that failed may have called for another, so only then look again


async def _deliver(
    db: Database, burst: Burst, clock: Clock, room: Mailroom, mail: Claimed, tally: _Tally
) -> None:
    """Write, send and settle one mail."""
    parcel = await _prepare(db, clock, room, mail, tally)
    if parcel is None:
        return

    async def before_data() -> bool:
        return await db.run(lambda session: attempts.begin_data(session, mail, clock.now()))

    outcome = await burst.send(parcel, before_data)
    now = clock.now()
    decision = verdict(outcome, mail.attempt, now)
    tally.channel = await db.run(
        lambda session: _settle(session, room, mail, outcome, decision, tally.channel, now)
    )
    tally.settled[decision.settle] += 1


async def _prepare(db: Database, clock: Clock, room: Mailroom, mail: Claimed, tally: _Tally) -> Parcel | None:
    """The mail in bytes, or nothing when it is not to be sent. One that cannot be written blocks no other."""
    now = clock.now()
    try:
        parcel = await db.run(lambda session: _parcel(session, room, mail, now, tally.digests))
    except (SQLAlchemyError, asyncio.CancelledError):
        raise
    except Exception as error:
        reason, words = because("mail_not_written", error=type(error).__name__), str(error)
        await db.run(lambda session: _not_written(session, room, mail, reason, words, now))
        tally.settled[Settle.FAILED] += 1
        return None
    if isinstance(parcel, Reason):
        tally.settled["cancelled"] += 1
        return None
    return parcel


def _parcel(
    session: Session, room: Mailroom, mail: Claimed, now: datetime, digests: dict[str, dict[str, Any]]
) -> Parcel | Reason | None:
    """The mail, or why it is not sent after all; None when the lease is no longer ours."""
    row = attempts.begin_attempt(session, mail, now)
    if row is None:
        return None
    person = session.get(StaffRow, row.staff_id)
    if person is None or not person.active:
        why_not: Reason | None = because("mail_person_left", staff=row.staff_id)
    else:
        why_not = room.recheck(session, row, now)
    if why_not is not None:
        outbox.cancel(session, row, why_not)
        attempts.close_attempt(session, mail, now)
        return why_not
    if row.body is None:
        row.address = person.email if person is not None else row.address
        attempts.keep_bytes(row, write(session, row, room, now, digests))
    session.add(row)
    assert row.body is not None
    return Parcel(room.letterhead.bounces_to, row.address, row.message_id, row.body)


def write(
    session: Session,
    row: OutboxRow,
    room: Mailroom,
    now: datetime,
    digests: dict[str, dict[str, Any]] | None = None,
) -> bytes:
    """The bytes of a mail, from what is on record now."""
    site = room.calm.sites[row.site_id]
    context = gather(session, row, room.protocol_of, site, now, digests)
    sentences = {**MAIL_SENTENCES, **room.sentences}
    speaker = speaker_for(Language(row.language), site.calendar.zone, context.protocol, sentences)
    rendered = render(row.template, speaker, context.values)
    calendar = appointment_of(row, context.values, speaker, room.letterhead, site)
    return write_letter(row, rendered, room.letterhead, context.protocol.acronym, calendar, now)


def _settle(
    session: Session,
    room: Mailroom,
    mail: Claimed,
    outcome: Outcome,
    decision: Decision,
    channel: Channel,
    now: datetime,
) -> Channel:
    """Put on record what became of the mail; the way out as it is after it."""
    if not attempts.settle(session, mail, outcome, decision, now):
        return channel
    reason = decision.reason
    if decision.settle is Settle.CHANNEL and reason is not None:
        channel = channel.failed(reason, now)
    elif decision.settle is Settle.CONFIGURATION and reason is not None:
        channel = channel.misconfigured_by(reason, now)
    else:
        channel = _answered(session, room, channel, now)
    if channel.alarms(now) and channel.reason is not None and channel.failing_since is not None:
        held = because("flag_mail_channel", since=channel.failing_since, why=channel.reason)
        for site in room.calm.sites:
            raise_flag(session, site, CHANNEL, held, now)
    elif decision.alarm and reason is not None:
        row = session.get(OutboxRow, mail.id)
        if row is not None:
            _tell(session, room, row, reason, now)
    elif decision.settle is Settle.SENT:
        lower_flag(session, mail.site, address_matter(mail.staff), now)
    return channel


def _answered(session: Session, room: Mailroom, channel: Channel, now: datetime) -> Channel:
    """The server took or refused a mail: the way out is open, and the flag about it falls."""
    if channel.failures:
        for site in room.calm.sites:
            lower_flag(session, site, CHANNEL, now)
    return Channel()


def _tell(session: Session, room: Mailroom, row: OutboxRow, reason: Reason, now: datetime) -> None:
    """A mail that will not arrive: a flag for each address, and a notice to whoever looks after the mails."""
    flag = because("flag_mail_failed", staff=row.staff_id, why=reason)
    raise_flag(session, row.site_id, address_matter(row.staff_id), flag, now)
    _escalate(session, room, row, row.staff_id, reason, now)


def _escalate(
    session: Session, room: Mailroom, row: OutboxRow, matter: str, reason: Reason, now: datetime
) -> None:
    """Once a day for each person or template and cause. A failed notice of failure is only a flag."""
    site = room.calm.sites.get(row.site_id)
    if row.facts.get("event") == Event.MAIL_FAILED or row.id is None or site is None:
        return
    day = local_date(now, site.calendar.zone)
    key = mail_failed_key(matter, reason.code, day)
    room.handle(session, MailFailed(Event.MAIL_FAILED, row.site_id, row.id, key), now)


def _not_written(
    session: Session, room: Mailroom, mail: Claimed, reason: Reason, error: str, now: datetime
) -> None:
    """A mail whose template or data fails."""
    row = attempts.give_up(session, mail, reason, error, now)
    if row is None:
        return
    flag = because("flag_mail_not_written", template=row.template, staff=row.staff_id, why=reason)
    raise_flag(session, row.site_id, f"template:{row.template}:{row.subject or '-'}", flag, now)
    _escalate(session, room, row, row.template, reason, now)
