"""The outbox as people see it: lists, one mail with its attempts; send again, take back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ScalarSelect, union_all
from sqlalchemy import select as core_select
from sqlmodel import Session, col, func, select

from notifications.outbox import queue
from notifications.outbox.alarms import address_matter, lower_flag
from notifications.outbox.queue import OUTBOX
from notifications.outbox.states import OPEN, State
from scheduler.domain.reason import Reason, because
from scheduler.store.hints import Hint, hint
from scheduler.store.tables import DeliveryRow, OutboxRow, StaffRow

__all__ = [
    "Ahead",
    "Shown",
    "cancel",
    "list_outbox",
    "look_ahead",
    "next_due",
    "release",
    "retry",
    "settle_doubt",
    "settle_found",
    "show_outbox",
]


def _first(column: Column[datetime]) -> ScalarSelect[datetime]:
    """The smallest of the open mails: of each state by its index, however many wait."""
    each = [
        core_select(func.min(column).label("first")).where(OUTBOX.c.state == state.value) for state in OPEN
    ]
    firsts = union_all(*each).subquery()
    return core_select(func.min(firsts.c.first)).scalar_subquery()


_AHEAD = core_select(
    _first(OUTBOX.c.not_before),
    core_select(func.min(OUTBOX.c.lease_until)).where(OUTBOX.c.state == State.LEASED).scalar_subquery(),
    _first(OUTBOX.c.expires_at),
)
_AGAIN = (
    State.FAILED,
    State.UNCERTAIN,
    State.CANCELLED,
    State.RETRY,
    State.PENDING,
    State.POSSIBLY_SENT,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail and the attempts at it, oldest first."""

    mail: OutboxRow
    attempts: tuple[DeliveryRow, ...]


@dataclass(frozen=True, slots=True)
class Ahead:
    """When the first waiting mail falls due, the first lease ends, and the use of the first waiting mail."""

    due: datetime | None
    lease_ends: datetime | None
    use_ends: datetime | None

    @property
    def next(self) -> datetime | None:
        """The next instant at which there is something to do."""
        return min((one for one in (self.due, self.lease_ends) if one is not None), default=None)


def list_outbox(
    session: Session, state: State | None = None, subject: str | None = None, limit: int = 100
) -> list[OutboxRow]:
    """The newest mails, of one state or about one subject when asked."""
    query = select(OutboxRow).order_by(col(OutboxRow.id).desc()).limit(limit)
    if state is not None:
        query = query.where(OutboxRow.state == state)
    if subject is not None:
        query = query.where(OutboxRow.subject == subject)
    return list(session.exec(query))


def show_outbox(session: Session, outbox_id: int) -> Shown | None:
    """One mail with its attempts; None when there is none with this number."""
    row = session.get(OutboxRow, outbox_id)
    if row is None:
        return None
    query = select(DeliveryRow).where(DeliveryRow.outbox_id == outbox_id).order_by(col(DeliveryRow.id))
    return Shown(row, tuple(session.exec(query)))


def retry(session: Session, outbox_id: int, now: datetime) -> bool:
    """Send a mail again, to the address that the person has now; False when it is sent, leaving or out of date."""
    row = session.get(OutboxRow, outbox_id, with_for_update=True)
    if row is None or row.state not in _AGAIN or (row.expires_at is not None and row.expires_at <= now):
        return False
    person = session.get(StaffRow, row.staff_id)
    if person is not None and person.email != row.address:
        row.address, row.body, row.body_sha256 = person.email, None, None
    queue.end_lease(row, State.RETRY)
    row.not_before, row.attempts, row.reason = now, 0, None
    session.add(row)
    hint(session, Hint.MAILS)
    return True


def cancel(session: Session, outbox_id: int, by: str) -> bool:
    """Take a waiting mail back; False when it is not waiting."""
    row = session.get(OutboxRow, outbox_id, with_for_update=True)
    if row is None or row.state not in OPEN:
        return False
    queue.cancel(session, row, because("mail_cancelled_by_person", by=by))
    return True


def release(session: Session, person: str, now: datetime) -> bool:
    """Send mail to a mailbox again that was taken for dead; False when it is not."""
    row = session.get(StaffRow, person)
    return row is not None and lower_flag(session, row.site_id, address_matter(person), now)


def look_ahead(session: Session) -> Ahead:
    """The instants that come first in the outbox."""
    return Ahead(*session.connection().execute(_AHEAD).one())


def next_due(session: Session) -> datetime | None:
    """The next instant at which the outbox has something to do: a mail falls due, or a lease ends."""
    return look_ahead(session).next


def settle_found(session: Session, left: Callable[[str], bool]) -> int:
    """Mark as sent those in doubt after a restore of whose Message-ID it is known that they `left`; how many."""
    found = [row for row in _in_doubt(session) if left(row.message_id)]
    for row in found:
        _said_sent(session, row, because("mail_found_sent"))
    return len(found)


def settle_doubt(session: Session, by: str, now: datetime, *, send: bool) -> int:
    """Send those that are still in doubt after a restore, or mark them as sent because a person says so; how many."""
    rows = _in_doubt(session)
    for row in rows:
        if not send:
            _said_sent(session, row, because("mail_said_sent", by=by))
            continue
        queue.end_lease(row, State.PENDING)
        row.not_before, row.reason = now, None
        session.add(row)
    return len(rows)


def _in_doubt(session: Session) -> list[OutboxRow]:
    query = select(OutboxRow).where(OutboxRow.state == State.POSSIBLY_SENT).order_by(col(OutboxRow.id))
    return list(session.exec(query))


def _said_sent(session: Session, row: OutboxRow, reason: Reason) -> None:
    """Note that a mail left, although no attempt of this database says so."""
    row.state, row.reason, row.uncertain = State.SENT, queue.written(reason), True
    session.add(row)
