"""Triggers that keep the append-only tables append-only, on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["append_only_ddl", "no_replace_ddl"]


def append_only_ddl(dialect: str, tables: Iterable[str], keys: dict[str, str]) -> Iterator[str]:
    """The statements that refuse UPDATE, DELETE and replacement in `tables`.

    SQLite's INSERT OR REPLACE deletes the old row without firing a delete trigger, hence the third one.
    """
    if dialect == "sqlite":
        for table in tables:
            message = f"'{table} is append-only'"
            for verb in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, {message}); END"
                )
            key = keys[table]
            yield (
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
                f"BEGIN SELECT RAISE(ABORT, {message}); END"
            )
        return
    yield (
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in tables:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        yield (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def no_replace_ddl(table: str, columns: Iterable[str]) -> str:
    """The statement that refuses, on SQLite, a new row that would replace the one with the same values in `columns`."""
    names = tuple(columns)
    same = " AND ".join(f'"{name}" = NEW."{name}"' for name in names)
    return (
        f"CREATE TRIGGER {table}_no_replace_{'_'.join(names)} BEFORE INSERT ON {table} "  # noqa: S608
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )
