"""The ledger: which reminders, mails, acknowledgements and estimates there have been. Never made again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from scheduler.store.tables.row import Row, json_column
from scheduler.store.types import Instant

__all__ = ["AcknowledgementRow", "DeliveryRow", "ExposureRow", "OutboxRow", "ReminderRow"]


class ReminderRow(Row, table=True):
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


class OutboxRow(Row, table=True):
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
    facts: dict[str, Any] = json_column()
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


class DeliveryRow(Row, table=True):
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


class AcknowledgementRow(Row, table=True):
    """A person has dealt with a flag that is not about one subject."""

    __tablename__ = "acknowledgement"
    id: int | None = Field(default=None, primary_key=True)
    flag_key: str = Field(index=True)
    by: str
    reason: str
    at: datetime = Field(sa_type=Instant)


class ExposureRow(Row, table=True):
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
    reasons: list[dict[str, Any]] = json_column()
    notes: list[dict[str, Any]] = json_column()
    inputs: str | None = None
    detail: dict[str, Any] | None = json_column(nullable=True)
    computed_at: datetime = Field(sa_type=Instant)
    __table_args__ = (UniqueConstraint("subject", "visit", "version", "method"),)
