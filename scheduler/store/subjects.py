"""What is recorded about a subject, and writing what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, Select, Table, bindparam, func, insert, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, SQLModel, col, delete, select

from scheduler.domain.exposure import VisitExposures
from scheduler.domain.facts import Fact, Source, What
from scheduler.domain.flags import CLOSED_BY_PERSON
from scheduler.domain.history import History
from scheduler.domain.plan import Changes, Recorded, RecordedExposure, RecordedVisit
from scheduler.domain.reason import from_json, to_json
from scheduler.store.lab import accepted_versions
from scheduler.store.rows import (
    exposure_row,
    flag_row,
    payload_of,
    recorded_visit,
    sampling_rows,
    visit_row,
    what_from,
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


def _core(table: type[SQLModel]) -> Table:
    found: Table = table.__table__  # type: ignore[attr-defined]
    return found


def _table(table: type[SQLModel], subject: Any) -> Select[Any]:
    return core_select(_core(table)).where(col(subject) == bindparam("subject"))


# The hot statements, made once. Those of a subject are run on the plain connection: nothing in them needs the
# session's identity map, and the engine runs them for every subject at every change.
_SUBJECT: BindParameter[Any] = bindparam("subject")
_FACTS = _table(FactRow, FactRow.subject).order_by(col(FactRow.id))
_VISITS = _table(VisitRow, VisitRow.subject)
_DRAWS = _table(SamplingRow, SamplingRow.subject)
_OPEN_FLAGS = core_select(col(FlagRow.key), col(FlagRow.reason)).where(
    col(FlagRow.subject) == _SUBJECT,
    col(FlagRow.closed_at).is_(None),
    col(FlagRow.code).not_in([code.value for code in CLOSED_BY_PERSON]),
)
_REMINDERS = core_select(col(ReminderRow.key)).where(col(ReminderRow.subject) == _SUBJECT)
_EXPOSURES = core_select(
    col(ExposureRow.visit), col(ExposureRow.version), col(ExposureRow.inputs_hash), col(ExposureRow.quantity),
    col(ExposureRow.value),
).where(col(ExposureRow.subject) == _SUBJECT).order_by(col(ExposureRow.version), col(ExposureRow.id))  # fmt: skip
_ADD_FACT = insert(_core(FactRow))
_WAKE = (
    update(_core(SubjectRow))
    .where(
        col(SubjectRow.code) == bindparam("this"),
        or_(col(SubjectRow.next_wake).is_(None), col(SubjectRow.next_wake) > bindparam("at")),
    )
    .values(next_wake=bindparam("at"))
)


def subject_row(session: Session, code: str) -> SubjectRow | None:
    return session.get(SubjectRow, code)


def add_fact(
    session: Session, subject: str, what: What, recorded_at: datetime, recorded_by: str, source: Source
) -> Fact:
    """Append a fact and have the engine look at the subject at once."""
    values = {
        "subject": subject,
        "kind": what.kind,
        "payload": payload_of(what),
        "recorded_at": recorded_at,
        "recorded_by": recorded_by,
        "source": source.value,
    }
    key = session.connection().execute(_ADD_FACT, values).inserted_primary_key
    assert key is not None
    wake(session, subject, recorded_at)
    return Fact(key[0], what, recorded_at, recorded_by, source)


def wake(session: Session, subject: str, at: datetime) -> None:
    """Have the engine look at a subject no later than `at`."""
    session.connection().execute(_WAKE, {"this": subject, "at": at})


def wake_all(session: Session, at: datetime) -> None:
    """Have the engine look at everybody: after a new protocol, site or program version."""
    session.execute(update(SubjectRow).values(next_wake=at))


def load_history(session: Session, subject: str) -> History:
    """Every fact and accepted result of a subject."""
    rows = session.connection().execute(_FACTS, {"subject": subject})
    return History(subject, tuple([_fact(row) for row in rows]), accepted_versions(session, subject))


def _fact(row: Row[Any]) -> Fact:
    return Fact(
        row.id, what_from(row.kind, row.payload), row.recorded_at, row.recorded_by, Source(row.source)
    )


def load_recorded(session: Session, subject: str) -> Recorded:
    """Everything that was already written about a subject."""
    connection, this = session.connection(), {"subject": subject}
    draws: dict[str, list[Row[Any]]] = {}
    for draw in connection.execute(_DRAWS, this):
        draws.setdefault(draw.visit, []).append(draw)
    visits = {
        row.visit: recorded_visit(row, draws.get(row.visit, ())) for row in connection.execute(_VISITS, this)
    }
    flags = {row.key: from_json(row.reason) for row in connection.execute(_OPEN_FLAGS, this)}
    reminders = frozenset(connection.execute(_REMINDERS, this).scalars())
    exposures: dict[str, RecordedExposure] = {}
    for row in connection.execute(_EXPOSURES, this):
        before = exposures.get(row.visit)
        whole = row.quantity == VisitExposures.PRIMARY and row.value is not None
        had_value = whole or (before is not None and before.version == row.version and before.had_value)
        exposures[row.visit] = RecordedExposure(row.inputs_hash, row.version, had_value)
    return Recorded(visits, flags, reminders, exposures)


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
