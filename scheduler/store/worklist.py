"""What a site's people have to see to, in the order of its urgency: what the daily mail says and the console shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, or_, select
from sqlmodel import Session, col

from scheduler.domain.flags import Severity
from scheduler.domain.protocol import VisitStatus
from scheduler.store.lab import any_held, held_rows
from scheduler.store.tables import AcknowledgementRow, FactRow, FlagRow, LabFileRow, SubjectRow, VisitRow

__all__ = ["Coming", "HeldFile", "Worklist", "held_files", "visits_ahead", "worklist"]

_AHEAD_STATUSES = (VisitStatus.BOOKED, VisitStatus.PLANNED, VisitStatus.WINDOW_OPEN)

# The statements of every list, made once; they read what is said and no more.
_FLAGS = (
    select(
        col(FlagRow.id), col(FlagRow.key), col(FlagRow.code), col(FlagRow.severity), col(FlagRow.subject),
        col(FlagRow.visit), col(FlagRow.detail), col(FlagRow.reason), col(FlagRow.since), col(FlagRow.opened_at),
    )
    .where(col(FlagRow.site_id) == bindparam("site"), col(FlagRow.closed_at).is_(None))
    .order_by(col(FlagRow.severity), col(FlagRow.since), col(FlagRow.key))
)  # fmt: skip
_SEEN_FACTS = select(col(FactRow.payload), col(FactRow.recorded_at)).where(
    col(FactRow.kind) == "flag_acknowledged",
    col(FactRow.subject).in_(bindparam("subjects", expanding=True)),
)
_SEEN = (
    select(col(AcknowledgementRow.flag_key), func.max(col(AcknowledgementRow.at)))
    .where(col(AcknowledgementRow.flag_key).in_(bindparam("keys", expanding=True)))
    .group_by(col(AcknowledgementRow.flag_key))
)
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

_AHEAD = timedelta(days=7)
_NEWS = timedelta(days=3)
_NEVER_SEEN = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Worklist:
    """The open flags (rows of `flag`) that are to be seen to, and the number of those only to be known, and older."""

    flags: Sequence[Row[Any]]
    older: Sequence[Row[Any]]


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
    flags = session.connection().execute(_FLAGS, {"site": site}).all()
    seen_at = _acknowledged(session, flags)
    unseen = [flag for flag in flags if flag.opened_at > seen_at.get(flag.key, _NEVER_SEEN)]
    told = [flag for flag in unseen if _is_told(flag, now)]
    return Worklist(told, [flag for flag in unseen if not _is_told(flag, now)])


def _is_told(flag: Row[Any], now: datetime) -> bool:
    return bool(flag.severity < Severity.KNOW or flag.opened_at > now - _NEWS)


def _acknowledged(session: Session, flags: Sequence[Row[Any]]) -> dict[str, datetime]:
    """Flag key → when a person last said that it has been seen."""
    keys = [flag.key for flag in flags]
    if not keys:
        return {}
    connection = session.connection()
    found: dict[str, datetime] = dict(connection.execute(_SEEN, {"keys": keys}).all())
    subjects = sorted({flag.subject for flag in flags if flag.subject is not None})
    for payload, at in connection.execute(_SEEN_FACTS, {"subjects": subjects}):
        key = payload.get("flag", "")
        found[key] = max(found.get(key, _NEVER_SEEN), at)
    return found


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
