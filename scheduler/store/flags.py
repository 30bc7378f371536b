"""Flags about files, mails and parked subjects: opened by a step, closed by a person or by what resolves them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text, update
from sqlmodel import Session, col, select

from scheduler.domain.flags import SEVERITY, FlagCode
from scheduler.domain.reason import Reason, to_json
from scheduler.store.tables import FlagRow
from scheduler.store.upsert import Upsert

__all__ = ["close_flag", "open_flags", "open_site_flag"]

_FLAG = FlagRow.__table__
_ADD = Upsert(
    _FLAG,
    lambda new: new.on_conflict_do_nothing(index_elements=["key"], index_where=text("closed_at IS NULL")),
)


def open_site_flag(
    session: Session,
    code: FlagCode,
    key: str,
    site: str,
    reason: Reason,
    now: datetime,
    *,
    subject: str | None = None,
) -> bool:
    """Open a flag that no timeline derives; False when it is open already."""
    flag = {
        "key": key,
        "code": code.value,
        "site_id": site,
        "subject": subject,
        "detail": "",
        "severity": int(SEVERITY[code]),
        "reason": to_json(reason),
        "since": now,
        "opened_at": now,
    }
    connection = session.connection()
    return bool(connection.execute(_ADD.on(connection), flag).rowcount)


def close_flag(session: Session, key: str, now: datetime) -> bool:
    """Close an open flag; False when there is none."""
    statement = (
        update(FlagRow).where(col(FlagRow.key) == key, col(FlagRow.closed_at).is_(None)).values(closed_at=now)
    )
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def open_flags(session: Session, site: str | None = None) -> list[FlagRow]:
    """All open flags, the most urgent and oldest first."""
    query = select(FlagRow).where(col(FlagRow.closed_at).is_(None))
    if site is not None:
        query = query.where(FlagRow.site_id == site)
    return list(session.exec(query.order_by(col(FlagRow.severity), col(FlagRow.since), col(FlagRow.key))))
