"""What holds on PostgreSQL, where others write at the same time and the server may go away."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.hints import Hint, hear, hint
from scheduler.store.operations import beat, heartbeats
from scheduler.store.postgresql import connection_lost, one_by_one, only_one
from scheduler.store.subjects import due_subjects, next_wake, subject_row, wake
from scheduler.store.tables import ProtocolVersionRow, SiteRow, SubjectRow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(postgresql_url: str) -> Iterator[Database]:
    made = Database(postgresql_url)
    yield made
    made.close()


@pytest.fixture
def there(postgresql_url: str) -> Iterator[Database]:
    made = Database(postgresql_url)
    yield made
    made.close()


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def subjects(db: Database, at: datetime, *codes: str) -> None:
    def step(session: Session) -> None:
        session.add(SiteRow(id="cochin", name="Cochin", zone="Europe/Paris"))
        session.add(ProtocolVersionRow(sha256="0" * 64, protocol="p", version="1", text="", recorded_at=at))
        session.flush()
        for code in codes:
            row = SubjectRow(
                code=code, site_id="cochin", protocol_sha256="0" * 64, enrolled_at=at, next_wake=at
            )
            session.add(row)

    db.transact(step)


def waits_for_a_lock(db: Database) -> bool:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    return bool(db.transact(lambda session: session.execute(query).scalar()))


def until(condition: Callable[[], bool]) -> None:
    from threading import Event

    pause = Event()
    for _ in range(400):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("not in time")


def end_every_other_connection(db: Database) -> None:
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    db.transact(lambda session: session.execute(text(query)).all())


def test_every_connection_has_its_limits(here: Database) -> None:
    wanted = {
        "idle_in_transaction_session_timeout": "10s",
        "lock_timeout": "15s",
        "statement_timeout": "1min",
        "synchronous_commit": "on",
        "TimeZone": "UTC",
    }
    for name, value in wanted.items():
        found = here.transact(lambda session, name=name: session.execute(text(f"SHOW {name}")).scalar())
        assert found == value


def test_two_daemons_never_get_the_same_subject(here: Database, there: Database, noon: datetime) -> None:
    subjects(here, noon, "a", "b", "c")

    def first(session: Session) -> set[str]:
        mine = {row.code for row in due_subjects(session, noon, 2)}
        theirs = there.transact(lambda other: {row.code for row in due_subjects(other, noon, 5)})
        assert (mine, theirs) == ({"a", "b"}, {"c"})
        return mine

    here.transact(first)


def test_a_result_that_arrives_while_its_subject_is_reconciled_has_it_looked_at_again(
    here: Database, there: Database, noon: datetime, beside: ThreadPoolExecutor
) -> None:
    subjects(here, noon, "a")
    far = noon + timedelta(days=30)
    arrived: list[Future[None]] = []

    def reconciling(session: Session) -> None:
        (row,) = due_subjects(session, noon, 1)
        arrived.append(beside.submit(there.transact, lambda other: wake(other, "a", noon)))
        until(lambda: waits_for_a_lock(here))
        row.next_wake = far  # the result was not among what was read
        session.add(row)

    here.transact(reconciling)
    arrived[0].result(10)
    assert here.transact(next_wake) == noon


def test_two_people_who_record_about_one_subject_come_one_after_the_other(
    here: Database, there: Database, noon: datetime, beside: ThreadPoolExecutor
) -> None:
    subjects(here, noon, "a")
    second: list[Future[int]] = []

    def count(session: Session) -> int:
        row = subject_row(session, "a", to_change=True)
        assert row is not None
        row.failures += 1
        return row.failures

    def first(session: Session) -> int:
        found = count(session)
        second.append(beside.submit(there.transact, count))
        until(lambda: waits_for_a_lock(here))
        return found

    assert here.transact(first) == 1
    assert second[0].result(10) == 2


def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(
    here: Database, there: Database, noon: datetime
) -> None:
    def looks(session: Session) -> tuple[int, int]:
        before = audit.verify(session)[0]
        there.transact(lambda other: audit.append(other, noon, "did", "thing", "1", reason="why"))
        return before, audit.verify(session)[0]

    assert here.read(looks) == (0, 0)
    with pytest.raises(DBAPIError, match="read-only"):
        here.read(lambda session: audit.append(session, noon, "did", "thing", "1"))
    # the connection writes again
    here.transact(lambda session: audit.append(session, noon, "did", "thing", "2"))


def test_two_that_wait_for_each_other_both_end_well(
    here: Database, there: Database, noon: datetime, beside: ThreadPoolExecutor
) -> None:
    subjects(here, noon, "a", "b")
    crossing: list[Future[None]] = []

    def one_way(session: Session) -> None:
        subject_row(session, "a", to_change=True)
        if not crossing:
            crossing.append(beside.submit(there.transact, other_way))
            until(lambda: waits_for_a_lock(here))
        subject_row(session, "b", to_change=True)
        beat(session, "one", noon, 0)

    def other_way(session: Session) -> None:
        subject_row(session, "b", to_change=True)
        subject_row(session, "a", to_change=True)
        beat(session, "other", noon, 0)

    here.transact(one_way)
    crossing[0].result(10)
    assert {row.service for row in here.transact(heartbeats)} == {"one", "other"}


def test_singleton_work_is_fenced_by_the_transaction_that_writes_it(here: Database, there: Database) -> None:
    def first(session: Session) -> None:
        assert only_one(session, "digest")
        assert not there.transact(lambda other: only_one(other, "digest"))
        assert there.transact(lambda other: only_one(other, "another matter"))

    here.transact(first)
    assert there.transact(lambda other: only_one(other, "digest"))
    here.transact(lambda session: one_by_one(session, "digest"))


async def test_a_hint_is_heard_with_the_commit_and_not_without(here: Database, there: Database) -> None:
    def half(session: Session) -> None:
        hint(session, Hint.MAILS)
        raise RuntimeError("power cut")

    async with hear(here.engine) as hints:
        with pytest.raises(RuntimeError):
            there.transact(half)
        there.transact(lambda session: hint(session, Hint.SUBJECTS))
        assert await asyncio.wait_for(anext(hints), 5) is Hint.SUBJECTS


async def test_a_settled_mail_outlives_a_lost_connection(
    here: Database, there: Database, noon: datetime
) -> None:
    tries: list[int] = []

    def step(session: Session) -> None:
        beat(session, "settled", noon, len(tries))
        tries.append(1)
        if len(tries) < 3:
            end_every_other_connection(there)

    await here.insist(step)
    assert [row.failures for row in there.transact(heartbeats)] == [2]


async def test_what_is_wrong_with_the_step_itself_is_not_tried_again(here: Database) -> None:
    tries: list[int] = []

    def step(session: Session) -> None:
        tries.append(1)
        session.execute(text("SELECT nonsense"))

    with pytest.raises(DBAPIError):
        await here.insist(step)
    assert len(tries) == 1


async def test_a_server_that_crashed_is_there_again_for_the_next_transaction(
    here: Database, noon: datetime, crash_postgresql: Callable[[], None]
) -> None:
    def step(session: Session) -> None:
        beat(session, "under way", noon, 0)
        crash_postgresql()
        session.execute(text("SELECT 1"))

    with pytest.raises(OperationalError) as lost:
        here.transact(step)
    assert connection_lost(lost.value)
    assert await here.insist(heartbeats) == []


_FROZEN = """
import sys
from datetime import UTC, datetime
from sqlalchemy import text
from scheduler.store import audit
from scheduler.store.database import Database

def step(session):
    session.execute(text("SET idle_in_transaction_session_timeout = '1s'"))  # as the 10 s of every connection
    audit.append(session, datetime.now(UTC), "late", "thing", "1")
    print("in the middle", flush=True)
    sys.stdin.read()

try:
    Database(sys.argv[1]).transact(step)
except Exception as error:
    print(type(error.orig).__name__)
"""


@pytest.mark.process
def test_a_daemon_frozen_in_the_middle_of_a_transaction_holds_nobody_up_and_writes_nothing_late(
    here: Database, postgresql_url: str, noon: datetime
) -> None:
    frozen = subprocess.Popen(
        [sys.executable, "-c", _FROZEN, postgresql_url],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert frozen.stdout is not None
        assert frozen.stdout.readline() == "in the middle\n"
        os.kill(frozen.pid, signal.SIGSTOP)
        here.transact(lambda session: audit.append(session, noon, "in time", "thing", "2"))
        os.kill(frozen.pid, signal.SIGCONT)
        said, _ = frozen.communicate(timeout=20)
    finally:
        frozen.kill()
        frozen.communicate(timeout=20)
    assert said.strip() in {"IdleInTransactionSessionTimeout", "OperationalError"}
    count, _, breaks = here.read(audit.verify)
    assert (count, breaks) == (1, [])
