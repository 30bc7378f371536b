"""Leases: what one daemon at a time may be at"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.types import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("matter", name=op.f("pk_lease")),
    )


def downgrade() -> None:
    op.drop_table("lease")
