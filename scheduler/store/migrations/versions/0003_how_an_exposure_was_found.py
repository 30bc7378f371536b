"""Of an exposure: what its limits are, and its parameters, weights and areas of a day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


TABLE = "exposure"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("bounds", sa.String(), nullable=True))
    op.add_column(TABLE, sa.Column("detail", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column(TABLE, "detail")
    op.drop_column(TABLE, "bounds")
