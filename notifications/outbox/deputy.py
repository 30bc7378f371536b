"""Who gets a mail whose reader cannot be reached: somebody else of the same role at the site."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, select

from notifications.messages.message import DIGEST, Message
from notifications.outbox import posting
from notifications.outbox.alarms import dead_mailboxes
from notifications.outbox.directory import Person, active_staff
from scheduler.domain.keys import for_recipient
from scheduler.domain.protocol import Event
from scheduler.store.tables import OutboxRow

__all__ = ["to_deputy"]


def to_deputy(session: Session, row: OutboxRow, now: datetime) -> str | None:
    """The person to whom the mail goes instead; None when there is nobody else, or nobody needs to.

    Whoever has the role has the mail already, as a rule; then nothing is added.
    """
    if row.template == DIGEST or row.facts.get("event") == Event.MAIL_FAILED:
        return None
    others = [one for one in active_staff(session, row.site_id) if one.id != row.staff_id]
    roles = set(row.facts.get("roles", ()))
    dead = dead_mailboxes(session, others)
    deputies = [one for one in others if roles & set(one.roles) and one.id not in dead]
    base = row.key.removesuffix(for_recipient("", row.staff_id))
    keys = {for_recipient(base, one.id): one for one in deputies}
    told = session.exec(select(OutboxRow.key).where(OutboxRow.key.in_(list(keys)))).first()  # type: ignore[attr-defined]
    if told is not None:
        return keys[told].id
    if not deputies:
        return None
    _send(session, row, deputies[0], base, now)
    return deputies[0].id


def _send(session: Session, row: OutboxRow, person: Person, base: str, now: datetime) -> None:
    """The same mail for another person."""
    roles = [one for one in person.roles if one in row.facts.get("roles", ())]
    message = Message(
        row.template, tuple(roles), row.topic, base, row.subject, row.visit, thread="", expires_at=row.expires_at,
        urgent=row.urgent,
    )  # fmt: skip
    domain = row.message_id.rpartition("@")[2].rstrip(">")
    copy = posting.copy(message, person, domain, now)
    facts = {**row.facts, "roles": roles}
    posting.add(session, [{**copy, "thread": row.thread, "facts": facts, "reason": None}])
