"""The audit trail as a table: one line for each value that changed, in words and as stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.domain.speech import Speaker
from scheduler.domain.spreadsheet import csv_bytes
from scheduler.store.audit_read import Entry

__all__ = ["ACTIONS", "ENTITIES", "WORDS", "AuditPage", "audit_csv", "audit_page_of"]

ACTIONS = (
    "account_added", "account_disabled", "account_enabled", "account_reset", "amendment_applied", "audit_verified",
    "backed_up", "clock_confirmed", "clock_held", "configuration_reloaded", "corrected", "daemon_started",
    "daemon_stopped", "database_copied", "denied", "exported", "flag_acknowledged", "initialised", "inspected",
    "lab_file_recorded", "lab_file_replayed", "lab_original_deleted", "lab_row_promoted", "lab_row_proposed",
    "lab_row_reviewed", "mail_cancelled", "mail_retried", "mailbox_released", "mails_settled", "methods_changed",
    "password_changed", "password_wrong", "protocol_kept", "rebuilt", "reconcile_failed", "reconciled", "restored",
    "second_factor_added", "session_over", "sign_in_failed", "signed_in", "signed_out", "signed_out_by_admin",
    "site_configured", "staff_configured", "staff_left",
)  # fmt: skip
"""What is done besides recording a fact, whose kinds are their own words."""
ENTITIES = (
    "subject", "flag", "lab_file", "lab_result_version", "outbox", "daemon", "database", "site", "staff", "protocol",
    "audit", "study", "account",
)  # fmt: skip
"""What an action is about."""
_OWN_ROLES = ("service", "system account")
_TABLE = (
    "No.", "UTC", "Time at the site", "Zone", "Who", "Role", "Organisation", "Door", "Action", "What", "About", "Field",
    "Old value", "New value", "Details", "Why", "Version", "Hash",
)  # fmt: skip
_PAGE = ("No.", "When", "Who", "What", "About", "Change", "Details", "Why")
WORDS = (*ACTIONS, *ENTITIES, *_OWN_ROLES, *_TABLE, *_PAGE)
"""Whatever the export says in the reader's language."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """What the page shows: of what, when it was made, headings and lines."""

    about: str
    generated_at: datetime
    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


def audit_csv(found: Iterable[Entry], speaker: Speaker) -> bytes:
    """Every column of every row; a row with several changes has a line for each."""
    return csv_bytes(
        _worded(_TABLE, speaker), (line for entry in found for line in _csv_lines(entry, speaker))
    )


def _csv_lines(entry: Entry, speaker: Speaker) -> Iterator[list[str]]:
    row = entry.row
    local = _at_site(row).isoformat(timespec="seconds")
    before = [
        str(row.seq), row.at.astimezone(UTC).isoformat(), local, row.zone or "UTC", row.actor, _role(row, speaker),
        row.organisation or "", row.source, row.action, speaker.status(row.action), f"{row.entity} {row.entity_id}",
    ]  # fmt: skip
    after = [_plain(row.detail) if row.detail else "", row.reason or "", row.app_version, row.hash]
    for name, old, new in _changes(entry):
        yield [*before, name, old, new, *after]


def audit_page_of(found: Iterable[Entry], about: str, speaker: Speaker, now: datetime) -> AuditPage:
    """The trail for people: who and when, what, old and new, why."""
    lines = tuple(_page_line(entry, speaker) for entry in found)
    return AuditPage(about, now, tuple(_worded(_PAGE, speaker)), lines)


def _page_line(entry: Entry, speaker: Speaker) -> tuple[str, ...]:
    row = entry.row
    local = _at_site(row)
    when = f"{local:%Y-%m-%d %H:%M:%S} {row.zone or 'UTC'} ({row.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC)"
    who = ", ".join(part for part in (row.actor, _role(row, speaker), row.organisation) if part)
    changes = "; ".join(f"{name}: {old or '–'} → {new or '–'}" for name, old, new in _changes(entry) if name)
    details = "; ".join(
        f"{name}: {_plain(value)}" for name, value in row.detail.items() if value not in (None, [], {})
    )
    about = f"{speaker.status(row.entity)} {row.entity_id}"
    return (str(row.seq), when, who, speaker.status(row.action), about, changes, details, row.reason or "")


def _worded(heads: Iterable[str], speaker: Speaker) -> list[str]:
    return [speaker.status(head) for head in heads]


def _at_site(row: Any) -> datetime:
    return row.at.astimezone(ZoneInfo(row.zone) if row.zone else UTC)  # type: ignore[no-any-return]


def _role(row: Any, speaker: Speaker) -> str:
    """The roles as they stand in the site's file; an account that is none of the staff is only that."""
    if row.form == 1:
        return ""  # older rows did not say
    role = row.role or "system account"
    return speaker.status(role) if role in _OWN_ROLES else role


def _changes(entry: Entry) -> list[tuple[str, str, str]]:
    found = [(name, _value(old), _value(new)) for name, (old, new) in entry.changes.items()]
    return found or [("", "", "")]


def _value(value: Any) -> str:
    return "" if value is None else _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
