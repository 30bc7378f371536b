"""A database of another program version is refused, and what to do is said."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from scheduler.store.database import Database, StoreError
from scheduler.store.schema import check_schema, migrate


def say(db: Database, revision: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_a_database_of_an_earlier_version_is_refused_until_it_is_brought_up(db: Database) -> None:
    say(db, "0003")
    with pytest.raises(
        StoreError, match=r"has schema 0003, this program needs \d{4}\. Run 'mpa-monitor init'"
    ):
        check_schema(db)


def test_a_database_of_a_later_version_is_refused_and_left_as_it_is(db: Database) -> None:
    say(db, "9999")
    for refused in (check_schema, migrate):
        with pytest.raises(StoreError, match="schema 9999, which a later version of mpa-monitor made"):
            refused(db)
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
