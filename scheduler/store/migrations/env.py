"""Alembic's entry: runs the migrations on the connection that `scheduler.store.schema` hands over."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import scheduler.store.tables  # noqa: F401  (fills the metadata)
from scheduler.store.tables.row import state_conditions

state_conditions()
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
