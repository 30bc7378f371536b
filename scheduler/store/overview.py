"""The SQL behind the numbers of the study: a handful of statements, however many subjects there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from scheduler.domain.exposure import AUC
from scheduler.domain.facts import Paused, Resumed, Withdrawn
from scheduler.store.tables import ExposureRow, FactRow, SubjectRow, VisitRow

__all__ = ["VisitLine", "counted_aucs", "subjects_and_sites", "turned_subjects", "visit_lines"]

_TURNS = (Paused.kind, Resumed.kind, Withdrawn.kind)


class VisitLine(NamedTuple):
    """What is counted of a visit's row."""

    subject: str
    visit: str
    status: str
    target: date
    first: date
    last: date
    attended_at: datetime | None
    missing: list[dict[str, Any]]


def subjects_and_sites(session: Session, site: str | None = None) -> Sequence[SubjectRow]:
    """The subjects, of one site or of all, by code."""
    query = select(SubjectRow).order_by(col(SubjectRow.code))
    return session.exec(query if site is None else query.where(SubjectRow.site_id == site)).all()


def visit_lines(session: Session) -> list[VisitLine]:
    """Every visit of every subject."""
    columns = [col(getattr(VisitRow, name)) for name in VisitLine._fields]
    return [VisitLine(*row) for row in session.execute(core_select(*columns)).all()]


def turned_subjects(session: Session) -> set[str]:
    """The subjects of whom a pause, its end or a withdrawal was ever recorded: all others take part."""
    return set(session.exec(select(FactRow.subject).where(col(FactRow.kind).in_(_TURNS)).distinct()))


def counted_aucs(session: Session) -> dict[tuple[str, str], float]:
    """The AUC0-12 in force that counts, mg·h/L, by subject and visit: the first with a value of the newest version."""
    row = col(ExposureRow.subject), col(ExposureRow.visit)
    newest = core_select(*row, func.max(col(ExposureRow.version)).label("version")).group_by(*row).subquery()
    first = (
        core_select(func.min(col(ExposureRow.id)).label("id"))
        .join(
            newest,
            (row[0] == newest.c.subject)
            & (row[1] == newest.c.visit)
            & (col(ExposureRow.version) == newest.c.version),
        )
        .where(col(ExposureRow.quantity) == AUC, col(ExposureRow.value).is_not(None))
        .group_by(*row)
        .subquery()
    )
    query = core_select(*row, col(ExposureRow.value)).join(first, col(ExposureRow.id) == first.c.id)
    return {(subject, visit): value for subject, visit, value in session.execute(query).all()}
