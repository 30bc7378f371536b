"""What the daemon says of itself: heartbeats, the newest instant on record, and the lock of a SQLite file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from scheduler.domain.reason import because
from scheduler.store.database import Database, StoreError
from scheduler.store.tables import AuditRow, HeartbeatRow
from scheduler.store.upsert import Upsert

__all__ = [
    "CLOCK",
    "CONFIGURATION",
    "METHODS",
    "RESTORED",
    "TIME_SOURCE",
    "AlreadyRunningError",
    "beat",
    "heartbeat_of",
    "heartbeats",
    "newest_instant",
    "only_daemon",
]


CLOCK = "clock"
METHODS = "methods"
"""The mark whose detail is the fingerprint of the methods that the estimates on record were made by."""

CONFIGURATION = "configuration"
"""The mark that counts the defects of files that were to be read anew; its detail is the first, as JSON."""
RESTORED = "restored"
"""The mark of a database that was restored, whose detail says of when its backup is."""
TIME_SOURCE = "time_source"
"""The mark whose detail is what kept the clock right when it was last looked at."""

_MARKS = (METHODS, CONFIGURATION, RESTORED, TIME_SOURCE)
_HEARTBEAT = HeartbeatRow.__table__


def _overwriting(new: Any) -> Any:
    said = {name: new.excluded[name] for name in ("at", "failures", "detail")}
    return new.on_conflict_do_update(index_elements=["service"], set_=said)


_BEAT = Upsert(_HEARTBEAT, _overwriting)


class AlreadyRunningError(StoreError):
    """Another daemon works on this database."""


def beat(session: Session, service: str, now: datetime, failures: int, detail: str = "") -> None:
    """Note that a service is alive."""
    values = {"service": service, "at": now, "failures": failures, "detail": detail}
    connection = session.connection()
    connection.execute(_BEAT.on(connection), values)


def heartbeat_of(session: Session, service: str) -> HeartbeatRow | None:
    return session.get(HeartbeatRow, service)


def heartbeats(session: Session) -> list[HeartbeatRow]:
    """The signs of life; a mark is none."""
    query = select(HeartbeatRow).where(col(HeartbeatRow.service).not_in(_MARKS))
    return list(session.exec(query.order_by(HeartbeatRow.service)))


def newest_instant(session: Session) -> datetime | None:
    """The latest instant on record; a wall clock before it is wrong."""
    audited = session.exec(select(func.max(AuditRow.at))).one()
    alive = session.exec(select(func.max(HeartbeatRow.at))).one()
    known: list[datetime] = [one for one in (audited, alive) if one is not None]  # type: ignore[redundant-expr]
    return max(known, default=None)


@contextmanager
def only_daemon(db: Database) -> Iterator[None]:
    """Hold the lock of a SQLite file while the daemon runs; daemons on PostgreSQL share the work instead.

    Raises AlreadyRunningError when another process holds it. The system frees the lock of a killed process.
    """
    if not db.is_sqlite or not db.url.database or db.url.database == ":memory:":
        yield
        return
    path = Path(db.url.database + ".lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise AlreadyRunningError(
                because("store_another_daemon", process_id=owner, path_id=str(db.url.database))
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
