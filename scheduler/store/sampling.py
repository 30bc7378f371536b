"""The SQL behind the sampling days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from scheduler.domain.protocol import VisitStatus
from scheduler.store.tables import SubjectRow, VisitRow

__all__ = ["SamplingVisit", "sampling_visits"]

_OFF = (VisitStatus.CANCELLED.value, VisitStatus.NOT_APPLICABLE.value)


class SamplingVisit(NamedTuple):
    """A visit of a day: the appointment as intended, and when the subject was there."""

    subject: str
    site: str
    visit: str
    status: str
    booked_local: datetime | None
    attended_at: datetime | None


def sampling_visits(
    session: Session, site: str, day: date, start: datetime, end: datetime
) -> Sequence[SamplingVisit]:
    """The visits of a site that are booked for a day or took place on it (from `start` to before `end`)."""
    booked, next_day = col(VisitRow.booked_local), (day + timedelta(days=1)).isoformat()
    query = (
        select(VisitRow)
        .join(SubjectRow, col(SubjectRow.code) == col(VisitRow.subject))
        .where(
            SubjectRow.site_id == site,
            col(VisitRow.status).not_in(_OFF),
            or_(
                and_(booked >= day.isoformat(), booked < next_day),
                and_(col(VisitRow.attended_at) >= start, col(VisitRow.attended_at) < end),
            ),
        )
    )
    return [
        SamplingVisit(
            row.subject, site, row.visit, row.status,
            datetime.fromisoformat(row.booked_local) if row.booked_local else None, row.attended_at,
        )
        for row in session.exec(query)
    ]  # fmt: skip
