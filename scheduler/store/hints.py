"""Hints to the daemons on a PostgreSQL database that there is work, given with the commit that made it.

A hint only makes the next look earlier: it may be lost with a connection, and every daemon looks by itself at least
every 30 s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text
from sqlmodel import Session

from scheduler.store.postgresql import BE_HERE, connection_arguments

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["Hint", "announce", "hear", "hint"]

_CHANNEL = "mpa_monitor"
_NOTIFY = text(f"SELECT pg_notify('{_CHANNEL}', :said)")


class Hint(StrEnum):
    """What there is to look at: subjects whose facts changed, or mails."""

    SUBJECTS = "subjects"
    MAILS = "mails"


def hint(session: Session, what: Hint) -> None:
    """Tell the daemons when this transaction is committed."""
    session.info.setdefault(_CHANNEL, set()).add(what)


def announce(session: Session) -> None:
    """Give the hints of this transaction, once each, with its commit."""
    said: set[Hint] = session.info.pop(_CHANNEL, set())
    if said and session.get_bind().dialect.name == "postgresql":
        session.flush()
        session.connection().execute(_NOTIFY, [{"said": one.value} for one in sorted(said)])


@asynccontextmanager
async def hear(engine: Engine) -> AsyncIterator[AsyncIterator[Hint]]:
    """The hints that are given from now on, and a sign that a daemon is there to hear them. Raises psycopg.Error when
    the connection is lost."""
    from psycopg import AsyncConnection  # for a daemon on PostgreSQL alone

    arguments = connection_arguments(engine)
    connection = await AsyncConnection.connect(**arguments, autocommit=True)
    try:
        await connection.execute(BE_HERE)
        await connection.execute(f"LISTEN {_CHANNEL}")
        yield _known(connection)
    finally:
        await connection.close()


async def _known(connection: AsyncConnection[tuple[object, ...]]) -> AsyncIterator[Hint]:
    async for notice in connection.notifies():
        if notice.payload in set(Hint):
            yield Hint(notice.payload)
