"""T6 a database that is locked, restarted, killed or loses its sessions; T7 a disk that is full."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from threading import Event, Thread

from sqlalchemy import text
from torture_conductor import Conductor
from torture_ground import Ground, PostgreSQL, ended
from torture_oracle import examine
from torture_result import Result
from torture_stage import Stage, pause

from scheduler.store.database import sqlite_module

__all__ = [
    "SERVER_FAULTS", "busy_neighbour", "disk_full", "go_on", "locked_postgresql", "locked_sqlite", "server_faults",
    "why_no_mount",
]  # fmt: skip

RECOVERS_WITHIN_S = 60.0
_TABLES = "outbox, subject, heartbeat, lab_file"
_LEVELS_KB = (
    0, 1, 2, 4, 6, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768,
)  # fmt: skip


def locked_sqlite(ground: Ground, seconds: float, times: int = 1, seed: int = 1) -> Result:
    """Somebody else holds the write lock for so long, from a random moment of a life on."""
    result, random = Result("T6", f"database locked {seconds:g} s", "sqlite"), Random(seed)
    for _ in range(times):
        with ground.scene() as stage, ended(Conductor(stage)) as conductor:
            go_on(conductor, random.uniform(0.0, 1.5))
            with _write_lock(stage):
                go_on(conductor, seconds)
            _recovers(ground, result, conductor)
    return result


def locked_postgresql(ground: Ground, seconds: float, times: int = 1, seed: int = 1) -> Result:
    """The tables are locked for so long."""
    result, random = Result("T6", f"tables locked {seconds:g} s", "postgresql"), Random(seed)
    for _ in range(times):
        with ground.scene("postgresql") as stage, ended(Conductor(stage)) as conductor:
            go_on(conductor, random.uniform(0.0, 1.5))
            with stage.db.engine.connect() as connection:
                connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
                connection.execute(text(f"LOCK TABLE {_TABLES} IN ACCESS EXCLUSIVE MODE"))
                go_on(conductor, seconds)
                connection.rollback()
            _recovers(ground, result, conductor)
    return result


def _terminate(server: PostgreSQL) -> None:
    server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'stage%'")


def _restart(server: PostgreSQL) -> None:
    server.stop("fast")
    server.start()


def _crash(server: PostgreSQL) -> None:
    server.stop("immediate")
    server.start()


def _away(server: PostgreSQL) -> None:
    server.stop("immediate")
    pause(6)
    server.start()


SERVER_FAULTS: dict[str, Callable[[PostgreSQL], None]] = {
    "sessions terminated": _terminate,
    "restarted": _restart,
    "killed (pg_ctl -m immediate)": _crash,
    "killed and away for 6 s": _away,
}


def server_faults(
    ground: Ground, times: int, seed: int = 1, kinds: Sequence[str] = tuple(SERVER_FAULTS), daemons: int = 1
) -> Iterator[Result]:
    """Each fault of the server at so many random moments of a life; one scene each."""
    random = Random(seed)
    for kind in kinds:
        result = Result("T6", f"PostgreSQL {kind}", "postgresql")
        for _ in range(times):
            with ground.scene("postgresql") as stage, ended(Conductor(stage, daemons)) as conductor:
                go_on(conductor, random.uniform(0.2, 2.5))
                SERVER_FAULTS[kind](ground.server)
                _recovers(ground, result, conductor)
        yield result


def busy_neighbour(ground: Ground) -> list[str]:
    """What fails because another program writes to the same SQLite file all the time, in short transactions."""
    with ground.scene() as stage, ended(Conductor(stage)) as conductor:
        with _neighbour(stage):
            conductor.settle()
            conductor.end()
        failed = [
            line for path in stage.home.glob("err-*") for line in path.read_text().splitlines()
            if '"service_failed"' in line or '"error": "OperationalError"' in line
        ]  # fmt: skip
        return [*examine(stage).broken, *failed]


def disk_full(ground: Ground, levels_kb: Sequence[int] = _LEVELS_KB, size: str = "4m") -> Result:
    """The database's disk has so few kilobytes left, for two seconds of a life; then there is room again."""
    result = Result("T7", f"disk full at {len(levels_kb)} levels", "sqlite")
    for level in levels_kb:
        with _small_disk(ground.home / "disk", size) as disk, ground.scene(place=disk) as stage:
            filler = disk / "filler"
            _fill(disk, filler, level)
            with ended(Conductor(stage)) as conductor:
                go_on(conductor, 2.0)
                filler.unlink()
                _recovers(ground, result, conductor)
    return result


def why_no_mount(home: Path) -> str | None:
    """Why no small disk can be made here, if none can."""
    try:
        with _small_disk(home / "trial", "1m"):
            return None
    except subprocess.CalledProcessError as error:
        return f"mount of a tmpfs: {error.stderr.strip()[:100]}"


def go_on(conductor: Conductor, seconds: float) -> None:
    """Let a life go on for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        conductor.tick()
        pause(0.03)


def _recovers(ground: Ground, result: Result, conductor: Conductor) -> None:
    """The fault is over: everything that is due gets done by itself."""
    began = time.monotonic()
    conductor.patience_s = RECOVERS_WITHIN_S
    conductor.settle()
    took = time.monotonic() - began
    conductor.end()
    result.longest_s = max(result.longest_s, took)
    ground.judge(result, conductor)


@contextmanager
def _write_lock(stage: Stage) -> Iterator[None]:
    with closing(
        sqlite_module()[0].connect(str(stage.db.url.database), timeout=30, isolation_level=None)
    ) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def _neighbour(stage: Stage) -> Iterator[None]:
    over = Event()

    def write() -> None:
        path = str(stage.db.url.database)
        with closing(sqlite_module()[0].connect(path, timeout=30, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("CREATE TABLE neighbour (n INTEGER)")
            while not over.wait(0.001):
                connection.execute("INSERT INTO neighbour VALUES (1)")

    thread = Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _small_disk(path: Path, size: str) -> Iterator[Path]:
    path.mkdir(exist_ok=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "mpa-torture", str(path)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def _fill(disk: Path, filler: Path, left_kb: int) -> None:
    about = os.statvfs(disk)
    size = about.f_bavail * about.f_frsize - left_kb * 1024
    with filler.open("wb") as file:
        file.write(b"\0" * max(size, 0))
