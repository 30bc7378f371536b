"""How many mails stand where, and since when the oldest that should have left has waited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from notifications.outbox.states import OPEN, State
from notifications.outbox.verdict import Settle
from scheduler.store.tables import DeliveryRow, OutboxRow

__all__ = ["Backlog", "backlog"]


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many mails stand where, and since when the oldest that should have left has waited."""

    counts: dict[str, int]
    overdue: int
    oldest_due: datetime | None
    uncertain: int = 0

    @property
    def left(self) -> int:
        """How many left, as far as is known."""
        return self.counts.get(State.SENT, 0) + self.counts.get(State.UNCERTAIN, 0)

    @property
    def waiting(self) -> int:
        return sum(self.counts.get(state, 0) for state in (*OPEN, State.LEASED))


def backlog(session: Session, now: datetime) -> Backlog:
    """How the outbox stands."""
    grouped = session.exec(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))
    counts = {str(state): int(count) for state, count in grouped}
    due = select(func.count(), func.min(OutboxRow.not_before)).where(
        col(OutboxRow.state).in_(OPEN), OutboxRow.not_before <= now
    )
    overdue, oldest = session.exec(due).one()
    doubted = select(func.count(func.distinct(DeliveryRow.outbox_id))).where(
        col(DeliveryRow.outcome).in_((Settle.UNCERTAIN_AGAIN, Settle.UNCERTAIN_END))
    )
    return Backlog(counts, int(overdue), oldest, int(session.exec(doubted).one()))
