"""A clock that several processes share: it goes with the machine's and can be moved for all of them at once."""

from __future__ import annotations

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

__all__ = ["EPOCH", "SharedClock"]

EPOCH = datetime(2029, 9, 3, 8, 0, tzinfo=UTC)
"""A Monday, 10:00 in Paris; later than any real alarm, so that only the loops look at the time."""

_TWO = struct.Struct("dd")


class SharedClock:
    """Reads and moves the instant that a file holds. Implements `scheduler.clock.Clock`."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_TWO.pack(-time.monotonic(), 0.0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _TWO.size)

    def now(self) -> datetime:
        passed, stepped = _TWO.unpack_from(self._shared)
        return EPOCH + timedelta(seconds=time.monotonic() + passed + stepped)

    def monotonic(self) -> float:
        passed, _ = _TWO.unpack_from(self._shared)
        return time.monotonic() + float(passed)

    def pass_until(self, instant: datetime) -> None:
        """Time passes: the wall clock and the steady one move together. Never backwards."""
        seconds = (instant - self.now()).total_seconds()
        if seconds > 0:
            passed, stepped = _TWO.unpack_from(self._shared)
            _TWO.pack_into(self._shared, 0, passed + seconds, stepped)

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock; the steady one goes on."""
        passed, stepped = _TWO.unpack_from(self._shared)
        _TWO.pack_into(self._shared, 0, passed, stepped + seconds)
