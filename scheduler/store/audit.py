"""The audit chain: every change is a row whose hash covers the row before it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import Row, RowMapping, Table, insert, text
from sqlalchemy import select as core_select
from sqlmodel import Session, select

from scheduler.store.tables import AuditRow, ReviewRow

__all__ = ["APP_VERSION", "GENESIS", "Break", "append", "verify"]

GENESIS = "0" * 64
try:
    APP_VERSION = version("mpa-monitor")
except PackageNotFoundError:  # run from a checkout that was not installed
    APP_VERSION = "unknown"

_AUDIT: Table = AuditRow.__table__  # type: ignore[attr-defined]
_LAST = core_select(_AUDIT.c.seq, _AUDIT.c.hash).order_by(_AUDIT.c.seq.desc()).limit(1)
_ADD = insert(_AUDIT)
_LOCK_CHAIN = text("SELECT pg_advisory_xact_lock(7241190933)")


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold."""

    seq: int
    problem: str


def append(
    session: Session,
    now: datetime,
    action: str,
    entity: str,
    entity_id: str,
    detail: dict[str, Any] | None = None,
    *,
    actor: str = "daemon",
    source: str = "scheduler",
    reason: str | None = None,
) -> int:
    """Add a row to the chain, in the transaction of the change that it records. Returns its number."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_CHAIN)
    last = connection.execute(_LAST).first()
    seq, prev_hash = (last.seq + 1, last.hash) if last is not None else (1, GENESIS)
    salt = secrets.token_hex(16) if reason else ""
    row = {
        "seq": seq,
        "at": now,
        "actor": actor,
        "source": source,
        "action": action,
        "entity": entity,
        "entity_id": entity_id,
        "detail": detail or {},
        "reason_hash": _digest(salt, reason) if reason else None,
        "app_version": APP_VERSION,
        "prev_hash": prev_hash,
    }
    connection.execute(_ADD, row | {"hash": _hash(row)})
    if reason:
        session.add(ReviewRow(audit_seq=seq, salt=salt, text=reason))
    return seq


def verify(session: Session) -> tuple[int, str, list[Break]]:
    """How many rows the chain has, its head, and every place where it does not hold."""
    reviews = {row.audit_seq: row for row in session.exec(select(ReviewRow))}
    breaks: list[Break] = []
    prev_hash, count = GENESIS, 0
    for row in _rows(session):
        count += 1
        breaks += _breaks(row, count, prev_hash, reviews.get(row.seq))
        prev_hash = row.hash
    return count, prev_hash, breaks


def _rows(session: Session) -> Iterable[Row[Any]]:
    query = core_select(_AUDIT).order_by(_AUDIT.c.seq)
    return session.connection().execute(query, execution_options={"yield_per": 1000})


def _breaks(row: Row[Any], expected_seq: int, prev_hash: str, review: ReviewRow | None) -> Iterator[Break]:
    if row.seq != expected_seq:
        yield Break(row.seq, f"row {expected_seq} is missing")
    if row.prev_hash != prev_hash:
        yield Break(row.seq, "does not follow the row before it")
    if row.hash != _hash(row._mapping):
        yield Break(row.seq, "its content was changed")
    if (
        row.reason_hash is not None
        and review is not None
        and _digest(review.salt, review.text) != row.reason_hash
    ):
        yield Break(row.seq, "its reason was changed")
    if row.reason_hash is not None and review is None:
        yield Break(row.seq, "its reason was removed")


_COVERED = (
    "seq", "at", "actor", "source", "action", "entity", "entity_id", "detail", "reason_hash", "app_version"
)  # fmt: skip


def _hash(row: Mapping[str, Any] | RowMapping) -> str:
    """The hash of a row's content and of the hash before it."""
    covered = {**row, "at": row["at"].astimezone(UTC).isoformat()}
    content = [covered[name] for name in _COVERED]
    return _digest(
        row["prev_hash"], json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    )


def _digest(*parts: str) -> str:
    return sha256("".join(parts).encode()).hexdigest()
