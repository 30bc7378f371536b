"""Which messages an event calls for. Pure; every kind of event has its case."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never

from notifications.messages import Message, site_thread_key, visit_thread_key
from scheduler.domain.events import (
    DomainEvent,
    ExposureChanged,
    LabFileTroubled,
    MailFailed,
    ReminderDue,
    VisitRebooked,
)
from scheduler.domain.protocol import Event, Notice, Protocol

__all__ = ["policy"]


def policy(protocol: Protocol, event: DomainEvent) -> tuple[Message, ...]:
    """The messages that `event` calls for under this protocol, none of them addressed yet."""
    match event:
        case ReminderDue():
            return (_reminder(protocol, event),)
        case VisitRebooked():
            facts = {
                "event": event.event.value,
                "old_local": _iso(event.old_local),
                "new_local": _iso(event.new_local),
                "sequence": event.sequence,
            }
            thread = visit_thread_key(event.subject, event.visit)
            return _notices(protocol, event.event, event.key, event.subject, event.visit, thread, facts)
        case ExposureChanged():
            facts = {"event": event.event.value, "version": event.version}
            thread = visit_thread_key(event.subject, event.visit)
            return _notices(protocol, event.event, event.key, event.subject, event.visit, thread, facts)
        case LabFileTroubled():
            facts = {"event": event.event.value, "file_id": event.file_id}
            thread = site_thread_key(event.site, f"file {event.file_id}")
            return _notices(protocol, event.event, event.key, None, None, thread, facts)
        case MailFailed():
            facts = {"event": event.event.value, "outbox_id": event.outbox_id}
            thread = site_thread_key(event.site, event.key)
            return _notices(protocol, event.event, event.key, None, None, thread, facts)
    assert_never(event)


def _reminder(protocol: Protocol, event: ReminderDue) -> Message:
    slot, rule = event.slot, event.slot.rule
    point = protocol.point(rule.trigger)
    facts: dict[str, Any] = {
        "rule": rule.id,
        "trigger": rule.trigger,
        "target": slot.target,
        "due_at": slot.due_at.isoformat(),
        "point": point.id if point is not None else None,
    }
    return Message(
        template=rule.template,
        roles=rule.roles,
        topic=event.key,
        key=event.key,
        subject=event.subject,
        visit=event.visit,
        thread=visit_thread_key(event.subject, event.visit),
        not_before=slot.due_at,
        expires_at=slot.valid_until,
        urgent=point is not None,
        facts=facts,
    )


def _notices(
    protocol: Protocol,
    event: Event,
    key: str,
    subject: str | None,
    visit: str | None,
    thread: str,
    facts: dict[str, Any],
) -> tuple[Message, ...]:
    wanted = [one for one in protocol.notices if one.event is event]
    return tuple(
        Message(
            template=notice.template,
            roles=notice.roles,
            topic=key,
            key=_key(key, notice, wanted),
            subject=subject,
            visit=visit,
            thread=thread,
            facts=facts,
        )
        for notice in wanted
    )


def _key(key: str, notice: Notice, wanted: list[Notice]) -> str:
    """The event's key; with the template's name when several notices answer the same event."""
    return key if len(wanted) == 1 else f"{key}|{notice.template}"


def _iso(local: datetime | None) -> str | None:
    return local.isoformat(timespec="minutes") if local is not None else None
