"""Rows that may be there already: INSERT … ON CONFLICT, which each database has a word of its own for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Table

__all__ = ["Upsert"]


class Upsert:
    """A statement that is made once for each kind of database, when it is first executed there.

    `ending` gets the dialect's own `insert(table)` and adds what happens on a conflict.
    """

    def __init__(self, table: Table, ending: Callable[[Any], Any]) -> None:
        self._table = table
        self._ending = ending
        self._made: dict[str, Any] = {}

    def on(self, connection: Connection) -> Any:
        """The statement for the database of this connection; its `rowcount` is of the rows that were written."""
        name = connection.dialect.name
        if name not in self._made:
            insert = import_module(
                f"sqlalchemy.dialects.{name}"
            ).insert  # only this one: the other takes its time
            self._made[name] = self._ending(insert(self._table)).execution_options(preserve_rowcount=True)
        return self._made[name]
