"""Putting mails in the outbox: one copy for each person concerned, in the transaction of the change it tells of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from notifications.messages.message import Message
from notifications.outbox.directory import Person
from notifications.outbox.queue import OUTBOX, written
from notifications.outbox.states import State
from scheduler.domain import keys
from scheduler.domain.reason import because
from scheduler.store.hints import Hint, hint
from scheduler.store.restored import restored
from scheduler.store.upsert import Upsert

__all__ = ["add", "copies", "copy", "enqueue"]

_ADD = Upsert(OUTBOX, lambda new: new.on_conflict_do_nothing(index_elements=["key"]))


def enqueue(
    session: Session,
    message: Message,
    people: Sequence[Person],
    facts: Callable[[Person], dict[str, Any]],
    domain: str,
    now: datetime,
) -> int:
    """Put the copies of these people in the outbox, each with their own facts; how many were not there already."""
    return add(session, copies(session, message, people, facts, domain, now))


def copies(
    session: Session,
    message: Message,
    people: Sequence[Person],
    facts: Callable[[Person], dict[str, Any]],
    domain: str,
    now: datetime,
) -> list[dict[str, Any]]:
    """The copies of these people, each with their own facts, as `add` takes them."""
    if not people:
        return []
    thread = keys.message_id(message.thread, domain)
    doubt = _doubt(session, message)
    return [
        {**copy(message, one, domain, now), "thread": thread, "facts": facts(one), **doubt} for one in people
    ]


def add(session: Session, these: Sequence[dict[str, Any]]) -> int:
    """Put copies in the outbox; how many were not there already."""
    if not these:
        return 0
    connection = session.connection()
    added = connection.execute(_ADD.on(connection), these).rowcount
    if added:
        hint(session, Hint.MAILS)
    return added


def _doubt(session: Session, message: Message) -> dict[str, Any]:
    """How a mail stands that was due before the database was restored: it may have left from the one that was lost."""
    if message.not_before is None:
        return {"reason": None}
    found = restored(session)
    if found is None or message.not_before > found.restored_at:
        return {"reason": None}
    reason = because("mail_possibly_sent", at=found.backup_at)
    return {"state": State.POSSIBLY_SENT.value, "reason": written(reason)}


def copy(message: Message, person: Person, domain: str, now: datetime) -> dict[str, Any]:
    """The copy of one person, without thread, facts and reason."""
    key = keys.for_recipient(message.key, person.id)
    return {
        "key": key,
        "topic": message.topic,
        "site_id": person.site_id,
        "subject": message.subject,
        "visit": message.visit,
        "staff_id": person.id,
        "address": person.email,
        "language": person.language,
        "template": message.template,
        "message_id": keys.message_id(key, domain),
        "urgent": message.urgent,
        "state": State.PENDING.value,
        "created_at": now,
        "not_before": message.not_before or now,
        "expires_at": message.expires_at,
        "attempts": 0,
        "uncertain": False,
    }
