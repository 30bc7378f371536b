"""Which subject and which visit people mean by a name, and which protocol version the visit follows."""

from __future__ import annotations

from difflib import get_close_matches

from sqlmodel import Session, select

from scheduler.domain.protocol import Encounter, Protocol
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.study import Study
from scheduler.store.subjects import load_history, subject_row
from scheduler.store.tables import SubjectRow

__all__ = ["encounter_of", "find_subject", "protocol_of_visit"]


def find_subject(session: Session, code: str, *, to_change: bool = False) -> SubjectRow:
    """The subject with this code. Raises RefusedError with the nearest codes when there is none."""
    row = subject_row(session, code, to_change=to_change)
    if row is not None:
        return row
    near = get_close_matches(code, session.exec(select(SubjectRow.code)).all(), n=3, cutoff=0.8)
    if near:
        raise RefusedError([because("refused_subject_unknown_near", subject=code, near=", ".join(near))])
    raise RefusedError([because("refused_subject_unknown", subject=code)])


def encounter_of(session: Session, study: Study, subject: SubjectRow, name: str) -> Encounter:
    """The visit called so in a version that the subject is or was followed under. Raises RefusedError."""
    versions = study.versions_of(session, subject)
    for protocol in versions:
        found = protocol.encounter(name)
        if found is not None:
            return found
    known = ", ".join(dict.fromkeys(one.id for protocol in versions for one in protocol.encounters))
    raise RefusedError([because("refused_visit_unknown", visit=name, known=known)])


def protocol_of_visit(session: Session, study: Study, subject: SubjectRow, visit: str | None) -> Protocol:
    """The version that a visit of the subject follows; that of the subject where none is named."""
    timeline = study.timeline(session, subject, load_history(session, subject.code))
    if timeline is None:
        return study.protocol(session, subject.protocol_sha256)
    plan = timeline.visit(visit) if visit is not None else None
    return plan.protocol if plan is not None else timeline.protocol
