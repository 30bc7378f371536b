"""Looks again at rows that were held for what the database did not know yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from scheduler.domain.reason import from_json
from scheduler.intake.findings import Finding, RowVerdict, Severity, State
from scheduler.intake.receipts import findings_json
from scheduler.intake.rules.place import VISIT_UNNAMED, Placement, derived, visit_of_day
from scheduler.intake.study import Context, IntakeStudy
from scheduler.store import audit
from scheduler.store.flags import close_flag
from scheduler.store.lab.files import settled_flag_keys
from scheduler.store.lab.held import mark_receipt_due, undecided_rows
from scheduler.store.lab.records import load_records
from scheduler.store.lab.results import entry_of
from scheduler.store.lab.values import Entry
from scheduler.store.lab.writing import NewRow, add_rows
from scheduler.store.subjects import wake
from scheduler.store.tables import LabResultVersionRow

__all__ = ["FOR", "RECHECKED", "close_settled_flags", "recheck_held", "waits_for_records"]

_SIDE_BY_SIDE = "R-43.file"
# What is found of a row and may be answered by records that come later.
RECHECKED = frozenset(
    {
        "R-01",
        "R-03",
        "R-04",
        "R-04.cancelled",
        VISIT_UNNAMED,
        "R-32",
        "R-32.window",
        "R-43",
        _SIDE_BY_SIDE,
        "R-43.order",
        "R-44",
        "R-44.version",
        "S-01",
        "S-06.tube",
    }
)
FOR = timedelta(days=14)
"""How long after its receipt a row is looked at again."""


def recheck_held(session: Session, study: IntakeStudy, now: datetime) -> tuple[int, ...]:
    """Accepts the held rows that the records no longer speak against; returns the ids of the new rows.

    What one of them waits for may be another: they are looked at until none can be accepted any more.
    """
    waiting = [row for row in undecided_rows(session, now - FOR) if waits_for_records(row)]
    if not waiting:
        return ()
    waiting.sort(key=lambda one: (one.reported_at or now, one.id or 0))
    subjects, specimens = ({row.subject for row in waiting}, {row.specimen for row in waiting})
    records = load_records(session, sorted(subjects), sorted(specimens))
    context = Context(study, now, records)
    placement = Placement(context)
    for row in waiting:
        placement.expect(entry_of(row))
    promoted: dict[int, int] = {}
    again = True
    while again:
        left = [row for row in waiting if row.id not in promoted]
        found = [one for row in left if (one := _look(row, left, context, placement))]
        for row, entry, findings in found:
            assert row.id is not None
            promoted[row.id] = _promote(session, row, entry, findings, now)
        again = bool(found)
    if promoted:
        mark_receipt_due(session, {row.file_id for row in waiting if row.id in promoted})
        close_settled_flags(session, now)
    return tuple(promoted.values())


def close_settled_flags(session: Session, now: datetime) -> None:
    """Closes the flags of files whose held rows have all been settled."""
    for key in settled_flag_keys(session):
        close_flag(session, key, now)


def waits_for_records(row: LabResultVersionRow) -> bool:
    """Whether everything that a row is held for may be answered by records that come later."""
    return bool(row.subject) and row.reported_at is not None and _held_for(row) <= RECHECKED


def _held_for(row: LabResultVersionRow) -> set[str]:
    return {one["reason"]["code"] for one in row.findings if one["severity"] == Severity.HOLD}


def _look(
    row: LabResultVersionRow, left: list[LabResultVersionRow], context: Context, placement: Placement
) -> tuple[LabResultVersionRow, Entry, tuple[Finding, ...]] | None:
    """What a row can be accepted as by now, beside those that are `left`; None while it cannot."""
    entry = _entry(row, context)
    if entry is None:
        return None
    if _SIDE_BY_SIDE in _held_for(row):
        beside = (entry_of(one) for one in left)
        if placement.finals_differ(one for one in beside if one.key == entry.key):
            return None
    told = (derived(row.row_no, entry.visit),) if not row.visit else ()
    findings = (*_kept(row), *told, *placement.place(row.row_no, entry))
    if RowVerdict(row.row_no, entry, findings).state is not State.ACCEPTED:
        return None
    placement.accept(entry)
    return row, entry, findings


def _promote(
    session: Session,
    row: LabResultVersionRow,
    entry: Entry,
    findings: tuple[Finding, ...],
    now: datetime,
) -> int:
    """Stores a held row as the version that it is by now; returns its number."""
    accepted = NewRow(row.file_id, row.row_no, entry, findings_json(findings), accepted=True)
    (number,) = add_rows(session, [accepted], now)
    wake(session, entry.subject, now)
    audit.append(session, now, "lab_row_promoted", "lab_result_version", str(number), {"held_row": row.id})
    return number


def _entry(row: LabResultVersionRow, context: Context) -> Entry | None:
    """What was understood of the row, its visit looked up again; None while that is still not a sampling visit."""
    entry, study = entry_of(row), context.study
    if not entry.visit:
        known = context.records.subjects if context.records is not None else {}
        visit = visit_of_day(study, known.get(entry.subject), entry)
        return replace(entry, visit=visit) if visit is not None else None
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
