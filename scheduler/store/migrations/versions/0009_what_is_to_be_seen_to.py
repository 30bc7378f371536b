"""Indexes of the worklist: open flags in their order, and the records by which flags were acknowledged"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")
_ACKNOWLEDGED = sa.text("kind = 'flag_acknowledged'")


def upgrade() -> None:
    op.create_index(
        "ix_flag_open",
        "flag",
        ["site_id", "severity", "since", "key"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "ix_fact_acknowledged",
        "fact",
        ["subject"],
        sqlite_where=_ACKNOWLEDGED,
        postgresql_where=_ACKNOWLEDGED,
    )


def downgrade() -> None:
    op.drop_index("ix_fact_acknowledged", table_name="fact")
    op.drop_index("ix_flag_open", table_name="flag")
