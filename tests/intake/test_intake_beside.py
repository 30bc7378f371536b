"""Reading a slow file holds up nobody: the database is free meanwhile, and a step ends."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime

import pytest
from intake_cases import NOW, Bench, csv_bytes
from sqlalchemy import text

from scheduler.clock import ManualClock
from scheduler.domain.reason import because
from scheduler.store.database import Database, StoreError, Transact


async def test_others_write_while_a_file_is_read(db: Database) -> None:
    """The reader waits for a transaction of another service, which it could not if it held the writer."""
    free = threading.Event()
    both = Database(db.url.render_as_string(hide_password=False))

    def read(transact: Transact) -> int:
        assert free.wait(60)
        found: int = transact(lambda session: session.execute(text("SELECT 1")).scalar_one())
        return found

    reading = asyncio.ensure_future(both.beside(read))
    await both.run(lambda session: session.execute(text("SELECT 1")))
    free.set()
    assert await reading == 1
    both.close()


async def test_without_a_writer_thread_it_is_done_at_once(db: Database) -> None:
    here = Database(db.url.render_as_string(hide_password=False), writer_thread=False)
    assert (
        await here.beside(lambda transact: transact(lambda session: threading.get_ident()))
        == threading.get_ident()
    )
    here.close()


async def test_after_the_end_the_database_is_what_failed(db: Database) -> None:
    closed = Database(db.url.render_as_string(hide_password=False))
    closed.close()
    with pytest.raises(StoreError):
        await closed.beside(lambda transact: transact(lambda session: None))


def test_a_closed_database_is_not_the_fault_of_the_file(bench: Bench) -> None:
    bench.drop("a.csv", csv_bytes())

    def closed(work: object) -> None:
        raise StoreError(because("store_closed"))

    with pytest.raises(StoreError):
        bench.step(closed)
    assert bench.step().files[0].verdict == "accepted"


class SlowClock(ManualClock):
    """Every look at it is twenty seconds later."""

    looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return self.looks * 20.0


def test_a_step_leaves_the_rest_to_the_next_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for no in range(4):
        bench.drop(f"{no}.csv", csv_bytes() + b"\r\n" * no)
    bench.clock = SlowClock(datetime.fromtimestamp(NOW.timestamp(), NOW.tzinfo))
    seen = []
    for _ in range(20):
        report = bench.look()
        seen.append(len(report.files))
        assert not report.files or report.waiting == 4 - sum(seen)
    assert sum(seen) == 4
    assert max(seen) < 4
