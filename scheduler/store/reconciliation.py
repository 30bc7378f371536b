"""The SQL behind what a laboratory is asked: its tubes and results, its refused files, its held rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, or_, select
from sqlmodel import Session, col

from scheduler.domain.flags import FlagCode
from scheduler.domain.reason import Reason, from_json
from scheduler.domain.reconciliation import (
    SETTLED,
    Drawn,
    Line,
    LineState,
    Sent,
    answered_by_lab,
    drawn_for,
    tally,
)
from scheduler.store.lab.files import file_flag_key
from scheduler.store.lab.held import any_held, held_rows
from scheduler.store.tables import (
    FlagRow,
    LabFileRow,
    LabResultRow,
    LabResultVersionRow,
    OutboxRow,
    SamplingRow,
    SubjectRow,
)

__all__ = [
    "asked_rows",
    "facts_last_told",
    "holding_reasons",
    "load_tally",
    "overdue_tubes",
    "refused_files",
    "tubes_last_told",
    "was_told",
]


_SAMPLING, _SUBJECT, _RESULT = SamplingRow.__table__.c, SubjectRow.__table__.c, LabResultRow.__table__.c
_VERSION, _FLAG, _OUTBOX = LabResultVersionRow.__table__.c, FlagRow.__table__.c, OutboxRow.__table__.c
_SITE: BindParameter[Any] = bindparam("site")
_DRAWN = (
    select(
        _SAMPLING.subject, _SAMPLING.visit, _SAMPLING.point, _SAMPLING.tube, _SAMPLING.drawn_at, _SAMPLING.result
    )
    .join(SubjectRow, _SUBJECT.code == _SAMPLING.subject)
    .where(_SUBJECT.site_id == _SITE, _SAMPLING.drawn_at.is_not(None))
)  # fmt: skip
_OPEN_OR_LATE = _DRAWN.where(
    or_(
        _SAMPLING.result.is_(None),
        _SAMPLING.result.not_in([one.value for one in SETTLED]),
        _SAMPLING.drawn_at >= bindparam("first"),
    )
)
_OF_SUBJECTS = _DRAWN.where(_SAMPLING.subject.in_(bindparam("subjects", expanding=True)))
_CAME = (
    select(
        _VERSION.subject, _VERSION.visit, _VERSION.timepoint, _VERSION.specimen, _VERSION.status, _VERSION.recorded_at
    )
    .join(SubjectRow, _SUBJECT.code == _VERSION.subject)
    .where(
        _SUBJECT.site_id == _SITE, _VERSION.lab == bindparam("lab"), _VERSION.state == "accepted",
        _VERSION.recorded_at >= bindparam("first"), _VERSION.recorded_at < bindparam("until"),
    )
    .order_by(_VERSION.id)
)  # fmt: skip
_SENDERS = (
    select(_RESULT.subject, _RESULT.visit, _RESULT.lab)
    .join(SubjectRow, _SUBJECT.code == _RESULT.subject)
    .where(_SUBJECT.site_id == _SITE)
    .distinct()
)
_OVERDUE = select(_FLAG.subject, _FLAG.visit, _FLAG.detail).where(
    _FLAG.site_id == _SITE, _FLAG.code == FlagCode.RESULT_OVERDUE.value, _FLAG.closed_at.is_(None)
)
_OPEN_FLAGS = select(_FLAG.key).where(
    _FLAG.key.in_(bindparam("keys", expanding=True)), _FLAG.closed_at.is_(None)
)
_TOLD = select(_OUTBOX.id).where(_OUTBOX.topic == bindparam("topic")).limit(1)
_LAST_TOLD = (
    select(_OUTBOX.facts)
    .where(
        _OUTBOX.topic.startswith(bindparam("topics"), autoescape=False),
        _OUTBOX.state.not_in(("cancelled", "expired", "failed")),
    )
    .order_by(_OUTBOX.id.desc())
    .limit(1)
)


def load_tally(session: Session, site: str, lab: str, first: datetime, until: datetime) -> tuple[Line, ...]:
    """The tubes of the site that this laboratory measures, and where each stands."""
    connection = session.connection()
    came = connection.execute(_CAME, {"site": site, "lab": lab, "first": first, "until": until}).all()
    sent = [
        Sent((row.subject, row.visit, row.timepoint), row.specimen, row.recorded_at, row.status)
        for row in came
    ]
    subjects = sorted({row.subject for row in came})
    rows = {
        (row.subject, row.visit, row.point): row
        for query, asked in ((_OPEN_OR_LATE, {"first": first}), (_OF_SUBJECTS, {"subjects": subjects}))
        for row in connection.execute(query, {"site": site, **asked})
    }
    overdue = {tuple(row) for row in connection.execute(_OVERDUE, {"site": site})}
    drawn = [
        Drawn(place, row.tube, row.drawn_at, row.result, place in overdue) for place, row in rows.items()
    ]
    senders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in connection.execute(_SENDERS, {"site": site}):
        senders[row.subject, row.visit].add(row.lab)
    return tally(drawn_for(lab, drawn, senders), [*sent, *_held(session, lab)], first, until)


def overdue_tubes(session: Session, site: str, lab: str, now: datetime) -> tuple[Line, ...]:
    """The tubes whose result is overdue and of which the laboratory has sent nothing that is held."""
    return tuple(one for one in load_tally(session, site, lab, now, now) if one.state is LineState.MISSING)


def _held(session: Session, lab: str) -> list[Sent]:
    """The held rows that name the laboratory, or that stand in a file of its own without naming one we know."""
    if not any_held(session):
        return []
    rows = held_rows(session)
    files = session.execute(select(LabFileRow).where(col(LabFileRow.id).in_({row.file_id for row in rows})))
    lab_of = {file.id: file.lab for file in files.scalars()}
    return [
        Sent(
            (row.subject, row.visit, row.timepoint), row.specimen, row.recorded_at, row.status, True,
            holding_reasons(row),
        )
        for row in rows
        if lab in (row.lab, lab_of.get(row.file_id))
    ]  # fmt: skip


def holding_reasons(row: LabResultVersionRow) -> tuple[Reason, ...]:
    """Why a row is held."""
    return tuple(from_json(one["reason"]) for one in row.findings if one["severity"] == "hold")


def refused_files(session: Session, numbers: Sequence[int]) -> list[LabFileRow]:
    """Those of these files that were refused as a whole and for which nothing else has come or been decided since."""
    rows = session.execute(select(LabFileRow).where(col(LabFileRow.id).in_(numbers))).scalars().all()
    keys = {file_flag_key(FlagCode.FILE_QUARANTINED, row.site_id, row.sha256): row for row in rows}
    still = set(session.connection().execute(_OPEN_FLAGS, {"keys": list(keys)}).scalars())
    return sorted((row for key, row in keys.items() if key in still), key=lambda row: row.id or 0)


def asked_rows(
    session: Session, numbers: Sequence[int]
) -> list[tuple[LabResultVersionRow, tuple[Reason, ...]]]:
    """The rows of these files that are still held for something that only the laboratory can answer, and for what."""
    of_files = [row for row in held_rows(session) if row.file_id in numbers]
    asked = [(row, answered_by_lab(holding_reasons(row))) for row in of_files]
    return [(row, reasons) for row, reasons in asked if reasons]


def was_told(session: Session, topic: str) -> bool:
    """Whether a mail of this topic was ever put into the outbox."""
    return session.connection().execute(_TOLD, {"topic": topic}).first() is not None


def facts_last_told(session: Session, topics: str) -> dict[str, Any]:
    """The facts of the last mail of these topics that was not taken back and did not come to nothing; empty if none."""
    return session.connection().execute(_LAST_TOLD, {"topics": topics}).scalar() or {}


def tubes_last_told(session: Session, topics: str) -> frozenset[str]:
    """The tubes of the last such mail."""
    return frozenset(facts_last_told(session, topics).get("tubes", ()))
