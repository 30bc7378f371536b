"""The audit chain: every change is a row whose hash covers the row before it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, text
from sqlalchemy import select as core_select
from sqlmodel import Session

from scheduler.store.audit_chain import (
    GENESIS,
    Break,
    Head,
    anchor_problems,
    hash_of,
    head,
    reason_digest,
    verify,
)
from scheduler.store.tables import AccountRow, AuditRow, ReviewRow, SiteRow, StaffRow, SubjectRow

__all__ = [
    "APP_VERSION",
    "Break",
    "Changed",
    "Head",
    "anchor_problems",
    "append",
    "append_all",
    "hash_of",
    "head",
    "verify",
]

SERVICE = "service"
"""The role of the program itself."""

Changed = Mapping[str, tuple[Any, Any]]
"""What was changed: by the name of the field, its old value and its new one."""

try:
    APP_VERSION = version("mpa-monitor")
except PackageNotFoundError:  # run from a checkout that was not installed
    APP_VERSION = "unknown"

_AUDIT = AuditRow.__table__
_ACCOUNT = AccountRow.__table__
_SITE = SiteRow.__table__
_STAFF = StaffRow.__table__
_SUBJECT = SubjectRow.__table__
_LAST = core_select(_AUDIT.c.seq, _AUDIT.c.hash).order_by(_AUDIT.c.seq.desc()).limit(1)
_ADD = insert(_AUDIT)
_LOCK_CHAIN = text("SELECT pg_advisory_xact_lock(7241190933)")

_AT_SITE = _SUBJECT.join(_SITE, _SITE.c.id == _SUBJECT.c.site_id)
_ZONES = (
    core_select(_SUBJECT.c.code, _SITE.c.zone)
    .select_from(_AT_SITE)
    .where(_SUBJECT.c.code.in_(bindparam("codes", expanding=True)))
)
_PERSON = _STAFF.c.id == bindparam("actor")
_CIRCUMSTANCES = core_select(
    func.coalesce(
        core_select(_SITE.c.zone)
        .select_from(_AT_SITE)
        .where(_SUBJECT.c.code == bindparam("about"))
        .scalar_subquery(),
        core_select(_SITE.c.zone).where(_SITE.c.id == bindparam("about")).scalar_subquery(),
        core_select(_SITE.c.zone).order_by(_SITE.c.id).limit(1).scalar_subquery(),
    ).label("zone"),
    core_select(_STAFF.c.roles).where(_PERSON).scalar_subquery().label("roles"),
    core_select(_ACCOUNT.c.roles)
    .where(_ACCOUNT.c.id == bindparam("actor"))
    .scalar_subquery()
    .label("account_roles"),
    core_select(_SITE.c.name)
    .select_from(_STAFF.join(_SITE, _SITE.c.id == _STAFF.c.site_id))
    .where(_PERSON)
    .scalar_subquery()
    .label("organisation"),
    core_select(_SITE.c.name)
    .select_from(_ACCOUNT.join(_SITE, _SITE.c.id == _ACCOUNT.c.site_id))
    .where(_ACCOUNT.c.id == bindparam("actor"))
    .scalar_subquery()
    .label("account_organisation"),
)
"""The zone of the subject's site, or of the first; roles and organisation of one of the staff, and of an account."""


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
    changes: Changed | None = None,
    role: str | None = None,
    organisation: str | None = None,
) -> int:
    """Add a row to the chain, in the transaction of the change that it records. Returns its number.

    The role and the organisation, unless given, are at the console those of the account, else those of the site's file.
    """
    connection = session.connection()
    last, prev_hash = _end_of_chain(connection)
    seq = last + 1
    around = connection.execute(_CIRCUMSTANCES, {"about": entity_id, "actor": actor}).one()
    salt = secrets.token_hex(16) if reason else ""
    row = {
        "seq": seq,
        "form": 2,
        "at": now,
        "zone": around.zone,
        "actor": actor,
        "role": role or _role(around, source),
        "organisation": organisation or _organisation(around, source),
        "source": source,
        "action": action,
        "entity": entity,
        "entity_id": entity_id,
        "detail": _plain(detail or {}),
        "changes": _plain({name: list(pair) for name, pair in changes.items()}) if changes else None,
        "reason_hash": reason_digest(salt, reason) if reason else None,
        "app_version": APP_VERSION,
        "prev_hash": prev_hash,
    }
    connection.execute(_ADD, _with_hash(row))
    if reason:
        session.add(ReviewRow(audit_seq=seq, salt=salt, text=reason))
    return seq


def append_all(session: Session, now: datetime, action: str, details: Mapping[str, dict[str, Any]]) -> None:
    """What `append` adds for the service, about many subjects in one go, by their codes."""
    if not details:
        return
    connection = session.connection()
    found = connection.execute(_ZONES, {"codes": list(details)}).all()
    zones: dict[str, str] = {one.code: one.zone for one in found}
    last, prev_hash = _end_of_chain(connection)
    rows: list[dict[str, Any]] = []
    for seq, (code, detail) in enumerate(details.items(), last + 1):
        row = {
            "seq": seq,
            "form": 2,
            "at": now,
            "zone": zones.get(code),
            "actor": "daemon",
            "role": SERVICE,
            "organisation": None,
            "source": "scheduler",
            "action": action,
            "entity": "subject",
            "entity_id": code,
            "detail": _plain(detail),
            "changes": None,
            "reason_hash": None,
            "app_version": APP_VERSION,
            "prev_hash": prev_hash,
        }
        rows.append(_with_hash(row))
        prev_hash = rows[-1]["hash"]
    connection.execute(_ADD, rows)


def _end_of_chain(connection: Connection) -> tuple[int, str]:
    """The last number and hash; nobody else adds a row until the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_CHAIN)
    last = connection.execute(_LAST).first()
    return (last.seq, last.hash) if last is not None else (0, GENESIS)


def _with_hash(row: dict[str, Any]) -> dict[str, Any]:
    covered = {**row, "at": row["at"].astimezone(UTC).isoformat()}
    return row | {"hash": hash_of(covered)}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """As it comes back from the database, so that its hash is the same."""
    made: dict[str, Any] = json.loads(json.dumps(value))
    return made


def _role(around: Any, source: str) -> str | None:
    if source == "scheduler":
        return SERVICE
    roles = around.account_roles if source == "console" else around.roles
    return ", ".join(roles) if roles else None


def _organisation(around: Any, source: str) -> str | None:
    found: str | None = around.account_organisation if source == "console" else around.organisation
    return found
