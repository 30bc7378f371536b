"""What people say, checked and recorded as facts; what follows is reconciled in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from scheduler.domain.corrections import effective
from scheduler.domain.facts import Corrected, Enrolled, FlagAcknowledged, ProtocolApplied, What
from scheduler.domain.flags import CLOSED_BY_PERSON
from scheduler.domain.history import History
from scheduler.domain.reason import RefusedError, because
from scheduler.domain.rules import refusals, refusals_of_enrolment, warnings
from scheduler.domain.timeline import Timeline
from scheduler.engine.reconcile import Handle, reconcile_subject, release
from scheduler.engine.recording.named import find_subject
from scheduler.engine.recording.refusals import all_refusals, need_reason, refuse
from scheduler.engine.recording.request import Done, Who
from scheduler.engine.recording.what_changed import changed_by, changed_fields
from scheduler.engine.study import Study
from scheduler.store import audit
from scheduler.store.flags import close_flag
from scheduler.store.rows import payload_of, what_from
from scheduler.store.subjects import add_fact, load_history, subject_row
from scheduler.store.tables import AcknowledgementRow, FlagRow, SubjectRow

__all__ = ["acknowledge", "correct", "enrol", "record"]


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
    refuse(reasons)
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
    refuse(all_refusals(session, timeline, what, now))
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
    need_reason(reason)
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
        refuse(refusals_of_enrolment(protocol, code, instead, now))
    elif isinstance(original.what, ProtocolApplied) and isinstance(instead, ProtocolApplied):
        if (instead.version, instead.sha256) != (original.what.version, original.what.sha256):
            raise RefusedError([because("refused_version_corrected", number=str(number))])
        refuse(refusals(_timeline(session, study, subject, history), replace(instead, sha256=""), now))
    elif instead is not None:
        others = tuple(
            fact
            for fact in history.facts
            if fact.id != number and not (isinstance(fact.what, Corrected) and fact.what.fact_id == number)
        )
        without = _timeline(session, study, subject, replace(history, facts=others))
        refuse(all_refusals(session, without, instead, now))
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
    need_reason(reason)
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
