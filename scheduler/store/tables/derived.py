"""Derived: where visits, draws and flags stand. Deleted and made again by `rebuild`, but for flags about no subject."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlmodel import Field

from scheduler.store.tables.row import Row, json_column, partial_index
from scheduler.store.types import Instant

__all__ = ["FlagRow", "SamplingRow", "VisitRow"]


class VisitRow(Row, table=True):
    """A visit as it stands; `amended_by` is the protocol version that it follows, when that is not the enrolment's."""

    __tablename__ = "visit"
    subject: str = Field(primary_key=True, foreign_key="subject.code")
    visit: str = Field(primary_key=True)
    status: str
    reason: dict[str, Any] = json_column()
    target: date
    first: date
    last: date
    booked_local: str | None = None
    sequence: int = 0
    attended_at: datetime | None = Field(default=None, sa_type=Instant)
    missing: list[dict[str, Any]] = json_column()
    amended_by: str | None = None


class SamplingRow(Row, table=True):
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


class FlagRow(Row, table=True):
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
    reason: dict[str, Any] = json_column()
    since: datetime = Field(sa_type=Instant)
    opened_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    __table_args__ = (
        partial_index("uq_flag_open_key", "key", where="closed_at IS NULL", unique=True),
        partial_index("ix_flag_open", "site_id", "severity", "since", "key", where="closed_at IS NULL"),
    )
