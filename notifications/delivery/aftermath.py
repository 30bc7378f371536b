"""What follows from a mail that left or did not: flags at the site, notices to whoever looks after the mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from notifications.delivery.channel import Channel
from notifications.delivery.mailroom import Mailroom
from notifications.messages.message import mail_failed_key
from notifications.outbox import attempts
from notifications.outbox.alarms import CHANNEL, address_matter, lower_flag, raise_flag, suppress
from notifications.outbox.deputy import to_deputy
from notifications.outbox.queue import Claimed
from notifications.outbox.verdict import Decision, Outcome, Settle
from scheduler.domain.civil import local_date
from scheduler.domain.events import MailFailed
from scheduler.domain.protocol import Event
from scheduler.domain.reason import Reason, because
from scheduler.store.tables import OutboxRow

__all__ = ["Ended", "not_written", "settle", "settle_all", "tell"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt at a mail ended. `flagged` when the site has a flag about the address."""

    mail: Claimed
    outcome: Outcome
    decision: Decision
    flagged: bool


def settle(session: Session, room: Mailroom, ended: Ended, channel: Channel, now: datetime) -> Channel:
    """Put on record what became of the mail; the way out as it is after it."""
    mail, decision = ended.mail, ended.decision
    if not attempts.settle(session, mail, ended.outcome, decision, now):
        return channel
    reason = decision.reason
    if decision.settle is Settle.CHANNEL and reason is not None:
        channel = channel.failed(reason, now)
    elif decision.settle is Settle.CONFIGURATION and reason is not None:
        channel = channel.misconfigured_by(reason, now)
    else:
        channel = _answered(session, room, channel, now)
    if channel.alarms(now) and channel.reason is not None and channel.failing_since is not None:
        held = because("flag_mail_channel", since=channel.failing_since, why=channel.reason)
        for site in room.calm.sites:
            raise_flag(session, site, CHANNEL, held, now)
    elif decision.alarm and reason is not None:
        row = session.get(OutboxRow, mail.id)
        if row is not None:
            tell(session, room, row, reason, now)
    elif decision.settle is Settle.SENT and ended.flagged:
        lower_flag(session, mail.site, address_matter(mail.staff), now)
    return channel


def settle_all(
    session: Session, room: Mailroom, ended: Sequence[Ended], channel: Channel, now: datetime
) -> Channel:
    """Put on record what became of a batch whose attempts are all on record; the way out as it is after it."""
    sent = [one for one in ended if one.decision.settle is Settle.SENT and not one.flagged]
    if len(sent) == len(ended) and not channel.failures:
        attempts.settle_sent(session, [(one.mail, one.outcome) for one in sent], now)
        return channel
    for one in ended:
        channel = settle(session, room, one, channel, now)
    return channel


def _answered(session: Session, room: Mailroom, channel: Channel, now: datetime) -> Channel:
    """The server took or refused a mail: the way out is open, and the flag about it falls."""
    if channel.failures:
        for site in room.calm.sites:
            lower_flag(session, site, CHANNEL, now)
    return Channel()


def tell(session: Session, room: Mailroom, row: OutboxRow, reason: Reason, now: datetime) -> None:
    """A mail that will not arrive: a flag for each address, and a notice to whoever looks after the mails."""
    if reason.code == "mail_mailbox_dead":
        suppress(session, row.site_id, row.staff_id, row.address, reason, now)
        to_deputy(session, row, now)
    else:
        flag = because("flag_mail_failed", staff=row.staff_id, why=reason)
        raise_flag(session, row.site_id, address_matter(row.staff_id), flag, now)
    _escalate(session, room, row, row.staff_id, reason, now)


def not_written(
    session: Session, room: Mailroom, mail: Claimed, row: OutboxRow, error: Exception, now: datetime
) -> None:
    """A mail whose template or data fails."""
    reason = because("mail_not_written", error=type(error).__name__)
    if not attempts.give_up(session, mail, reason, str(error), now):
        return
    flag = because("flag_mail_not_written", template=row.template, staff=row.staff_id, why=reason)
    raise_flag(session, row.site_id, f"template:{row.template}:{row.subject or '-'}", flag, now)
    _escalate(session, room, row, row.template, reason, now)


def _escalate(
    session: Session, room: Mailroom, row: OutboxRow, matter: str, reason: Reason, now: datetime
) -> None:
    """Once a day for each person or template and cause. A failed notice of failure is only a flag."""
    site = room.calm.sites.get(row.site_id)
    if row.facts.get("event") == Event.MAIL_FAILED or row.id is None or site is None:
        return
    day = local_date(now, site.calendar.zone)
    key = mail_failed_key(matter, reason.code, day)
    room.handle(session, [MailFailed(Event.MAIL_FAILED, row.site_id, row.id, key)], now)
