"""A database of another program version is refused, and what to do is said."""

from __future__ import annotations

import pytest
from alembic.script import ScriptDirectory
from psycopg import errors
from sqlalchemy import text
from sqlmodel import Session

from config.language import Language
from scheduler.domain.speech import plain_speaker
from scheduler.store.database import Database, StoreError
from scheduler.store.operations import only_daemon
from scheduler.store.postgresql import _COLLISIONS, _GOING_AWAY, DAEMON, only_one
from scheduler.store.revision import check_schema, known_revisions
from scheduler.store.schema import _config, migrate


def say(db: Database, revision: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_the_names_of_the_migrations_are_their_revisions_in_their_order() -> None:
    """A command that only asks for the schema reads names, and loads neither Alembic nor the migrations."""
    chain = [one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()]
    assert known_revisions() == chain[::-1]


def test_the_codes_of_postgresql_are_those_of_the_errors_that_are_meant() -> None:
    for code, words in {**_COLLISIONS, **_GOING_AWAY}.items():
        name = "".join(word.capitalize() for word in words.split())
        assert errors.lookup(code).__name__ == name


def test_a_database_of_an_earlier_version_is_refused_until_it_is_brought_up(db: Database) -> None:
    say(db, "0003")
    with pytest.raises(
        StoreError, match=r"has schema 0003, this program needs \d{4}\. Run 'mpa-monitor init'"
    ):
        check_schema(db)


def test_a_database_of_a_later_version_is_refused_and_left_as_it_is(db: Database) -> None:
    say(db, "9999")
    for refused in (check_schema, migrate):
        with pytest.raises(StoreError, match="schema 9999, which a later version of this program made"):
            refused(db)
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_a_database_on_which_a_daemon_works_is_not_brought_up(db: Database) -> None:
    """An earlier program would go on writing into tables that it does not know."""
    say(db, "0007")
    with only_daemon(db), Session(db.engine) as working:
        assert only_one(working, DAEMON)  # as a daemon on PostgreSQL holds it while it listens
        working.rollback() if db.is_sqlite else None
        with pytest.raises(
            StoreError, match="A daemon still works on the database with schema 0007"
        ) as refused:
            migrate(db)
        said = plain_speaker(Language.FR).say(refused.value.reason)
        assert said.startswith("Un service travaille encore sur la base de schéma 0007.")
    with pytest.raises(StoreError, match="has schema 0007"):
        check_schema(db)
