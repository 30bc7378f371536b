"""The subjects of some sites, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from scheduler.store.tables import SubjectRow, VisitRow

__all__ = ["subjects_of", "visits_of"]


def subjects_of(
    session: Session, sites: Collection[str], search: str, offset: int, limit: int
) -> tuple[int, Sequence[SubjectRow]]:
    """How many subjects of these sites have a code that contains the text, and some of them, by code."""
    of_these: list[ColumnElement[bool]] = [col(SubjectRow.site_id).in_(sites)]
    if search:
        of_these.append(col(SubjectRow.code).contains(search, autoescape=True))
    count = session.exec(select(func.count()).select_from(SubjectRow).where(*of_these)).one()
    query = select(SubjectRow).where(*of_these).order_by(col(SubjectRow.code)).offset(offset).limit(limit)
    return count, session.exec(query).all()


def visits_of(session: Session, subjects: Collection[str]) -> dict[str, dict[str, str]]:
    """Subject → visit → status."""
    found: dict[str, dict[str, str]] = {}
    query = select(VisitRow.subject, VisitRow.visit, VisitRow.status).where(
        col(VisitRow.subject).in_(subjects)
    )
    for subject, visit, status in session.exec(query):
        found.setdefault(subject, {})[visit] = status
    return found
