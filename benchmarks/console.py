"""The console with many enrolled patients: how long a page takes on one core, 50 sessions at once, its memory.

`python -m benchmarks.console [PATIENTS]`
"""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from sqlmodel import Session

from benchmarks.process import command, resident_mb, run
from config.language import Language
from config.settings import load_settings
from main import make_program
from scheduler.domain.facts import (
    Attended,
    DoseGiven,
    Enrolled,
    Formulation,
    Regimen,
    SampleDrawn,
    Source,
    What,
)
from scheduler.engine.account.accounts import Role, add_account
from scheduler.engine.recording import record
from scheduler.engine.recording.request import Who
from scheduler.runtime.program import Program
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.store.accounts import account_row

__all__ = ["measure"]

_WHO = Who("benchmark", Source.CLI)
_PASSWORD = secrets.token_urlsafe(16)
_PAGES = (
    "/",
    "/subjects/{code}",
    "/subjects",
    "/subjects/{code}/visits/INCLUSION/sampling",
    "/lab",
    "/overview",
)


@dataclass
class Reader:
    """One signed-in browser: a connection of its own, and its cookie."""

    port: int
    cookie: str = ""

    def ask(self, path: str, form: Mapping[str, str] | None = None) -> tuple[int, float]:
        """Status and milliseconds of one page, from the first byte sent to the last one received."""
        headers = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = "&".join(f"{name}={value}" for name, value in form.items())
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET" if form is None else "POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        milliseconds = 1000 * (time.perf_counter() - started)
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self.cookie = value.split(";")[0]
        connection.close()
        return answer.status, milliseconds


def measure(subjects: int = 10_000, readers: int = 50, asked: int = 100) -> dict[str, float]:
    """Enrol, give everybody who is due a first visit, serve on one core, and ask for pages."""
    with tempfile.TemporaryDirectory(prefix="console-") as name:
        folder = Path(name)
        environment = {
            "MPA_DATABASE": f"sqlite:///{folder / 'study.db'}",
            "MPA_INTAKE__FOLDER": str(folder / "lab"),
            "MPA_MAIL__MAILDIR": str(folder / "mail"),
        }
        run(command("init"), environment)
        os.environ.update(environment)
        program = make_program(load_settings())
        _fill(program, subjects)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            ["taskset", "-c", "0", *command("web", "--port", str(port))],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
        )
        try:
            reader = _signed_in(port, process)
            found: dict[str, float] = {"subjects": subjects}
            for path in _PAGES:
                found |= _alone(reader, path, subjects, asked if path in _PAGES[:2] else 10)
            found |= _together(reader, subjects, readers)
            found["resident_mb"] = resident_mb(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        return found


def _fill(program: Program, subjects: int) -> None:
    """Three in a hundred are behind, somewhere in the year after their first sampling day; the others are expected, as
    in a study whose team keeps up."""
    rng, now = Random(1), program.clock.now()
    for first in range(0, subjects, 200):

        def step(session: Session, first: int = first) -> None:
            for number in range(first, min(first + 200, subjects)):
                behind = _is_behind(number)
                days = -rng.randrange(3, 300) if behind else rng.randrange(10, 300)
                start = now + timedelta(days=days, hours=-2)
                what = Enrolled(
                    start.date(), start.date() - timedelta(days=60), Regimen(Formulation.MMF, 1000, 12)
                )
                code = subject_code(number)
                record.enrol(session, program.study, code, "cochin", what, _WHO, now, program.handle)
                for one in _morning(number, start) if behind else ():
                    record.record(session, program.study, code, one, _WHO, now, program.handle)

        program.database.transact(step)

    def account(session: Session) -> None:
        roles = [role for role in Role if role is not Role.ADMIN]
        add_account(session, program.study, "bench", "Bench", None, roles, Language.EN, _PASSWORD, _WHO, now)
        row = account_row(session, "bench")
        assert row is not None
        row.must_change = False
        session.add(row)

    program.database.transact(account)


def _is_behind(number: int) -> bool:
    return number % 33 == 0


def _morning(number: int, start: datetime) -> Iterator[What]:
    yield Attended("INCLUSION", start)
    yield SampleDrawn("INCLUSION", "H0", start + timedelta(minutes=5), f"T-{number}-1")
    yield DoseGiven("INCLUSION", start + timedelta(minutes=10), 1000, Formulation.MMF, 12)
    yield SampleDrawn("INCLUSION", "H30", start + timedelta(minutes=40), f"T-{number}-2")


def _signed_in(port: int, process: subprocess.Popen[bytes]) -> Reader:
    reader = Reader(port)
    for _ in range(600):
        with suppress(OSError):
            if reader.ask("/healthz")[0] == 200:
                break
        if process.poll() is not None:
            raise RuntimeError("the console did not start")
        time.sleep(0.1)
    status, _ = reader.ask("/login", {"account": "bench", "password": _PASSWORD})
    if status != 303:
        raise RuntimeError(f"the sign-in answered {status}")
    return reader


def _alone(reader: Reader, path: str, subjects: int, asked: int) -> dict[str, float]:
    """One page after another, each of another subject that is behind: of these there is most to show."""
    rng = Random(2)
    reader.ask(path.format(code=subject_code(0)))
    times = []
    for _ in range(asked):
        status, milliseconds = reader.ask(path.format(code=subject_code(33 * rng.randrange(subjects // 33))))
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
        times.append(milliseconds)
    times.sort()
    last = times[min(len(times) - 1, int(0.95 * len(times)))]
    return {f"{path} median_ms": times[len(times) // 2], f"{path} p95_ms": last}


def _together(reader: Reader, subjects: int, readers: int) -> dict[str, float]:
    """Many sessions at once, each looking at its worklist and at ten subjects."""

    def look(number: int) -> list[int]:
        rng, own = Random(number), Reader(reader.port, reader.cookie)
        paths = ["/", *(f"/subjects/{subject_code(rng.randrange(subjects))}" for _ in range(10))]
        return [own.ask(path)[0] for path in paths]

    started = time.perf_counter()
    with ThreadPoolExecutor(readers) as pool:
        answers = [status for found in pool.map(look, range(readers)) for status in found]
    return {
        "sessions": readers,
        "errors": sum(status != 200 for status in answers),
        "pages_per_s": len(answers) / (time.perf_counter() - started),
    }


if __name__ == "__main__":
    for key, value in measure(*map(int, sys.argv[1:])).items():
        print(f"{key}: {value:.1f}")
