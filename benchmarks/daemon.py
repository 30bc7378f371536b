"""The daemon with many enrolled patients: start, idleness, memory, and how late a due reminder leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pysqlite3
from sqlmodel import Session

from benchmarks.process import command, cpu_seconds, resident_mb, run
from config.settings import load_settings
from main import make_program
from scheduler.domain.facts import Attended, DoseGiven, Enrolled, Formulation, Regimen, Source
from scheduler.engine.recording import record
from scheduler.engine.recording.request import Who
from scheduler.runtime.program import Program
from scheduler.runtime.rehearsal.cast import subject_code

__all__ = ["measure"]

_WHO = Who("benchmark", Source.CLI)
_SERVICES = 5


def measure(subjects: int = 10_000, idle_s: float = 60, reminders: int = 100) -> dict[str, float]:
    """Enrol, start, wait, and send reminders that fall due one by one."""
    with tempfile.TemporaryDirectory(prefix="daemon-") as name:
        folder = Path(name)
        environment = {
            "MPA_DATABASE": f"sqlite:///{folder / 'study.db'}",
            "MPA_INTAKE__FOLDER": str(folder / "lab"),
            "MPA_MAIL__MAILDIR": str(folder / "mail"),
        }
        run(command("init"), environment)
        program = _program(environment)
        started = time.perf_counter()
        _enrol(program, subjects)
        enrol_s = time.perf_counter() - started
        found = {"subjects": subjects, "enrol_per_s": subjects / enrol_s}
        process = subprocess.Popen(
            command("run"),
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            found["ready_s"] = _until_ready(folder / "study.db", process)
            _settle(process.pid)
            before = cpu_seconds(process.pid)
            time.sleep(idle_s)
            found["idle_cpu_percent"] = 100 * (cpu_seconds(process.pid) - before) / idle_s
            found["resident_mb"] = resident_mb(process.pid)
            found |= _lateness(program, folder / "mail", subjects, reminders)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        return found


def _program(environment: dict[str, str]) -> Program:
    os.environ.update(environment)
    return make_program(load_settings())


def _enrol(program: Program, subjects: int) -> None:
    """Everybody is enrolled within the past months, so that all are somewhere in their year."""
    rng, now = Random(1), program.clock.now()
    for first in range(0, subjects, 500):

        def step(session: Session, first: int = first) -> None:
            for number in range(first, min(first + 500, subjects)):
                baseline = (now - timedelta(days=rng.randrange(0, 300))).date()
                what = Enrolled(baseline, baseline - timedelta(days=60), Regimen(Formulation.MMF, 1000, 12))
                record.enrol(
                    session, program.study, subject_code(number), "cochin", what, _WHO, now, lambda *_: None
                )

        program.database.transact(step)


def _until_ready(database: Path, process: subprocess.Popen[bytes]) -> float:
    """Seconds until every service has given its first sign of life."""
    started = time.perf_counter()
    while process.poll() is None and time.perf_counter() - started < 120:
        with (
            suppress(pysqlite3.OperationalError),
            pysqlite3.connect(f"file:{database}?mode=ro", uri=True) as reader,
        ):
            if reader.execute("SELECT count(*) FROM heartbeat").fetchone()[0] >= _SERVICES:
                return time.perf_counter() - started
        time.sleep(0.02)
    raise RuntimeError("the daemon did not start")


def _settle(pid: int) -> None:
    """Wait until the first look at everybody is over: no processor time to speak of for 5 s."""
    used = cpu_seconds(pid)
    for _ in range(120):
        time.sleep(5)
        now = cpu_seconds(pid)
        if now - used < 0.25:
            return
        used = now


def _lateness(program: Program, mail: Path, subjects: int, count: int) -> dict[str, float]:
    """Reminders of H30 that fall due half a second apart: how long after its instant each mail is there."""
    rng = Random(2)
    first = datetime.now(UTC) + timedelta(seconds=20 + count * 0.3)
    due: dict[str, datetime] = {}
    for number in range(count):
        code = subject_code(rng.randrange(subjects))
        while code in due:
            code = subject_code(rng.randrange(subjects))
        due[code] = first + timedelta(seconds=0.5 * number)
        dose_at = due[code] - timedelta(minutes=20)
        for what in (
            Attended("M6", dose_at - timedelta(minutes=5)),
            DoseGiven("M6", dose_at, 1000, Formulation.MMF, 12),
        ):
            now = program.clock.now()
            program.database.transact(
                lambda session, code=code, what=what, now=now: record.record(
                    session, program.study, code, what, _WHO, now, program.handle
                )
            )
    deadline = max(due.values()) + timedelta(seconds=40)
    found: dict[str, float] = {}
    while len(found) < count and datetime.now(UTC) < deadline:
        time.sleep(1)
        for path in mail.glob("coordinator-1@*/new/*"):
            text = path.read_bytes()
            code = next(
                (one for one in due if one not in found and one.encode() in text and b"H30" in text), None
            )
            if code is not None:
                found[code] = path.stat().st_ctime - due[code].timestamp()
    late = sorted(found.values())
    if not late:
        raise RuntimeError("no reminder arrived")
    return {
        "reminders": len(late),
        "lateness_median_s": late[len(late) // 2],
        "lateness_p99_s": late[min(len(late) - 1, int(0.99 * len(late)))],
        "lateness_max_s": late[-1],
    }


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key}: {value:.3f}")
