"""What persons decide of held rows; which receipts are to be written again; indexes of the rows that are held"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.triggers import append_only_ddl
from scheduler.store.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FILE = "lab_file"
DECISIONS = ("lab_review", "lab_proposal")


def upgrade() -> None:
    op.add_column(FILE, sa.Column("receipt_due", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_lab_file_receipt_due",
        FILE,
        ["id"],
        unique=False,
        sqlite_where=sa.text("receipt_due"),
        postgresql_where=sa.text("receipt_due"),
    )
    for column in ("subject", "specimen"):
        op.create_index(
            f"ix_lab_result_version_held_{column}",
            "lab_result_version",
            [column],
            unique=False,
            sqlite_where=sa.text("state = 'held'"),
            postgresql_where=sa.text("state = 'held'"),
        )
    op.create_table(
        "lab_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("accepted_as", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["lab_result_version.id"],
            name=op.f("fk_lab_review_version_id_lab_result_version"),
        ),
        sa.ForeignKeyConstraint(["audit_seq"], ["audit.seq"], name=op.f("fk_lab_review_audit_seq_audit")),
        sa.ForeignKeyConstraint(
            ["accepted_as"],
            ["lab_result_version.id"],
            name=op.f("fk_lab_review_accepted_as_lab_result_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_review")),
        sa.UniqueConstraint("version_id", name=op.f("uq_lab_review_version_id")),
    )
    op.create_table(
        "lab_proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("timepoint", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["lab_result_version.id"],
            name=op.f("fk_lab_proposal_version_id_lab_result_version"),
        ),
        sa.ForeignKeyConstraint(["audit_seq"], ["audit.seq"], name=op.f("fk_lab_proposal_audit_seq_audit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_proposal")),
        sa.UniqueConstraint("version_id", name=op.f("uq_lab_proposal_version_id")),
    )
    dialect = op.get_bind().dialect.name
    statements = append_only_ddl(dialect, DECISIONS, dict.fromkeys(DECISIONS, "id"))
    if dialect == "postgresql":
        next(statements)  # the function of the triggers is there since the first tables
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    for table in DECISIONS:
        op.drop_table(table)
    for column in ("specimen", "subject"):
        op.drop_index(f"ix_lab_result_version_held_{column}", table_name="lab_result_version")
    op.drop_index("ix_lab_file_receipt_due", table_name=FILE)
    op.drop_column(FILE, "receipt_due")
