"""What a restored database cannot know: which mails left after its backup. They are held until a person says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, delete, update
from sqlmodel import Session

from scheduler.domain.reason import because, to_json
from scheduler.store.operations import METHODS, RESTORED, beat, heartbeat_of
from scheduler.store.tables import HeartbeatRow, OutboxRow

__all__ = ["OPEN_STATES", "POSSIBLY_SENT", "Restored", "mark_restored", "restored"]

POSSIBLY_SENT = "possibly_sent"
OPEN_STATES = ("pending", "retry", "leased")
"""The states of a mail that was still to leave; it may have left after the backup."""

_KNOWN = "restored"
_HEARTBEAT = HeartbeatRow.__table__
_OUTBOX = OutboxRow.__table__


@dataclass(frozen=True, slots=True)
class Restored:
    """Of when the backup is that this database was made from, and when that was."""

    backup_at: datetime
    restored_at: datetime


def restored(session: Session) -> Restored | None:
    """The last restore; None for a database that was never restored. Looked up once in a transaction."""
    if _KNOWN not in session.info:
        mark = heartbeat_of(session, RESTORED)
        session.info[_KNOWN] = None if mark is None else _restored_by(mark)
    found: Restored | None = session.info[_KNOWN]
    return found


def _restored_by(mark: HeartbeatRow) -> Restored:
    return Restored(datetime.fromisoformat(json.loads(mark.detail)["backup_at"]), mark.at)


def mark_restored(session: Session, backup_at: datetime, now: datetime) -> int:
    """Note that the database was restored, and hold every mail that may have left since; returns how many.

    The signs of life in it are those of the service that was.
    """
    session.info.pop(_KNOWN, None)
    session.connection().execute(delete(_HEARTBEAT).where(_HEARTBEAT.c.service != METHODS))
    beat(session, RESTORED, now, 0, json.dumps({"backup_at": backup_at.isoformat()}))
    reason = json.dumps(to_json(because("mail_possibly_sent", at=backup_at)), ensure_ascii=False)
    held: CursorResult[tuple[()]] = session.connection().execute(
        update(_OUTBOX)
        .where(_OUTBOX.c.state.in_(OPEN_STATES), _OUTBOX.c.not_before <= now)
        .values(state=POSSIBLY_SENT, reason=reason, lease_owner=None, lease_token=None, lease_until=None)
    )
    session.connection().execute(
        update(_OUTBOX)
        .where(_OUTBOX.c.state == "leased")
        .values(state="pending", lease_owner=None, lease_token=None, lease_until=None)
    )
    return held.rowcount
