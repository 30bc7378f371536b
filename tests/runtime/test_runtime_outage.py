"""A daemon on PostgreSQL while the server crashes, its connections are ended, and others give hints."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from config.settings import DaemonSettings
from scheduler.clock import SystemClock
from scheduler.runtime.daemon import run_daemon
from scheduler.runtime.work import DELIVERY, RECONCILE, Work
from scheduler.store.database import Database
from scheduler.store.hints import Hint, hint
from scheduler.store.operations import beat, heartbeat_of

SELDOM = DaemonSettings(longest_wait_s=30, give_up_after=3, stop_within_s=1)
OFTEN = DaemonSettings(longest_wait_s=0.3, give_up_after=3, stop_within_s=1)
_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)


def turns_of(db: Database, name: str, seen: asyncio.Queue[str]) -> Work:
    """Work that says that it had its turn, after a transaction."""

    async def step(now: datetime) -> None:
        await db.run(lambda session: beat(session, f"{name}'s own", now, 0))
        seen.put_nowait(name)

    return Work(name, step)


async def running(
    url: str, settings: DaemonSettings, meanwhile: Callable[[Database, asyncio.Queue[str]], Awaitable[None]]
) -> int:
    db, stop, seen = Database(url), asyncio.Event(), asyncio.Queue[str]()
    works = [turns_of(db, name, seen) for name in (RECONCILE, DELIVERY)]
    daemon = asyncio.create_task(
        run_daemon(db, works, SystemClock(), settings, daily=[], every=[], stop=stop)
    )
    try:
        async with asyncio.timeout(60):
            await meanwhile(db, seen)
            stop.set()
            return await daemon
    finally:
        stop.set()
        await daemon
        db.close()


async def quiet(seen: asyncio.Queue[str]) -> None:
    """Until nothing had its turn for a second."""
    while True:
        try:
            await asyncio.wait_for(seen.get(), 1)
        except TimeoutError:
            return


async def test_what_a_command_records_is_looked_at_at_once(postgresql_url: str) -> None:
    command = Database(postgresql_url)

    async def meanwhile(_: Database, seen: asyncio.Queue[str]) -> None:
        await quiet(seen)
        for said, name in ((Hint.SUBJECTS, RECONCILE), (Hint.MAILS, DELIVERY)):
            await asyncio.to_thread(command.transact, lambda session, said=said: hint(session, said))
            assert await asyncio.wait_for(seen.get(), 10) == name  # without the hint: in 30 s

    assert await running(postgresql_url, SELDOM, meanwhile) == 0
    command.close()


async def test_hints_are_heard_again_after_the_connections_were_ended(postgresql_url: str) -> None:
    other = Database(postgresql_url)

    async def meanwhile(_: Database, seen: asyncio.Queue[str]) -> None:
        await quiet(seen)
        await asyncio.to_thread(other.transact, lambda session: session.execute(_OTHERS).all())
        assert {await asyncio.wait_for(seen.get(), 10) for _ in range(2)} == {RECONCILE, DELIVERY}
        await quiet(seen)
        await asyncio.to_thread(other.transact, lambda session: hint(session, Hint.MAILS))
        assert await asyncio.wait_for(seen.get(), 10) == DELIVERY

    assert await running(postgresql_url, SELDOM, meanwhile) == 0
    other.close()


async def test_a_server_that_is_down_longer_than_a_daemon_has_patience_is_waited_for(
    postgresql_url: str, crash_postgresql: Callable[..., None]
) -> None:
    async def meanwhile(db: Database, seen: asyncio.Queue[str]) -> None:
        await seen.get()
        await asyncio.to_thread(crash_postgresql, down_s=2.5)  # at 0.3 s a turn more than three failures
        await quiet_then_turns(seen)

        def alive(session: Session) -> bool:
            row = heartbeat_of(session, RECONCILE)
            return row is not None and row.failures == 0

        assert await db.run(alive)

    assert await running(postgresql_url, OFTEN, meanwhile) == 0


async def quiet_then_turns(seen: asyncio.Queue[str]) -> None:
    """Both have their turn again, after what had queued up."""
    while not seen.empty():
        seen.get_nowait()
    found: set[str] = set()
    while found != {RECONCILE, DELIVERY}:
        found.add(await asyncio.wait_for(seen.get(), 20))
