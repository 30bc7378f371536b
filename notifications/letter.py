"""The mail as bytes: headers, text, HTML, and the calendar entry of an appointment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from typing import Any

from notifications.calm import MailSite
from notifications.invite import Appointment, Method, invitation, uid_of
from notifications.render import Rendered
from scheduler.domain.protocol import Event
from scheduler.domain.speech import Speaker
from scheduler.store.tables import OutboxRow

__all__ = ["Letterhead", "appointment_of", "write_letter"]

_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Whose mail it is. `sender` and `reply_to` are addresses with or without a name."""

    sender: str
    reply_to: str
    domain: str
    envelope_from: str = ""

    @property
    def sender_address(self) -> str:
        return parseaddr(self.sender)[1]

    @property
    def bounces_to(self) -> str:
        """The envelope sender, to which bounces go."""
        return self.envelope_from or self.sender_address


def write_letter(
    row: OutboxRow,
    rendered: Rendered,
    head: Letterhead,
    acronym: str,
    calendar: tuple[str, Method] | None,
    now: datetime,
) -> bytes:
    """The bytes of a mail. They depend on nothing but the arguments."""
    mail = EmailMessage(_POLICY)
    mail["Subject"] = rendered.subject
    mail["From"] = _address(head.sender)
    mail["Reply-To"] = _address(head.reply_to)
    mail["To"] = row.address
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = row.message_id
    if row.thread is not None:
        mail["In-Reply-To"] = row.thread
        mail["References"] = row.thread
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["List-Id"] = f"<{re.sub('[^a-z0-9]+', '-', acronym.lower())}.{head.domain}>"
    mail["Content-Language"] = row.language
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    if calendar is not None:
        text, method = calendar
        mail.add_alternative(text, subtype="calendar", cte="base64", params={"method": method.value})
    mail.set_boundary(f"=_{sha256(row.message_id.encode()).hexdigest()[:32]}")
    return mail.as_bytes()


def appointment_of(
    row: OutboxRow, values: dict[str, Any], speaker: Speaker, head: Letterhead, site: MailSite
) -> tuple[str, Method] | None:
    """The calendar entry that goes with the mail, when it tells of an appointment made, moved or taken back."""
    event = row.facts.get("event")
    if event not in (Event.VISIT_BOOKED, Event.VISIT_MOVED, Event.VISIT_CANCELLED):
        return None
    method = Method.CANCEL if event == Event.VISIT_CANCELLED else Method.REQUEST
    local = values["old"] if method is Method.CANCEL else values["new"]
    assert local is not None
    assert row.subject is not None
    assert row.visit is not None
    label = f"{row.subject} · {speaker.name(row.visit)}"
    appointment = Appointment(
        uid=uid_of(row.subject, row.visit, head.domain),
        sequence=row.facts["sequence"],
        local=local,
        zone=site.calendar.zone,
        summary=f"{values['study']['acronym']} · {label}",
        description=speaker.text("Study visit. The study code stands for the subject; add no name here."),
        location=site.name,
        organizer=head.sender_address,
        attendee=row.address,
        written_at=row.created_at,
    )
    return invitation(appointment, method), method


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(display_name=name, addr_spec=address)
