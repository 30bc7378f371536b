"""What is recorded about a subject, and writing what changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    Table,
    Text,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    or_,
    update,
)
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
    RecordedVisit,
)
from scheduler.domain.reason import Reason, to_json
from scheduler.store.exposures import exposure_rows, recorded_exposures_of
from scheduler.store.hints import Hint, hint
from scheduler.store.lab import accepted_versions_of
from scheduler.store.lab_held import open_questions
from scheduler.store.rows import (
    VISIT_COLUMNS,
    flag_row,
    payload_of,
    reason_from_text,
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
    "apply_all",
    "apply_changes",
    "draws_of_tube",
    "due_subjects",
    "load_all_recorded",
    "load_facts",
    "load_histories",
    "load_history",
    "load_recorded",
    "next_wake",
    "subject_row",
    "subject_rows",
    "wake",
    "wake_all",
]


def _core(table: type[SQLModel]) -> Table:
    found: Table = table.__table__  # type: ignore[attr-defined]
    return found


def _as_text(column: Any) -> Any:
    """A column of JSON as its text, which is decoded once for all that say the same."""
    return cast(column, Text) if isinstance(column.type, JSON) else column


# The hot statements, made once, for all the subjects that are due together. They are run on the plain connection:
# nothing in them needs the session's identity map.
_SUBJECTS: BindParameter[Any] = bindparam("subjects", expanding=True)
_FACT: Any = _core(FactRow).c
_FACTS = core_select(  # the content as text: it is read in one go, without the way through a dictionary
    _FACT.subject, _FACT.id, _FACT.kind, cast(_FACT.payload, Text), _FACT.recorded_at, _FACT.recorded_by, _FACT.source
).where(_FACT.subject.in_(_SUBJECTS)).order_by(_FACT.id)  # fmt: skip
_VISITS = core_select(  # after subject and visit, what `recorded_visit` takes in its order
    *(_as_text(_core(VisitRow).c[name]) for name in ("subject", "visit", *VISIT_COLUMNS))
).where(col(VisitRow.subject).in_(_SUBJECTS))
_DRAWS = core_select(  # after subject and visit, the fields of a RecordedDraw in their order
    col(SamplingRow.subject), col(SamplingRow.visit), *(_core(SamplingRow).c[name] for name in RecordedDraw._fields)
).where(col(SamplingRow.subject).in_(_SUBJECTS)).order_by(col(SamplingRow.visit), col(SamplingRow.point))  # fmt: skip
_TUBE = core_select(col(SamplingRow.subject), col(SamplingRow.visit), col(SamplingRow.point)).where(
    col(SamplingRow.tube) == bindparam("tube")
)
_OPEN_FLAGS: Any = core_select(col(FlagRow.subject), col(FlagRow.key), cast(col(FlagRow.reason), Text)).where(
    col(FlagRow.subject).in_(_SUBJECTS),
    col(FlagRow.closed_at).is_(None),
    col(FlagRow.code).not_in([code.value for code in CLOSED_BY_PERSON]),
)
_REMINDERS = core_select(col(ReminderRow.subject), col(ReminderRow.key)).where(
    col(ReminderRow.subject).in_(_SUBJECTS)
)
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
_THESE = core_select(SubjectRow).where(col(SubjectRow.code).in_(_SUBJECTS))
_NEXT_WAKE = core_select(func.min(col(SubjectRow.next_wake))).where(col(SubjectRow.parked).is_(None))
_NEXT = (
    update(_core(SubjectRow))
    .where(col(SubjectRow.code) == bindparam("this"))
    .values(next_wake=bindparam("at"), failures=0)
)


def subject_row(session: Session, code: str, *, to_change: bool = False) -> SubjectRow | None:
    """The subject's row. With `to_change` it is ours until the end of the transaction, whatever others are about."""
    return session.get(SubjectRow, code, with_for_update=to_change or None)


def subject_rows(session: Session, codes: Sequence[str]) -> list[SubjectRow]:
    """Those of these subjects that there are."""
    return list(session.execute(_THESE, {"subjects": codes}).scalars()) if codes else []


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
    return load_histories(session, [subject])[subject]


def load_facts(session: Session, subjects: Collection[str]) -> dict[str, tuple[Fact, ...]]:
    """Every fact of each of these subjects, in the order of recording."""
    facts: dict[str, list[Fact]] = {code: [] for code in subjects}
    rows = session.connection().execute(_FACTS, {"subjects": list(subjects)}).all()
    for subject, number, kind, payload, recorded_at, recorded_by, source in rows:
        what = what_from_json(kind, payload)
        facts[subject].append(Fact(number, what, recorded_at, recorded_by, Source(source)))
    return {code: tuple(known) for code, known in facts.items()}


def load_histories(session: Session, subjects: Collection[str]) -> dict[str, History]:
    """Every fact and accepted result of each of these subjects."""
    results = accepted_versions_of(session, subjects)
    return {
        code: History(
            code,
            known,
            results.get(code, ()),
            open_questions(session, code) if code in results else (),
        )
        for code, known in load_facts(session, subjects).items()
    }


def load_recorded(session: Session, subject: str) -> Recorded:
    """Everything that was already written about a subject."""
    return load_all_recorded(session, [subject])[subject]


def load_all_recorded(session: Session, subjects: Collection[str]) -> dict[str, Recorded]:
    """Everything that was already written about each of these subjects."""
    connection, these = session.connection(), {"subjects": list(subjects)}
    draws: dict[tuple[str, str], list[RecordedDraw]] = {}
    for subject, visit, *draw in connection.execute(_DRAWS, these).all():
        draws.setdefault((subject, visit), []).append(RecordedDraw(*draw))
    visits: dict[str, dict[str, RecordedVisit]] = {code: {} for code in subjects}
    for subject, name, *columns in connection.execute(_VISITS, these).all():
        visits[subject][name] = recorded_visit(draws.get((subject, name), ()), *columns)
    flags: dict[str, dict[str, Reason]] = {code: {} for code in subjects}
    for subject, key, reason in connection.execute(_OPEN_FLAGS, these).all():
        flags[subject][key] = reason_from_text(reason)
    reminders: dict[str, set[str]] = {code: set() for code in subjects}
    for subject, key in connection.execute(_REMINDERS, these).all():
        reminders[subject].add(key)
    exposures = recorded_exposures_of(session, subjects)
    return {
        code: Recorded(visits[code], flags[code], frozenset(reminders[code]), exposures.get(code, {}))
        for code in subjects
    }


def apply_changes(
    session: Session, subject: SubjectRow, changes: Changes, next_change: datetime | None, now: datetime
) -> None:
    """Write what changed, and when to look again."""
    apply_all(session, [(subject, changes, next_change)], now)


def apply_all(
    session: Session, these: Sequence[tuple[SubjectRow, Changes, datetime | None]], now: datetime
) -> None:
    """Write what changed for each of these subjects, and when to look at it again."""
    session.flush()
    connection = session.connection()
    written = [
        (subject.code, name, wanted) for subject, changes, _ in these for name, wanted in changes.visits
    ]
    forgotten = [{"this_subject": code, "this_visit": name} for code, name, _ in written]
    closed = [{"this": key, "at": now} for _, changes, _ in these for key in changes.closed]
    reworded = [
        {"this": flag.key, "new_reason": to_json(flag.reason), "new_since": flag.since}
        for _, changes, _ in these
        for flag in changes.reworded
    ]
    for statement, rows in (
        (_FORGET_VISIT, forgotten),
        (_FORGET_DRAWS, forgotten),
        (_ADD_VISIT, [visit_row(*one) for one in written]),
        (_ADD_DRAWS, [row for one in written if one[2].draws for row in sampling_rows(*one)]),
        (_CLOSE_FLAG, closed),
        (_REWORD_FLAG, reworded),
        (
            _ADD_FLAGS,
            [flag_row(one, who.site_id, now) for who, changes, _ in these for one in changes.opened],
        ),
        (
            _ADD_REMINDERS,
            [_reminder_row(who.code, one, now) for who, does, _ in these for one in does.reminders],
        ),
        *(
            (_ADD_EXPOSURES, exposure_rows(who.code, one, now))
            for who, does, _ in these
            for one in does.exposures
        ),
        (_NEXT, [{"this": who.code, "at": next_change} for who, _, next_change in these]),
    ):
        if rows:
            connection.execute(statement, rows)


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
