"""An attempt at a mail: begun, handed over and settled, each put on record by the holder of the token."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session, col, select

from notifications.outbox import CLAIM_LEASE, Claimed, attempt_of, end_lease, open_state, written
from notifications.states import Phase, State
from notifications.verdict import Decision, Outcome, Settle, again_after_ambiguity
from scheduler.domain.reason import Reason, because
from scheduler.store.tables import DeliveryRow, OutboxRow

__all__ = [
    "begin_attempt",
    "begin_data",
    "close_attempt",
    "give_up",
    "keep_bytes",
    "release",
    "rescue",
    "settle",
]

_DATA_LEASE = timedelta(minutes=12)  # longer than the 10 minutes that a server may take to confirm


def begin_attempt(session: Session, mail: Claimed, now: datetime) -> OutboxRow | None:
    """The row, with a new attempt on record; None when the lease is no longer ours."""
    row = _ours(session, mail)
    if row is None:
        return None
    row.lease_until = now + CLAIM_LEASE
    attempt = DeliveryRow(
        outbox_id=mail.id, attempt=row.attempts + 1, token=mail.token, phase=Phase.CONNECT, started_at=now
    )
    session.add(attempt)
    return row


def keep_bytes(row: OutboxRow, body: bytes) -> None:
    """Keep what was written, so that every later attempt sends the same."""
    row.body, row.body_sha256 = body, sha256(body).hexdigest()


def begin_data(session: Session, mail: Claimed, now: datetime) -> bool:
    """Put on record that the mail is about to be handed over; False when the lease is no longer ours."""
    row = _ours(session, mail)
    if row is None:
        return False
    row.lease_until = now + _DATA_LEASE
    attempt = _attempt_row(session, mail.id, mail.token)
    if attempt is not None:
        attempt.phase = Phase.DATA
        session.add(attempt)
    session.add(row)
    return True


def settle(session: Session, mail: Claimed, outcome: Outcome, decision: Decision, now: datetime) -> bool:
    """Write down what became of an attempt; False, and nothing written, when the lease is no longer ours."""
    row = _ours(session, mail)
    if row is None or decision.settle is Settle.ABANDONED:
        return False
    _finish(session, mail.id, mail.token, outcome, decision, now)
    row.last_code, row.last_text = outcome.code, outcome.text[:500] or None
    _apply(row, decision, now)
    session.add(row)
    return True


def close_attempt(session: Session, mail: Claimed, now: datetime) -> None:
    """End an attempt that was given up before it began to send."""
    attempt = _attempt_row(session, mail.id, mail.token)
    if attempt is not None:
        attempt.finished_at, attempt.outcome = now, State.CANCELLED
        session.add(attempt)


def give_up(session: Session, mail: Claimed, reason: Reason, error: str, now: datetime) -> OutboxRow | None:
    """The row of a mail that cannot be written, failed; None when the lease is no longer ours."""
    row = _ours(session, mail)
    if row is None:
        return None
    row.last_text = error[:500]
    _apply(row, Decision(Settle.FAILED, reason, counts=False), now)
    session.add(row)
    return row


def release(session: Session, token: str, now: datetime) -> int:
    """Give back the mails of this token that were not handed over; they keep their turn."""
    count = 0
    for row in session.exec(select(OutboxRow).where(OutboxRow.lease_token == token).with_for_update()):
        attempt = _attempt_row(session, row.id or 0, token)
        if attempt is not None and attempt.phase in (Phase.DATA, Phase.REPLIED):
            continue
        if attempt is not None:
            attempt.finished_at, attempt.outcome = now, Settle.ABANDONED
            session.add(attempt)
        end_lease(row, open_state(row))
        session.add(row)
        count += 1
    return count


def rescue(session: Session, now: datetime, everyone: bool = False) -> list[tuple[OutboxRow, Decision]]:
    """Take mails back from senders that stopped; `everyone` when no other sender can be alive.

    Those that were perhaps handed over are sent once more, unless they were already.
    """
    query = select(OutboxRow).where(OutboxRow.state == State.LEASED).with_for_update(skip_locked=True)
    if not everyone:
        query = query.where(col(OutboxRow.lease_until) <= now)
    found = []
    for row in list(session.exec(query)):
        token = row.lease_token or ""
        attempt = _attempt_row(session, row.id or 0, token)
        decision = Decision(Settle.CHANNEL, counts=False)
        if attempt is not None:
            if attempt.phase in (Phase.DATA, Phase.REPLIED):
                decision = again_after_ambiguity(
                    attempt_of(session, row, now), because("mail_uncertain_stopped"), now
                )
            attempt.finished_at, attempt.outcome = now, decision.settle
            session.add(attempt)
        _apply(row, decision, now)
        session.add(row)
        found.append((row, decision))
    return found


def _ours(session: Session, mail: Claimed) -> OutboxRow | None:
    query = select(OutboxRow).where(
        OutboxRow.id == mail.id, OutboxRow.state == State.LEASED, OutboxRow.lease_token == mail.token
    )
    return session.exec(query.with_for_update()).first()


def _attempt_row(session: Session, outbox_id: int, token: str) -> DeliveryRow | None:
    query = select(DeliveryRow).where(
        DeliveryRow.outbox_id == outbox_id, DeliveryRow.token == token, col(DeliveryRow.finished_at).is_(None)
    )
    return session.exec(query.order_by(col(DeliveryRow.id).desc())).first()


def _finish(
    session: Session, outbox_id: int, token: str, outcome: Outcome, decision: Decision, now: datetime
) -> None:
    attempt = _attempt_row(session, outbox_id, token)
    if attempt is None:
        return
    attempt.phase, attempt.finished_at = outcome.phase, now
    attempt.outcome, attempt.code, attempt.text = decision.settle, outcome.code, outcome.text[:500] or None
    session.add(attempt)


_STATES = {
    Settle.SENT: State.SENT,
    Settle.RETRY: State.RETRY,
    Settle.UNCERTAIN_AGAIN: State.RETRY,
    Settle.UNCERTAIN_END: State.UNCERTAIN,
    Settle.FAILED: State.FAILED,
}


def _apply(row: OutboxRow, decision: Decision, now: datetime) -> None:
    if decision.counts:
        row.attempts += 1
    if decision.settle in (Settle.UNCERTAIN_AGAIN, Settle.UNCERTAIN_END):
        row.uncertain = True
    if decision.settle is Settle.SENT:
        row.sent_at = now
    if decision.not_before is not None:
        row.not_before = decision.not_before
    row.reason = written(decision.reason) if decision.reason is not None else None
    end_lease(row, _STATES.get(decision.settle) or open_state(row))
