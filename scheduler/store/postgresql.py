"""PostgreSQL as we use it: limits on every connection, so that a daemon that is frozen or gone holds up nobody long.

A connection that does nothing in the middle of a transaction is ended by the server after 10 s, and a wait for a lock
lasts longer than that: whoever waits for a frozen daemon gets its turn instead of an error. A wire that was cut is
noticed by both ends within about half a minute.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

__all__ = [
    "BE_HERE",
    "be_calm",
    "collided",
    "connection_arguments",
    "connection_lost",
    "no_daemon",
    "one_by_one",
    "only_one",
    "postgresql_engine",
    "read_calmly",
]

_SESSION = {
    "timezone": "UTC",
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "15s",
    "statement_timeout": "60s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
}
_WIRE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# A report may compute for minutes between two looks; it holds no lock that others wait for.
_CALM = (
    "SELECT set_config('idle_in_transaction_session_timeout', '15min', true), "
    "set_config('statement_timeout', '15min', true)"
)
DAEMON = "daemon"
BE_HERE = f"SELECT pg_advisory_lock_shared(hashtextextended('{DAEMON}', 0))"
"""Says as long as the connection lasts that a daemon works on this database; several can."""
_TRY = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:matter, 0))")
_WAIT = text("SELECT pg_advisory_xact_lock(hashtextextended(:matter, 0))")
# Codes of PostgreSQL's errors (its manual, appendix A).
_COLLISIONS = {"40P01": "deadlock detected", "40001": "serialization failure"}
_GOING_AWAY = {
    "57P01": "admin shutdown",
    "57P02": "crash shutdown",
    "57P03": "cannot connect now",
    "25P03": "idle in transaction session timeout",  # we were frozen
    "53300": "too many connections",
}


def postgresql_engine(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=4,
        connect_args={**_WIRE, "options": " ".join(f"-c {name}={value}" for name, value in _SESSION.items())},
    )


def connection_arguments(engine: Engine) -> dict[str, Any]:
    """What a connection beside the pool is made with."""
    _, found = engine.dialect.create_connect_args(engine.url)
    return {**found, **_WIRE}


def read_calmly(connection: Connection) -> Connection:
    """The connection for a step that only reads: one moment, whatever others write meanwhile, and time to compute."""
    reader = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    reader.exec_driver_sql(_CALM)
    return reader


def be_calm(connection: Connection) -> None:
    """Give this transaction time for something long."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_CALM)


def no_daemon(session: Session) -> bool:
    """Whether no daemon listens for hints on this database, and none will until the end of the transaction."""
    return only_one(session, DAEMON)


def connection_lost(error: BaseException) -> bool:
    """Whether the database went away or cannot be reached: nobody's fault here, and it may come back."""
    if not isinstance(error, DBAPIError):
        return False
    code = _code(error)
    return (
        error.connection_invalidated
        or code in _GOING_AWAY
        or (isinstance(error, OperationalError) and code is None)
    )


def collided(error: DBAPIError) -> bool:
    """Whether a transaction was taken back only because of another one at the same time."""
    return _code(error) in _COLLISIONS


def _code(error: DBAPIError) -> str | None:
    """The code that PostgreSQL gave; None when no server answered, empty when the error is not PostgreSQL's."""
    return getattr(error.orig, "sqlstate", "")


def only_one(session: Session, matter: str) -> bool:
    """Whether nobody else is at a matter that one daemon does for all; until the end of the transaction, which is what
    frees it, so that nobody who was frozen or cut off can go on believing it. A SQLite file has one daemon only."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return True
    return bool(connection.execute(_TRY, {"matter": matter}).scalar())


def one_by_one(session: Session, matter: str) -> None:
    """Wait until nobody else is at a matter; it is ours until the end of the transaction."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        connection.execute(_WAIT, {"matter": matter})
