"""T5: the mail server is away for a day while many mails are due: it is asked rarely; once it is back they leave."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

import notif_cases as cases
from torture_ground import Ground
from torture_oracle import mails_of
from torture_result import Result
from torture_stage import Peer

from notifications.delivery.channel import Channel
from notifications.delivery.smtp import Security, SmtpServer, SmtpTransport
from notifications.delivery.step import delivery_step
from scheduler.clock import ManualClock
from scheduler.store.database import Database
from scheduler.store.schema import migrate

__all__ = ["day_without_mail"]

_AWAY = timedelta(hours=24)
_EVERY_S = 30.0
_DRAINED_WITHIN_S = 900.0


class _Moving(ManualClock):
    """Goes with the machine's clock from where it was moved to."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self._since = time.monotonic()

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=time.monotonic() - self._since)

    def pass_until(self, instant: datetime) -> None:
        if instant > self.now():
            self.move_to(instant)
            self._since = time.monotonic()


class _Door:
    """A port at which nobody answers: who comes is counted and sent away."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.knocks = int(self._socket.getsockname()[1]), 0
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.knocks += 1
            caller.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


def day_without_mail(ground: Ground, mails: int, latency_s: float = 0.0) -> Result:
    """`mails` are due when the server goes; every reply takes `latency_s` once it is back."""
    result = Result("T5", f"mail server away for 24 h, {mails:,} mails due", "sqlite", runs=1, disturbed=1)
    people = {f"p{number}": ("fr", ["coordinator"]) for number in range(mails)}
    with _desk(ground, people) as (desk, clock):
        desk.tell(cases.reminder(valid=timedelta(days=3)))
        with closing(_Door()) as door:
            channel = asyncio.run(_away(desk, clock, door.port))
        peer = ground.peer()
        peer.begin(ground.home / "kept-after-a-day.jsonl")
        peer.answer_after(latency_s)
        result.longest_s = asyncio.run(_drained(desk, clock, peer.port, channel))
        _judge(desk, clock, peer, door.knocks, mails, result)
    result.notes.append(
        f"{door.knocks} attempts at the server in the 24 h; with {1000 * latency_s:g} ms a reply all had left "
        f"{result.longest_s:.0f} s after its return"
    )
    return result


@contextmanager
def _desk(ground: Ground, people: dict[str, tuple[str, list[str]]]) -> Iterator[tuple[cases.Study, _Moving]]:
    url, clock = f"sqlite:///{ground.home / 'outage.db'}", _Moving(cases.NOW)
    with closing(Database(url)) as db:
        migrate(db)
    desk = cases.make_study(url, people)
    desk.clock = clock
    try:
        yield desk, clock
    finally:
        desk.db.close()
        for left in ground.home.glob("outage.db*"):
            left.unlink()


def _way(port: int) -> SmtpTransport:
    return SmtpTransport(SmtpServer("localhost", port, Security.PLAIN, timeout_s=5))


async def _away(desk: cases.Study, clock: _Moving, port: int) -> Channel:
    """Twenty-four hours of steps, each when the last one said."""
    channel, until, room = Channel(), clock.now() + _AWAY, cases.room()
    while clock.now() < until:
        report = await delivery_step(desk.db, _way(port), clock, room, channel)
        channel = report.channel
        soon = clock.now() + timedelta(seconds=1)
        clock.pass_until(min(max(report.next_due or soon, soon), until))
    return channel


async def _drained(desk: cases.Study, clock: _Moving, port: int, channel: Channel) -> float:
    """The server is there again: how long it takes until nothing is due, the wait for its next trial included."""
    began, room = clock.now(), cases.room()
    while True:
        report = await delivery_step(desk.db, _way(port), clock, room, channel)
        channel = report.channel
        if report.next_due is None or report.next_due > clock.now() + timedelta(hours=1):
            return (clock.now() - began).total_seconds()
        clock.pass_until(report.next_due)


def _judge(desk: cases.Study, clock: _Moving, peer: Peer, knocks: int, mails: int, result: Result) -> None:
    rows, kept = desk.mails(), peer.kept
    result.mails = len({one["id"] for one in kept})
    result.duplicates = len(kept) - result.mails
    result.broken += mails_of(rows, desk.attempts(), kept, clock.now())
    if result.mails < mails:
        result.broken.append(f"lost: {mails - result.mails} mails did not arrive")
    if result.duplicates:
        result.broken.append(f"{result.duplicates} mails arrived twice")
    most = int(_AWAY.total_seconds() / _EVERY_S) + 1
    if not 1 < knocks <= most:
        result.broken.append(f"{knocks} attempts at the server, not 2 to {most}")
    if result.longest_s > _DRAINED_WITHIN_S:
        result.broken.append(f"all had left only {result.longest_s:.0f} s after its return")
