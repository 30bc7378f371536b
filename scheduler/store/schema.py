"""Brings a database to the schema of this program, and says whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import SQLModel

import scheduler.store.tables  # noqa: F401  (fills the metadata)
from scheduler.store.database import Database, StoreError
from scheduler.store.postgresql import be_calm

__all__ = ["check_schema", "differences", "is_empty", "knows_revision", "migrate", "revision_of"]

_MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(db: Database) -> str:
    """Run the migrations that are still to run; returns the revision reached.

    Raises StoreError for a database that a later program made.
    """
    _refuse_later(revision_of(db))
    with db.engine.begin() as connection:
        be_calm(connection)
        command.upgrade(_config(connection), "head")
        return MigrationContext.configure(connection).get_current_revision() or ""


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
        raise StoreError(
            f"The database has schema {found}, which a later version of mpa-monitor made. Install that version again, "
            "or restore the backup that was made before it."
        )


def check_schema(db: Database) -> None:
    """Raises StoreError unless the database has exactly the schema of this program."""
    db.ping()
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    with db.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        raise StoreError("The database is empty. Run 'mpa-monitor init' first.")
    _refuse_later(found)
    if found != newest:
        raise StoreError(
            f"The database has schema {found}, this program needs {newest}. Run 'mpa-monitor init' to bring it up."
        )


def differences(connection: Connection) -> list[object]:
    """How the database's tables differ from the declared ones; empty when they agree."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))
