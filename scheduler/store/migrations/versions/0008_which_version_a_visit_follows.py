"""Of a visit: the protocol version that it follows, when that is not the one of the enrolment"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("visit", sa.Column("amended_by", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("visit", "amended_by")
