"""What a site's people have to see to, in the order of its urgency: what the daily mail says and the console shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, case, exists, func, literal_column, or_, select
from sqlmodel import Session, col

from scheduler.domain.flags import FlagCode, Severity
from scheduler.domain.protocol import VisitStatus
from scheduler.store.lab.held import any_held, held_rows
from scheduler.store.tables import AcknowledgementRow, FactRow, FlagRow, LabFileRow, SubjectRow, VisitRow
from scheduler.store.types import Instant

__all__ = [
    "Coming",
    "FlagCount",
    "HeldFile",
    "Wanted",
    "Worklist",
    "count_flags",
    "held_files",
    "matters",
    "visits_ahead",
    "worklist",
]

_AHEAD_STATUSES = (VisitStatus.BOOKED, VisitStatus.PLANNED, VisitStatus.WINDOW_OPEN)
_AHEAD = timedelta(days=7)
_NEWS = timedelta(days=3)

# A flag is seen when somebody acknowledged it since it was opened. The kind of the fact is written as in its index.
_SEEN = or_(
    exists().where(
        col(AcknowledgementRow.flag_key) == col(FlagRow.key),
        col(AcknowledgementRow.at) >= col(FlagRow.opened_at),
    ),
    exists().where(
        col(FactRow.subject) == col(FlagRow.subject),
        col(FactRow.kind) == literal_column("'flag_acknowledged'"),
        col(FactRow.payload)["flag"].as_string() == col(FlagRow.key),
        col(FactRow.recorded_at) >= col(FlagRow.opened_at),
    ),
)
_UNSEEN = (
    col(FlagRow.site_id).in_(bindparam("sites", expanding=True)),
    col(FlagRow.closed_at).is_(None),
    ~_SEEN,
)
_IS_NEWS = col(FlagRow.opened_at) > bindparam("news_from", type_=Instant)
_TOLD = or_(col(FlagRow.severity) < Severity.KNOW.value, _IS_NEWS)
_OLDER = and_(col(FlagRow.severity) >= Severity.KNOW.value, ~_IS_NEWS)

# The statements of every list, made once; they read what is said and no more.
_FLAGS = (
    select(
        col(FlagRow.id), col(FlagRow.key), col(FlagRow.code), col(FlagRow.site_id), col(FlagRow.severity),
        col(FlagRow.subject), col(FlagRow.visit), col(FlagRow.reason), col(FlagRow.since),
    )
    .where(*_UNSEEN)
    .order_by(col(FlagRow.severity), col(FlagRow.since), col(FlagRow.key))
)  # fmt: skip
_COUNTS = (
    select(
        col(FlagRow.severity), col(FlagRow.code), func.count(), func.sum(case((_TOLD, 1), else_=0))
    )
    .where(*_UNSEEN)
    .group_by(col(FlagRow.severity), col(FlagRow.code))
)  # fmt: skip
_VISITS = (
    select(
        col(VisitRow.subject), col(VisitRow.visit), col(VisitRow.booked_local), col(VisitRow.target), col(VisitRow.last)
    )
    .join(SubjectRow, col(SubjectRow.code) == col(VisitRow.subject))
    .where(
        col(SubjectRow.site_id) == bindparam("site"),
        or_(*(col(VisitRow.status) == status.value for status in _AHEAD_STATUSES)),
        or_(
            # an appointment is a local time in ISO form, whose order is that of its text
            and_(
                col(VisitRow.booked_local) >= bindparam("first_text"),
                col(VisitRow.booked_local) < bindparam("end_text"),
            ),
            and_(
                col(VisitRow.booked_local).is_(None),
                col(VisitRow.target) >= bindparam("first"),
                col(VisitRow.target) < bindparam("end"),
            ),
        ),
    )
)  # fmt: skip
_FILES = select(col(LabFileRow.id), col(LabFileRow.original_name)).where(
    col(LabFileRow.id).in_(bindparam("these", expanding=True)), col(LabFileRow.site_id) == bindparam("site")
)


class FlagCount(NamedTuple):
    """How many flags of a kind are to be seen to (`told`), and how many are only for information and older."""

    severity: Severity
    code: FlagCode
    told: int
    older: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which flags of a list: of these sites, of these kinds (None: of all), of subjects whose code has this text."""

    sites: Collection[str]
    codes: Collection[FlagCode] | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Worklist:
    """The open flags (rows of `flag`) that are to be seen to, and the number of those only to be known, and older."""

    flags: Sequence[Row[Any]]
    older: int


@dataclass(frozen=True, slots=True)
class Coming:
    """A visit of the next days: its appointment, or the day on which it should be when it has none."""

    subject: str
    visit: str
    booked: datetime | None
    target: date
    last: date


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A laboratory file of which rows are held."""

    id: int
    name: str
    count: int


def worklist(session: Session, site: str, now: datetime) -> Worklist:
    """The open flags that nobody has acknowledged, the most severe and oldest first.

    What is only to be known is told for some days; after that only how many there are, so that the list keeps
    to what somebody can do something about.
    """
    wanted = Wanted((site,))
    older = sum(one.older for one in count_flags(session, wanted, now))
    return Worklist(matters(session, wanted, now), older)


def count_flags(session: Session, wanted: Wanted, now: datetime) -> list[FlagCount]:
    """How many flags of each kind a list has, the most severe kinds first."""
    rows = session.connection().execute(_narrowed(_COUNTS, wanted), _asked(wanted, now)).all()
    found = [
        FlagCount(Severity(severity), FlagCode(code), told, count - told)
        for severity, code, count, told in rows
    ]
    return sorted(found)


def matters(
    session: Session,
    wanted: Wanted,
    now: datetime,
    *,
    older: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> Sequence[Row[Any]]:
    """The rows of a list in the order of their urgency, or some of them; with `older` those only for information."""
    query = _narrowed(_FLAGS, wanted).where(_OLDER if older else _TOLD).offset(offset).limit(limit)
    found: Sequence[Row[Any]] = session.connection().execute(query, _asked(wanted, now)).all()
    return found


def _narrowed(query: Any, wanted: Wanted) -> Any:
    """The query of the flags of a list, with its filters."""
    if wanted.codes is not None:
        query = query.where(col(FlagRow.code).in_([one.value for one in wanted.codes]))
    if wanted.subject:
        query = query.where(col(FlagRow.subject).contains(wanted.subject, autoescape=True))
    return query


def _asked(wanted: Wanted, now: datetime) -> dict[str, Any]:
    return {"sites": list(wanted.sites), "news_from": now - _NEWS}


def visits_ahead(session: Session, site: str, today: date) -> list[Coming]:
    """The appointments of the next seven days, then the visits whose target lies there and that have none."""
    end = today + _AHEAD
    asked = {
        "site": site,
        "first": today,
        "end": end,
        "first_text": today.isoformat(),
        "end_text": end.isoformat(),
    }
    found = [
        Coming(
            row.subject,
            row.visit,
            datetime.fromisoformat(row.booked_local) if row.booked_local else None,
            row.target,
            row.last,
        )
        for row in session.connection().execute(_VISITS, asked)
    ]
    return sorted(found, key=_order)


def _order(one: Coming) -> tuple[bool, datetime, str]:
    return one.booked is None, one.booked or datetime.combine(one.target, time()), one.subject


def held_files(session: Session, site: str) -> list[HeldFile]:
    """The files of which rows are still held, with their number, by name."""
    if not any_held(session):
        return []
    held: Counter[int | None] = Counter(row.file_id for row in held_rows(session))
    asked = {"site": site, "these": list(held)}
    rows = session.connection().execute(_FILES, asked)
    found = [HeldFile(row.id, row.original_name, held[row.id]) for row in rows]
    return sorted(found, key=lambda file: (file.name, file.id))
