"""Mails as their readers get them, read back from their bytes."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import notif_cases as cases

from notifications.delivery.writing import write
from scheduler.domain.events import DomainEvent
from scheduler.store.tables import OutboxRow


def written(desk: cases.Study, row: OutboxRow, **changes: Any) -> EmailMessage:
    content: bytes = desk.do(lambda session: write(session, row, cases.room(**changes), cases.NOW))
    message = message_from_bytes(content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def mail(desk: cases.Study, event: DomainEvent, staff: str = "coordinator-en") -> EmailMessage:
    desk.tell(event)
    return written(desk, desk.mails(staff_id=staff)[-1])


def part(message: EmailMessage, kind: str) -> str:
    (found,) = [one for one in message.walk() if one.get_content_type() == kind]
    content: str = found.get_content()
    return content
