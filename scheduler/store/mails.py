"""The mails about one subject, as far as a page shows them: never their bytes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from scheduler.store.tables import OutboxRow

__all__ = ["MailLine", "mails_of"]


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
