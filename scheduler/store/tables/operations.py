"""Operations: signs of life, leases, and the audit trail with its reasons. Evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from scheduler.store.tables.row import Row, json_column
from scheduler.store.types import Instant

__all__ = ["AuditRow", "HeartbeatRow", "LeaseRow", "ReviewRow"]


class HeartbeatRow(Row, table=True):
    __tablename__ = "heartbeat"
    service: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    failures: int = 0
    detail: str = ""


class LeaseRow(Row, table=True):
    """Which daemon is at a matter that only one may be at, and until when; `until` is by the database's clock."""

    __tablename__ = "lease"
    matter: str = Field(primary_key=True)
    owner: str
    token: str
    until: datetime = Field(sa_type=Instant)


class AuditRow(Row, table=True):
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
    detail: dict[str, Any] = json_column()
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


class ReviewRow(Row, table=True):
    """Free text that a person gave with a change, apart from the chain so that a slip can be redacted."""

    __tablename__ = "review"
    audit_seq: int = Field(primary_key=True, foreign_key="audit.seq")
    salt: str
    text: str
