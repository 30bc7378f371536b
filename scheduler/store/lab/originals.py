"""The SQL about the originals of laboratory files: which may go, and what became of one that was judged again."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlmodel import Session, col, select

from scheduler.store.tables import LabFileRow

__all__ = ["finished_originals", "replay_hash"]


def replay_hash(sha: str) -> str:
    """The hash under which the content of a file is on record that was judged again."""
    return sha256(f"{sha}|replay".encode()).hexdigest()


def finished_originals(session: Session, before: datetime) -> dict[str, int]:
    """Where the originals lie that came before an instant and need nothing more, with the numbers of their files; of
    several files with one original, all must be as old."""
    query = select(LabFileRow.archived_as, LabFileRow.id, LabFileRow.received_at).order_by(col(LabFileRow.id))
    rows = session.exec(query.where(col(LabFileRow.archived_as).is_not(None))).all()
    young = {place for place, _, received_at in rows if received_at >= before}
    return {
        place: number
        for place, number, _ in rows
        if place is not None and number is not None and place not in young
    }
