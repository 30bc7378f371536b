"""The daemon: every kind of work in a loop of its own, until a signal, or until one of them keeps failing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, time
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from config.logs import log
from config.settings import DaemonSettings
from scheduler.clock import Clock
from scheduler.runtime.alarm import Alarm
from scheduler.runtime.clockwatch import ClockWatch
from scheduler.runtime.listen import listen
from scheduler.runtime.service import Service, ServiceFailedError, run_service
from scheduler.runtime.supervisor import Supervisor
from scheduler.runtime.watch import watch_folder
from scheduler.runtime.work import DELIVERY, RECONCILE, Work
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.hints import Hint
from scheduler.store.operations import CLOCK, beat, heartbeat_of, newest_instant

__all__ = ["RELOAD", "Reread", "run_daemon"]

Reread = Callable[[], Awaitable[bool]]
RELOAD = -1
"""How `run_daemon` ends when it is to be started anew with other files."""

_LOOKS_AT = {Hint.SUBJECTS: RECONCILE, Hint.MAILS: DELIVERY}


async def run_daemon(
    db: Database,
    works: Sequence[Work],
    clock: Clock,
    settings: DaemonSettings,
    *,
    daily: Sequence[tuple[str, time, ZoneInfo]],
    every: Sequence[tuple[str, float]],
    watched: Sequence[tuple[str, Path]] = (),
    stop: asyncio.Event | None = None,
    about: Mapping[str, Any] | None = None,
    reread: Reread | None = None,
) -> int:
    """Run until SIGTERM or SIGINT (0), or until a service keeps failing (1). A running step is let finish.

    At SIGHUP `reread` is asked whether the files can be used; if so, it ends too (RELOAD), to be started anew.

    `daily` and `every` wake services by the clock, `watched` when something changes in a folder. `about` is put on
    record with the start.
    """
    stopping = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    supervisor, reload = Supervisor(clock), _Reload(reread, stopping)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if reread is not None:
        loop.add_signal_handler(signal.SIGHUP, reload.asked.set)
    alarm = Alarm()
    watch = ClockWatch(clock, await db.run(newest_instant))
    alarm.start()
    for name, at, zone in daily:
        alarm.daily(name, at, zone)
    for name, seconds in every:
        alarm.every(name, seconds)
    started = {"services": [work.name for work in works], **(about or {})}
    await db.run(lambda session: audit.append(session, clock.now(), "daemon_started", "daemon", "-", started))
    log.info("daemon_started", services=[work.name for work in works])
    supervisor.ready([work.name for work in works])
    watching = asyncio.create_task(reload.watch(supervisor))
    try:
        code = await _run_services(db, works, clock, settings, alarm, watch, watched, stopping, supervisor)
    finally:
        watching.cancel()
        alarm.stop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    code = RELOAD if reload.granted and code == 0 else code
    if code != RELOAD:
        supervisor.stopping()
    try:
        await db.run(
            lambda session: audit.append(
                session, clock.now(), "daemon_stopped", "daemon", "-", {"code": code}
            )
        )
    except Exception as error:  # noqa: BLE001 - when the database is what failed, the exit code says so
        log.error("stop_not_recorded", error=type(error).__name__)
    log.info("daemon_stopped", code=code)
    return code


async def _run_services(
    db: Database,
    works: Sequence[Work],
    clock: Clock,
    settings: DaemonSettings,
    alarm: Alarm,
    watch: ClockWatch,
    watched: Sequence[tuple[str, Path]],
    stopping: asyncio.Event,
    supervisor: Supervisor,
) -> int:
    async def beat_of(service: str, now: datetime, failures: int, detail: str) -> None:
        await db.run(lambda session: beat(session, service, now, failures, detail))
        supervisor.alive(service)

    gave_up: list[BaseException] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    run_service(
                        Service(work.name, _guarded(db, work, alarm, watch)), clock, alarm, beat_of, stopping,
                        longest_wait_s=settings.longest_wait_s, give_up=settings.give_up_after,
                    ),
                    name=work.name,
                )
                for work in works
            ]  # fmt: skip
            group.create_task(listen(db, lambda said: alarm.ring(_LOOKS_AT[said]), stopping))
            for name, folder in watched:
                group.create_task(watch_folder(folder, partial(alarm.ring, name), stopping))
            group.create_task(_end_in_time(stopping, tasks, settings.stop_within_s))
    except* ServiceFailedError as failed:
        gave_up.extend(failed.exceptions)
    for error in gave_up:
        log.error("daemon_gives_up", error=type(error.__cause__ or error).__name__)
    return 1 if gave_up else 0


class _Reload:
    """What SIGHUP asks for: a look at the files, and a new start only when all of them can be used."""

    def __init__(self, reread: Reread | None, stopping: asyncio.Event) -> None:
        self.asked, self.granted = asyncio.Event(), False
        self._reread, self._stopping = reread, stopping

    async def watch(self, supervisor: Supervisor) -> None:
        while self._reread is not None and not self.granted:
            await self.asked.wait()
            self.asked.clear()
            supervisor.reloading()
            try:
                self.granted = await self._reread()
            except Exception as error:  # noqa: BLE001 - as when the database is away: the old files go on
                log.error("reload_failed", error=type(error).__name__)
            if self.granted:
                self._stopping.set()
            else:
                supervisor.reloaded("the new files cannot be used; the old ones go on")


async def _end_in_time(stopping: asyncio.Event, tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Once asked to stop, the running steps get so many seconds; what is left is cancelled and done again later."""
    await stopping.wait()
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        log.warning("step_cut_short", service=task.get_name())
        task.cancel()


def _guarded(
    db: Database, work: Work, alarm: Alarm, watch: ClockWatch
) -> Callable[[datetime], Awaitable[datetime | None]]:
    """The work's step, held while the clock cannot be believed; it wakes the work that follows from it."""

    async def step(now: datetime) -> datetime | None:
        held = watch.look()
        if held is not None:
            await _note_hold(db, watch, held, now)
            return None
        upcoming = await work.step(now)
        for name in work.wakes:
            alarm.ring(name)
        return upcoming

    return step


async def _note_hold(db: Database, watch: ClockWatch, held: str, now: datetime) -> None:
    """Say so in the status, and look whether a person has confirmed the clock."""

    def note(session: Session) -> bool:
        row = heartbeat_of(session, CLOCK)
        if row is not None and row.detail == "confirmed":
            beat(session, CLOCK, now, 0, "")
            return True
        if row is None or row.detail != held:
            beat(session, CLOCK, now, 1, held)
            audit.append(session, now, "clock_held", "daemon", "-", {"why": held})
        return False

    if await db.run(note):
        watch.confirm()
        log.info("clock_confirmed")
    else:
        log.warning("clock_held", why=held)
