"""What a user would pick instead: one persisted APScheduler job for each reminder; ours beside it, in one run."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from zoneinfo import ZoneInfo

from apscheduler.triggers.date import DateTrigger
from sqlmodel import Session

from benchmarks.one_queue import persisted_scheduler
from config.settings import load_settings
from main import make_program
from scheduler.clock import ManualClock
from scheduler.domain.facts import Enrolled, Formulation, Regimen, Source
from scheduler.engine.reconcile import reconcile_step
from scheduler.engine.recording import record
from scheduler.engine.recording.request import Who
from scheduler.runtime.program import Program
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.store.database import Database
from scheduler.store.schema import migrate
from scheduler.store.subjects import next_wake

__all__ = ["measure"]

_ZONE = ZoneInfo("Europe/Paris")
_DAYS = (42, 84, 182, 365)
_BEFORE = (21, 3, 0, -1, -8)  # book, soon, the day, overdue, escalation
_fired: list[str] = []
_expected: list[int] = []
_all_fired = asyncio.Event()


async def remind(key: str) -> None:
    """What a job does: here, nothing but note that it ran."""
    _fired.append(key)
    if _expected and len(_fired) >= _expected[0]:
        _all_fired.set()


def measure(subjects: int = 1_000) -> dict[str, dict[str, float]]:
    """Seconds to enrol everybody, to start again, and to fire what is due on one morning."""
    with tempfile.TemporaryDirectory(prefix="jobs-") as name:
        return {
            "persisted jobs": asyncio.run(_theirs(Path(name), subjects)),
            "mpa-monitor": _ours(Path(name), subjects),
        }


def _reminders(baseline: datetime) -> Iterator[datetime]:
    for days in _DAYS:
        for before in _BEFORE:
            day = (baseline + timedelta(days=days - before)).date()
            yield datetime.combine(day, clock_time(8), tzinfo=_ZONE)


async def _theirs(folder: Path, subjects: int) -> dict[str, float]:
    url = f"sqlite:///{folder / 'jobs.db'}"
    baseline = datetime.now(UTC)
    scheduler = persisted_scheduler(url)
    scheduler.start(paused=True)
    started = time.perf_counter()
    jobs = 0
    for number in range(subjects):
        for at in _reminders(baseline):
            scheduler.add_job(remind, DateTrigger(at), args=(f"{number}|{at}",), misfire_grace_time=None)
            jobs += 1
    enrol_s = time.perf_counter() - started
    scheduler.shutdown(wait=False)
    await asyncio.sleep(0)

    started = time.perf_counter()
    again = persisted_scheduler(url)
    again.start(paused=True)
    restart_s = time.perf_counter() - started
    # one morning: the first reminder of everybody falls due
    morning = min(_reminders(baseline))
    due = [job for job in again.get_jobs() if job.trigger.run_date == morning]
    for job in due:
        again.modify_job(job.id, next_run_time=datetime.now(UTC))
    _expected.append(len(due))
    started = time.perf_counter()
    again.resume()
    await _all_fired.wait()
    fire_s = time.perf_counter() - started
    again.shutdown(wait=False)
    return {"jobs": jobs, "enrol_s": enrol_s, "restart_s": restart_s, "fire_s": fire_s, "fired": len(due)}


def _ours(folder: Path, subjects: int) -> dict[str, float]:
    clock = ManualClock(datetime(2026, 1, 5, 9, tzinfo=UTC))
    settings = load_settings(database=f"sqlite:///{folder / 'study.db'}")
    program: Program = make_program(settings).for_rehearsal(settings, clock)
    migrate(program.bare_database)
    program.database.transact(lambda session: program.study.sync(session, clock.now()))
    who = Who("benchmark", Source.CLI)
    what = Enrolled(clock.now().date(), None, Regimen(Formulation.MMF, 1000, 12))

    def enrol(session: Session, number: int) -> None:
        record.enrol(
            session, program.study, subject_code(number), "cochin", what, who, clock.now(), program.handle
        )

    started = time.perf_counter()
    for number in range(1, subjects + 1):
        program.database.transact(lambda session, number=number: enrol(session, number))
    enrol_s = time.perf_counter() - started

    started = time.perf_counter()
    again = Database(settings.database)
    again.transact(next_wake)
    restart_s = time.perf_counter() - started
    again.close()

    # the same morning: the first reminder of the 6-week visit of everybody falls due
    morning = program.database.transact(next_wake)
    while morning is not None and morning.astimezone(_ZONE).date() < clock.now().date() + timedelta(days=21):
        clock.move_to(morning)
        reconcile_step(program.database, program.study, clock.now(), program.handle, 10 * subjects)
        morning = program.database.transact(next_wake)
    assert morning is not None
    clock.move_to(morning)
    started = time.perf_counter()
    fired, _ = reconcile_step(program.database, program.study, clock.now(), program.handle, 10 * subjects)
    fire_s = time.perf_counter() - started
    return {"jobs": 0, "enrol_s": enrol_s, "restart_s": restart_s, "fire_s": fire_s, "fired": fired}


if __name__ == "__main__":
    for name, figures in measure().items():
        print(name, {key: round(value, 3) for key, value in figures.items()})
