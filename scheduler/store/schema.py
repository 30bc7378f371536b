"""Brings a database to the schema of this program."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlmodel import Session, SQLModel

import scheduler.store.tables  # noqa: F401  (fills the metadata)
from scheduler.domain.reason import because
from scheduler.store.database import Database, StoreError
from scheduler.store.operations import AlreadyRunningError, only_daemon
from scheduler.store.postgresql import be_calm, no_daemon
from scheduler.store.revision import known_revisions, refuse_later, revision_of
from scheduler.store.tables.row import state_conditions

__all__ = ["differences", "migrate"]

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
    refuse_later(found)
    older = found is not None and found != known_revisions()[-1]
    with ExitStack() as held:
        if older:
            _wait_for_nobody(db, str(found), held)
        connection = held.enter_context(db.engine.begin())
        be_calm(connection)
        if older and not no_daemon(Session(connection)):
            raise StoreError(because("store_daemon_works", found_id=str(found)))
        command.upgrade(_config(connection), "head")
        return MigrationContext.configure(connection).get_current_revision() or ""


def _wait_for_nobody(db: Database, found: str, held: ExitStack) -> None:
    """Hold the lock of a SQLite file that no daemon holds."""
    try:
        held.enter_context(only_daemon(db))
    except AlreadyRunningError as error:
        raise StoreError(because("store_daemon_works", found_id=found)) from error


def differences(connection: Connection) -> list[object]:
    """How the database's tables differ from the declared ones; empty when they agree."""
    state_conditions()
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))
