"""The mails about a subject that left, or may have."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from scheduler.store.tables import OutboxRow

__all__ = ["sent_mails"]

_LEFT = ("sent", "uncertain", "leased")


def sent_mails(session: Session, subject: str) -> Sequence[OutboxRow]:
    """Every mail about a visit of the subject that a person has, or may have; without its bytes."""
    query = (
        select(OutboxRow)
        .options(defer(OutboxRow.body))  # type: ignore[arg-type]
        .where(OutboxRow.subject == subject, col(OutboxRow.visit).is_not(None))
        .where(col(OutboxRow.state).in_(_LEFT) | col(OutboxRow.uncertain))
        .order_by(col(OutboxRow.id))
    )
    return session.exec(query).all()
