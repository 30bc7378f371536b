"""What the service does with events: one mail for each person concerned, put in the outbox of the same change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlmodel import Session

from notifications.messages.message import Message
from notifications.messages.policy import policy
from notifications.messages.versions import ProtocolLookup, amended_visits, enrolments
from notifications.outbox import posting, queue
from notifications.outbox.alarms import raise_flag
from notifications.outbox.directory import Person, active_staff, told_of_appointment, told_of_days
from notifications.outbox.gathering import gather
from scheduler.domain.events import (
    AuditAnchored,
    DomainEvent,
    ExposureMonthDue,
    LabFileTroubled,
    LabListDue,
    MailFailed,
    VisitRebooked,
    VisitReplanned,
)
from scheduler.domain.protocol import Protocol
from scheduler.domain.reason import because
from scheduler.store.tables import OutboxRow

__all__ = ["Handle", "make_handler"]

Handle = Callable[[Session, Sequence[DomainEvent], datetime], None]
"""All that happened in a transaction, in its order."""

_OF_SITES = AuditAnchored | ExposureMonthDue | LabFileTroubled | LabListDue | MailFailed


def make_handler(protocol_of: ProtocolLookup, domain: str) -> Handle:
    """The handler of all events. `domain` is the right-hand side of every Message-ID."""

    def handle(session: Session, events: Sequence[DomainEvent], now: datetime) -> None:
        subjects = {event.subject for event in events if not isinstance(event, _OF_SITES)}
        enrolled, amended = enrolments(session, subjects), amended_visits(session, subjects)
        copies: list[dict[str, Any]] = []
        for event in events:
            version: str | None = None
            if isinstance(event, _OF_SITES):
                site = event.site
            else:
                site, version = enrolled[event.subject]
                version = amended.get((event.subject, event.visit), version)
            if isinstance(event, VisitRebooked):
                queue.supersede(session, event.subject, event.visit, event.sequence)
            copies += _mails(session, event, protocol_of(session, version), site, domain, now)
        posting.add(session, copies)

    return handle


def _mails(
    session: Session, event: DomainEvent, protocol: Protocol, site: str, domain: str, now: datetime
) -> Iterator[dict[str, Any]]:
    """The copies of everybody concerned by one event; what is gathered with other mails is put there at once."""
    told, not_to = _told(session, event), _not_to(session, event)
    staff = [one for one in active_staff(session, site) if one.id not in not_to]
    messages = policy(protocol, event)
    asked = {
        one.email.casefold()
        for message in messages
        if message.gathers
        for one in staff
        if _concerns(message, one, told)
    }
    for message in messages:
        people = [one for one in staff if _concerns(message, one, told)]
        if message.gathers:
            gather(session, message, people, partial(_facts, message), domain, now)
            continue
        people = [one for one in people if not _asked_already(message, one, asked)]
        yield from posting.copies(session, message, people, partial(_facts, message), domain, now)
        if not people and not not_to and not asked and message.roles:
            _nobody(session, site, message, now)


def _told(session: Session, event: DomainEvent) -> frozenset[str]:
    """Whoever knows the old date must learn that it no longer holds, whatever the roles of the notice."""
    if isinstance(event, VisitRebooked) and event.old_local is not None:
        return told_of_appointment(session, event.subject, event.visit, event.old_local)
    if isinstance(event, VisitReplanned):
        outside = event.booked_local if event.is_booked_outside else None
        return told_of_days(session, event.subject, event.visit, event.old, outside)
    return frozenset()


def _not_to(session: Session, event: DomainEvent) -> frozenset[str]:
    """A person whose mail fails is not told so by mail."""
    if isinstance(event, MailFailed):
        row = session.get(OutboxRow, event.outbox_id)
        return frozenset({row.staff_id} if row is not None else ())
    return frozenset()


def _concerns(message: Message, person: Person, told: frozenset[str]) -> bool:
    return bool(set(message.roles) & set(person.roles)) or person.id in told


def _asked_already(message: Message, person: Person, asked: set[str]) -> bool:
    """Whether the same mailbox is asked as that of the laboratory itself, and the person has no other role here."""
    return person.email.casefold() in asked and set(message.roles) & set(person.roles) == {"laboratory"}


def _facts(message: Message, person: Person) -> dict[str, Any]:
    """The facts of the event, and the roles in which this person is addressed."""
    addressed = [role for role in person.roles if role in message.roles]
    return {**message.facts, "roles": addressed or list(person.roles)}


def _nobody(session: Session, site: str, message: Message, now: datetime) -> None:
    """A mail that nobody can receive is a flag of the site."""
    roles = tuple(because(f"role_{role}") for role in message.roles)
    why = because("mail_no_recipient", site=site, roles=roles)
    reason = because("flag_no_recipient", template=message.template, why=why)
    raise_flag(session, site, f"roles:{'+'.join(sorted(message.roles))}", reason, now)
