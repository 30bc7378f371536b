"""The way to the mail server as a value: open, or held until an instant after failures. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain.reason import Reason

__all__ = ["Channel"]

_FIRST = timedelta(seconds=30)
_LONGEST = timedelta(minutes=5)
_ALARM_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Channel:
    """A circuit-breaker. A failure closes it for 30 s, the next ones for twice as long each, up to 5 min."""

    failures: int = 0
    failing_since: datetime | None = None
    held_until: datetime | None = None
    reason: Reason | None = None
    misconfigured: bool = False

    def is_open(self, now: datetime) -> bool:
        return self.held_until is None or now >= self.held_until

    def failed(self, reason: Reason, now: datetime) -> Channel:
        """After a failure of the connection."""
        wait = min(_FIRST * 2 ** min(self.failures, 10), _LONGEST)
        return Channel(self.failures + 1, self.failing_since or now, now + wait, reason)

    def misconfigured_by(self, reason: Reason, now: datetime) -> Channel:
        """After the server refused us: only a person can help, so the longest wait and the alarm at once."""
        return Channel(self.failures + 1, self.failing_since or now, now + _LONGEST, reason, True)

    def alarms(self, now: datetime) -> bool:
        """Whether a person must be told."""
        if self.failing_since is None:
            return False
        return self.misconfigured or now - self.failing_since >= _ALARM_AFTER
