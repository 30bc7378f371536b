"""The subjects, what was recorded about each, and when the engine must look at whom again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Text, bindparam, case, cast, func, insert, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from scheduler.domain.facts import Fact, Source, What
from scheduler.domain.history import History
from scheduler.store.hints import Hint, hint
from scheduler.store.lab.held import open_questions
from scheduler.store.lab.results import accepted_versions_of
from scheduler.store.rows import payload_of, what_from_json
from scheduler.store.tables import FactRow, SubjectRow
from scheduler.store.types import Instant

__all__ = [
    "add_fact",
    "due_subjects",
    "load_facts",
    "load_histories",
    "load_history",
    "next_wake",
    "subject_row",
    "subject_rows",
    "wake",
    "wake_all",
]

# The hot statements, made once, for all the subjects that are due together. They are run on the plain connection:
# nothing in them needs the session's identity map.
_SUBJECTS: BindParameter[Any] = bindparam("subjects", expanding=True)
_FACT: Any = FactRow.__table__.c
_FACTS = core_select(  # the content as text: it is read in one go, without the way through a dictionary
    _FACT.subject, _FACT.id, _FACT.kind, cast(_FACT.payload, Text), _FACT.recorded_at, _FACT.recorded_by, _FACT.source
).where(_FACT.subject.in_(_SUBJECTS)).order_by(_FACT.id)  # fmt: skip
_ADD_FACT = insert(FactRow.__table__)
_LATER = or_(col(SubjectRow.next_wake).is_(None), col(SubjectRow.next_wake) > bindparam("at"))
_WAKE = (  # written in any case: who reconciles the subject just now must not set its next look over this one
    update(SubjectRow.__table__)
    .where(col(SubjectRow.code) == bindparam("this"))
    .values(next_wake=case((_LATER, bindparam("at", type_=Instant)), else_=col(SubjectRow.next_wake)))
)
_DUE = (
    core_select(SubjectRow)
    .where(col(SubjectRow.next_wake) <= bindparam("now"), col(SubjectRow.parked).is_(None))
    .order_by(col(SubjectRow.next_wake), col(SubjectRow.code))
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_THESE = core_select(SubjectRow).where(col(SubjectRow.code).in_(_SUBJECTS))
_NEXT_WAKE = core_select(func.min(col(SubjectRow.next_wake))).where(col(SubjectRow.parked).is_(None))


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


def due_subjects(session: Session, now: datetime, limit: int) -> Sequence[SubjectRow]:
    """Subjects whose time has come, the longest waiting first; locked against other daemons on PostgreSQL."""
    return session.execute(_DUE, {"now": now, "most": limit}).scalars().all()


def next_wake(session: Session) -> datetime | None:
    """The first instant at which some subject must be looked at."""
    return session.connection().execute(_NEXT_WAKE).scalar()


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
