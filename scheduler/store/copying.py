"""A whole study from one database to another, SQLite or PostgreSQL: every row of every table, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, Table, Text, bindparam, cast, func, insert, select, text, type_coerce
from sqlmodel import Session, SQLModel

from scheduler.domain.reason import Reason, because
from scheduler.store import audit
from scheduler.store.database import Database, StoreError
from scheduler.store.operations import AlreadyRunningError, only_daemon
from scheduler.store.postgresql import be_calm, no_daemon
from scheduler.store.revision import check_schema, is_empty
from scheduler.store.schema import migrate

__all__ = ["Copied", "CopyRefusedError", "copy_study", "snapshot_study"]

_ROWS = 1000  # at a time


class CopyRefusedError(StoreError):
    """The study was not copied, and nothing was written. The message is the code of the reason."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        Exception.__init__(self, reason.code)


@dataclass(frozen=True, slots=True)
class Copied:
    """How many rows each table has in both databases, and the head of the audit chain that both share."""

    rows: Mapping[str, int]
    head: str


def copy_study(source: Database, target: Database, now: datetime) -> Copied:
    """Copy everything into an empty database. Raises CopyRefusedError; the target then holds no row.

    While it lasts nobody can write to the source. What arrived is counted and its audit chain verified before it is
    kept; the target's chain then goes on with a row that says where it came from.
    """
    check_schema(source)
    target.ping()
    if is_empty(target):
        migrate(target)
    check_schema(target)
    with ExitStack() as held:
        try:
            held.enter_context(only_daemon(source))
            held.enter_context(only_daemon(target))
        except AlreadyRunningError as error:
            raise CopyRefusedError(because("refused_copy_daemon")) from error
        reading = held.enter_context(Session(source.engine))
        writing = held.enter_context(Session(target.engine))
        held.enter_context(writing.begin())
        _stand_still(reading)
        be_calm(writing.connection())
        return _copy(reading, writing, source.url.render_as_string(), now)


def snapshot_study(source: Database, target: Database) -> Copied:
    """Copy everything as it is at one moment into an empty database, while others go on writing to the source."""
    migrate(target)

    def step(reading: Session) -> Copied:
        with Session(target.engine) as writing, writing.begin():
            be_calm(reading.connection())
            for table in SQLModel.metadata.sorted_tables:
                _copy_table(reading.connection(), writing.connection(), table)
            return Copied(_counts(writing), _verified(reading, writing))

    return source.read(step)


def _copy(reading: Session, writing: Session, origin: str, now: datetime) -> Copied:
    there = {name: count for name, count in _counts(writing).items() if count}
    if there:
        first = next(iter(there))
        raise CopyRefusedError(because("refused_copy_not_empty", table=first, count=there[first]))
    for table in SQLModel.metadata.sorted_tables:
        _copy_table(reading.connection(), writing.connection(), table)
    if writing.get_bind().dialect.name == "postgresql":
        for table in SQLModel.metadata.sorted_tables:
            _set_sequence(writing.connection(), table)
    head = _verified(reading, writing)
    found = _counts(writing)
    detail = {"from": origin, "rows": sum(found.values()), "head": head}
    audit.append(writing, now, "database_copied", "database", "-", detail, source="cli")
    return Copied(found, head)


def _stand_still(session: Session) -> None:
    """Nobody writes to this database until the end of the transaction."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection()  # begins immediately, as every transaction of ours
        return
    connection = session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    names = ", ".join(f'"{table.name}"' for table in SQLModel.metadata.sorted_tables)
    lock = text(f"LOCK TABLE {names} IN SHARE MODE")
    connection.execute(lock)  # first: what is read is as of the next statement
    be_calm(connection)
    if not no_daemon(session):
        raise CopyRefusedError(because("refused_copy_daemon"))


def _counts(session: Session) -> dict[str, int]:
    return {
        table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
        for table in SQLModel.metadata.sorted_tables
    }


def _copy_table(reading: Connection, writing: Connection, table: Table) -> None:
    statement = insert(table).values({column.name: _written(column, writing) for column in table.columns})
    for rows in _rows(reading, table):
        writing.execute(statement, rows)


def _rows(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows in the order of their keys; JSON as the text that it is, so that figures stay as they were written."""
    columns = [_read(column, connection).label(_given(column)) for column in table.columns]
    query = select(*columns).order_by(*table.primary_key.columns)
    found = connection.execution_options(yield_per=_ROWS).execute(query)
    for part in found.mappings().partitions():
        yield [dict(row) for row in part]


def _read(column: Any, connection: Connection) -> Any:
    if not isinstance(column.type, JSON):
        return column
    return type_coerce(column, Text) if connection.dialect.name == "sqlite" else cast(column, Text)


def _written(column: Any, connection: Connection) -> Any:
    if not isinstance(column.type, JSON):
        return bindparam(_given(column), type_=column.type)
    given = bindparam(_given(column), type_=Text())
    return given if connection.dialect.name == "sqlite" else cast(given, JSON)


def _given(column: Any) -> str:
    return f"this_{column.name}"


def _set_sequence(connection: Connection, table: Table) -> None:
    """The next row gets the next number."""
    for column in table.primary_key.columns:
        asked = {"table": f'"{table.name}"', "column": column.name}
        sequence = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), asked).scalar()
        last = connection.execute(select(func.max(column))).scalar()
        if sequence is not None and last is not None:
            connection.execute(
                text("SELECT setval(CAST(:name AS regclass), :last)"), {"name": sequence, "last": last}
            )


def _verified(reading: Session, writing: Session) -> str:
    """The head of the audit chain, which is whole and the same in both, as are the numbers of rows."""
    before, after = _counts(reading), _counts(writing)
    for name, count in before.items():
        if after[name] != count:
            raise CopyRefusedError(because("refused_copy_count", table=name, before=count, after=after[name]))
    count, head, breaks = audit.verify(reading)
    if breaks:
        raise CopyRefusedError(because("refused_copy_chain", row=breaks[0].seq, why=breaks[0].why))
    if (count, head, []) != tuple(audit.verify(writing)):
        raise CopyRefusedError(because("refused_copy_chain_differs"))
    return head
