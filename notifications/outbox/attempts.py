"""An attempt at a mail: begun, handed over and settled, each put on record by the holder of the token."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from notifications.outbox.queue import (
    NO_LEASE,
    OUTBOX,
    Claimed,
    attempt_of,
    cancelled_by,
    open_state,
    written,
)
from notifications.outbox.states import Phase, State
from notifications.outbox.verdict import Decision, Outcome, Settle, again_after_ambiguity
from scheduler.domain.reason import Reason, because
from scheduler.store.tables import DeliveryRow, OutboxRow

__all__ = [
    "DATA_LEASE",
    "begin_all",
    "begin_data",
    "give_up",
    "keep_bytes",
    "prolong",
    "put_back",
    "release",
    "rescue",
    "settle",
    "settle_sent",
    "take_back",
]

DATA_LEASE = timedelta(minutes=12)  # longer than the 10 minutes that a server may take to confirm
_DELIVERY = DeliveryRow.__table__

# Whoever writes must still hold the lease: the statement names the token, and changes no row when it is another's.
_OURS = update(OUTBOX).where(
    OUTBOX.c.id == bindparam("this"),
    OUTBOX.c.state == State.LEASED.value,
    OUTBOX.c.lease_token == bindparam("held_token"),
)
_BEGIN = insert(_DELIVERY)
_END = update(_DELIVERY).where(
    _DELIVERY.c.outbox_id == bindparam("this"),
    _DELIVERY.c.token == bindparam("held_token"),
    _DELIVERY.c.finished_at.is_(None),
)


def keep_bytes(session: Session, written_now: Sequence[tuple[Claimed, str, bytes]]) -> None:
    """Keep what was written and for which address, so that every later attempt sends the same."""
    if written_now:
        values = [
            {**_held(mail), "address": address, "body": body, "body_sha256": sha256(body).hexdigest()}
            for mail, address, body in written_now
        ]
        session.connection().execute(_OURS, values)


def begin_data(session: Session, mail: Claimed, now: datetime) -> bool:
    """Put on record that the mail is about to be handed over; False when the lease is no longer ours."""
    if not prolong(session, mail, now):
        return False
    session.connection().execute(_BEGIN, _attempt(mail, Phase.DATA, now))
    return True


def begin_all(session: Session, mails: Sequence[Claimed], now: datetime) -> None:
    """Put on record, with their claim, that these mails go to a depot, where they can be looked for after a stop."""
    if mails:
        session.connection().execute(_BEGIN, [_attempt(mail, Phase.RCPT, now) for mail in mails])


def prolong(session: Session, mail: Claimed, now: datetime) -> bool:
    """Keep a mail long enough for it to be handed over; False when the lease is no longer ours."""
    return _write(session, mail, {"lease_until": now + DATA_LEASE})


def settle(session: Session, mail: Claimed, outcome: Outcome, decision: Decision, now: datetime) -> bool:
    """Write down what became of an attempt; False, and nothing written, when the lease is no longer ours."""
    if decision.settle is Settle.ABANDONED:
        return False
    before = mail.attempt
    said = {"last_code": outcome.code, "last_text": outcome.text[:500] or None}
    if not _write(session, mail, said | _decided(decision, before.before, before.uncertain, now)):
        return False
    _end(session, mail, outcome.phase, decision.settle, now, outcome)
    return True


def settle_sent(session: Session, sent: Sequence[tuple[Claimed, Outcome]], now: datetime) -> None:
    """Write down that mails arrived, all of whose attempts are on record; nothing for one no longer ours."""
    decision = Decision(Settle.SENT)
    rows, ends = [], []
    for mail, outcome in sent:
        said = {"last_code": outcome.code, "last_text": outcome.text[:500] or None}
        before = mail.attempt
        rows.append({**_held(mail), **said, **_decided(decision, before.before, before.uncertain, now)})
        ends.append({**_held(mail), **_result(outcome.phase, decision.settle, now, outcome)})
    session.connection().execute(_OURS, rows)
    session.connection().execute(_END, ends)


def take_back(session: Session, mail: Claimed, reason: Reason, now: datetime) -> bool:
    """Cancel a mail of ours that has lost its sense; False when the lease is no longer ours."""
    if not _write(session, mail, cancelled_by(reason)):
        return False
    _end(session, mail, Phase.CONNECT, State.CANCELLED, now)
    return True


def give_up(session: Session, mail: Claimed, reason: Reason, error: str, now: datetime) -> bool:
    """Fail a mail that cannot be written; False when the lease is no longer ours."""
    failed = Decision(Settle.FAILED, reason, counts=False)
    decided = _decided(failed, mail.attempt.before, mail.attempt.uncertain, now)
    return _write(session, mail, {**decided, "last_text": error[:500]})


def put_back(session: Session, mails: Sequence[Claimed]) -> None:
    """End the lease of mails of ours of which nothing was done; they keep their turn."""
    for mail in mails:
        _write(session, mail, {**NO_LEASE, "state": open_state(mail.attempt.before)})


def release(session: Session, token: str, now: datetime, not_handed_over: Collection[int] = ()) -> int:
    """Give back the mails of this token that were not handed over; they keep their turn.

    Of those in `not_handed_over` the sender knows it, although their record says that they were about to be.
    """
    count = 0
    for row in _leased(session, OUTBOX.c.lease_token == token):
        attempt = _attempt_row(session, row.id or 0, token)
        if attempt is not None:
            if attempt.phase in (Phase.DATA, Phase.REPLIED) and row.id not in not_handed_over:
                continue
            attempt.phase = Phase.CONNECT
            attempt.finished_at, attempt.outcome = now, Settle.ABANDONED
            session.add(attempt)
        _set(session, row, {**NO_LEASE, "state": open_state(row.attempts)})
        count += 1
    return count


def rescue(
    session: Session, now: datetime, everyone: bool = False, has: Callable[[str, str], bool] | None = None
) -> list[tuple[OutboxRow, Decision]]:
    """Take mails back from senders that stopped; `everyone` when no other sender can be alive.

    Those that were perhaps handed over are sent once more, unless they were already. Those that were on their way to
    a depot are settled when it `has` them, and keep their turn when not.
    """
    found = []
    for row in _leased(session, *(() if everyone else (OUTBOX.c.lease_until <= now,)), skip_locked=True):
        attempt = _attempt_row(session, row.id or 0, row.lease_token or "")
        decision = Decision(Settle.CHANNEL, counts=False)
        if attempt is not None:
            if attempt.phase in (Phase.DATA, Phase.REPLIED):
                decision = again_after_ambiguity(
                    attempt_of(session, row, now), because("mail_uncertain_stopped"), now
                )
            elif has is not None and has(row.address, row.message_id):
                decision, attempt.phase = Decision(Settle.SENT), Phase.REPLIED
            attempt.finished_at, attempt.outcome = now, decision.settle
            session.add(attempt)
        _set(session, row, _decided(decision, row.attempts, row.uncertain, now))
        found.append((row, decision))
    return found


def _held(mail: Claimed) -> dict[str, Any]:
    return {"this": mail.id, "held_token": mail.token}


def _write(session: Session, mail: Claimed, values: dict[str, Any]) -> bool:
    """Write on a mail of ours; False when it no longer is."""
    return session.connection().execute(_OURS, {**_held(mail), **values}).rowcount > 0


def _attempt(mail: Claimed, phase: Phase, now: datetime) -> dict[str, Any]:
    return {
        "outbox_id": mail.id,
        "attempt": mail.attempt.before + 1,
        "token": mail.token,
        "phase": phase.value,
        "started_at": now,
    }


def _end(
    session: Session,
    mail: Claimed,
    phase: Phase,
    ended: Settle | State,
    now: datetime,
    outcome: Outcome | None = None,
) -> None:
    """Put the end of an attempt on record; one that did not come to DATA has no record yet."""
    result = _result(phase, ended, now, outcome)
    connection = session.connection()
    if not connection.execute(_END, {**_held(mail), **result}).rowcount:
        connection.execute(_BEGIN, {**_attempt(mail, phase, now), **result})


def _result(
    phase: Phase, ended: Settle | State, now: datetime, outcome: Outcome | None = None
) -> dict[str, Any]:
    result: dict[str, Any] = {"phase": phase.value, "finished_at": now, "outcome": ended.value}
    if outcome is not None:
        result |= {"code": outcome.code, "text": outcome.text[:500] or None}
    return result


def _leased(session: Session, *which: Any, skip_locked: bool = False) -> Iterable[OutboxRow]:
    query = select(OutboxRow).options(defer(OutboxRow.body))  # type: ignore[arg-type]
    query = query.where(OUTBOX.c.state == State.LEASED.value, *which)
    return list(session.exec(query.with_for_update(skip_locked=skip_locked)))


def _attempt_row(session: Session, outbox_id: int, token: str) -> DeliveryRow | None:
    query = select(DeliveryRow).where(
        DeliveryRow.outbox_id == outbox_id, DeliveryRow.token == token, col(DeliveryRow.finished_at).is_(None)
    )
    return session.exec(query.order_by(col(DeliveryRow.id).desc())).first()


def _set(session: Session, row: OutboxRow, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)


_STATES = {
    Settle.SENT: State.SENT,
    Settle.RETRY: State.RETRY,
    Settle.UNCERTAIN_AGAIN: State.RETRY,
    Settle.UNCERTAIN_END: State.UNCERTAIN,
    Settle.FAILED: State.FAILED,
}


def _decided(decision: Decision, attempts: int, uncertain: bool, now: datetime) -> dict[str, Any]:
    """What a decision makes of a mail after so many attempts."""
    attempts += decision.counts
    doubtful = decision.settle in (Settle.UNCERTAIN_AGAIN, Settle.UNCERTAIN_END)
    values: dict[str, Any] = {
        **NO_LEASE,
        "state": _STATES.get(decision.settle) or open_state(attempts),
        "attempts": attempts,
        "uncertain": uncertain or doubtful,
        "reason": written(decision.reason) if decision.reason is not None else None,
    }
    if decision.settle is Settle.SENT:
        values["sent_at"] = now
    if decision.not_before is not None:
        values["not_before"] = decision.not_before
    return values
