"""A disk that refuses a write ends the use of the database by this process; a new one finds what was committed."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from scheduler.store import audit
from scheduler.store.database import Database, DiskFailedError


@contextmanager
def no_file_may_grow(path: Path) -> Iterator[None]:
    """The system refuses writes behind the end of the file: not for want of space, but for good."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_after_a_write_that_the_disk_refused_this_process_writes_no_more(
    sqlite_db: Database, noon: datetime
) -> None:
    def note(session: Session) -> None:
        audit.append(session, noon, "noted", "disk", "-", {"much": "x" * 500_000})

    sqlite_db.transact(note)
    with no_file_may_grow(Path(f"{sqlite_db.url.database}-wal")), pytest.raises(DiskFailedError):  # noqa: PT012
        while True:
            sqlite_db.transact(note)
    with pytest.raises(DiskFailedError):
        sqlite_db.transact(note)
    again = Database(str(sqlite_db.url))
    count, _, breaks = again.transact(audit.verify)
    again.transact(note)
    assert count >= 1 and breaks == []
    assert again.transact(audit.verify)[0] == count + 1
    again.close()
