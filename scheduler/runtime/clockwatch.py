"""Whether the wall clock can be believed. While it cannot, nothing that depends on the date is done."""

from __future__ import annotations

from datetime import datetime, timedelta

from scheduler.clock import Clock

__all__ = ["ClockWatch"]

JUMP = timedelta(minutes=15)
BEFORE_RECORD = timedelta(seconds=60)
AFTER_RECORD = timedelta(days=45)


class ClockWatch:
    """Compares the wall clock with the monotonic one and with what is on record."""

    def __init__(self, clock: Clock, newest_on_record: datetime | None) -> None:
        self._clock = clock
        self._wall, self._monotonic = clock.now(), clock.monotonic()
        self.held: str | None = None
        if newest_on_record is not None:
            if self._wall < newest_on_record - BEFORE_RECORD:
                self.held = f"the clock says {self._wall:%Y-%m-%d %H:%M}, before the last record"
            elif self._wall > newest_on_record + AFTER_RECORD:
                self.held = (
                    f"the clock says {self._wall:%Y-%m-%d %H:%M}, more than 45 days after the last record"
                )

    def look(self) -> str | None:
        """Why the clock is not believed now, if it is not. A clock that comes back by itself is believed again."""
        drift = self.drift()
        if abs(drift) > JUMP:
            self.held = f"the clock jumped by {round(drift.total_seconds() / 60)} min"
        elif self.held is not None and self.held.startswith("the clock jumped"):
            self.held = None
        elif self.held is None:
            self._wall, self._monotonic = self._clock.now(), self._clock.monotonic()
        return self.held

    def drift(self) -> timedelta:
        """How far the wall clock moved more than the monotonic one."""
        elapsed = timedelta(seconds=self._clock.monotonic() - self._monotonic)
        return self._clock.now() - self._wall - elapsed

    def confirm(self) -> None:
        """A person says that the clock is right."""
        self.held = None
        self._wall, self._monotonic = self._clock.now(), self._clock.monotonic()
