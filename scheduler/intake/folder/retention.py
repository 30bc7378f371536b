"""Originals of laboratory files, which may hold names, are kept as long as the settings say, and not longer. What was
understood of them, receipts and the audit trail stay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from scheduler.intake.folder.rooms import Room
from scheduler.store import audit
from scheduler.store.database import Transact
from scheduler.store.lab.originals import finished_originals

__all__ = ["delete_originals"]

_PER_STEP = 500


def delete_originals(root: Path, transact: Transact, before: datetime, now: datetime) -> list[str]:
    """Deletes the originals that came before an instant, at most 500 at a time; returns where they lay.

    The intention is on record before a file goes: what a stop leaves is deleted, and recorded, again. A file that no
    row knows, as after the restore of an older database, is kept.
    """
    due = list(_due(root, transact(lambda session: finished_originals(session, before)), before))[:_PER_STEP]
    if not due:
        return []

    def record(session: Session) -> None:
        for place, file in due:
            detail: dict[str, Any] = {"original": place}
            audit.append(
                session,
                now,
                "lab_original_deleted",
                "lab_file",
                str(file) if file is not None else "-",
                detail,
            )

    transact(record)
    return [place for place, _ in due if _delete(root / place)]


def _delete(path: Path) -> bool:
    """Whether a file and the note beside it could be deleted."""
    try:
        path.with_name(f"{path.name}.reason.txt").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _due(root: Path, finished: dict[str, int], before: datetime) -> Iterator[tuple[str, int | None]]:
    """What lies in the archive, in quarantine and among the duplicates, and may go: where, and whose it is. Duplicates
    have no row of their own; their names say when they came."""
    for room in (Room.ARCHIVE, Room.QUARANTINE):
        for path in sorted((root / room).iterdir()):
            place = f"{room.value}/{path.name}"
            if place in finished:
                yield place, finished[place]
    for path in sorted((root / Room.DUPLICATES).iterdir()):
        came = _came(path.name)
        if came is not None and came < before:
            yield f"{Room.DUPLICATES.value}/{path.name}", None


def _came(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.partition("_")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
