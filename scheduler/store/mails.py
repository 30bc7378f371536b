"""The mails about one subject, as far as a page shows them: never their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from scheduler.store.tables import OutboxRow, StaffRow

__all__ = ["MailLine", "mails_about", "mails_of", "sent_mails"]

_LEFT = ("sent", "uncertain", "leased")


class MailLine(NamedTuple):
    """One mail to one person."""

    id: int
    template: str
    visit: str | None
    staff_id: str
    state: str
    created_at: datetime
    sent_at: datetime | None


_COLUMNS = [col(getattr(OutboxRow, name)) for name in MailLine._fields]


def mails_of(session: Session, subject: str, most: int = 200) -> list[MailLine]:
    """The newest mails about a subject, the newest first."""
    query = (
        select(*_COLUMNS)
        .where(col(OutboxRow.subject) == subject)
        .order_by(col(OutboxRow.id).desc())
        .limit(most)
    )
    return [MailLine(*row) for row in session.execute(query).all()]


def mails_about(session: Session, subject: str) -> Sequence[Row[Any]]:
    """The mails about a subject with the names of their readers, in the order in which they were decided."""
    query: Any = (
        select(
            col(OutboxRow.id), col(OutboxRow.template), col(OutboxRow.state), col(OutboxRow.staff_id),
            col(StaffRow.name).label("reader"), col(OutboxRow.not_before),
        )
        .outerjoin(StaffRow, col(StaffRow.id) == col(OutboxRow.staff_id))
        .where(col(OutboxRow.subject) == subject)
        .order_by(col(OutboxRow.id))
    )  # fmt: skip
    return session.connection().execute(query).all()


def sent_mails(session: Session, subject: str) -> Sequence[OutboxRow]:
    """Every mail about a visit of the subject that a person has, or may have; without its bytes."""
    query = (
        select(OutboxRow)
        .options(defer(OutboxRow.body))  # type: ignore[arg-type]
        .where(col(OutboxRow.subject) == subject, col(OutboxRow.visit).is_not(None))
        .where(col(OutboxRow.state).in_(_LEFT) | col(OutboxRow.uncertain))
        .order_by(col(OutboxRow.id))
    )
    return session.execute(query).scalars().all()
