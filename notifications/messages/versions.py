"""Which protocol version a mail is about: that of its visit, else that of the enrolment, else the newest."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import bindparam
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from scheduler.domain.protocol import Protocol
from scheduler.store.tables import SubjectRow, VisitRow

__all__ = ["ContextError", "ProtocolLookup", "amended_visits", "enrolments", "protocol_for"]

ProtocolLookup = Callable[[Session, str | None], Protocol]
"""The protocol with this hash, or the newest one when the matter is not about a subject."""

_ENROLMENTS = core_select(
    col(SubjectRow.code), col(SubjectRow.site_id), col(SubjectRow.protocol_sha256)
).where(col(SubjectRow.code).in_(bindparam("subjects", expanding=True)))
_AMENDED = core_select(col(VisitRow.subject), col(VisitRow.visit), col(VisitRow.amended_by)).where(
    col(VisitRow.subject).in_(bindparam("subjects", expanding=True)), col(VisitRow.amended_by).is_not(None)
)


class ContextError(LookupError):
    """What the mail is about is not on record."""


def protocol_for(
    session: Session, protocol_of: ProtocolLookup, subject: str | None, visit: str | None
) -> Protocol:
    """The protocol version that a visit of a subject follows; the newest one when there is no subject."""
    if subject is None:
        return protocol_of(session, None)
    sha256 = amended_visits(session, [subject]).get((subject, visit or ""))
    return protocol_of(session, sha256 or enrolments(session, [subject])[subject][1])


def enrolments(session: Session, subjects: Collection[str]) -> dict[str, tuple[str, str]]:
    """The site of each of these subjects, and the hash of the version it was enrolled under. Raises ContextError when
    one is not enrolled."""
    if not subjects:
        return {}
    rows = session.connection().execute(_ENROLMENTS, {"subjects": list(subjects)}).all()
    found = {subject: (site, sha256) for subject, site, sha256 in rows}
    for subject in subjects:
        if subject not in found:
            raise ContextError(f"there is no subject {subject}")
    return found


def amended_visits(session: Session, subjects: Collection[str]) -> dict[tuple[str, str], str]:
    """The hash of the version that a visit of these subjects follows, by subject and visit; none where that is the one
    of the enrolment."""
    if not subjects:
        return {}
    rows = session.connection().execute(_AMENDED, {"subjects": list(subjects)}).all()
    return {(subject, visit): sha256 for subject, visit, sha256 in rows if sha256 is not None}
