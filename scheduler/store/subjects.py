"""What is recorded about a subject, and writing what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, update
from sqlmodel import Session, col, delete, select

from scheduler.domain.exposure import VisitExposures
from scheduler.domain.facts import Fact, Source, What
from scheduler.domain.flags import CLOSED_BY_PERSON
from scheduler.domain.history import History
from scheduler.domain.plan import Changes, Recorded, RecordedExposure, RecordedVisit
from scheduler.domain.reason import from_json, to_json
from scheduler.store.lab import accepted_versions
from scheduler.store.rows import (
    exposure_row,
    fact_from_row,
    flag_row,
    payload_of,
    recorded_visit,
    sampling_rows,
    visit_row,
)
from scheduler.store.tables import (
    ExposureRow,
    FactRow,
    FlagRow,
    ReminderRow,
    SamplingRow,
    SubjectRow,
    VisitRow,
)

__all__ = [
    "add_fact",
    "apply_changes",
    "due_subjects",
    "load_history",
    "load_recorded",
    "next_wake",
    "subject_row",
    "wake",
    "wake_all",
]


def subject_row(session: Session, code: str) -> SubjectRow | None:
    return session.get(SubjectRow, code)


def add_fact(
    session: Session, subject: str, what: What, recorded_at: datetime, recorded_by: str, source: Source
) -> Fact:
    """Append a fact and have the engine look at the subject at once."""
    row = FactRow(
        subject=subject,
        kind=what.kind,
        payload=payload_of(what),
        recorded_at=recorded_at,
        recorded_by=recorded_by,
        source=source.value,
    )
    session.add(row)
    session.flush()
    wake(session, subject, recorded_at)
    assert row.id is not None
    return Fact(row.id, what, recorded_at, recorded_by, source)


def wake(session: Session, subject: str, at: datetime) -> None:
    """Have the engine look at a subject no later than `at`."""
    due = or_(col(SubjectRow.next_wake).is_(None), col(SubjectRow.next_wake) > at)
    session.execute(update(SubjectRow).where(col(SubjectRow.code) == subject, due).values(next_wake=at))


def wake_all(session: Session, at: datetime) -> None:
    """Have the engine look at everybody: after a new protocol, site or program version."""
    session.execute(update(SubjectRow).values(next_wake=at))


def load_history(session: Session, subject: str) -> History:
    rows = session.exec(select(FactRow).where(FactRow.subject == subject).order_by(col(FactRow.id)))
    return History(subject, tuple(fact_from_row(row) for row in rows), accepted_versions(session, subject))


def load_recorded(session: Session, subject: str) -> Recorded:
    """Everything that was already written about a subject."""
    draws: dict[str, list[SamplingRow]] = {}
    for draw in session.exec(select(SamplingRow).where(SamplingRow.subject == subject)):
        draws.setdefault(draw.visit, []).append(draw)
    visits: dict[str, RecordedVisit] = {}
    for row in session.exec(select(VisitRow).where(VisitRow.subject == subject)):
        visits[row.visit] = recorded_visit(row, draws.get(row.visit, []))
    flags = session.exec(
        select(FlagRow.key, FlagRow.reason).where(
            FlagRow.subject == subject,
            col(FlagRow.closed_at).is_(None),
            col(FlagRow.code).not_in([code.value for code in CLOSED_BY_PERSON]),
        )
    )
    reminders = session.exec(select(ReminderRow.key).where(ReminderRow.subject == subject))
    return Recorded(
        visits,
        {key: from_json(dict(reason)) for key, reason in flags},
        frozenset(reminders),
        _recorded_exposures(session, subject),
    )


def _recorded_exposures(session: Session, subject: str) -> dict[str, RecordedExposure]:
    newest: dict[str, RecordedExposure] = {}
    query = select(ExposureRow).where(ExposureRow.subject == subject).order_by(col(ExposureRow.version))
    for row in session.exec(query):
        before = newest.get(row.visit)
        whole = row.quantity == VisitExposures.PRIMARY and row.value is not None
        had_value = whole or (before is not None and before.version == row.version and before.had_value)
        newest[row.visit] = RecordedExposure(row.inputs_hash, row.version, had_value)
    return newest


def apply_changes(
    session: Session, subject: SubjectRow, changes: Changes, next_change: datetime | None, now: datetime
) -> None:
    """Write what changed, and when to look again."""
    code = subject.code
    for name, wanted in changes.visits:
        _replace(session, code, name, wanted)
    for flag in changes.opened:
        session.add(flag_row(flag, subject.site_id, now))
    for flag in changes.reworded:
        _open_flag(session, flag.key, {"reason": to_json(flag.reason), "since": flag.since})
    for key in changes.closed:
        _open_flag(session, key, {"closed_at": now})
    for one in changes.reminders:
        slot = one.slot
        session.add(
            ReminderRow(
                key=one.key,
                subject=code,
                visit=one.visit,
                rule=slot.rule.id,
                target=slot.target,
                due_at=slot.due_at,
                valid_until=slot.valid_until,
                state="expired" if one.expired else "enqueued",
                decided_at=now,
            )
        )
    for change in changes.exposures:
        if change.found is None:
            session.add(_withdrawn_exposure(code, change.visit, change.version, now))
            continue
        found = change.found
        for exposure in found.exposures:
            session.add(
                exposure_row(
                    code, change.visit, change.version, exposure, found.inputs_hash, found.inputs, now
                )
            )
    subject.next_wake = next_change
    subject.failures = 0
    session.add(subject)
    session.flush()


def _replace(session: Session, subject: str, visit: str, wanted: RecordedVisit) -> None:
    for table in (VisitRow, SamplingRow):
        session.exec(delete(table).where(col(table.subject) == subject, col(table.visit) == visit))
    session.execute(insert(VisitRow).values(visit_row(subject, visit, wanted)))
    draws = sampling_rows(subject, visit, wanted)
    if draws:
        session.execute(insert(SamplingRow), draws)


def _open_flag(session: Session, key: str, values: dict[str, Any]) -> None:
    session.execute(
        update(FlagRow).where(col(FlagRow.key) == key, col(FlagRow.closed_at).is_(None)).values(values)
    )


def _withdrawn_exposure(subject: str, visit: str, version: int, now: datetime) -> ExposureRow:
    return ExposureRow(
        subject=subject,
        visit=visit,
        version=version,
        method="withdrawn",
        reasons=[],
        notes=[],
        computed_at=now,
    )


def due_subjects(session: Session, now: datetime, limit: int) -> Sequence[SubjectRow]:
    """Subjects whose time has come, the longest waiting first; locked against other daemons on PostgreSQL."""
    query = (
        select(SubjectRow)
        .where(col(SubjectRow.next_wake) <= now, col(SubjectRow.parked).is_(None))
        .order_by(col(SubjectRow.next_wake), col(SubjectRow.code))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.exec(query).all()


def next_wake(session: Session) -> datetime | None:
    """The first instant at which some subject must be looked at."""
    query = select(func.min(SubjectRow.next_wake)).where(col(SubjectRow.parked).is_(None))
    return session.exec(query).one()
