"""The subjects of a study: all of them, or those of some sites a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from scheduler.store.tables import SubjectRow, VisitRow

__all__ = ["all_subjects", "count_subjects", "subjects_of", "visits_of"]


def all_subjects(session: Session, site: str | None = None) -> Sequence[SubjectRow]:
    """The subjects, of one site or of all, by code."""
    query = select(SubjectRow).order_by(col(SubjectRow.code))
    return session.exec(query if site is None else query.where(SubjectRow.site_id == site)).all()


def count_subjects(session: Session, sites: Collection[str], search: str) -> int:
    """How many subjects of these sites have a code that contains the text."""
    return session.exec(select(func.count()).select_from(SubjectRow).where(*_of(sites, search))).one()


def subjects_of(
    session: Session, sites: Collection[str], search: str, offset: int, limit: int
) -> Sequence[SubjectRow]:
    """Some of the subjects of these sites whose code contains the text, by code."""
    query = select(SubjectRow).where(*_of(sites, search)).order_by(col(SubjectRow.code))
    return session.exec(query.offset(offset).limit(limit)).all()


def _of(sites: Collection[str], search: str) -> list[ColumnElement[bool]]:
    of_these: list[ColumnElement[bool]] = [col(SubjectRow.site_id).in_(sites)]
    if search:
        of_these.append(col(SubjectRow.code).contains(search, autoescape=True))
    return of_these


def visits_of(session: Session, subjects: Collection[str]) -> dict[str, dict[str, str]]:
    """Subject → visit → status."""
    found: dict[str, dict[str, str]] = {}
    query = select(VisitRow.subject, VisitRow.visit, VisitRow.status).where(
        col(VisitRow.subject).in_(subjects)
    )
    for subject, visit, status in session.exec(query):
        found.setdefault(subject, {})[visit] = status
    return found
