"""What the supervisor of the service (systemd) is told, over the socket that it names: ready, alive, stopping."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Mapping

from scheduler.clock import Clock

__all__ = ["Supervisor"]


class Supervisor:
    """Says `sd_notify` words; says nothing where nobody listens.

    The watchdog is fed after a database write of a service, and only while every service has written within the
    watchdog's interval: one that hangs, or a loop that stands still, lets it run out.
    """

    def __init__(self, clock: Clock, environment: Mapping[str, str] = os.environ) -> None:
        self._clock = clock
        self._address = environment.get("NOTIFY_SOCKET", "")
        for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.interval_s = int(environment.get("WATCHDOG_USEC", "0")) / 1e6 if for_us else 0.0
        self._alive_at: dict[str, float] = {}

    def ready(self, services: Collection[str]) -> None:
        """Everything runs; from now on each of these services is expected to write."""
        self._alive_at = dict.fromkeys(services, self._clock.monotonic())
        self._say("READY=1", f"STATUS={len(services)} services run")

    def alive(self, service: str) -> None:
        """A service has written to the database."""
        now = self._clock.monotonic()
        self._alive_at[service] = now
        if self.interval_s and all(now - at <= self.interval_s for at in self._alive_at.values()):
            self._say("WATCHDOG=1")

    def reloading(self) -> None:
        self._say("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * 1e6)}")

    def reloaded(self, status: str) -> None:
        """The service goes on, with the new configuration or, as `status` says, with the old."""
        self._say("READY=1", f"STATUS={status}")

    def stopping(self) -> None:
        self._say("STOPPING=1")

    def _say(self, *words: str) -> None:
        """Never an error: whether the supervisor listens is no concern of the study."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
                to.setblocking(False)
                to.sendto("\n".join(words).encode(), address)
        except OSError:
            return
