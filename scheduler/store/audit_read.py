"""The audit trail as a person reads it: all of it, or what concerns one subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, and_, cast, or_
from sqlalchemy import select as core_select
from sqlmodel import Session

from scheduler.store.audit_chain import Head
from scheduler.store.tables import AuditRow, FlagRow, LabResultVersionRow, OutboxRow, ReviewRow

__all__ = ["ANCHOR", "Entry", "anchors_sent", "entries"]

ANCHOR = "audit_anchor"
"""The template of the mail that carries the head of the chain out of the house."""

_AUDIT = AuditRow.__table__
_REVIEW = ReviewRow.__table__
_VERSION = LabResultVersionRow.__table__
_FLAG = FlagRow.__table__
_OUTBOX = OutboxRow.__table__
_ENTRIES = (
    core_select(_AUDIT, _REVIEW.c.text.label("reason"))
    .select_from(_AUDIT.outerjoin(_REVIEW, _REVIEW.c.audit_seq == _AUDIT.c.seq))
    .order_by(_AUDIT.c.seq)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the trail with the text of its reason."""

    row: Any

    @property
    def changes(self) -> dict[str, list[Any]]:
        return self.row.changes or {}


def entries(session: Session, subject: str | None = None) -> Iterator[Entry]:
    """The trail in its order; with a subject, the rows about it, its flags, its results and its mails."""
    query = _ENTRIES if subject is None else _ENTRIES.where(_concerns(subject))
    for row in session.connection().execute(query, execution_options={"yield_per": 1000}):
        yield Entry(row)


def _concerns(subject: str) -> Any:
    of_subject = {
        "flag": core_select(_FLAG.c.key).where(_FLAG.c.subject == subject),
        "lab_result_version": core_select(cast(_VERSION.c.id, String)).where(_VERSION.c.subject == subject),
        "lab_file": core_select(cast(_VERSION.c.file_id, String)).where(_VERSION.c.subject == subject),
        "outbox": core_select(cast(_OUTBOX.c.id, String)).where(_OUTBOX.c.subject == subject),
    }
    kinds = [and_(_AUDIT.c.entity == kind, _AUDIT.c.entity_id.in_(ids)) for kind, ids in of_subject.items()]
    return or_(and_(_AUDIT.c.entity == "subject", _AUDIT.c.entity_id == subject), *kinds)


def anchors_sent(session: Session, site: str | None = None) -> list[Head]:
    """The anchors that the outbox remembers, of one site when asked; those that count are with their readers."""
    query = core_select(_OUTBOX.c.facts).where(_OUTBOX.c.template == ANCHOR)
    if site is not None:
        query = query.where(_OUTBOX.c.site_id == site).order_by(_OUTBOX.c.id.desc()).limit(1)
    found = session.connection().execute(query)
    return [Head(facts["seq"], facts["hash"]) for facts in found.scalars()]
