"""Which visit people mean by a name."""

from __future__ import annotations

from sqlmodel import Session

from scheduler.domain.protocol import Encounter
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.study import Study
from scheduler.store.tables import SubjectRow

__all__ = ["encounter_of"]


def encounter_of(session: Session, study: Study, subject: SubjectRow, name: str) -> Encounter:
    """The visit called so in a version that the subject is or was followed under. Raises RefusedError."""
    versions = study.versions_of(session, subject)
    for protocol in versions:
        found = protocol.encounter(name)
        if found is not None:
            return found
    known = ", ".join(dict.fromkeys(one.id for protocol in versions for one in protocol.encounters))
    raise RefusedError([because("refused_visit_unknown", visit=name, known=known)])
