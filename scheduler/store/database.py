"""The one way to the database: whole transactions, run one after the other in one writer thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

from scheduler.domain.reason import Reason, because
from scheduler.domain.sentences import SENTENCES
from scheduler.store.hints import announce
from scheduler.store.postgresql import collided, connection_lost, postgresql_engine, read_calmly

__all__ = ["DATABASE_TROUBLE", "Database", "DiskFailedError", "StoreError", "Transact", "sqlite_module"]

Result = TypeVar("Result")
Step = Callable[[Session], Result]
Transact = Callable[[Callable[[Session], Any]], Any]

_FIXED_SQLITE = (3, 51, 3)  # the first release without the WAL-reset bug; also back-ported to these:
_ALSO_FIXED = {(3, 50): 7, (3, 44): 6}
_REFUSED = "disk I/O error"  # of a full disk it says otherwise
_TRIES = 3  # of a transaction that collides with another
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 5.0


class StoreError(Exception):
    """The database cannot be used, for a reason that can be said in every language; the message is in English."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(SENTENCES.get(reason.code, reason.code).format(**dict(reason.params)))


class DiskFailedError(StoreError):
    """The disk refused a write of the database; whoever begins again finds what was committed before it."""


DATABASE_TROUBLE = (OperationalError, InterfaceError, StoreError)
"""What is raised when the database is at fault, and not what it was asked."""


def sqlite_module() -> tuple[ModuleType, bool]:
    """The SQLite to use, and whether it is free of the WAL-reset bug."""
    try:
        import pysqlite3.dbapi2 as module
    except ImportError:
        import sqlite3 as module
    version: tuple[int, int, int] = tuple(int(part) for part in module.sqlite_version.split("."))  # type: ignore[assignment]
    back_ported = version[:2] in _ALSO_FIXED and version[2] >= _ALSO_FIXED[version[:2]]
    return module, version >= _FIXED_SQLITE or back_ported


class Database:
    """A database by its URL. Steps are plain functions of a session; each runs in a transaction of its own.

    `writer_thread` keeps the event loop free while a step runs; without it `run` and `call` run at once, for a program
    that has nothing else to do meanwhile. Without `durable`, SQLite does not wait for the disk: what was committed
    outlives the program, not the machine.
    """

    def __init__(self, url: str, *, writer_thread: bool = True, durable: bool = True) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url, durable) if self.is_sqlite else self._postgresql()
        self._writer = ThreadPoolExecutor(1, "store") if writer_thread else None
        self._disk_failed = False

    def _postgresql(self) -> Engine:
        if self.url.get_backend_name() != "postgresql":
            raise StoreError(because("store_unknown_kind", kind_id=self.url.get_backend_name()))
        return postgresql_engine(self.url)

    def transact(self, step: Step[Result]) -> Result:
        """Run `step` in one transaction: all of it is kept, or none. One that PostgreSQL takes back because two
        waited for each other is run again. After a write that the disk refused there is no other: the system may have
        forgotten what it could not write, and would say the next time that it had."""
        if self._disk_failed:
            raise DiskFailedError(because("store_disk_failed_before", path_id=str(self.url.database)))
        for left in reversed(range(_TRIES)):
            try:
                with Session(self.engine, expire_on_commit=False) as session, session.begin():
                    found = step(session)
                    announce(session)
                return found
            except DBAPIError as error:
                if self.is_sqlite and str(error.orig) == _REFUSED:
                    self._disk_failed = True
                    reason = because("store_disk_refused", path_id=str(self.url.database))
                    raise DiskFailedError(reason) from error
                if not left or not collided(error):
                    raise
        raise AssertionError("every try returns or raises")

    def read(self, step: Step[Result]) -> Result:
        """Run a step that only reads: it sees one moment and holds up no writer."""
        with self.engine.connect().execution_options(reads_only=True) as bare:
            connection = bare if self.is_sqlite else read_calmly(bare)
            with Session(connection, expire_on_commit=False) as session:
                found = step(session)
            connection.rollback()
        return found

    async def run(self, step: Step[Result]) -> Result:
        """`transact` in the writer thread; once begun it ends, even when the caller is cancelled."""
        return await self.call(lambda: self.transact(step))

    async def insist(self, step: Step[Result], within_s: float = 60) -> Result:
        """`run`, and again with growing delays while the connection is lost. For a step that does no harm twice: one
        whose commit was lost on the way may have been kept."""
        loop = asyncio.get_running_loop()
        until, wait_s = loop.time() + within_s, _FIRST_WAIT_S
        while True:
            try:
                return await self.run(step)
            except DBAPIError as error:
                if not connection_lost(error) or loop.time() + wait_s > until:
                    raise
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def call(self, work: Callable[[], Result]) -> Result:
        """Run something that makes transactions of its own in the writer thread, so that all writes stay in a row."""
        if self._writer is None:
            return work()
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._writer, work))

    async def beside(self, work: Callable[[Transact], Result]) -> Result:
        """Run something slow in a thread of its own; each of its transactions waits for its turn in the writer thread.

        Once begun it ends, even when the caller is cancelled.
        """
        if self._writer is None:
            return work(self.transact)
        return await asyncio.shield(asyncio.to_thread(work, self._in_turn))

    def _in_turn(self, step: Step[Result]) -> Result:
        assert self._writer is not None
        try:
            turn = self._writer.submit(self.transact, step)
        except RuntimeError as error:  # the program is stopping
            raise StoreError(because("store_closed")) from error
        return turn.result()

    def ping(self) -> None:
        """Raises StoreError when the database does not answer."""
        where = self.url.render_as_string()
        if self.is_sqlite and self.url.database and not Path(self.url.database).parent.is_dir():
            raise StoreError(because("store_no_folder", url_id=where))
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError as error:
            raise StoreError(
                because("store_no_answer", url_id=where, error_id=str(error.orig).strip())
            ) from error

    def checkpoint(self) -> None:
        """Fold SQLite's write-ahead log into the database file; nothing to do elsewhere."""
        if self.is_sqlite:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def back_up_to(self, path: Path) -> None:
        """Copy a SQLite database as it is at one moment, by SQLite's own means, while others go on writing."""
        copy = sqlite_module()[0].connect(str(path))
        source = self.engine.raw_connection()
        try:
            source.driver_connection.backup(copy)  # type: ignore[union-attr]
        finally:
            source.close()
            copy.close()

    def fold(self) -> None:
        """Make a SQLite database one file, with no log beside it."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")

    def close(self) -> None:
        if self._writer is not None:
            self._writer.shutdown(wait=True)
        self.engine.dispose()


def _sqlite_engine(url: str, durable: bool) -> Engine:
    module, safe_wal = sqlite_module()
    synchronous = ("FULL" if safe_wal else "EXTRA") if durable else "OFF"
    engine = create_engine(url, module=module, poolclass=QueuePool, pool_size=4)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=10000")
        cursor.execute(f"PRAGMA journal_mode={'WAL' if safe_wal else 'DELETE'}")
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        for pragma in (
            "foreign_keys=ON",
            "trusted_schema=OFF",
            "recursive_triggers=ON",
            "cell_size_check=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine
