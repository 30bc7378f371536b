"""What people say, checked and recorded as facts; what follows is reconciled in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, select

from scheduler.domain.facts import (
    Corrected,
    Enrolled,
    FlagAcknowledged,
    ProtocolApplied,
    SampleDrawn,
    Source,
    What,
    effective,
)
from scheduler.domain.flags import CLOSED_BY_PERSON
from scheduler.domain.history import History
from scheduler.domain.reason import Reason, RefusedError, because
from scheduler.domain.rules import refusals, refusals_of_enrolment, warnings
from scheduler.domain.timeline import Timeline
from scheduler.engine.reconcile import Handle, reconcile_subject, release
from scheduler.engine.recording.what_changed import changed_by, changed_fields
from scheduler.engine.study import Study
from scheduler.store import audit
from scheduler.store.flags import close_flag
from scheduler.store.recorded import draws_of_tube
from scheduler.store.rows import payload_of, what_from
from scheduler.store.subjects import add_fact, load_history, subject_row
from scheduler.store.tables import AcknowledgementRow, FlagRow, SubjectRow

__all__ = [
    "Done",
    "Who",
    "acknowledge",
    "correct",
    "enrol",
    "find_subject",
    "record",
]


@dataclass(frozen=True, slots=True)
class Who:
    """Who records, and by which door."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Done:
    """What was recorded, under which number, and what deserves a second look."""

    subject: str
    number: int
    warnings: tuple[Reason, ...]


def find_subject(session: Session, code: str, *, to_change: bool = False) -> SubjectRow:
    """The subject with this code. Raises RefusedError with the nearest codes when there is none."""
    row = subject_row(session, code, to_change=to_change)
    if row is not None:
        return row
    near = get_close_matches(code, session.exec(select(SubjectRow.code)).all(), n=3, cutoff=0.8)
    if near:
        raise RefusedError([because("refused_subject_unknown_near", subject=code, near=", ".join(near))])
    raise RefusedError([because("refused_subject_unknown", subject=code)])


def enrol(
    session: Session,
    study: Study,
    code: str,
    site: str,
    what: Enrolled,
    who: Who,
    now: datetime,
    handle: Handle,
) -> Done:
    """Take a subject into the study under the newest protocol version."""
    if site not in study.sites:
        raise RefusedError([because("refused_site_unknown", site=site, known=", ".join(sorted(study.sites)))])
    sha256, protocol = study.newest
    reasons = refusals_of_enrolment(protocol, code, what, now)
    if subject_row(session, code) is not None:
        reasons.append(because("refused_subject_known", subject=code))
    if reasons:
        raise RefusedError(reasons)
    study.keep_version(session, sha256, now)
    row = SubjectRow(code=code, site_id=site, protocol_sha256=sha256, enrolled_at=now, next_wake=now)
    session.add(row)
    session.flush()
    fact = add_fact(session, code, what, now, who.name, who.source)
    audit.append(
        session,
        now,
        "enrolled",
        "subject",
        code,
        {"site": site, **payload_of(what)},
        actor=who.name,
        source=who.source,
    )
    reconcile_subject(session, study, row, now, handle)
    return Done(code, fact.id, ())


def record(
    session: Session, study: Study, code: str, what: What, who: Who, now: datetime, handle: Handle
) -> Done:
    """Record one fact about a subject. Raises RefusedError, with nothing stored, when it cannot be so."""
    subject = find_subject(session, code, to_change=True)
    history = load_history(session, code)
    timeline = _timeline(session, study, subject, history)
    _refuse(_all_refusals(session, timeline, what, now))
    found = warnings(timeline, what, now)
    changes = changed_by(timeline, what)
    number = _keep(session, study, subject, history, what, who, now, handle, what.kind, changes=changes)
    return Done(code, number, tuple(found))


def correct(
    session: Session,
    study: Study,
    code: str,
    number: int,
    fields: Mapping[str, Any] | None,
    reason: str,
    who: Who,
    now: datetime,
    handle: Handle,
) -> Done:
    """Replace fields of an earlier record, or take it back whole (`fields` None). The old one stays on record."""
    _need(reason)
    subject = find_subject(session, code, to_change=True)
    history = load_history(session, code)
    original = next((fact for fact in history.facts if fact.id == number), None)
    if original is None:
        raise RefusedError([because("refused_fact_unknown", subject=code, number=str(number))])
    if isinstance(original.what, Corrected):
        first = str(original.what.fact_id)
        raise RefusedError([because("refused_correction_of_correction", number=str(number), original=first)])
    holding = {fact.id: fact.what for fact in effective(history.facts)}
    before = holding.get(number, original.what)
    instead = None if fields is None else _changed(before, fields)
    if isinstance(original.what, Enrolled):
        if instead is None:
            raise RefusedError([because("refused_void_enrolment", subject=code)])
        assert isinstance(instead, Enrolled)
        protocol = study.protocol(session, subject.protocol_sha256)
        _refuse(refusals_of_enrolment(protocol, code, instead, now))
    elif isinstance(original.what, ProtocolApplied) and isinstance(instead, ProtocolApplied):
        if (instead.version, instead.sha256) != (original.what.version, original.what.sha256):
            raise RefusedError([because("refused_version_corrected", number=str(number))])
        _refuse(refusals(_timeline(session, study, subject, history), replace(instead, sha256=""), now))
    elif instead is not None:
        others = tuple(
            fact
            for fact in history.facts
            if fact.id != number and not (isinstance(fact.what, Corrected) and fact.what.fact_id == number)
        )
        without = _timeline(session, study, subject, replace(history, facts=others))
        _refuse(_all_refusals(session, without, instead, now))
    correction = Corrected(number, instead, reason)
    changes = changed_fields(before, instead)
    corrected = _keep(
        session, study, subject, history, correction, who, now, handle, "corrected", reason, changes
    )
    return Done(code, corrected, ())


def acknowledge(
    session: Session, study: Study, flag_id: int, reason: str, who: Who, now: datetime, handle: Handle
) -> Done:
    """Note that a person has seen a flag; one that no fact can close is closed by it."""
    _need(reason)
    flag = session.get(FlagRow, flag_id)
    if flag is None or flag.closed_at is not None:
        raise RefusedError([because("refused_flag_unknown", flag=str(flag_id))])
    session.add(AcknowledgementRow(flag_key=flag.key, by=who.name, reason=reason, at=now))
    audit.append(
        session, now, "flag_acknowledged", "flag", flag.key, actor=who.name, source=who.source, reason=reason
    )
    if flag.code in CLOSED_BY_PERSON:
        if flag.subject is not None:
            release(session, flag.subject, now)
        close_flag(session, flag.key, now)
        return Done(flag.subject or "", flag_id, ())
    assert flag.subject is not None
    subject = find_subject(session, flag.subject, to_change=True)
    what = FlagAcknowledged(flag.key, reason)
    history = load_history(session, flag.subject)
    number = _keep(session, study, subject, history, what, who, now, handle, None)
    return Done(flag.subject, number, ())


def _timeline(session: Session, study: Study, subject: SubjectRow, history: History) -> Timeline:
    timeline = study.timeline(session, subject, history)
    assert timeline is not None
    return timeline


def _need(reason: str) -> None:
    """Whoever changes what is on record says why."""
    if not reason.strip():
        raise RefusedError([because("refused_text_needed")])


def _refuse(reasons: list[Reason]) -> None:
    if reasons:
        raise RefusedError(reasons)


def _all_refusals(session: Session, timeline: Timeline, what: What, now: datetime) -> list[Reason]:
    unknown = _unknown_words(timeline, what)
    if unknown:
        return unknown
    found = refusals(timeline, what, now)
    reason = getattr(what, "reason", None)
    if isinstance(reason, str) and not reason.strip():
        found.append(because("refused_text_needed"))
    if isinstance(what, SampleDrawn):
        found += _tube_used(session, timeline.subject, what)
    return found


def _unknown_words(timeline: Timeline, what: What) -> list[Reason]:
    found = []
    visit, point, item = (getattr(what, name, None) for name in ("visit", "timepoint", "item"))
    plan = timeline.visit(visit) if visit is not None else None
    protocol = plan.protocol if plan is not None else timeline.protocol
    if visit is not None and plan is None:
        known = ", ".join(one.id for one in timeline.visits)
        found.append(because("refused_visit_unknown", visit=visit, known=known))
    if point is not None and protocol.point(point) is None:
        known = ", ".join(one.id for one in protocol.points)
        found.append(because("refused_point_unknown", point=point, known=known))
    if item is not None and protocol.activity(item) is None:
        known = ", ".join(one.id for one in protocol.activities)
        found.append(because("refused_item_unknown", item=item, known=known))
    return found


def _tube_used(session: Session, subject: str, what: SampleDrawn) -> list[Reason]:
    """Whether the tube number is on record for another draw."""
    return [
        because("refused_tube_used", tube=what.tube, subject=owner, visit=visit, point=point)
        for owner, visit, point in draws_of_tube(session, what.tube)
        if (owner, visit, point) != (subject, what.visit, what.timepoint)
    ]


def _changed(what: What, fields: Mapping[str, Any]) -> What:
    """The fact with some fields replaced. Raises RefusedError for a field or value that does not fit."""
    payload = payload_of(what)
    unknown = [name for name in fields if name not in payload]
    if unknown:
        known = ", ".join(sorted(payload))
        raise RefusedError([because("refused_field_unknown", field=name, known=known) for name in unknown])
    try:
        return what_from(what.kind, payload | dict(fields))
    except ValidationError as error:
        reasons = [
            because(
                "refused_field_value",
                field=str(item["loc"][0]),
                value=str(item["input"])[:60],
                why=item["msg"] + ".",
            )
            for item in error.errors(include_url=False)
        ]
        raise RefusedError(reasons) from error


def _keep(
    session: Session,
    study: Study,
    subject: SubjectRow,
    history: History,
    what: What,
    who: Who,
    now: datetime,
    handle: Handle,
    action: str | None,
    reason: str | None = None,
    changes: audit.Changed | None = None,
) -> int:
    fact = add_fact(session, subject.code, what, now, who.name, who.source)
    if action is not None:
        payload = payload_of(what)
        why = reason or payload.pop("reason", None)
        payload.pop("reason", None)
        detail = {"fact": fact.id, **payload}
        audit.append(
            session,
            now,
            action,
            "subject",
            subject.code,
            detail,
            actor=who.name,
            source=who.source,
            reason=why,
            changes=changes,
        )
    known = replace(history, facts=(*history.facts, fact))
    reconcile_subject(session, study, subject, now, handle, known)
    return fact.id
