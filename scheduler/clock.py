"""The only reader of the wall clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock"]


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Where a step learns what time it is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow; for time-outs and settling, never for dates."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.clock_gettime(_STEADY)  # counts a suspended machine's sleep too, where the system can


class ManualClock:
    """A clock that stands still until it is moved: rehearsals and tests."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._started = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._started).total_seconds()

    def move_to(self, instant: datetime) -> None:
        """Set the clock; going back is allowed, as it is for a real one."""
        self._now = instant
