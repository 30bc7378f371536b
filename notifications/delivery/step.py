"""One delivery step: take back, put aside, claim, write, send, settle. The loop around it is the service's.

Transactions are few and each has its sense: what was left behind, the claim and the writing of a batch are one; the
intention to hand a mail over is committed before DATA; the result of a mail is committed as soon as the server has
answered, and in the same commit stands the intention for the next mail. A depot can be asked what arrived: there the
intention for a whole batch stands in the commit of its claim, and all results are one more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlmodel import Session

from notifications.delivery.aftermath import Ended, settle, settle_all, tell
from notifications.delivery.channel import Channel
from notifications.delivery.mailroom import Mailroom, Recheck
from notifications.delivery.transport import Burst, Depot, Transport
from notifications.delivery.writing import Letter, make_ready, still_to_draw, write
from notifications.outbox import attempts, queue
from notifications.outbox.alarms import flagged_addresses
from notifications.outbox.ledger import Ahead, look_ahead, next_due
from notifications.outbox.queue import Claim
from notifications.outbox.verdict import Outcome, Settle, verdict
from notifications.words.context import Memo
from notifications.words.inline import Sketch
from scheduler.clock import Clock
from scheduler.store.database import Database

__all__ = ["DeliveryReport", "Mailroom", "Recheck", "delivery_step", "write"]

_INTENT_HOLDS = timedelta(minutes=1)  # after it, too little of the lease for DATA may be left


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
class _Step:
    """A step under way: with what, and what it has done so far."""

    db: Database
    clock: Clock
    room: Mailroom
    channel: Channel
    depot: Depot | None
    settled: Counter[str] = field(default_factory=Counter)
    rescued: int = 0
    expired: int = 0
    put_off: int = 0
    digests: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class _Batch:
    """The mails of one claim, and how far they got. `more` when another look at the outbox is called for."""

    token: str
    letters: list[Letter] = field(default_factory=list)
    to_draw: list[Sketch] = field(default_factory=list)
    flagged: set[tuple[str, str]] = field(default_factory=set)
    more: bool = False
    settled: int = 0
    handed_over: set[int] = field(default_factory=set)
    intended: dict[int, datetime] = field(default_factory=dict)
    holds_until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether what was looked at when the batch was written may still be relied on."""
        return self.holds_until is not None and now < self.holds_until


async def delivery_step(
    db: Database,
    transport: Transport,
    clock: Clock,
    room: Mailroom,
    channel: Channel | None = None,
    everyone: bool = False,
) -> DeliveryReport:
    """Deliver what is due. `channel` is that of the last report; `everyone` takes back all leases (at start)."""
    depot = transport if isinstance(transport, Depot) else None
    step = _Step(db, clock, room, channel or Channel(), depot)
    first: bool | None = everyone
    more = True
    async with transport.burst() as burst:
        while more:
            batch, due = await _next_batch(step, first)
            first = None
            if batch.letters:
                due = await (_send_batch(step, burst, batch) if depot is None else _fill(step, depot, batch))
            if batch.to_draw:
                await asyncio.to_thread(room.album.draw, batch.to_draw, room.letterhead.domain)
            more = batch.more and step.channel.is_open(clock.now())
    held = step.channel.held_until
    if due is not None and held is not None:
        due = max(due, held)
    return DeliveryReport(dict(step.settled), step.rescued, step.expired, step.put_off, step.channel, due)


# --- a batch ----------------------------------------------------------------------------------------------------


async def _next_batch(step: _Step, everyone: bool | None) -> tuple[_Batch, datetime | None]:
    """A batch of ours ready to leave, and the next instant of the outbox as it is then.

    The first look of a step also clears up what stopped senders left and what came too late.
    """
    now = step.clock.now()
    batch = _Batch(token_hex(8))
    try:
        due = await step.db.run(lambda session: _claim(session, step, batch, everyone, now))
    except asyncio.CancelledError:  # the claim may have been committed all the same
        await step.db.run(lambda session: attempts.release(session, batch.token, step.clock.now()))
        raise
    return batch, due


def _claim(
    session: Session, step: _Step, batch: _Batch, everyone: bool | None, now: datetime
) -> datetime | None:
    room, ahead = step.room, look_ahead(session)
    if everyone is not None and _clear(session, step, ahead, now, everyone):
        ahead = look_ahead(session)
    if not step.channel.is_open(now) or ahead.due is None or ahead.due > now:
        return ahead.next
    claim = queue.claim(session, now, room.owner, room.calm, room.batch, batch.token, room.urgent_batch)
    memo = Memo(step.digests)
    claim, batch.to_draw = _drawn(session, room, claim, memo)
    ready = make_ready(session, room, claim, now, memo)
    step.put_off += claim.put_off
    step.settled += Counter({"cancelled": ready.cancelled, Settle.FAILED.value: ready.failed})
    if step.depot is not None:
        attempts.begin_all(session, [letter.mail for letter in ready.letters], now)
    batch.letters, batch.holds_until = ready.letters, now + queue.CLAIM_LEASE
    batch.more = claim.more or ready.failed > 0 or bool(batch.to_draw)
    batch.flagged |= flagged_addresses(session, {(mail.site, mail.staff) for mail in claim.mails})
    return None if batch.letters else next_due(session)


def _drawn(session: Session, room: Mailroom, claim: Claim, memo: Memo) -> tuple[Claim, list[Sketch]]:
    """The mails of a claim whose pictures are drawn, and what is to be drawn for the others, which are put back."""
    missing = still_to_draw(session, room, claim, memo)
    if not missing:
        return claim, []
    attempts.put_back(session, [mail for mail in claim.mails if mail.id in missing])
    ready = tuple(mail for mail in claim.mails if mail.id not in missing)
    return replace(claim, mails=ready), list(dict.fromkeys(missing.values()))


def _clear(session: Session, step: _Step, ahead: Ahead, now: datetime, everyone: bool) -> bool:
    """Before sending: what stopped senders left, and what came too late. Whether there was anything."""
    rescued = []
    if ahead.lease_ends is not None and (everyone or ahead.lease_ends <= now):
        has = step.depot.has if step.depot is not None else None
        rescued = attempts.rescue(session, now, everyone, has)
    for row, decision in rescued:
        if decision.alarm and decision.reason is not None:
            tell(session, step.room, row, decision.reason, now)
    if rescued or (ahead.use_ends is not None and ahead.use_ends <= now):
        step.expired = len(queue.expire(session, now))
    step.rescued = len(rescued)
    return step.rescued + step.expired > 0


async def _fill(step: _Step, depot: Depot, batch: _Batch) -> datetime | None:
    """Hand the whole batch to a depot and put on record what became of it. A stop in between leaves it leased."""
    outcomes = await depot.send_all([letter.parcel for letter in batch.letters])
    now = step.clock.now()
    ended = [
        _ended(batch, letter, outcome, now) for letter, outcome in zip(batch.letters, outcomes, strict=False)
    ]
    batch.more = batch.more or any(one.decision.settle is not Settle.SENT for one in ended)

    def settle_and_give_back(session: Session) -> datetime | None:
        step.channel = settle_all(session, step.room, ended, step.channel, now)
        rest = {letter.mail.id for letter in batch.letters[len(ended) :]}
        if rest:
            attempts.release(session, batch.token, now, rest)
        return next_due(session)

    due = await step.db.run(settle_and_give_back)
    step.settled += Counter(one.decision.settle.value for one in ended)
    return due


async def _send_batch(step: _Step, burst: Burst, batch: _Batch) -> datetime | None:
    """Send and settle the mails while the way out is open; those that remain are given back."""
    due: datetime | None = None
    try:
        for letter in batch.letters:
            if not _may_leave(step, batch, letter):
                break
            due = await _deliver(step, burst, batch, letter)
            batch.settled += 1
    finally:
        if batch.settled < len(batch.letters):
            batch.more = True
            due = await step.db.run(lambda session: _give_back(session, batch, step.clock.now()))
    return due


def _may_leave(step: _Step, batch: _Batch, letter: Letter) -> bool:
    """Whether the way out is open and the mail was written a short while ago: what it says must hold."""
    now = step.clock.now()
    if letter.mail.id in batch.intended:
        return True
    return step.channel.is_open(now) and (batch.settled == 0 or batch.holds(now))


def _give_back(session: Session, batch: _Batch, now: datetime) -> datetime | None:
    not_handed_over = {letter.mail.id for letter in batch.letters} - batch.handed_over
    attempts.release(session, batch.token, now, not_handed_over)
    return next_due(session)


# --- a mail -----------------------------------------------------------------------------------------------------


async def _deliver(step: _Step, burst: Burst, batch: _Batch, letter: Letter) -> datetime | None:
    """Send and settle one mail. After the last one, the next instant of the outbox."""
    mail = letter.mail

    async def before_data() -> bool:
        now = step.clock.now()
        intended_at = batch.intended.get(mail.id)
        if intended_at is None:
            ours = await step.db.run(lambda session: attempts.begin_data(session, mail, now))
        elif now > intended_at + _INTENT_HOLDS:
            ours = await step.db.run(lambda session: attempts.prolong(session, mail, now))
        else:
            ours = True
        if ours:
            batch.handed_over.add(mail.id)
        return ours

    outcome = await burst.send(letter.parcel, before_data)
    now = step.clock.now()
    ended = _ended(batch, letter, outcome, now)
    sent = ended.decision.settle is Settle.SENT
    following = _following(batch, now) if sent else None
    batch.more = batch.more or not sent  # it may have called for another mail
    due = await step.db.insist(lambda session: _settle_and_go_on(session, step, batch, ended, following, now))
    step.settled[ended.decision.settle] += 1
    return due


def _ended(batch: _Batch, letter: Letter, outcome: Outcome, now: datetime) -> Ended:
    """What an attempt came to. One that raises the flag about an address is remembered for the next mail to it."""
    mail, decision = letter.mail, verdict(outcome, letter.mail.attempt, now)
    person = (mail.site, mail.staff)
    ended = Ended(mail, outcome, decision, person in batch.flagged)
    if decision.alarm:
        batch.flagged.add(person)
    return ended


def _following(batch: _Batch, now: datetime) -> Letter | None:
    """The next mail of the batch, when the intention to hand it over may stand before the server knows of it.

    It may not for one that is in doubt already: a stop in between would count as its second and last time.
    """
    letter = next(iter(batch.letters[batch.settled + 1 :]), None)
    if letter is None or letter.mail.attempt.uncertain or not batch.holds(now):
        return None
    return letter


def _settle_and_go_on(
    session: Session, step: _Step, batch: _Batch, ended: Ended, following: Letter | None, now: datetime
) -> datetime | None:
    """The result of a mail and the intention for the next one, or the next instant of the outbox after the last."""
    step.channel = settle(session, step.room, ended, step.channel, now)
    if following is not None and attempts.begin_data(session, following.mail, now):
        batch.intended[following.mail.id] = now
    last = batch.settled + 1 == len(batch.letters)
    return next_due(session) if last else None
