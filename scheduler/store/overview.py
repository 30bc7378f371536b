"""The SQL behind the numbers of the study: the database counts what is alike, and the rest is read in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Text, cast, func
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from scheduler.domain.exposure import AUC
from scheduler.domain.facts import Paused, Resumed, Withdrawn
from scheduler.store.tables import ExposureRow, FactRow, SubjectRow, VisitRow

__all__ = [
    "AttendedLine",
    "Expected",
    "attended_lines",
    "counted_aucs",
    "expected_visits",
    "inclusions",
    "interrupted_rows",
    "interrupted_subjects",
    "uninterrupted_by_site",
]

_INTERRUPTIONS = (Paused.kind, Resumed.kind, Withdrawn.kind)
_INTERRUPTED = select(FactRow.subject).where(col(FactRow.kind).in_(_INTERRUPTIONS)).distinct()
_SITE = col(SubjectRow.site_id)


class Expected(NamedTuple):
    """How many visits of a site that have not taken place are alike."""

    site: str
    visit: str
    status: str
    number: int


class AttendedLine(NamedTuple):
    """What is counted of a visit that took place; `missing` is the text of its JSON."""

    site: str
    visit: str
    status: str
    first: date
    last: date
    attended_at: datetime
    missing: str


def uninterrupted_by_site(session: Session, site: str | None = None) -> list[tuple[str, bool, int]]:
    """Site, whether they are parked, and how many of the subjects that are not `interrupted_subjects` are so."""
    parked = col(SubjectRow.parked).is_not(None)
    query = core_select(_SITE, parked, func.count()).where(col(SubjectRow.code).not_in(_INTERRUPTED))
    rows = session.connection().execute(_of(query.group_by(_SITE, parked), site)).all()
    return [(name, bool(is_parked), count) for name, is_parked, count in rows]


def interrupted_subjects(session: Session) -> set[str]:
    """The subjects of whom a pause, its end or a withdrawal was ever recorded: all others take part."""
    return set(session.exec(_INTERRUPTED))


def interrupted_rows(session: Session, site: str | None = None) -> Sequence[SubjectRow]:
    """The rows of `interrupted_subjects`, of one site or of all."""
    query = select(SubjectRow).where(col(SubjectRow.code).in_(_INTERRUPTED))
    return session.exec(query if site is None else query.where(SubjectRow.site_id == site)).all()


def inclusions(session: Session, visit: str, site: str | None = None) -> list[tuple[str, date, int]]:
    """Site and day of inclusion, which is the target of the first visit, and how many subjects share them."""
    target = col(VisitRow.target)
    query = (
        core_select(_SITE, target, func.count())
        .join(VisitRow, _is_theirs())
        .where(col(VisitRow.visit) == visit)
    )
    rows = session.connection().execute(_of(query.group_by(_SITE, target), site)).all()
    return [(name, day, count) for name, day, count in rows]


def expected_visits(session: Session, site: str | None = None) -> list[Expected]:
    """The visits that have not taken place, counted by what they have in common."""
    alike = (_SITE, col(VisitRow.visit), col(VisitRow.status))
    query = core_select(*alike, func.count()).join(VisitRow, _is_theirs())
    query = query.where(col(VisitRow.attended_at).is_(None)).group_by(*alike)
    return [Expected(*row) for row in session.connection().execute(_of(query, site)).all()]


def attended_lines(session: Session, site: str | None = None) -> Iterator[AttendedLine]:
    """The visits that took place, one after another: in a large study there are very many."""
    columns = [col(getattr(VisitRow, name)) for name in AttendedLine._fields[1:-1]]
    query = core_select(_SITE, *columns, cast(col(VisitRow.missing), Text)).join(VisitRow, _is_theirs())
    query = _of(query.where(col(VisitRow.attended_at).is_not(None)), site)
    yield from (AttendedLine(*row) for row in session.connection().execute(query))


def counted_aucs(session: Session, site: str | None = None) -> list[tuple[str, str, float]]:
    """Site, visit and the AUC0-12 in force that counts, mg·h/L: the first with a value of the newest version."""
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
    query = (
        core_select(_SITE, row[1], col(ExposureRow.value))
        .join(VisitRow, _is_theirs())
        .join(ExposureRow, (row[0] == col(VisitRow.subject)) & (row[1] == col(VisitRow.visit)))
        .join(first, col(ExposureRow.id) == first.c.id)
    )
    return [
        (name, visit, value) for name, visit, value in session.connection().execute(_of(query, site)).all()
    ]


def _is_theirs() -> ColumnElement[bool]:
    return col(VisitRow.subject) == col(SubjectRow.code)


def _of(query: Any, site: str | None) -> Any:
    """The query, of one site or of all."""
    return query if site is None else query.where(_SITE.in_([site]))
