"""Truth: facts and laboratory results, kept for ever, and the subjects, sites and versions that they are about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint, false
from sqlmodel import Field

from scheduler.store.tables.row import Row, json_column, partial_index
from scheduler.store.types import Instant

__all__ = [
    "FactRow",
    "LabFileRow",
    "LabProposalRow",
    "LabResultRow",
    "LabResultVersionRow",
    "LabReviewRow",
    "ProtocolVersionRow",
    "SiteRow",
    "StaffRow",
    "SubjectRow",
]


class SiteRow(Row, table=True):
    __tablename__ = "site"
    id: str = Field(primary_key=True)
    name: str
    zone: str


class StaffRow(Row, table=True):
    __tablename__ = "staff"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    name: str
    email: str
    language: str
    roles: list[str] = json_column()
    active: bool = True


class ProtocolVersionRow(Row, table=True):
    __tablename__ = "protocol_version"
    sha256: str = Field(primary_key=True)
    protocol: str
    version: str
    text: str
    recorded_at: datetime = Field(sa_type=Instant)
    __table_args__ = (UniqueConstraint("protocol", "version"),)


class SubjectRow(Row, table=True):
    """A subject and when the engine must look at it again; `parked` when its data keeps failing."""

    __tablename__ = "subject"
    code: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    protocol_sha256: str = Field(foreign_key="protocol_version.sha256")
    enrolled_at: datetime = Field(sa_type=Instant)
    next_wake: datetime | None = Field(default=None, sa_type=Instant, index=True)
    failures: int = 0
    parked: str | None = None


class FactRow(Row, table=True):
    __tablename__ = "fact"
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(foreign_key="subject.code", index=True)
    kind: str
    payload: dict[str, Any] = json_column()
    recorded_at: datetime = Field(sa_type=Instant)
    recorded_by: str
    source: str
    __table_args__ = (partial_index("ix_fact_acknowledged", "subject", where="kind = 'flag_acknowledged'"),)


class LabFileRow(Row, table=True):
    """A file as received; `archived_as` follows it to its archive, and `receipt_due` says that a row of it was settled
    since its receipt was written."""

    __tablename__ = "lab_file"
    id: int | None = Field(default=None, primary_key=True)
    sha256: str = Field(unique=True)
    size: int
    original_name: str = Field(index=True)
    site_id: str
    lab: str | None = None
    received_at: datetime = Field(sa_type=Instant)
    verdict: str
    code: str | None = None
    reason: dict[str, Any] | None = json_column(nullable=True)
    encoding: str | None = None
    delimiter: str | None = None
    accepted: int = 0
    held: int = 0
    ignored: int = 0
    receipt: dict[str, Any] = json_column()
    archived_as: str | None = None
    receipt_due: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    __table_args__ = (
        partial_index("ix_lab_file_unfinished", "id", where="archived_as IS NULL"),
        partial_index("ix_lab_file_receipt_due", "id", where="receipt_due"),
    )


class LabResultRow(Row, table=True):
    """A logical result: one analyte in one specimen of one laboratory."""

    __tablename__ = "lab_result"
    id: int | None = Field(default=None, primary_key=True)
    lab: str
    specimen: str = Field(index=True)
    analyte: str
    subject: str = Field(foreign_key="subject.code", index=True)
    visit: str
    timepoint: str
    __table_args__ = (UniqueConstraint("lab", "specimen", "analyte"),)


class LabResultVersionRow(Row, table=True):
    """One row of one file, as received and as understood. Held rows have no logical result yet."""

    __tablename__ = "lab_result_version"
    id: int | None = Field(default=None, primary_key=True)
    result_id: int | None = Field(default=None, foreign_key="lab_result.id", index=True)
    file_id: int = Field(foreign_key="lab_file.id", index=True)
    row_no: int
    state: str
    subject: str = Field(index=True)
    visit: str
    timepoint: str
    lab: str
    specimen: str = Field(index=True)
    analyte: str
    result_key: str | None = None
    replaces: str | None = None
    status: str | None = None
    value_raw: str
    unit_raw: str
    comparator: str | None = None
    conc_mg_l: str | None = None
    lloq_mg_l: str | None = None
    uloq_mg_l: str | None = None
    below_lloq: bool = False
    above_uloq: bool = False
    quality: str | None = None
    blocking: str | None = None
    method: str
    matrix: str
    collected_at: datetime | None = Field(default=None, sa_type=Instant)
    received_at: datetime | None = Field(default=None, sa_type=Instant)
    reported_at: datetime | None = Field(default=None, sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    findings: list[dict[str, Any]] = json_column()
    content_hash: str = Field(index=True)
    __table_args__ = (
        partial_index("ix_lab_result_version_held", "recorded_at", where="state = 'held'"),
        partial_index("ix_lab_result_version_held_subject", "subject", where="state = 'held'"),
        partial_index("ix_lab_result_version_held_specimen", "specimen", where="state = 'held'"),
    )


class LabReviewRow(Row, table=True):
    """What a person decided of a held row: its reason hangs on the audit row `audit_seq`, `accepted_as` is the version
    that the decision made. `before` and `after` are where the row stood and stands."""

    __tablename__ = "lab_review"
    id: int | None = Field(default=None, primary_key=True)
    version_id: int = Field(foreign_key="lab_result_version.id", unique=True)
    decision: str
    by: str
    at: datetime = Field(sa_type=Instant)
    audit_seq: int = Field(foreign_key="audit.seq")
    before: dict[str, Any] = json_column()
    after: dict[str, Any] = json_column()
    accepted_as: int | None = Field(default=None, foreign_key="lab_result_version.id")


class LabProposalRow(Row, table=True):
    """What a first person proposed for a held row, where two are asked for; another one confirms it by a review."""

    __tablename__ = "lab_proposal"
    id: int | None = Field(default=None, primary_key=True)
    version_id: int = Field(foreign_key="lab_result_version.id", unique=True)
    decision: str
    timepoint: str
    by: str
    at: datetime = Field(sa_type=Instant)
    audit_seq: int = Field(foreign_key="audit.seq")
