"""What every table is made with: names of constraints and indexes, columns of JSON, indexes of few rows."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, Column, Index, Table, text
from sqlmodel import Field, SQLModel

__all__ = ["Row", "json_column", "partial_index", "state_conditions"]

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Row(SQLModel):
    """A row of a table; `__table__` is the table."""

    __table__: ClassVar[Table]


def json_column(nullable: bool = False) -> Any:
    return Field(sa_column=Column(JSON(), nullable=nullable))


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the few rows that are still to be dealt with. The migrations make it; `state_conditions` tells each
    dialect, which would otherwise be loaded with every command, its drivers for PostgreSQL among them."""
    return Index(name, *columns, unique=unique, info={"where": where})


def state_conditions() -> None:
    """Tell the dialects the conditions of the partial indexes, for whoever compares or makes the tables."""
    for index in (one for table in SQLModel.metadata.tables.values() for one in table.indexes):
        if "where" in index.info:
            for dialect in ("sqlite", "postgresql"):
                index.dialect_options[dialect]["where"] = text(index.info["where"])
