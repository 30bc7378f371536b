"""Which protocol version a mail is about: that of its visit, else that of the enrolment, else the newest."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import bindparam
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from scheduler.domain.protocol import Protocol
from scheduler.store.tables import SubjectRow, VisitRow

__all__ = ["ContextError", "ProtocolLookup", "amended_by", "protocol_for"]

ProtocolLookup = Callable[[Session, str | None], Protocol]
"""The protocol with this hash, or the newest one when the matter is not about a subject."""

_OF_ENROLMENT = core_select(col(SubjectRow.protocol_sha256)).where(
    col(SubjectRow.code) == bindparam("subject")
)
_FOLLOWED_BY_VISIT = core_select(col(VisitRow.amended_by)).where(
    col(VisitRow.subject) == bindparam("subject"), col(VisitRow.visit) == bindparam("visit")
)


class ContextError(LookupError):
    """What the mail is about is not on record."""


def protocol_for(
    session: Session, protocol_of: ProtocolLookup, subject: str | None, visit: str | None
) -> Protocol:
    """The protocol version that a visit of a subject follows; the newest one when there is no subject."""
    if subject is None:
        return protocol_of(session, None)
    sha256 = amended_by(session, subject, visit)
    if sha256 is None:
        sha256 = session.connection().execute(_OF_ENROLMENT, {"subject": subject}).scalar()
    if sha256 is None:
        raise ContextError(f"there is no subject {subject}")
    return protocol_of(session, sha256)


def amended_by(session: Session, subject: str, visit: str | None) -> str | None:
    """The hash of the version that a visit follows; None under the one of the enrolment."""
    found: str | None = (
        session.connection().execute(_FOLLOWED_BY_VISIT, {"subject": subject, "visit": visit}).scalar()
    )
    return found
