"""The tables, by what may be lost: truth, derived, ledger, operations. Rows live only in the store."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from scheduler.store.types import Instant

__all__ = [
    "APPEND_ONLY",
    "DERIVED",
    "AccountRow",
    "AcknowledgementRow",
    "AuditRow",
    "DeliveryRow",
    "ExposureRow",
    "FactRow",
    "FlagRow",
    "FormReceiptRow",
    "HeartbeatRow",
    "KeptFormRow",
    "LabFileRow",
    "LabProposalRow",
    "LabResultRow",
    "LabResultVersionRow",
    "LabReviewRow",
    "LeaseRow",
    "LoginAttemptRow",
    "LoginSessionRow",
    "OutboxRow",
    "ProtocolVersionRow",
    "ReminderRow",
    "ReviewRow",
    "SamplingRow",
    "SiteRow",
    "StaffRow",
    "SubjectRow",
    "VisitRow",
]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


def _json(nullable: bool = False) -> Any:
    return Field(sa_column=Column(JSON(), nullable=nullable))


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the few rows that are still to be dealt with."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


# --- truth: append-only -----------------------------------------------------------------------------------------


class SiteRow(SQLModel, table=True):
    __tablename__ = "site"
    id: str = Field(primary_key=True)
    name: str
    zone: str


class StaffRow(SQLModel, table=True):
    __tablename__ = "staff"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    name: str
    email: str
    language: str
    roles: list[str] = _json()
    active: bool = True


class ProtocolVersionRow(SQLModel, table=True):
    __tablename__ = "protocol_version"
    sha256: str = Field(primary_key=True)
    protocol: str
    version: str
    text: str
    recorded_at: datetime = Field(sa_type=Instant)
    __table_args__ = (UniqueConstraint("protocol", "version"),)


class SubjectRow(SQLModel, table=True):
    """A subject and when the engine must look at it again; `parked` when its data keeps failing."""

    __tablename__ = "subject"
    code: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    protocol_sha256: str = Field(foreign_key="protocol_version.sha256")
    enrolled_at: datetime = Field(sa_type=Instant)
    next_wake: datetime | None = Field(default=None, sa_type=Instant, index=True)
    failures: int = 0
    parked: str | None = None


class FactRow(SQLModel, table=True):
    __tablename__ = "fact"
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(foreign_key="subject.code", index=True)
    kind: str
    payload: dict[str, Any] = _json()
    recorded_at: datetime = Field(sa_type=Instant)
    recorded_by: str
    source: str
    __table_args__ = (_partial("ix_fact_acknowledged", "subject", where="kind = 'flag_acknowledged'"),)


class LabFileRow(SQLModel, table=True):
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
    reason: dict[str, Any] | None = _json(nullable=True)
    encoding: str | None = None
    delimiter: str | None = None
    accepted: int = 0
    held: int = 0
    ignored: int = 0
    receipt: dict[str, Any] = _json()
    archived_as: str | None = None
    receipt_due: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    __table_args__ = (
        _partial("ix_lab_file_unfinished", "id", where="archived_as IS NULL"),
        _partial("ix_lab_file_receipt_due", "id", where="receipt_due"),
    )


class LabResultRow(SQLModel, table=True):
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


class LabResultVersionRow(SQLModel, table=True):
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
    findings: list[dict[str, Any]] = _json()
    content_hash: str = Field(index=True)
    __table_args__ = (
        _partial("ix_lab_result_version_held", "recorded_at", where="state = 'held'"),
        _partial("ix_lab_result_version_held_subject", "subject", where="state = 'held'"),
        _partial("ix_lab_result_version_held_specimen", "specimen", where="state = 'held'"),
    )


class LabReviewRow(SQLModel, table=True):
    """What a person decided of a held row: its reason hangs on the audit row `audit_seq`, `accepted_as` is the version
    that the decision made. `before` and `after` are where the row stood and stands."""

    __tablename__ = "lab_review"
    id: int | None = Field(default=None, primary_key=True)
    version_id: int = Field(foreign_key="lab_result_version.id", unique=True)
    decision: str
    by: str
    at: datetime = Field(sa_type=Instant)
    audit_seq: int = Field(foreign_key="audit.seq")
    before: dict[str, Any] = _json()
    after: dict[str, Any] = _json()
    accepted_as: int | None = Field(default=None, foreign_key="lab_result_version.id")


class LabProposalRow(SQLModel, table=True):
    """What a first person proposed for a held row, where two are asked for; another one confirms it by a review."""

    __tablename__ = "lab_proposal"
    id: int | None = Field(default=None, primary_key=True)
    version_id: int = Field(foreign_key="lab_result_version.id", unique=True)
    decision: str
    timepoint: str
    by: str
    at: datetime = Field(sa_type=Instant)
    audit_seq: int = Field(foreign_key="audit.seq")


# --- derived: may be deleted and rebuilt ------------------------------------------------------------------------


class VisitRow(SQLModel, table=True):
    """A visit as it stands; `amended_by` is the protocol version that it follows, when that is not the enrolment's."""

    __tablename__ = "visit"
    subject: str = Field(primary_key=True, foreign_key="subject.code")
    visit: str = Field(primary_key=True)
    status: str
    reason: dict[str, Any] = _json()
    target: date
    first: date
    last: date
    booked_local: str | None = None
    sequence: int = 0
    attended_at: datetime | None = Field(default=None, sa_type=Instant)
    missing: list[dict[str, Any]] = _json()
    amended_by: str | None = None


class SamplingRow(SQLModel, table=True):
    __tablename__ = "sampling"
    subject: str = Field(primary_key=True, foreign_key="subject.code")
    visit: str = Field(primary_key=True)
    point: str = Field(primary_key=True)
    window_from: datetime | None = Field(default=None, sa_type=Instant)
    window_to: datetime | None = Field(default=None, sa_type=Instant)
    drawn_at: datetime | None = Field(default=None, sa_type=Instant)
    tube: str | None = Field(default=None, index=True)
    not_drawn: str | None = None
    result: str | None = None


class FlagRow(SQLModel, table=True):
    """A flag while open and after: at most one open row per key, closed rows stay as history."""

    __tablename__ = "flag"
    id: int | None = Field(default=None, primary_key=True)
    key: str
    code: str
    site_id: str
    subject: str | None = Field(default=None, index=True)
    visit: str | None = None
    detail: str = ""
    severity: int
    reason: dict[str, Any] = _json()
    since: datetime = Field(sa_type=Instant)
    opened_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    __table_args__ = (
        _partial("uq_flag_open_key", "key", where="closed_at IS NULL", unique=True),
        _partial("ix_flag_open", "site_id", "severity", "since", "key", where="closed_at IS NULL"),
    )


# --- ledger: what the world has seen; never rebuilt -------------------------------------------------------------


class ReminderRow(SQLModel, table=True):
    """A reminder that was decided: sent to the outbox, or expired before it could be."""

    __tablename__ = "reminder"
    key: str = Field(primary_key=True)
    subject: str = Field(foreign_key="subject.code", index=True)
    visit: str
    rule: str
    target: str
    due_at: datetime = Field(sa_type=Instant)
    valid_until: datetime = Field(sa_type=Instant)
    state: str
    decided_at: datetime = Field(sa_type=Instant)


class OutboxRow(SQLModel, table=True):
    """One mail to one person. `facts` is what the template is filled from; `body` the bytes once written."""

    __tablename__ = "outbox"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    topic: str = Field(index=True)
    site_id: str
    subject: str | None = Field(default=None, index=True)
    visit: str | None = None
    staff_id: str
    address: str
    language: str
    template: str
    facts: dict[str, Any] = _json()
    message_id: str = Field(unique=True)
    thread: str | None = None
    urgent: bool = False
    state: str
    reason: str | None = None
    created_at: datetime = Field(sa_type=Instant)
    not_before: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    attempts: int = 0
    lease_owner: str | None = None
    lease_token: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=Instant)
    body: bytes | None = None
    body_sha256: str | None = None
    uncertain: bool = False
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    last_code: int | None = None
    last_text: str | None = None
    __table_args__ = (
        Index("ix_outbox_due", "state", "not_before"),
        Index("ix_outbox_expires", "state", "expires_at"),
    )


class DeliveryRow(SQLModel, table=True):
    """One attempt at one mail: how far it got and what the server said."""

    __tablename__ = "delivery"
    id: int | None = Field(default=None, primary_key=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    attempt: int
    token: str
    phase: str
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant, index=True)
    outcome: str | None = None
    code: int | None = None
    text: str | None = None


class AcknowledgementRow(SQLModel, table=True):
    """A person has dealt with a flag that is not about one subject."""

    __tablename__ = "acknowledgement"
    id: int | None = Field(default=None, primary_key=True)
    flag_key: str = Field(index=True)
    by: str
    reason: str
    at: datetime = Field(sa_type=Instant)


class ExposureRow(SQLModel, table=True):
    """One method's answer on one version of a visit's samples; a version without hash is a withdrawal.

    `bounds` says what `low` and `high` are; `detail` holds what belongs to one kind of method only.
    """

    __tablename__ = "exposure"
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(foreign_key="subject.code", index=True)
    visit: str
    version: int
    method: str
    inputs_hash: str | None = None
    quantity: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    bounds: str | None = None
    unit: str | None = None
    from_h: float | None = None
    to_h: float | None = None
    reasons: list[dict[str, Any]] = _json()
    notes: list[dict[str, Any]] = _json()
    inputs: str | None = None
    detail: dict[str, Any] | None = _json(nullable=True)
    computed_at: datetime = Field(sa_type=Instant)
    __table_args__ = (UniqueConstraint("subject", "visit", "version", "method"),)


# --- operations: evidence ---------------------------------------------------------------------------------------


class HeartbeatRow(SQLModel, table=True):
    __tablename__ = "heartbeat"
    service: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    failures: int = 0
    detail: str = ""


class LeaseRow(SQLModel, table=True):
    """Which daemon is at a matter that only one may be at, and until when; `until` is by the database's clock."""

    __tablename__ = "lease"
    matter: str = Field(primary_key=True)
    owner: str
    token: str
    until: datetime = Field(sa_type=Instant)


class AuditRow(SQLModel, table=True):
    """One change, chained to the one before by its hash. `form` says which columns the hash covers, `zone` where the
    site's clock is read; `changes` holds the old and the new value of each field."""

    __tablename__ = "audit"
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    actor: str
    source: str
    action: str
    entity: str
    entity_id: str
    detail: dict[str, Any] = _json()
    reason_hash: str | None = None
    app_version: str
    prev_hash: str
    hash: str
    form: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    zone: str | None = None
    role: str | None = None
    organisation: str | None = None
    changes: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True), nullable=True)
    )


class ReviewRow(SQLModel, table=True):
    """Free text that a person gave with a change, apart from the chain so that a slip can be redacted."""

    __tablename__ = "review"
    audit_seq: int = Field(primary_key=True, foreign_key="audit.seq")
    salt: str
    text: str


# --- the console: who may sign in, and who has --------------------------------------------------------------------


class AccountRow(SQLModel, table=True):
    """A person who may sign in. Without `site_id` all sites are open; `totp_since` says that the second factor is used,
    `totp_step` which code was the last."""

    __tablename__ = "account"
    id: str = Field(primary_key=True)
    name: str
    site_id: str | None = Field(default=None, foreign_key="site.id")
    roles: list[str] = _json()
    language: str
    password_hash: str
    must_change: bool
    totp_secret: str | None = None
    totp_since: datetime | None = Field(default=None, sa_type=Instant)
    totp_step: int = 0
    created_at: datetime = Field(sa_type=Instant)
    disabled_at: datetime | None = Field(default=None, sa_type=Instant)


class LoginSessionRow(SQLModel, table=True):
    """A sign-in. The token itself is in the browser only; `complete` says that every factor asked for was given.

    One that ended by itself (`ended_at`) opens nothing: it says whose a form is that arrives too late.
    """

    __tablename__ = "login_session"
    token_sha256: str = Field(primary_key=True)
    account: str = Field(foreign_key="account.id", index=True)
    complete: bool
    created_at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class KeptFormRow(SQLModel, table=True):
    """What somebody had typed when the sign-in had ended, for the same account to find again; one form at most."""

    __tablename__ = "kept_form"
    account: str = Field(primary_key=True, foreign_key="account.id")
    path: str
    typed: dict[str, str] = _json()
    at: datetime = Field(sa_type=Instant)


class LoginAttemptRow(SQLModel, table=True):
    """An attempt to sign in. What was typed as a name is kept as a hash: it may have been a password."""

    __tablename__ = "login_attempt"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)
    account_sha256: str
    address: str
    succeeded: bool


class FormReceiptRow(SQLModel, table=True):
    """A form that was taken: sent again, it changes nothing."""

    __tablename__ = "form_receipt"
    key: str = Field(primary_key=True)
    account: str = Field(foreign_key="account.id")
    page: str
    at: datetime = Field(sa_type=Instant, index=True)
    outcome: dict[str, Any] = _json()


APPEND_ONLY = (
    "protocol_version",
    "fact",
    "lab_result",
    "lab_result_version",
    "lab_review",
    "lab_proposal",
    "exposure",
    "acknowledgement",
    "audit",
)
DERIVED = ("visit", "sampling", "flag")
