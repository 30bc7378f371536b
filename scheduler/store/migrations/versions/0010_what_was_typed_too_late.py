"""What somebody had typed when the sign-in had ended, and whose that sign-in was"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.types import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("login_session", sa.Column("ended_at", Instant(), nullable=True))
    op.create_table(
        "kept_form",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("typed", sa.JSON(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_kept_form_account_account")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_kept_form")),
    )


def downgrade() -> None:
    op.drop_table("kept_form")
    op.drop_column("login_session", "ended_at")
