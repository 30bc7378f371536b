"""What an export asks of the database beside a subject's own history."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session, col, select

from scheduler.store.tables import FactRow, LabResultVersionRow, ProtocolVersionRow, SubjectRow

__all__ = ["recorders", "senders_of", "versions_in_use"]


def recorders(session: Session) -> list[str]:
    """Everybody who recorded a fact or sent a result, by their account or code."""
    people = session.exec(select(FactRow.recorded_by).distinct())
    laboratories = session.exec(select(LabResultVersionRow.lab).distinct())
    return sorted({*people, *laboratories})


def senders_of(session: Session, subject: str) -> dict[int, str]:
    """The laboratory of every result of a subject, by the number of the result."""
    query = select(LabResultVersionRow.id, LabResultVersionRow.lab).where(
        LabResultVersionRow.subject == subject
    )
    return {number: lab for number, lab in session.exec(query) if number is not None}


def versions_in_use(session: Session) -> dict[str, date]:
    """The protocol versions under which subjects were enrolled, with the day since when each is on record."""
    used = select(SubjectRow.protocol_sha256).distinct()
    query = select(ProtocolVersionRow).where(col(ProtocolVersionRow.sha256).in_(used))
    rows = session.exec(query.order_by(col(ProtocolVersionRow.recorded_at))).all()
    return {row.sha256: row.recorded_at.date() for row in rows}
