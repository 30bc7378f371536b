"""Indexes for what waits: files, rows and mails; and for what is known of a specimen"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_lab_file_original_name"), "lab_file", ["original_name"], unique=False)
    op.create_index(
        "ix_lab_file_unfinished",
        "lab_file",
        ["id"],
        unique=False,
        sqlite_where=sa.text("archived_as IS NULL"),
        postgresql_where=sa.text("archived_as IS NULL"),
    )
    op.create_index(op.f("ix_lab_result_specimen"), "lab_result", ["specimen"], unique=False)
    op.create_index(op.f("ix_lab_result_version_specimen"), "lab_result_version", ["specimen"], unique=False)
    op.create_index(
        "ix_lab_result_version_held",
        "lab_result_version",
        ["recorded_at"],
        unique=False,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index("ix_outbox_expires", "outbox", ["state", "expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_outbox_expires", table_name="outbox")
    op.drop_index("ix_lab_result_version_held", table_name="lab_result_version")
    op.drop_index(op.f("ix_lab_result_version_specimen"), table_name="lab_result_version")
    op.drop_index(op.f("ix_lab_result_specimen"), table_name="lab_result")
    op.drop_index("ix_lab_file_unfinished", table_name="lab_file")
    op.drop_index(op.f("ix_lab_file_original_name"), table_name="lab_file")
