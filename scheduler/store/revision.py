"""Which schema a database has, and which ones this program knows; `schema` brings one to the other."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from scheduler.domain.reason import because
from scheduler.store.database import Database, StoreError

__all__ = ["check_schema", "is_empty", "known_revisions", "knows_revision", "refuse_later", "revision_of"]

_VERSIONS = Path(__file__).parent / "migrations" / "versions"


def known_revisions() -> list[str]:
    """Every schema that this program knows, the newest last: what the names of the migrations begin with."""
    return sorted(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))


def revision_of(db: Database) -> str | None:
    """The schema that the database has; None when it has none."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def is_empty(db: Database) -> bool:
    """Whether the database has no schema yet."""
    return revision_of(db) is None


def knows_revision(db: Database) -> bool:
    """Whether this program knows the schema that the database has, be it an earlier one."""
    return revision_of(db) in known_revisions()


def refuse_later(found: str | None) -> None:
    """Raises StoreError for a schema that a later program made."""
    if found is not None and found not in known_revisions():
        raise StoreError(because("store_later", found_id=found))


def check_schema(db: Database) -> None:
    """Raises StoreError unless the database has exactly the schema of this program."""
    db.ping()
    found, newest = revision_of(db), known_revisions()[-1]
    if found is None:
        raise StoreError(because("store_empty"))
    refuse_later(found)
    if found != newest:
        raise StoreError(because("store_earlier", found_id=found, needed_id=newest))
