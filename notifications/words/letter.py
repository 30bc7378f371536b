"""The mail as bytes: headers, text, HTML, and the calendar entry of an appointment."""

from __future__ import annotations

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from hashlib import sha256
from typing import Any

from notifications.outbox.calm import MailSite
from notifications.words.inline import InlinePicture
from notifications.words.invite import Appointment, Method, invitation, uid_of
from notifications.words.render import Rendered
from scheduler.domain.protocol import Event
from scheduler.domain.speech import Speaker
from scheduler.store.tables import OutboxRow

__all__ = ["Attachment", "Letterhead", "appointment_of", "write_letter"]

_POLICY = SMTP.clone(cte_type="7bit")
_ONE_WORD = re.compile(r"[!-~]{1,900}")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Whose mail it is. `sender` and `reply_to` are addresses with or without a name, `console` that of the pages."""

    sender: str
    reply_to: str
    domain: str
    envelope_from: str = ""
    console: str = ""

    @property
    def sender_address(self) -> str:
        return _address_in(self.sender)

    @property
    def bounces_to(self) -> str:
        """The envelope sender, to which bounces go."""
        return self.envelope_from or self.sender_address


@dataclass(frozen=True, slots=True)
class Attachment:
    """A table that goes with a mail; its name is ASCII."""

    name: str
    content: bytes


def write_letter(
    row: OutboxRow,
    rendered: Rendered,
    head: Letterhead,
    acronym: str,
    calendar: tuple[str, Method] | None,
    now: datetime,
    picture: InlinePicture | None = None,
    attachment: Attachment | None = None,
) -> bytes:
    """The bytes of a mail. They depend on nothing but the arguments.

    Raises ValueError when a value would break out of its header.
    """
    boundary = f"=_{sha256(row.message_id.encode()).hexdigest()[:32]}"
    headers = [
        _same("Subject", rendered.subject),
        _from_us("From", head.sender),
        _from_us("Reply-To", head.reply_to),
        _same("To", row.address),
        f"Date: {format_datetime(now)}\r\n",
        _word("Message-ID", row.message_id),
    ]
    if row.thread is not None:
        headers += [_word("In-Reply-To", row.thread), _word("References", row.thread)]
    headers += [
        "Auto-Submitted: auto-generated\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        _same("List-Id", f"<{re.sub('[^a-z0-9]+', '-', acronym.lower())}.{head.domain}>"),
        _word("Content-Language", row.language),
        "MIME-Version: 1.0\r\n",
    ]
    html = _text_part("html", rendered.html)
    parts = [
        _text_part("plain", rendered.text),
        html if picture is None else _related(html, picture, boundary),
    ]
    if calendar is not None:
        parts.append(_calendar_part(*calendar))
    body = _multipart("alternative", parts, boundary)
    if attachment is not None:
        body = _multipart("mixed", [body, _attached(attachment)], boundary.replace("=_", "=_m_", 1))
    return "".join(headers).encode("ascii") + body


# The headers are made by the standard library, which refuses line breaks and folds and encodes what needs it; those
# that are the same in many mails are made once. (A whole EmailMessage costs ten times as much: it parses them all.)


@lru_cache(64)
def _address_in(text: str) -> str:
    return parseaddr(text)[1]


def _folded(name: str, value: str | Address) -> str:
    found, parsed = _POLICY.header_store_parse(name, value)
    folded: str = _POLICY.fold(found, parsed)
    return folded


@lru_cache(1024)
def _same(name: str, value: str) -> str:
    return _folded(name, value)


@lru_cache(64)
def _from_us(name: str, text: str) -> str:
    display_name, address = parseaddr(text)
    return _folded(name, Address(display_name=display_name, addr_spec=address))


def _word(name: str, value: str) -> str:
    """The header of one word of ASCII, which needs neither folding nor encoding."""
    if not _ONE_WORD.fullmatch(value):
        raise ValueError(f"the header {name} must be one word")
    return f"{name}: {value}\r\n"


def _text_part(subtype: str, text: str) -> bytes:
    ended = text if text.endswith("\n") else f"{text}\n"
    lines = ended.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8")
    heading = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return heading.encode("ascii") + b2a_qp(lines, istext=True)


def _multipart(subtype: str, parts: Sequence[bytes], boundary: str) -> bytes:
    heading = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")
    line = f"--{boundary}".encode("ascii")
    return heading + b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _attached(attachment: Attachment) -> bytes:
    heading = (
        'Content-Type: text/csv; charset="utf-8"; header="present"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="{attachment.name}"\r\n\r\n'
    )
    return heading.encode("ascii") + encodebytes(attachment.content).replace(b"\n", b"\r\n")


def _related(html: bytes, picture: InlinePicture, outer: str) -> bytes:
    """The HTML with the picture that it names, as one part (RFC 2387)."""
    image = (
        "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
        + _word("Content-ID", f"<{picture.cid}>")
        + 'Content-Disposition: inline; filename="auc.png"\r\n\r\n'
    )
    parts = (html, image.encode("ascii") + encodebytes(picture.content).replace(b"\n", b"\r\n"))
    return _multipart('related; type="text/html"', parts, f"{outer}.r")


def _calendar_part(text: str, method: Method) -> bytes:
    heading = (
        f'Content-Type: text/calendar; charset="utf-8"; method="{method.value}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    lines = encodebytes(text.encode("utf-8")).replace(b"\n", b"\r\n")
    return heading.encode("ascii") + lines


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
        description=_described(row, values, speaker, method),
        location=site.name,
        organizer=head.sender_address,
        attendee=row.address,
        written_at=row.created_at,
    )
    return invitation(appointment, method), method


def _described(row: OutboxRow, values: dict[str, Any], speaker: Speaker, method: Method) -> str:
    """What the entry says: what the code is, and where the visit is recorded when the console's address is known."""
    words = speaker.text("Study visit. The study code stands for the subject; add no name here.")
    if not values["console"] or values["for_laboratory"] or method is Method.CANCEL:
        return words
    page = f"/{row.visit}/sampling" if values["sampling"] else ""
    return f"{words}\n{values['console']}/of/{values['record']}{page}"
