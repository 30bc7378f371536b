"""In the audit: the site's zone, role and organisation, old and new values; no replacement by any key"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.triggers import no_replace_ddl

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

AUDIT = "audit"
UNIQUE = {
    "protocol_version": ("protocol", "version"),
    "lab_result": ("lab", "specimen", "analyte"),
    "lab_review": ("version_id",),
    "lab_proposal": ("version_id",),
    "exposure": ("subject", "visit", "version", "method"),
}


def upgrade() -> None:
    op.add_column(AUDIT, sa.Column("form", sa.Integer(), nullable=False, server_default="1"))
    for name in ("zone", "role", "organisation"):
        op.add_column(AUDIT, sa.Column(name, sa.String(), nullable=True))
    op.add_column(AUDIT, sa.Column("changes", sa.JSON(none_as_null=True), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        for table, columns in UNIQUE.items():
            op.execute(no_replace_ddl(table, columns))


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table, columns in UNIQUE.items():
            op.execute(f"DROP TRIGGER {table}_no_replace_{'_'.join(columns)}")
    for name in ("changes", "organisation", "role", "zone", "form"):
        op.drop_column(AUDIT, name)
