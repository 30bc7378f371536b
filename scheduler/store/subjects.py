"""What is recorded about a subject, and writing what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Table, Text, bindparam, case, cast, delete, func, insert, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, SQLModel, col

from scheduler.domain.facts import Fact, Source, What
from scheduler.domain.flags import CLOSED_BY_PERSON
from scheduler.domain.history import History
from scheduler.domain.plan import (
    Changes,
    DueReminder,
    Recorded,
    RecordedDraw,
)
from scheduler.domain.reason import from_json, to_json
from scheduler.store.exposures import exposure_rows, recorded_exposures
from scheduler.store.hints import Hint, hint
from scheduler.store.lab import accepted_versions
from scheduler.store.lab_held import open_questions
from scheduler.store.rows import (
    VISIT_COLUMNS,
    flag_row,
    payload_of,
    recorded_visit,
    sampling_rows,
    visit_row,
    what_from_json,
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
from scheduler.store.types import Instant

__all__ = [
    "add_fact",
    "apply_changes",
    "draws_of_tube",
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


# The hot statements, made once. Those of a subject are run on the plain connection: nothing in them needs the
# session's identity map, and the engine runs them for every subject at every change.
_SUBJECT: BindParameter[Any] = bindparam("subject")
_FACT: Any = _core(FactRow).c
_FACTS = core_select(  # the content as text: it is read in one go, without the way through a dictionary
    _FACT.id, _FACT.kind, cast(_FACT.payload, Text), _FACT.recorded_at, _FACT.recorded_by, _FACT.source
).where(_FACT.subject == _SUBJECT).order_by(_FACT.id)  # fmt: skip
_VISITS = core_select(  # after the visit, what `recorded_visit` takes in its order
    *(_core(VisitRow).c[name] for name in ("visit", *VISIT_COLUMNS))
).where(col(VisitRow.subject) == _SUBJECT)
_DRAWS = core_select(  # after the visit, the fields of a RecordedDraw in their order
    col(SamplingRow.visit), *(_core(SamplingRow).c[name] for name in RecordedDraw._fields)
).where(col(SamplingRow.subject) == _SUBJECT).order_by(col(SamplingRow.visit), col(SamplingRow.point))  # fmt: skip
_TUBE = core_select(col(SamplingRow.subject), col(SamplingRow.visit), col(SamplingRow.point)).where(
    col(SamplingRow.tube) == bindparam("tube")
)
_OPEN_FLAGS = core_select(col(FlagRow.key), col(FlagRow.reason)).where(
    col(FlagRow.subject) == _SUBJECT,
    col(FlagRow.closed_at).is_(None),
    col(FlagRow.code).not_in([code.value for code in CLOSED_BY_PERSON]),
)
_REMINDERS = core_select(col(ReminderRow.key)).where(col(ReminderRow.subject) == _SUBJECT)
_ADD_FACT = insert(_core(FactRow))
_LATER = or_(col(SubjectRow.next_wake).is_(None), col(SubjectRow.next_wake) > bindparam("at"))
_WAKE = (  # written in any case: who reconciles the subject just now must not set its next look over this one
    update(_core(SubjectRow))
    .where(col(SubjectRow.code) == bindparam("this"))
    .values(next_wake=case((_LATER, bindparam("at", type_=Instant)), else_=col(SubjectRow.next_wake)))
)


_VISIT, _DRAW, _FLAG = _core(VisitRow), _core(SamplingRow), _core(FlagRow)
_FORGET_VISIT = delete(_VISIT).where(
    _VISIT.c.subject == bindparam("this_subject"), _VISIT.c.visit == bindparam("this_visit")
)
_FORGET_DRAWS = delete(_DRAW).where(
    _DRAW.c.subject == bindparam("this_subject"), _DRAW.c.visit == bindparam("this_visit")
)
_ADD_VISIT, _ADD_DRAWS, _ADD_FLAGS = insert(_VISIT), insert(_DRAW), insert(_FLAG)
_ADD_REMINDERS, _ADD_EXPOSURES = insert(_core(ReminderRow)), insert(_core(ExposureRow))
_OPEN = update(_FLAG).where(_FLAG.c.key == bindparam("this"), _FLAG.c.closed_at.is_(None))
_CLOSE_FLAG = _OPEN.values(closed_at=bindparam("at"))
_REWORD_FLAG = _OPEN.values(reason=bindparam("new_reason"), since=bindparam("new_since"))
_DUE = (
    core_select(SubjectRow)
    .where(col(SubjectRow.next_wake) <= bindparam("now"), col(SubjectRow.parked).is_(None))
    .order_by(col(SubjectRow.next_wake), col(SubjectRow.code))
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_NEXT_WAKE = core_select(func.min(col(SubjectRow.next_wake))).where(col(SubjectRow.parked).is_(None))
_NEXT = (
    update(_core(SubjectRow))
    .where(col(SubjectRow.code) == bindparam("this"))
    .values(next_wake=bindparam("at"), failures=0)
)


def subject_row(session: Session, code: str, *, to_change: bool = False) -> SubjectRow | None:
    """The subject's row. With `to_change` it is ours until the end of the transaction, whatever others are about."""
    return session.get(SubjectRow, code, with_for_update=to_change or None)


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
    hint(session, Hint.SUBJECTS)


def wake_all(session: Session, at: datetime) -> None:
    """Have the engine look at everybody: after a new protocol, site or program version."""
    session.execute(update(SubjectRow).values(next_wake=at))
    hint(session, Hint.SUBJECTS)


def load_history(session: Session, subject: str) -> History:
    """Every fact and accepted result of a subject."""
    rows = session.connection().execute(_FACTS, {"subject": subject}).all()
    facts = [
        Fact(number, what_from_json(kind, payload), recorded_at, recorded_by, Source(source))
        for number, kind, payload, recorded_at, recorded_by, source in rows
    ]
    results = accepted_versions(session, subject)
    return History(subject, tuple(facts), results, open_questions(session, subject) if results else ())


def load_recorded(session: Session, subject: str) -> Recorded:
    """Everything that was already written about a subject."""
    connection, this = session.connection(), {"subject": subject}
    draws: dict[str, list[RecordedDraw]] = {}
    for visit, *draw in connection.execute(_DRAWS, this).all():
        draws.setdefault(visit, []).append(RecordedDraw(*draw))
    visits = {
        name: recorded_visit(draws.get(name, ()), *columns)
        for name, *columns in connection.execute(_VISITS, this).all()
    }
    flags = {key: from_json(reason) for key, reason in connection.execute(_OPEN_FLAGS, this).all()}
    reminders = frozenset(connection.execute(_REMINDERS, this).scalars().all())
    return Recorded(visits, flags, reminders, recorded_exposures(session, subject))


def apply_changes(
    session: Session, subject: SubjectRow, changes: Changes, next_change: datetime | None, now: datetime
) -> None:
    """Write what changed, and when to look again."""
    session.flush()
    connection, code = session.connection(), subject.code
    for name, wanted in changes.visits:
        this = {"this_subject": code, "this_visit": name}
        connection.execute(_FORGET_VISIT, this)
        connection.execute(_FORGET_DRAWS, this)
        connection.execute(_ADD_VISIT, visit_row(code, name, wanted))
        if wanted.draws:
            connection.execute(_ADD_DRAWS, sampling_rows(code, name, wanted))
    for key in changes.closed:
        connection.execute(_CLOSE_FLAG, {"this": key, "at": now})
    for flag in changes.reworded:
        values = {"this": flag.key, "new_reason": to_json(flag.reason), "new_since": flag.since}
        connection.execute(_REWORD_FLAG, values)
    if changes.opened:
        connection.execute(_ADD_FLAGS, [flag_row(flag, subject.site_id, now) for flag in changes.opened])
    if changes.reminders:
        connection.execute(_ADD_REMINDERS, [_reminder_row(code, one, now) for one in changes.reminders])
    for change in changes.exposures:
        connection.execute(_ADD_EXPOSURES, exposure_rows(code, change, now))
    connection.execute(_NEXT, {"this": code, "at": next_change})


def _reminder_row(subject: str, one: DueReminder, now: datetime) -> dict[str, Any]:
    slot = one.slot
    return {
        "key": one.key,
        "subject": subject,
        "visit": one.visit,
        "rule": slot.rule.id,
        "target": slot.target,
        "due_at": slot.due_at,
        "valid_until": slot.valid_until,
        "state": "expired" if one.expired else "enqueued",
        "decided_at": now,
    }


def draws_of_tube(session: Session, tube: str) -> list[tuple[str, str, str]]:
    """The subject, visit and sampling point of every draw on record under this tube number."""
    rows = session.connection().execute(_TUBE, {"tube": tube}).all()
    return [(subject, visit, point) for subject, visit, point in rows]


def due_subjects(session: Session, now: datetime, limit: int) -> Sequence[SubjectRow]:
    """Subjects whose time has come, the longest waiting first; locked against other daemons on PostgreSQL."""
    return session.execute(_DUE, {"now": now, "most": limit}).scalars().all()


def next_wake(session: Session) -> datetime | None:
    """The first instant at which some subject must be looked at."""
    return session.connection().execute(_NEXT_WAKE).scalar()
