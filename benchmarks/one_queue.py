"""One kind of reminders in a process of its own, filled, fired or run to its end: `queues` starts it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from procrastinate import App, PsycopgConnector
from sqlalchemy import create_engine, event

from benchmarks.population import enrol, multiply
from benchmarks.process import resident_mb
from config.settings import load_settings
from main import make_program
from scheduler.clock import ManualClock
from scheduler.engine.reconcile import reconcile_step
from scheduler.runtime.program import Program, keep_what_is_loaded
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.runtime.works import reconcile_work
from scheduler.store.copying import copy_study
from scheduler.store.database import Database
from scheduler.store.schema import migrate
from scheduler.store.subjects import next_wake

__all__ = ["persisted_scheduler"]

_BEGIN = datetime(2026, 9, 7, 10, tzinfo=UTC)


# --- the same for all: a loop that is watched ---------------------------------------------------------------------


def _note_in(log: Path) -> None:
    """From here on jobs note in a file that they ran."""
    global _note  # noqa: PLW0603
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _note = lambda key: os.write(descriptor, f"{key}\n".encode())  # noqa: E731
    log.with_name(f"{log.name}.begun").touch()


_ran: list[str] = []
_note: Callable[[str], object] = _ran.append


_idle: list[float] = []
"""The longest block of a loop that has nothing to do: what the machine's other work costs."""


async def _watched(work: Awaitable[object], idle_s: float = 5) -> tuple[float, float]:
    """Seconds that the work took, and the longest time for which the loop did not come round meanwhile."""
    block = [0.0]

    async def watch() -> None:
        while True:
            at = time.perf_counter()
            await asyncio.sleep(0.002)
            block[0] = max(block[0], time.perf_counter() - at - 0.002)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(idle_s)
    _idle.append(block[0])
    block[0], started = 0.0, time.perf_counter()
    await work
    took = time.perf_counter() - started
    await asyncio.sleep(0)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    return took, block[0]


def _figures(
    count: int, enrol_per_s: float, restart_s: float, fired: tuple[float, float], cpu_s: float
) -> dict[str, float]:
    return {
        "enrol, reminders/s": enrol_per_s,
        "start again, s": restart_s,
        "fire, reminders/s": count / fired[0],
        "fire, reminders per second of processor time": count / cpu_s,
        "longest block of the loop, ms": 1000 * fired[1],
        "longest block in 5 s of doing nothing, ms": 1000 * _idle[0],
        "memory, MB": resident_mb(os.getpid()),
    }


# --- APScheduler --------------------------------------------------------------------------------------------------


async def remind(key: str) -> None:
    _note(key)


def persisted_scheduler(url: str) -> AsyncIOScheduler:
    """With jobs in SQLite, as durable and as fast as ours: the library's default is slower."""
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return AsyncIOScheduler(jobstores={"default": SQLAlchemyJobStore(engine=engine)}, timezone=UTC)


async def _apscheduler(url: str, what: str, count: int) -> dict[str, float]:
    started = time.perf_counter()
    scheduler = persisted_scheduler(url)
    scheduler.start(paused=True)
    restart_s = time.perf_counter() - started
    if what in ("fire", "fill"):
        started = time.perf_counter()
        for number in range(count):
            trigger = DateTrigger(datetime.now(UTC))
            scheduler.add_job(remind, trigger, args=(str(number),), misfire_grace_time=None)
        enrol_per_s = count / (time.perf_counter() - started)
    if what == "fill":
        return {}
    cpu = time.process_time()

    async def fire() -> None:
        scheduler.resume()
        while scheduler.get_jobs() if what == "run" else len(_ran) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2 if what == "run" else 0)

    fired = await _watched(fire(), 0 if what == "run" else 5)
    cpu_s = time.process_time() - cpu
    scheduler.shutdown(wait=False)
    return _figures(count, enrol_per_s, restart_s, fired, cpu_s) if what == "fire" else {}


# --- procrastinate ------------------------------------------------------------------------------------------------


async def _procrastinate(url: str, what: str, count: int) -> dict[str, float]:
    app = App(connector=PsycopgConnector(conninfo=url))

    @app.task(name="remind")
    async def task(key: str) -> None:
        _note(key)

    started = time.perf_counter()
    async with app.open_async():
        restart_s = time.perf_counter() - started
        if what in ("fire", "fill"):
            await app.schema_manager.apply_schema_async()
            started = time.perf_counter()
            for number in range(count):
                await task.defer_async(key=str(number))
            enrol_per_s = count / (time.perf_counter() - started)
        if what == "fill":
            return {}
        cpu = time.process_time()
        fired = await _watched(
            app.run_worker_async(wait=False, concurrency=10, install_signal_handlers=False),
            0 if what == "run" else 5,
        )
        cpu_s = time.process_time() - cpu
    return _figures(count, enrol_per_s, restart_s, fired, cpu_s) if what == "fire" else {}


# --- ours ---------------------------------------------------------------------------------------------------------


def _program(url: str) -> Program:
    return replace(make_program(load_settings(database=url)), clock=ManualClock(_BEGIN))


def _due(url: str, count: int) -> float:
    """So many subjects of whom staff must be reminded at one instant; enrolments a second, each with its commit."""
    path = url.removeprefix("sqlite:///") if url.startswith("sqlite") else tempfile.mkdtemp() + "/origin.db"
    program = _program(f"sqlite:///{path}")
    migrate(program.bare_database)
    program.database.transact(lambda session: program.study.sync(session, _BEGIN))
    model, started = subject_code(0), time.perf_counter()
    by_engine = min(100, count)
    for number in range(by_engine):
        enrol(program, subject_code(number), _BEGIN)
    enrol_per_s = by_engine / (time.perf_counter() - started)
    copies = [subject_code(number) for number in range(by_engine, count)]
    multiply(path, model, copies, program.settings.mail.domain)
    if not url.startswith("sqlite"):
        target = Database(url)
        copy_study(program.database, target, _BEGIN)
        target.close()
    program.database.close()
    return enrol_per_s * 20  # reminders of one subject, as persisted jobs


async def _ours(url: str, what: str, count: int) -> dict[str, float]:
    enrol_per_s = _due(url, count) if what in ("fire", "fill") else 0.0
    if what == "fill":
        return {}
    program = _program(url)
    started = time.perf_counter()
    first = program.database.read(next_wake)
    restart_s = time.perf_counter() - started
    work = reconcile_work(program)
    keep_what_is_loaded()  # as `mpa-monitor run` does
    while first is not None and first.date() < (_BEGIN + timedelta(days=21)).date():
        await work.step(first)
        first = program.database.read(next_wake)
    assert first is not None
    cpu = time.process_time()
    if what == "run":
        while reconcile_step(program.database, program.study, first, program.handle, 20)[0]:
            _note("batch")
        return {}

    async def fire() -> None:
        while (await work.step(first) or first) <= first:
            pass

    fired = await _watched(fire())
    return _figures(count, enrol_per_s, restart_s, fired, time.process_time() - cpu)


def main(kind: str, url: str, what: str, given: str) -> None:
    """`what` is to fill, to fill and fire, or to run what was filled; then `given` is the file to note it in."""
    if what == "run":
        _note_in(Path(given))
    run = {"apscheduler": _apscheduler, "procrastinate": _procrastinate}.get(kind, _ours)
    print(json.dumps(asyncio.run(run(url, what, 0 if what == "run" else int(given)))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
