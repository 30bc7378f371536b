"""The outbox to a mail server on this machine: claiming, looking again, writing, sending, recording, each mail with its
commits; beside aiosmtplib alone with the same bytes on one connection, in the same run."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from os import getpid
from pathlib import Path

import aiosmtplib
from sqlmodel import Session, func, select

from benchmarks.population import enrol, multiply
from benchmarks.process import resident_mb
from composition import make_works
from config.settings import load_settings
from main import make_program
from scheduler.clock import ManualClock
from scheduler.engine.reconcile import reconcile_step
from scheduler.runtime.program import Program, keep_what_is_loaded
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.runtime.work import DELIVERY
from scheduler.store.schema import migrate
from scheduler.store.subjects import next_wake
from scheduler.store.tables import OutboxRow, StaffRow

__all__ = ["measure"]

_TIMES = 500
_BEGIN = datetime(2026, 9, 7, 10, tzinfo=UTC)  # a Monday


def measure(mails: int = 50_000, alone: int = 5_000) -> dict[str, float]:
    """Mails per second of wall and of processor time, ratio, and memory along the way."""
    with tempfile.TemporaryDirectory(prefix="mails-") as name, _sink() as port:
        program = _program(Path(name), port)
        waiting = _fill(program, mails)
        found = asyncio.run(_deliver(program))
        bodies = program.database.read(_bodies)
        program.database.close()
        sent = found.pop("sent")
        theirs = asyncio.run(_aiosmtplib(port, bodies, alone))
        ours_cpu, theirs_cpu = sent / found["cpu_s"], alone / theirs["cpu_s"]
        return {
            "mails waiting": waiting,
            "mails sent": sent,
            "ours, mails/s": sent / found["wall_s"],
            "ours, mails per second of processor time": ours_cpu,
            "aiosmtplib alone, mails/s": alone / theirs["wall_s"],
            "aiosmtplib alone, mails per second of processor time": theirs_cpu,
            "ours / theirs, wall": sent / found["wall_s"] / (alone / theirs["wall_s"]),
            "ours / theirs, processor time": ours_cpu / theirs_cpu,
            "memory after a tenth, MB": found["early_mb"],
            "memory at the end, MB": found["late_mb"],
            "longest block of the event loop, ms": 1000 * found["block_s"],
        }


@contextmanager
def _sink() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.sink"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def _program(folder: Path, port: int) -> Program:
    settings = load_settings(
        database=f"sqlite:///{folder / 'study.db'}",
        intake={"folder": folder / "lab"},
        mail={
            "transport": "smtp",
            "host": "127.0.0.1",
            "port": port,
            "security": "none",
            "per_recipient_per_hour": 1_000,  # what is due to these few hundred people is not put off
        },
    )
    program = replace(make_program(settings), clock=ManualClock(_BEGIN))
    migrate(program.bare_database)
    program.database.transact(lambda session: program.study.sync(session, _BEGIN))
    return program


def _fill(program: Program, mails: int) -> int:
    """So many reminders that are due, each pair about the next visit of a subject of its own; how many there are."""
    model = subject_code(0)
    enrol(program, model, _BEGIN)
    assert isinstance(program.clock, ManualClock)
    while not program.database.read(_waiting):
        upcoming = program.database.read(next_wake)
        assert upcoming is not None
        program.clock.move_to(upcoming)
        reconcile_step(program.database, program.study, upcoming, program.handle)
    each = program.database.read(_waiting)
    codes = [subject_code(number) for number in range(1, mails // each)]
    multiply(str(program.database.url.database), model, codes, program.settings.mail.domain)
    program.database.transact(_to_many)
    return program.database.read(_waiting)


def _to_many(session: Session) -> None:
    """As at hundreds of sites: the mails go to so many times the people that there are."""
    for staff in session.exec(select(StaffRow)).all():
        for number in range(_TIMES):
            changed = {"id": f"{staff.id}-{number}", "email": f"{number}.{staff.email}"}
            session.add(StaffRow(**{**staff.model_dump(), **changed}))
    session.flush()
    session.connection().exec_driver_sql(
        f"UPDATE outbox SET staff_id = staff_id || '-' || (id / 2 % {_TIMES}), "
        f"address = (id / 2 % {_TIMES}) || '.' || address"
    )


def _bodies(session: Session) -> list[bytes]:
    """Some mails as they were sent."""
    return [body for body in session.exec(select(OutboxRow.body).limit(500)) if body is not None]


def _waiting(session: Session) -> int:
    return session.exec(select(func.count()).select_from(OutboxRow).where(OutboxRow.state == "pending")).one()


async def _deliver(program: Program) -> dict[str, float]:
    delivery = next(work for work in make_works(program) if work.name == DELIVERY)
    before = program.database.read(_waiting)
    seen: list[tuple[float, float]] = []
    blocks = [0.0]
    watching = asyncio.create_task(_watch(seen, blocks))
    keep_what_is_loaded()  # as `mpa-monitor run` does
    started, cpu = time.perf_counter(), _cpu()
    await delivery.step(program.clock.now())
    wall_s, cpu_s = time.perf_counter() - started, _cpu() - cpu
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    sent = before - program.database.read(_waiting)
    early = next(mb for at, mb in seen if at >= started + wall_s / 10)
    return {
        "sent": sent, "wall_s": wall_s, "cpu_s": cpu_s, "early_mb": early, "late_mb": seen[-1][1], "block_s": blocks[0],
    }  # fmt: skip


async def _watch(seen: list[tuple[float, float]], blocks: list[float]) -> None:
    """Memory every second, and the longest time for which the loop did not come round."""
    while True:
        seen.append((time.perf_counter(), resident_mb(getpid())))
        for _ in range(200):
            at = time.perf_counter()
            await asyncio.sleep(0.005)
            blocks[0] = max(blocks[0], time.perf_counter() - at - 0.005)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _aiosmtplib(port: int, bodies: list[bytes], count: int) -> dict[str, float]:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False)
    await client.connect()
    started, cpu = time.perf_counter(), _cpu()
    for number in range(count):
        await client.mail("a@b.example")
        await client.rcpt("c@d.example")
        await client.data(bodies[number % len(bodies)])
    found = {"wall_s": time.perf_counter() - started, "cpu_s": _cpu() - cpu}
    await client.quit()
    return found


if __name__ == "__main__":
    for key, value in measure(*(int(word) for word in sys.argv[1:])).items():
        print(f"{key}: {value:,.2f}", flush=True)
