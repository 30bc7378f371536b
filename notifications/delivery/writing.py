"""A claimed batch made ready to leave: looked at again, written, its bytes kept. All of it in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError, StatementError
from sqlmodel import Session, col

from config.language import Language
from config.logs import log
from notifications.delivery.aftermath import not_written
from notifications.delivery.mailroom import Mailroom
from notifications.delivery.transport import Parcel
from notifications.messages.versions import protocol_for
from notifications.outbox import attempts
from notifications.outbox.alarms import dead_mailboxes
from notifications.outbox.calm import MailSite
from notifications.outbox.deputy import to_deputy
from notifications.outbox.queue import OUTBOX, Claim, Claimed
from notifications.words.context import Draft, Memo, gather
from notifications.words.inline import Sketch, may_carry_a_picture
from notifications.words.laboratory import attachment_of
from notifications.words.letter import appointment_of, write_letter
from notifications.words.render import render
from notifications.words.sentences import MAIL_SENTENCES, SENTENCES_WITH_PAGES
from scheduler.domain.protocol import Protocol
from scheduler.domain.reason import Reason, because
from scheduler.domain.speech import Speaker, speaker_for
from scheduler.store.tables import OutboxRow, StaffRow

__all__ = ["Batch", "Letter", "make_ready", "still_to_draw", "write"]

_PEOPLE = select(col(StaffRow.id), col(StaffRow.site_id), col(StaffRow.email), col(StaffRow.active)).where(
    col(StaffRow.id).in_(bindparam("staff", expanding=True))
)
_BODIES = select(OUTBOX.c.id, OUTBOX.c.body).where(OUTBOX.c.id.in_(bindparam("these", expanding=True)))


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of ours in bytes."""

    mail: Claimed
    parcel: Parcel


@dataclass(slots=True)
class Batch:
    """What became of a claimed batch before anything of it was sent."""

    letters: list[Letter] = field(default_factory=list)
    cancelled: int = 0
    failed: int = 0


def make_ready(session: Session, room: Mailroom, claim: Claim, now: datetime, memo: Memo) -> Batch:
    """The claimed mails in bytes, which are kept. One that cannot be written blocks no other."""
    batch = Batch()
    if not claim.mails:
        return batch
    connection = session.connection()
    staff = sorted({mail.staff for mail in claim.mails})
    people = {person.id: person for person in connection.execute(_PEOPLE, {"staff": staff})}
    dead = dead_mailboxes(session, people.values())
    bodies = _kept_bodies(session, list(claim.rows.values()))

    room.foresee(session, [claim.rows[mail.id] for mail in claim.mails], now)

    def parcel(mail: Claimed) -> Parcel | Reason:
        person = people.get(mail.staff)
        if mail.staff in dead:
            to_deputy(session, claim.rows[mail.id], now)
            return because("mail_suppressed", staff=mail.staff)
        return _parcel(session, room, claim.rows[mail.id], person, bodies.get(mail.id), now, memo)

    for mail, found in _attempted(session, claim.mails, parcel):
        if isinstance(found, Exception):
            not_written(session, room, mail, claim.rows[mail.id], found, now)
            batch.failed += 1
        elif isinstance(found, Reason):
            attempts.take_back(session, mail, found, now)
            batch.cancelled += 1
        else:
            batch.letters.append(Letter(mail, found))
    new = [letter for letter in batch.letters if letter.mail.id not in bodies]
    attempts.keep_bytes(session, [(one.mail, one.parcel.recipient, one.parcel.body) for one in new])
    return batch


def _attempted(
    session: Session, mails: Sequence[Claimed], parcel: Callable[[Claimed], Parcel | Reason]
) -> list[tuple[Claimed, Parcel | Reason | Exception]]:
    """Each mail with what `parcel` makes of it, or with its error, of which nothing stays in the database.

    All are tried together first, and one by one when that fails.
    """
    connection = session.connection()
    try:
        with connection.begin_nested():
            return [(mail, parcel(mail)) for mail in mails]
    except Exception as error:
        if not _is_about_the_mail(error):
            raise
        if len(mails) == 1:
            return [(mails[0], error)]
    return [one for mail in mails for one in _attempted(session, [mail], parcel)]


def _is_about_the_mail(error: Exception) -> bool:
    """Whether this mail is to blame, and not the database, whose failure would be that of any other mail too."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError)
    return isinstance(error, StatementError) or not isinstance(error, SQLAlchemyError)


def _kept_bodies(session: Session, rows: Sequence[OutboxRow]) -> dict[int, bytes]:
    """The bytes of the mails that were written before."""
    written = [row.id for row in rows if row.body_sha256 is not None]
    if not written:
        return {}
    return {row.id: row.body for row in session.connection().execute(_BODIES, {"these": written})}


def _parcel(
    session: Session,
    room: Mailroom,
    row: OutboxRow,
    person: Any,
    body: bytes | None,
    now: datetime,
    memo: Memo,
) -> Parcel | Reason:
    """The mail, or why it is not sent after all."""
    if person is None or not person.active:
        return because("mail_person_left", staff=row.staff_id)
    why_not = room.recheck(session, row, now)
    if why_not is not None:
        return why_not
    address = row.address
    if body is None:
        if address != person.email:
            address = row.address = person.email
        body = write(session, row, room, now, memo)
    return Parcel(room.letterhead.bounces_to, address, row.message_id, body)


def write(session: Session, row: OutboxRow, room: Mailroom, now: datetime, memo: Memo | None = None) -> bytes:
    """The bytes of a mail, from what is on record now."""
    site = room.calm.sites[row.site_id]
    known = memo if memo is not None else Memo()
    said = json.dumps([row.site_id, row.topic, row.template, row.language, row.subject, row.visit, row.facts])
    if said not in known.drafts:
        known.drafts[said] = _draft(session, row, room, site, now, known)
    draft = known.drafts[said]
    calendar = appointment_of(row, draft.values, draft.speaker, room.letterhead, site)
    acronym = draft.protocol.acronym
    head = room.letterhead
    return write_letter(row, draft.rendered, head, acronym, calendar, now, draft.picture, draft.attachment)


def still_to_draw(session: Session, room: Mailroom, claim: Claim, memo: Memo) -> dict[int, Sketch]:
    """The pictures of these mails that are not in the album yet, by the number of the mail."""
    found = {mail.id: _sketch(session, claim.rows[mail.id], room, memo) for mail in claim.mails}
    return {
        number: sketch for number, sketch in found.items() if sketch is not None and sketch not in room.album
    }


def _draft(
    session: Session, row: OutboxRow, room: Mailroom, site: MailSite, now: datetime, memo: Memo
) -> Draft:
    context = gather(session, row, room.protocol_of, site, now, memo, room.letterhead.console)
    speaker = _speaker(row, room, context.protocol)
    sketch = _sketch(session, row, room, memo)
    picture = room.album.get(sketch) if sketch is not None else None
    values = {**context.values, "picture": picture}
    rendered = render(row.template, speaker, values)
    attachment = attachment_of(session, row, context.protocol, speaker)
    return Draft(context.protocol, values, speaker, rendered, picture, attachment)


def _speaker(row: OutboxRow, room: Mailroom, protocol: Protocol) -> Speaker:
    zone = room.calm.sites[row.site_id].calendar.zone
    sentences = {**MAIL_SENTENCES, **room.sentences}
    if room.letterhead.console:
        sentences |= SENTENCES_WITH_PAGES
    return speaker_for(Language(row.language), zone, protocol, sentences)


def _sketch(session: Session, row: OutboxRow, room: Mailroom, memo: Memo) -> Sketch | None:
    """What the picture of a mail that is still to be written is drawn from; None where it has none."""
    if row.body_sha256 is not None or not may_carry_a_picture(row):
        return None
    about = (row.site_id, row.subject, row.visit, row.language, row.facts.get("version"))
    if about not in memo.sketches:
        memo.sketches[about] = _sketched(session, row, room)
    return memo.sketches[about]


def _sketched(session: Session, row: OutboxRow, room: Mailroom) -> Sketch | None:
    """A picture that fails keeps no mail from going."""
    if room.curve_of is None:
        return None
    try:
        with session.connection().begin_nested():
            protocol = protocol_for(session, room.protocol_of, row.subject, row.visit)
            return room.curve_of(session, row, _speaker(row, room, protocol))
    except Exception as error:
        if not _is_about_the_mail(error):
            raise
        log.error("picture_not_drawn", outbox=row.id, error=type(error).__name__)
        return None
