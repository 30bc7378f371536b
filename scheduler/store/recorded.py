"""What was already written about subjects, and writing what changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BindParameter, Text, bindparam, cast, delete, insert, select, update
from sqlmodel import Session, col

from scheduler.domain.flags import CLOSED_BY_PERSON
from scheduler.domain.plan import Changes, DueReminder
from scheduler.domain.reason import Reason, to_json
from scheduler.domain.recorded import Recorded, RecordedDraw, RecordedVisit
from scheduler.store.exposures import exposure_rows, recorded_exposures_of
from scheduler.store.rows import (
    VISIT_COLUMNS,
    flag_row,
    reason_from_text,
    recorded_visit,
    sampling_rows,
    visit_row,
)
from scheduler.store.tables import ExposureRow, FlagRow, ReminderRow, SamplingRow, SubjectRow, VisitRow

__all__ = ["apply_all", "apply_changes", "draws_of_tube", "load_all_recorded", "load_recorded"]


def _as_text(column: Any) -> Any:
    """A column of JSON as its text, which is decoded once for all that say the same."""
    return cast(column, Text) if isinstance(column.type, JSON) else column


# The statements, made once, for all the subjects that are due together. They are run on the plain connection: nothing
# in them needs the session's identity map.
_SUBJECTS: BindParameter[Any] = bindparam("subjects", expanding=True)
_VISIT, _DRAW, _FLAG = VisitRow.__table__, SamplingRow.__table__, FlagRow.__table__
_VISITS = select(  # after subject and visit, what `recorded_visit` takes in its order
    *(_as_text(_VISIT.c[name]) for name in ("subject", "visit", *VISIT_COLUMNS))
).where(_VISIT.c.subject.in_(_SUBJECTS))
_DRAWS = select(  # after subject and visit, the fields of a RecordedDraw in their order
    _DRAW.c.subject, _DRAW.c.visit, *(_DRAW.c[name] for name in RecordedDraw._fields)
).where(_DRAW.c.subject.in_(_SUBJECTS)).order_by(_DRAW.c.visit, _DRAW.c.point)  # fmt: skip
_OPEN_FLAGS: Any = select(_FLAG.c.subject, _FLAG.c.key, cast(_FLAG.c.reason, Text)).where(
    _FLAG.c.subject.in_(_SUBJECTS),
    _FLAG.c.closed_at.is_(None),
    _FLAG.c.code.not_in([code.value for code in CLOSED_BY_PERSON]),
)
_REMINDERS = select(col(ReminderRow.subject), col(ReminderRow.key)).where(
    col(ReminderRow.subject).in_(_SUBJECTS)
)
_TUBE = select(_DRAW.c.subject, _DRAW.c.visit, _DRAW.c.point).where(_DRAW.c.tube == bindparam("tube"))
_FORGET_VISIT = delete(_VISIT).where(
    _VISIT.c.subject == bindparam("this_subject"), _VISIT.c.visit == bindparam("this_visit")
)
_FORGET_DRAWS = delete(_DRAW).where(
    _DRAW.c.subject == bindparam("this_subject"), _DRAW.c.visit == bindparam("this_visit")
)
_ADD_VISIT, _ADD_DRAWS, _ADD_FLAGS = insert(_VISIT), insert(_DRAW), insert(_FLAG)
_ADD_REMINDERS, _ADD_EXPOSURES = insert(ReminderRow.__table__), insert(ExposureRow.__table__)
_OPEN = update(_FLAG).where(_FLAG.c.key == bindparam("this"), _FLAG.c.closed_at.is_(None))
_CLOSE_FLAG = _OPEN.values(closed_at=bindparam("at"))
_REWORD_FLAG = _OPEN.values(reason=bindparam("new_reason"), since=bindparam("new_since"))
_NEXT = (
    update(SubjectRow.__table__)
    .where(col(SubjectRow.code) == bindparam("this"))
    .values(next_wake=bindparam("at"), failures=0)
)


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
