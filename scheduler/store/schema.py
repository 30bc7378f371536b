"""Brings a database to the schema of this program, and says whether it is there."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import Session, SQLModel

import scheduler.store.tables  # noqa: F401  (fills the metadata)
from scheduler.domain.reason import because
from scheduler.store.database import Database, StoreError
from scheduler.store.operations import AlreadyRunningError, only_daemon
from scheduler.store.postgresql import be_calm, no_daemon

__all__ = ["check_schema", "differences", "is_empty", "knows_revision", "migrate", "revision_of"]

_MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(db: Database) -> str:
    """Run the migrations that are still to run; returns the revision reached.

    All of them are kept, or none. Raises StoreError for a database that a later program made, or that a daemon of an
    earlier one still works on.
    """
    found = revision_of(db)
    _refuse_later(found)
    with ExitStack() as held:
        if found not in (None, _newest()):
            _wait_for_nobody(db, str(found), held)
        connection = held.enter_context(db.engine.begin())
        be_calm(connection)
        if found not in (None, _newest()) and not no_daemon(Session(connection)):
            raise StoreError(because("store_daemon_works", found_id=str(found)))
        command.upgrade(_config(connection), "head")
        return MigrationContext.configure(connection).get_current_revision() or ""


def _wait_for_nobody(db: Database, found: str, held: ExitStack) -> None:
    """Hold the lock of a SQLite file that no daemon holds."""
    try:
        held.enter_context(only_daemon(db))
    except AlreadyRunningError as error:
        raise StoreError(because("store_daemon_works", found_id=found)) from error


def _newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def is_empty(db: Database) -> bool:
    """Whether the database has no schema yet."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() is None


def revision_of(db: Database) -> str | None:
    """The schema that the database has; None when it has none."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def knows_revision(db: Database) -> bool:
    """Whether this program knows the schema that the database has, be it an earlier one."""
    found = revision_of(db)
    known = {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}
    return found in known


def _refuse_later(found: str | None) -> None:
    known = {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(because("store_later", found_id=found))


def check_schema(db: Database) -> None:
    """Raises StoreError unless the database has exactly the schema of this program."""
    db.ping()
    newest = _newest()
    with db.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        raise StoreError(because("store_empty"))
    _refuse_later(found)
    if found != newest:
        raise StoreError(because("store_earlier", found_id=found, needed_id=str(newest)))


def differences(connection: Connection) -> list[object]:
    """How the database's tables differ from the declared ones; empty when they agree."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))
