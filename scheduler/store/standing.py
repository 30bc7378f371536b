"""How the subjects stand before the engine: how many there are, wait, are parked, and when the next look is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from scheduler.store.tables import SiteRow, SubjectRow

__all__ = ["Standing", "first_zone", "standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """`due` are those whose time has come; `parked` are the codes of those left alone, each with why."""

    subjects: int
    due: int
    next_wake: datetime | None
    parked: tuple[tuple[str, str], ...]


def standing(session: Session, now: datetime) -> Standing:
    """How the subjects stand now."""
    wake, parked = col(SubjectRow.next_wake), col(SubjectRow.parked)
    left_alone = session.exec(select(SubjectRow.code, parked).where(parked.is_not(None)))
    active = select(func.count(), func.min(wake)).where(parked.is_(None))
    due, _ = session.exec(active.where(wake <= now)).one()
    return Standing(
        subjects=session.exec(select(func.count()).select_from(SubjectRow)).one(),
        due=due,
        next_wake=session.exec(active).one()[1],
        parked=tuple((code, str(why)) for code, why in left_alone),
    )


def first_zone(session: Session) -> ZoneInfo:
    """The time zone of the first site; UTC before there is one."""
    found = session.exec(select(SiteRow.zone).order_by(col(SiteRow.id)).limit(1)).first()
    return ZoneInfo(found or "UTC")
