"""Mails about laboratory files: what comes while one waits to leave joins it, so that many files are few mails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlmodel import Session

from notifications.messages.message import Message
from notifications.outbox import posting
from notifications.outbox.directory import Person
from notifications.outbox.queue import OUTBOX
from notifications.outbox.states import State
from scheduler.domain import keys

__all__ = ["APART", "gather"]

APART = timedelta(minutes=15)

_OF_CONVERSATION = (OUTBOX.c.staff_id == bindparam("staff"), OUTBOX.c.thread == bindparam("thread"))
_WAITING = (
    select(OUTBOX.c.id, OUTBOX.c.facts)
    .where(*_OF_CONVERSATION, OUTBOX.c.state == State.PENDING.value, OUTBOX.c.body_sha256.is_(None))
    .order_by(OUTBOX.c.id.desc())
    .limit(1)
    .with_for_update()
)
_LAST = select(func.max(OUTBOX.c.not_before)).where(
    *_OF_CONVERSATION, OUTBOX.c.state != State.CANCELLED.value
)
_JOIN = update(OUTBOX).where(OUTBOX.c.id == bindparam("this")).values(facts=bindparam("new_facts"))


def gather(
    session: Session,
    message: Message,
    people: Sequence[Person],
    facts: Callable[[Person], dict[str, Any]],
    domain: str,
    now: datetime,
) -> None:
    """Adds the files of a message to the mail of its conversation that waits for each person, or makes one.

    The first leaves at once; a further one not sooner than a quarter of an hour after the one before.
    """
    connection = session.connection()
    for person in people:
        asked = {"staff": person.id, "thread": keys.message_id(message.thread, domain)}
        waiting = connection.execute(_WAITING, asked).first()
        if waiting is not None:
            numbers = [*waiting.facts["file_ids"], *message.facts["file_ids"]]
            joined = {**waiting.facts, "file_ids": list(dict.fromkeys(numbers))}
            connection.execute(_JOIN, {"this": waiting.id, "new_facts": joined})
            continue
        last = connection.execute(_LAST, asked).scalar()
        leaves_at = max(now, last + APART) if last is not None else now
        posting.enqueue(session, replace(message, not_before=leaves_at), [person], facts, domain, now)
