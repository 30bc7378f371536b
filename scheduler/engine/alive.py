"""Whether the daemon works, as its heartbeats say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from scheduler.store.operations import CLOCK, heartbeats

__all__ = ["STALE", "Alive", "daemon_state"]

STALE = timedelta(minutes=1)
"""Two of the longest intervals at which a service writes."""


@dataclass(frozen=True, slots=True)
class Alive:
    """`last_at` is the last sign of life of the service that was silent longest; `held` why sending is held."""

    running: bool
    last_at: datetime | None
    held: str | None


def daemon_state(session: Session, now: datetime) -> Alive:
    """What the heartbeats say of the daemon."""
    rows = heartbeats(session)
    clock = next((row for row in rows if row.service == CLOCK), None)
    beats = [row for row in rows if row.service != CLOCK]
    last_at = min((row.at for row in beats), default=None)
    running = last_at is not None and now - last_at <= STALE
    return Alive(running, last_at, clock.detail if clock is not None and clock.failures else None)
