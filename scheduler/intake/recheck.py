"""Looks again at rows that were held for what the database did not know yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from scheduler.domain.reason import from_json
from scheduler.intake.findings import Finding, RowVerdict, Severity, State
from scheduler.intake.place import Placement
from scheduler.intake.receipts import findings_json
from scheduler.intake.study import Context, IntakeStudy
from scheduler.store import lab
from scheduler.store.flags import close_flag
from scheduler.store.lab_values import Entry
from scheduler.store.lab_writing import NewRow, add_rows
from scheduler.store.subjects import wake
from scheduler.store.tables import LabResultVersionRow

__all__ = ["RECHECKED", "close_settled_flags", "recheck_held"]

Audit = Callable[[Session, datetime, str, str, str, dict[str, Any]], Any]

# The rules whose answer lies in the records and not in the file.
RECHECKED = frozenset({"R-01", "R-03", "R-04", "R-32", "R-44"})
_FOR = timedelta(days=14)


def recheck_held(session: Session, study: IntakeStudy, now: datetime, audit: Audit) -> tuple[int, ...]:
    """Accepts the held rows that the records no longer speak against; returns the ids of the new rows."""
    rows = [row for row in lab.held_rows(session, since=now - _FOR) if _waits_for_records(row)]
    if not rows:
        return ()
    records = lab.load_records(session, sorted({r.subject for r in rows}), sorted({r.specimen for r in rows}))
    placement = Placement(Context(study, now, records))
    promoted = []
    for row in sorted(rows, key=lambda one: (one.reported_at or now, one.id or 0)):
        entry = _entry(row, study)
        if entry is None:
            continue
        findings = (*_kept(row), *placement.place(row.row_no, entry))
        if RowVerdict(row.row_no, entry, findings).state is not State.ACCEPTED:
            continue
        placement.accept(entry)
        accepted = NewRow(row.file_id, row.row_no, entry, findings_json(findings), accepted=True)
        (number,) = add_rows(session, [accepted], now)
        wake(session, entry.subject, now)
        audit(session, now, "lab_row_promoted", "lab_result_version", str(number), {"held_row": row.id})
        promoted.append(number)
    if promoted:
        close_settled_flags(session, now)
    return tuple(promoted)


def close_settled_flags(session: Session, now: datetime) -> None:
    """Closes the flags of files whose held rows have all been settled."""
    for key in lab.settled_flag_keys(session):
        close_flag(session, key, now)


def _waits_for_records(row: LabResultVersionRow) -> bool:
    held = [one["rule"] for one in row.findings if one["severity"] == Severity.HOLD]
    return bool(row.subject) and row.reported_at is not None and set(held) <= RECHECKED


def _entry(row: LabResultVersionRow, study: IntakeStudy) -> Entry | None:
    """What was understood of the row, its visit looked up again; None while that is still not a sampling visit."""
    entry = lab.entry_of(row)
    encounter = study.encounter(study.labs.get(entry.lab), entry.visit)
    if encounter is None or not encounter.sampling:
        return None
    return replace(entry, visit=encounter.id)


def _kept(row: LabResultVersionRow) -> tuple[Finding, ...]:
    """The warnings that the row itself gave rise to."""
    return tuple(
        Finding(Severity(one["severity"]), from_json(one["reason"]))
        for one in row.findings
        if one["severity"] in (Severity.WARN, Severity.SET)
    )
