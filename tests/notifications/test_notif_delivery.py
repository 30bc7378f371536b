"""Delivery from the outbox to a Maildir, with everything that can go wrong on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import notif_cases as cases
import pytest
from sqlmodel import Session

from notifications import attempts, outbox
from notifications.delivery import DeliveryReport, delivery_step
from notifications.maildir import MaildirTransport, read_maildir
from notifications.outbox import Calm
from notifications.states import State
from scheduler.domain.protocol import Event
from scheduler.domain.reason import Reason, because
from scheduler.store.tables import OutboxRow, VisitRow

TO = "coordinator-en@cochin.example"


@pytest.fixture
def box(tmp_path: Path) -> MaildirTransport:
    return MaildirTransport(tmp_path / "mail")


async def deliver(desk: cases.Study, box: MaildirTransport, **changes: object) -> DeliveryReport:
    return await delivery_step(desk.db, box, desk.clock, cases.room(**changes))


async def test_a_due_mail_is_written_sent_and_settled(desk: cases.Study, box: MaildirTransport) -> None:
    desk.tell(cases.reminder())
    report = await deliver(desk, box)
    assert report.sent == 2
    mail = desk.mail()
    assert (mail.state, mail.attempts, mail.sent_at) == (State.SENT, 1, cases.NOW)
    (message,) = read_maildir(box.root, TO)
    assert message["Message-ID"] == mail.message_id
    assert "MPA-0042-7" in message["Subject"]
    (attempt,) = desk.attempts(mail.id)
    assert (attempt.phase, attempt.outcome, attempt.code) == ("replied", "sent", 250)


async def test_a_second_step_sends_nothing_again(desk: cases.Study, box: MaildirTransport) -> None:
    desk.tell(cases.reminder())
    await deliver(desk, box)
    desk.tell(cases.reminder())
    assert (await deliver(desk, box)).settled == {}
    assert len(desk.mails()) == 2
