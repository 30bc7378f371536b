"""Which messages an event calls for. Pure; every kind of event has its case."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never

from notifications.messages.days import as_facts
from notifications.messages.message import Message, laboratory_thread_key, site_thread_key, visit_thread_key
from scheduler.domain.events import (
    AuditAnchored,
    DomainEvent,
    ExposureChanged,
    ExposureMonthDue,
    LabFileTroubled,
    LabListDue,
    LabListKind,
    MailFailed,
    ReminderDue,
    VisitRebooked,
    VisitReplanned,
)
from scheduler.domain.keys import contact_role
from scheduler.domain.protocol import Event, Notice, Protocol
from scheduler.store.audit_read import ANCHOR

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
        case VisitReplanned():
            return _replanned(protocol, event)
        case ExposureChanged():
            facts = {"event": event.event.value, "version": event.version}
            thread = visit_thread_key(event.subject, event.visit)
            return _notices(protocol, event.event, event.key, event.subject, event.visit, thread, facts)
        case LabFileTroubled():
            facts = {"event": event.event.value, "file_id": event.file_id}
            thread = site_thread_key(event.site, f"file {event.file_id}")
            notices = _notices(protocol, event.event, event.key, None, None, thread, facts)
            return (*notices, *_asked_of_lab(event))
        case LabListDue():
            return (_list(event),)
        case MailFailed():
            facts = {"event": event.event.value, "outbox_id": event.outbox_id}
            thread = site_thread_key(event.site, event.key)
            return _notices(protocol, event.event, event.key, None, None, thread, facts)
        case ExposureMonthDue():
            return _notices(
                protocol, event.event, event.key, None, None, site_thread_key(event.site, event.event), _month(event),
                event.expires_at,
            )  # fmt: skip
        case AuditAnchored():
            return (_anchor(event),)
    assert_never(event)


def _anchor(event: AuditAnchored) -> Message:
    return Message(
        template=ANCHOR,
        roles=("data_manager",),
        topic=event.key,
        key=event.key,
        subject=None,
        visit=None,
        thread=site_thread_key(event.site, "audit"),
        facts={"seq": event.seq, "hash": event.hash},
    )


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


def _replanned(protocol: Protocol, event: VisitReplanned) -> tuple[Message, ...]:
    """The notices of the protocol; without any, one to those alone who were told the old days."""
    facts = as_facts(event)
    thread = visit_thread_key(event.subject, event.visit)
    notices = _notices(protocol, event.event, event.key, event.subject, event.visit, thread, facts)
    if notices:
        return notices
    template, roles = event.event.value, ()
    return (Message(template, roles, event.key, event.key, event.subject, event.visit, thread, facts=facts),)


def _asked_of_lab(event: LabFileTroubled) -> tuple[Message, ...]:
    """What the laboratory's own contacts are told of a file, if there is anything that they can do."""
    if event.lab is None or not event.asks_lab:
        return ()
    template = "lab_files_refused" if event.event is Event.FILE_QUARANTINED else "lab_rows_to_correct"
    return (
        Message(
            template=template,
            roles=(contact_role(event.lab),),
            topic=event.key,
            key=f"{event.key}|{template}",
            subject=None,
            visit=None,
            thread=laboratory_thread_key(event.lab, template),
            gathers=True,
            facts={"event": event.event.value, "lab": event.lab, "file_ids": [event.file_id]},
        ),
    )


def _list(event: LabListDue) -> Message:
    facts = {
        "lab": event.lab,
        "first": event.first.isoformat(),
        "until": event.until.isoformat(),
        "tubes": list(event.tubes),
    }
    return Message(
        template=_LISTS[event.kind],
        roles=(contact_role(event.lab),),
        topic=event.key,
        key=event.key,
        subject=None,
        visit=None,
        thread=laboratory_thread_key(event.lab, event.kind),
        expires_at=event.expires_at,
        facts=facts,
    )


def _month(event: ExposureMonthDue) -> dict[str, Any]:
    return {
        "event": event.event.value,
        "month": event.month.isoformat()[:7],
        "until": event.until.isoformat(),
        "subjects": event.subjects,
        "aucs": event.aucs,
        "new": event.new,
    }


_LISTS = {LabListKind.OVERDUE: "lab_results_overdue", LabListKind.WEEK: "lab_reconciliation"}


def _notices(
    protocol: Protocol,
    event: Event,
    key: str,
    subject: str | None,
    visit: str | None,
    thread: str,
    facts: dict[str, Any],
    expires_at: datetime | None = None,
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
            expires_at=expires_at,
            facts=facts,
        )
        for notice in wanted
    )


def _key(key: str, notice: Notice, wanted: list[Notice]) -> str:
    """The event's key; with the template's name when several notices answer the same event."""
    return key if len(wanted) == 1 else f"{key}|{notice.template}"


def _iso(local: datetime | None) -> str | None:
    return local.isoformat(timespec="minutes") if local is not None else None
