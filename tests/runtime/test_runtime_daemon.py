"""The daemon around its loops: signals, failures, a clock that cannot be believed, one daemon to a SQLite file."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from config.settings import DaemonSettings
from scheduler.clock import ManualClock, SystemClock
from scheduler.runtime.daemon import run_daemon
from scheduler.runtime.work import Work
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.operations import AlreadyRunningError, beat, heartbeats, only_daemon
from scheduler.store.tables import AuditRow

QUICK = DaemonSettings(longest_wait_s=0.05, give_up_after=3, stop_within_s=1)
NOON = datetime(2025, 9, 1, 12, tzinfo=UTC)


def actions(db: Database) -> list[str]:
    return db.transact(
        lambda session: list(session.exec(select(AuditRow.action).order_by(col(AuditRow.seq))))
    )


def idle(done: Callable[[], object] = lambda: None) -> Callable[[datetime], Awaitable[None]]:
    async def step(now: datetime) -> None:
        done()

    return step


async def pause(seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


async def daemon(db: Database, works: list[Work], **options: object) -> int:
    clock = options.pop("clock", SystemClock())
    async with asyncio.timeout(20):
        return await run_daemon(db, works, clock, QUICK, daily=[], every=[], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order(db: Database, number: signal.Signals) -> None:
    code = await daemon(db, [Work("a", idle(lambda: os.kill(os.getpid(), number))), Work("b", idle())])
    assert code == 0
    assert actions(db) == ["daemon_started", "daemon_stopped"]
    assert {row.service for row in db.transact(heartbeats)} >= {"a"}
    assert db.transact(audit.verify)[2] == []


async def test_a_work_that_keeps_failing_ends_it_with_1(db: Database) -> None:
    async def broken(now: datetime) -> None:
        raise OSError("disk full")

    turns: list[int] = []
    assert await daemon(db, [Work("good", idle(lambda: turns.append(1))), Work("bad", broken)]) == 1
    assert turns  # the others worked meanwhile
    beats = {row.service: (row.failures, row.detail) for row in db.transact(heartbeats)}
    assert beats["bad"] == (2, "OSError")
    assert beats["good"] == (0, "")
    assert actions(db)[-1] == "daemon_stopped"


async def test_a_running_step_is_let_finish(db: Database) -> None:
    stop, finished = asyncio.Event(), []

    async def slow(now: datetime) -> None:
        stop.set()
        await pause(0.3)
        finished.append(now)

    assert await daemon(db, [Work("slow", slow)], stop=stop) == 0
    assert len(finished) == 1


async def test_a_step_that_never_ends_is_cut_short_in_time(db: Database) -> None:
    stop = asyncio.Event()

    async def endless(now: datetime) -> None:
        stop.set()
        await asyncio.Event().wait()

    assert await daemon(db, [Work("endless", endless)], stop=stop) == 0
    assert actions(db)[-1] == "daemon_stopped"


async def test_a_work_wakes_those_that_follow_from_it(db: Database) -> None:
    stop, turns = asyncio.Event(), []

    async def first(now: datetime) -> None:
        return None

    async def second(now: datetime) -> None:
        turns.append(now)
        if len(turns) == 3:
            stop.set()

    works = [Work("first", first, wakes=("second",)), Work("second", second)]
    slow = DaemonSettings(longest_wait_s=0.2, give_up_after=3, stop_within_s=1)
    async with asyncio.timeout(20):
        assert (
            await run_daemon(db, works, SystemClock(), slow, daily=[], every=[("first", 0.05)], stop=stop)
            == 0
        )


async def test_while_the_clock_is_not_believed_nothing_is_done_until_a_person_confirms_it(
    db: Database,
) -> None:
    db.transact(lambda session: audit.append(session, NOON, "did", "thing", "1"))
    clock, stop, turns = ManualClock(NOON - timedelta(days=2)), asyncio.Event(), []

    async def step(now: datetime) -> None:
        turns.append(now)
        stop.set()

    async def person() -> None:
        while not (
            said := db.transact(
                lambda session: [r.detail for r in heartbeats(session) if r.service == "clock"]
            )
        ):
            await pause(0.02)
        assert "before the last record" in said[0]
        assert turns == []
        db.transact(lambda session: beat(session, "clock", clock.now(), 1, "confirmed"))

    confirming = asyncio.create_task(person())
    assert await daemon(db, [Work("work", step)], clock=clock, stop=stop) == 0
    await confirming
    assert turns
    assert "clock_held" in actions(db)


# --- one daemon to a SQLite file --------------------------------------------------------------------------------

_HOLDER = """
import sys
from scheduler.store.database import Database
from scheduler.store.operations import only_daemon
with only_daemon(Database(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.process
@pytest.mark.parametrize("end", ["kill", "leave"])
def test_a_second_daemon_on_a_sqlite_file_is_refused_until_the_first_is_gone(
    sqlite_url: str, end: str
) -> None:
    root = Path(__file__).parents[2]
    first = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, sqlite_url],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    db = Database(sqlite_url)
    try:
        assert first.stdout is not None and first.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunningError, match=f"process {first.pid}"), only_daemon(db):
            pass
        if end == "kill":
            first.kill()
        first.communicate(timeout=20)
        with only_daemon(db):
            pass
    finally:
        first.kill()
        first.communicate(timeout=20)
        db.close()


def test_daemons_on_postgresql_share_the_work(postgresql_url: str) -> None:
    first, second = Database(postgresql_url), Database(postgresql_url)
    with only_daemon(first), only_daemon(second):
        pass
    first.close()
    second.close()


def test_one_transaction_fails_whole_when_the_step_does(sqlite_db: Database) -> None:
    def step(session: Session) -> None:
        beat(session, "x", NOON, 0)
        raise OSError("power cut")

    with pytest.raises(OSError, match="power cut"):
        sqlite_db.transact(step)
    assert sqlite_db.transact(heartbeats) == []
