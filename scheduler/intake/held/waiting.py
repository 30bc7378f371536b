"""Held rows as people see them: which wait, since when, why, what each of them lacks and what would settle it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from scheduler.domain.reason import Reason, because, from_json
from scheduler.domain.results import ResultStatus
from scheduler.intake.findings import Severity
from scheduler.intake.held.recheck import FOR, waits_for_records
from scheduler.intake.layout.codes import NO_RESULT
from scheduler.intake.layout.units import unit_of
from scheduler.intake.study import IntakeStudy
from scheduler.store.lab.held import held_rows, proposed_of
from scheduler.store.lab.results import entry_of
from scheduler.store.lab.values import Entry
from scheduler.store.tables import LabFileRow, LabProposalRow, LabResultVersionRow, SubjectRow

__all__ = ["HeldRow", "lacks", "waiting_rows"]


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row that waits: its number, where it came from, what it speaks of, why it is held and what would settle it."""

    number: int
    file_id: int
    file: str
    row: int
    since: datetime
    entry: Entry
    why: tuple[Reason, ...]
    settles: Reason
    proposed_by: str | None


def waiting_rows(session: Session, study: IntakeStudy, now: datetime) -> list[HeldRow]:
    """Every held row that nothing has settled, the oldest first."""
    rows = held_rows(session)
    files = session.exec(select(LabFileRow).where(col(LabFileRow.id).in_({row.file_id for row in rows})))
    names = {file.id: file.original_name for file in files}
    codes = {row.subject for row in rows}
    known = set(session.exec(select(SubjectRow.code).where(col(SubjectRow.code).in_(codes))))
    proposals = proposed_of(session, [row.id for row in rows if row.id is not None])
    return [_held(row, names[row.file_id], study, known, proposals.get(row.id or 0), now) for row in rows]


def _held(
    row: LabResultVersionRow,
    file: str,
    study: IntakeStudy,
    known: set[str],
    proposal: LabProposalRow | None,
    now: datetime,
) -> HeldRow:
    assert row.id is not None
    entry = entry_of(row)
    why = tuple(from_json(one["reason"]) for one in row.findings if one["severity"] == Severity.HOLD)
    missing = tuple(lacks(entry, study, entry.subject in known))
    if proposal is not None:
        what = because(f"decision_{proposal.decision}", timepoint=proposal.timepoint)
        settles = because("settles_second", by=proposal.by, decision=what, number=row.id)
    elif waits_for_records(row) and now <= row.recorded_at + FOR:
        settles = because("settles_records", until=row.recorded_at + FOR, number=row.id)
    elif missing:
        settles = because("settles_laboratory", what=missing, number=row.id)
    else:
        settles = because("settles_person", number=row.id)
    return HeldRow(
        row.id,
        row.file_id,
        file,
        row.row_no,
        row.recorded_at,
        entry,
        why,
        settles,
        proposal.by if proposal is not None else None,
    )


def lacks(entry: Entry, study: IntakeStudy, subject_is_known: bool) -> Iterator[Reason]:
    """What an accepted row cannot do without and this one lacks; nobody here may fill it in."""
    encounter = study.encounter(study.labs.get(entry.lab), entry.visit) if entry.visit else None
    present = {
        "subject": subject_is_known,
        "visit": encounter is not None and encounter.sampling,
        "point": study.protocol.point(entry.timepoint) is not None,
        "specimen": bool(entry.specimen),
        "laboratory": entry.lab in study.labs,
        "status": entry.status is not None,
        "unit": not entry.value_raw or entry.status in NO_RESULT or unit_of(entry.unit_raw) is not None,
        "value": entry.status in (ResultStatus.PRELIMINARY, *NO_RESULT)
        or entry.conc_mg_l is not None
        or entry.comparator is not None,
        "collected": entry.collected_at is not None or entry.status in NO_RESULT,
        "reported": entry.reported_at is not None,
    }
    yield from (because(f"lacks_{name}") for name, there in present.items() if not there)
