"""The first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduler.store.triggers import append_only_ddl
from scheduler.store.types import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


KEYS = {
    "protocol_version": "sha256",
    "fact": "id",
    "lab_result": "id",
    "lab_result_version": "id",
    "exposure": "id",
    "acknowledgement": "id",
    "audit": "seq",
}


def upgrade() -> None:
    op.create_table(
        "acknowledgement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flag_key", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
    )
    op.create_index(op.f("ix_acknowledgement_flag_key"), "acknowledgement", ["flag_key"], unique=False)

    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("entity_id", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("reason_hash", sa.String(), nullable=True),
        sa.Column("app_version", sa.String(), nullable=False),
        sa.Column("prev_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_table(
        "flag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("visit", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag")),
    )
    op.create_index(op.f("ix_flag_subject"), "flag", ["subject"], unique=False)
    op.create_index(
        "uq_flag_open_key",
        "flag",
        ["key"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )

    op.create_table(
        "heartbeat",
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("service", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "lab_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("original_name", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("lab", sa.String(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("reason", sa.JSON(), nullable=True),
        sa.Column("encoding", sa.String(), nullable=True),
        sa.Column("delimiter", sa.String(), nullable=True),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("ignored", sa.Integer(), nullable=False),
        sa.Column("receipt", sa.JSON(), nullable=False),
        sa.Column("archived_as", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_file")),
        sa.UniqueConstraint("sha256", name=op.f("uq_lab_file_sha256")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("visit", sa.String(), nullable=True),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("body_sha256", sa.String(), nullable=True),
        sa.Column("uncertain", sa.Boolean(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("last_code", sa.Integer(), nullable=True),
        sa.Column("last_text", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_id")),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "not_before"], unique=False)
    op.create_index(op.f("ix_outbox_subject"), "outbox", ["subject"], unique=False)
    op.create_index(op.f("ix_outbox_topic"), "outbox", ["topic"], unique=False)

    op.create_table(
        "protocol_version",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_protocol_version")),
        sa.UniqueConstraint("protocol", "version", name=op.f("uq_protocol_version_protocol_version")),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_delivery_outbox_id_outbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_finished_at"), "delivery", ["finished_at"], unique=False)
    op.create_index(op.f("ix_delivery_outbox_id"), "delivery", ["outbox_id"], unique=False)

    op.create_table(
        "review",
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["audit_seq"], ["audit.seq"], name=op.f("fk_review_audit_seq_audit")),
        sa.PrimaryKeyConstraint("audit_seq", name=op.f("pk_review")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_staff_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
    )
    op.create_index(op.f("ix_staff_site_id"), "staff", ["site_id"], unique=False)

    op.create_table(
        "subject",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("protocol_sha256", sa.String(), nullable=False),
        sa.Column("enrolled_at", Instant(), nullable=False),
        sa.Column("next_wake", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("parked", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["protocol_sha256"],
            ["protocol_version.sha256"],
            name=op.f("fk_subject_protocol_sha256_protocol_version"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_subject_site_id_site")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_subject")),
    )
    op.create_index(op.f("ix_subject_next_wake"), "subject", ["next_wake"], unique=False)
    op.create_index(op.f("ix_subject_site_id"), "subject", ["site_id"], unique=False)

    op.create_table(
        "exposure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("inputs_hash", sa.String(), nullable=True),
        sa.Column("quantity", sa.String(), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("from_h", sa.Float(), nullable=True),
        sa.Column("to_h", sa.Float(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.String(), nullable=True),
        sa.Column("computed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subject.code"], name=op.f("fk_exposure_subject_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exposure")),
        sa.UniqueConstraint(
            "subject", "visit", "version", "method", name=op.f("uq_exposure_subject_visit_version_method")
        ),
    )
    op.create_index(op.f("ix_exposure_subject"), "exposure", ["subject"], unique=False)

    op.create_table(
        "fact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subject.code"], name=op.f("fk_fact_subject_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact")),
    )
    op.create_index(op.f("ix_fact_subject"), "fact", ["subject"], unique=False)

    op.create_table(
        "lab_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lab", sa.String(), nullable=False),
        sa.Column("specimen", sa.String(), nullable=False),
        sa.Column("analyte", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("timepoint", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subject.code"], name=op.f("fk_lab_result_subject_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_result")),
        sa.UniqueConstraint("lab", "specimen", "analyte", name=op.f("uq_lab_result_lab_specimen_analyte")),
    )
    op.create_index(op.f("ix_lab_result_subject"), "lab_result", ["subject"], unique=False)

    op.create_table(
        "reminder",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subject.code"], name=op.f("fk_reminder_subject_subject")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_reminder")),
    )
    op.create_index(op.f("ix_reminder_subject"), "reminder", ["subject"], unique=False)

    op.create_table(
        "sampling",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("point", sa.String(), nullable=False),
        sa.Column("window_from", Instant(), nullable=True),
        sa.Column("window_to", Instant(), nullable=True),
        sa.Column("drawn_at", Instant(), nullable=True),
        sa.Column("tube", sa.String(), nullable=True),
        sa.Column("not_drawn", sa.String(), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["subject"], ["subject.code"], name=op.f("fk_sampling_subject_subject")),
        sa.PrimaryKeyConstraint("subject", "visit", "point", name=op.f("pk_sampling")),
    )
    op.create_index(op.f("ix_sampling_tube"), "sampling", ["tube"], unique=False)

    op.create_table(
        "visit",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("target", sa.Date(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("booked_local", sa.String(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("attended_at", Instant(), nullable=True),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subject.code"], name=op.f("fk_visit_subject_subject")),
        sa.PrimaryKeyConstraint("subject", "visit", name=op.f("pk_visit")),
    )
    op.create_table(
        "lab_result_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("result_id", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("timepoint", sa.String(), nullable=False),
        sa.Column("lab", sa.String(), nullable=False),
        sa.Column("specimen", sa.String(), nullable=False),
        sa.Column("analyte", sa.String(), nullable=False),
        sa.Column("result_key", sa.String(), nullable=True),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("value_raw", sa.String(), nullable=False),
        sa.Column("unit_raw", sa.String(), nullable=False),
        sa.Column("comparator", sa.String(), nullable=True),
        sa.Column("conc_mg_l", sa.String(), nullable=True),
        sa.Column("lloq_mg_l", sa.String(), nullable=True),
        sa.Column("uloq_mg_l", sa.String(), nullable=True),
        sa.Column("below_lloq", sa.Boolean(), nullable=False),
        sa.Column("above_uloq", sa.Boolean(), nullable=False),
        sa.Column("quality", sa.String(), nullable=True),
        sa.Column("blocking", sa.String(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("matrix", sa.String(), nullable=False),
        sa.Column("collected_at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=True),
        sa.Column("reported_at", Instant(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["lab_file.id"], name=op.f("fk_lab_result_version_file_id_lab_file")
        ),
        sa.ForeignKeyConstraint(
            ["result_id"], ["lab_result.id"], name=op.f("fk_lab_result_version_result_id_lab_result")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_result_version")),
    )
    op.create_index(
        op.f("ix_lab_result_version_content_hash"), "lab_result_version", ["content_hash"], unique=False
    )
    op.create_index(op.f("ix_lab_result_version_file_id"), "lab_result_version", ["file_id"], unique=False)
    op.create_index(
        op.f("ix_lab_result_version_result_id"), "lab_result_version", ["result_id"], unique=False
    )
    op.create_index(op.f("ix_lab_result_version_subject"), "lab_result_version", ["subject"], unique=False)
    dialect = op.get_bind().dialect.name
    for statement in append_only_ddl(dialect, KEYS, KEYS):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the first tables are not taken back; restore a backup instead")
