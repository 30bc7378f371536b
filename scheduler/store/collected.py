"""What an export asks of the database beside a subject's own history."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session, col, select

from scheduler.domain.facts import ProtocolApplied
from scheduler.store.tables import FactRow, LabResultVersionRow, ProtocolVersionRow

__all__ = ["amended_subjects", "recorders", "senders_of", "versions_in_use"]


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
    """The versions under which anybody was enrolled or is followed, each with the day since when it is kept."""
    rows = session.exec(select(ProtocolVersionRow).order_by(col(ProtocolVersionRow.recorded_at))).all()
    return {row.sha256: row.recorded_at.date() for row in rows}


def amended_subjects(session: Session) -> frozenset[str]:
    """The subjects of whom a record names another version than that of their enrolment."""
    query = select(FactRow.subject).where(FactRow.kind == ProtocolApplied.kind).distinct()
    return frozenset(session.exec(query))
