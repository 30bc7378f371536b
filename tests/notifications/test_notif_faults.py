"""What a mail server can do to us, and what becomes of the mails."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes

import notif_cases as cases
import pytest
from notif_peer import DROP, TO, kept, server
from notif_way import deliver
from sqlmodel import Session

from notifications.delivery.channel import Channel
from notifications.delivery.maildir import MaildirTransport, read_maildir
from notifications.delivery.smtp import Security, SmtpServer, SmtpTransport
from notifications.outbox import ledger
from notifications.outbox.states import Phase, State
from notifications.outbox.verdict import Ending
from scheduler.domain.protocol import Event
from scheduler.domain.reason import from_json
from scheduler.store.tables import StaffRow

# --- what a server can do -------------------------------------------------------------------------------------


async def test_greylisting_costs_a_delay_and_the_bytes_stay_the_same(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.refused[TO] = "451 4.7.1 greylisted"
        await deliver(desk, way)
        first = desk.mail()
        assert (first.state, first.attempts, first.last_code) == (State.RETRY, 1, 451)
        assert desk.mail("coordinator-fr").state == State.SENT
        peer.refused.clear()
        assert (await deliver(desk, way)).sent == 0
        desk.later(minutes=8)
        assert (await deliver(desk, way)).sent == 1
    second = desk.mail()
    assert (second.body, second.body_sha256) == (first.body, first.body_sha256)
    assert kept(peer) == [first.body]


async def test_an_address_that_does_not_exist_fails_is_flagged_and_told_to_the_data_manager(
    desk: cases.Study,
) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.refused[TO] = "550 5.1.1 no such user"
        report = await deliver(desk, way)
    assert report.settled == {"failed": 1, "sent": 2}
    assert desk.mail().state == State.FAILED
    (flag,) = desk.flags()
    assert (flag.code, flag.site_id, flag.subject) == ("mail_failed", "cochin", None)
    assert from_json(flag.reason).get("staff") == "coordinator-en"
    (notice,) = kept(peer, "data-manager@cochin.example")
    assert b"coordinator-en" in notice


async def test_many_failures_of_one_address_are_one_flag_and_one_notice_a_day(desk: cases.Study) -> None:
    async with server() as (peer, way):
        peer.refused[TO] = "550 5.1.1 no such user"
        for rule in ("visit_soon", "book_visit", "overdue"):
            desk.tell(cases.reminder(rule))
        await deliver(desk, way)
    assert len(desk.flags()) == 1
    assert len(kept(peer, "data-manager@cochin.example")) == 1


async def test_a_failed_notice_of_failure_is_only_a_flag(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.refused = {TO: "550 5.1.1 x", "data-manager@cochin.example": "550 5.1.1 x"}
        await deliver(desk, way)
    assert len(desk.flags()) == 2
    assert [row.staff_id for row in desk.mails(template="mail_failed")] == ["data-manager"]


async def test_the_flag_of_an_address_falls_when_mail_gets_through_again(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.refused[TO] = "550 mailbox unavailable"
        await deliver(desk, way)
        peer.refused.clear()
        desk.tell(cases.rebooked())
        await deliver(desk, way)
    assert desk.flags() == []
    assert len(desk.flags(is_open=False)) == 1


@pytest.mark.parametrize("fault", ["DATA", "KEPT"])
async def test_a_mail_without_an_answer_is_sent_once_more_with_the_same_bytes(
    desk: cases.Study, fault: str
) -> None:
    desk.tell(cases.reminder(), cases.NOW)
    async with server() as (peer, way):
        peer.on[fault] = [DROP]
        await deliver(desk, way)
        unsure = next(row for row in desk.mails() if row.uncertain)
        assert unsure.state == State.RETRY
        desk.later(minutes=15)
        await deliver(desk, way)
    (row,) = desk.mails(id=unsure.id)
    assert (row.state, row.uncertain) == (State.SENT, True)
    copies = kept(peer, row.address)
    assert len(copies) == (2 if fault == "KEPT" else 1)
    assert set(copies) == {row.body}


async def test_a_mail_twice_without_an_answer_is_not_sent_a_third_time(desk: cases.Study) -> None:
    desk.tell(cases.rebooked())
    async with server() as (peer, way):
        peer.on["KEPT"] = [DROP, DROP, DROP, DROP]
        for _ in range(4):
            await deliver(desk, way)
            desk.later(minutes=16)
        mail = desk.mail(template="visit_booked")
        assert len(kept(peer)) == 2
    assert mail.state == State.UNCERTAIN
    assert desk.flags() != []


async def test_a_server_that_is_down_holds_all_mail_without_counting_and_opens_again(
    desk: cases.Study,
) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        port = peer.port
    down = SmtpTransport(SmtpServer("127.0.0.1", port, Security.PLAIN, timeout_s=5))
    report = await deliver(desk, down)
    assert report.channel.held_until == cases.NOW + timedelta(seconds=30)
    assert report.next_due == report.channel.held_until
    assert {(row.state, row.attempts) for row in desk.mails()} == {(State.PENDING, 0)}
    assert len(desk.attempts()) == 1
    assert (await deliver(desk, down, report.channel)).settled == {}
    for _ in range(7):
        desk.later(minutes=5)
        report = await deliver(desk, down, report.channel)
    (flag,) = desk.flags()
    assert from_json(flag.reason).get("since") == cases.NOW
    desk.later(minutes=5)
    async with server() as (peer, way):
        report = await deliver(desk, way, report.channel)
    assert report.sent == 2
    assert report.channel == Channel()
    assert desk.flags() == []


async def test_a_server_that_refuses_us_raises_the_alarm_at_once(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.on["MAIL"] = ["550 5.7.1 sender not allowed"]
        report = await deliver(desk, way)
    assert report.channel.misconfigured
    assert len(desk.flags()) == 1
    assert {row.state for row in desk.mails()} == {State.PENDING}


async def test_a_mail_on_which_the_server_always_hangs_up_does_not_hold_the_others(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    report = None
    async with server() as (peer, way):
        peer.on["RCPT"] = [DROP]
        report = await deliver(desk, way)
        desk.later(seconds=30)
        report = await deliver(desk, way, report.channel)
        assert report.sent == 1


async def test_a_corrected_address_gets_the_mail_with_the_same_message_id(
    desk: cases.Study, box: MaildirTransport
) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.refused[TO] = "550 5.1.1 no such user"
        await deliver(desk, way)
    number, before = desk.mail().id or 0, desk.mail().message_id

    def correct(session: Session) -> None:
        person = session.get(StaffRow, "coordinator-en")
        assert person is not None
        person.email = "right@cochin.example"
        ledger.retry(session, number, desk.clock.now())

    desk.do(correct)
    await deliver(desk, box)
    (message,) = read_maildir(box.root, "right@cochin.example")
    assert message["Message-ID"] == before
    assert message["To"] == "right@cochin.example"


async def test_the_lost_answer_is_put_on_record(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.on["KEPT"] = [DROP]
        await deliver(desk, way)
    unsure = next(row for row in desk.mails() if row.uncertain)
    (attempt,) = desk.attempts(unsure.id)
    assert (attempt.phase, attempt.outcome, attempt.code) == (Phase.DATA, "uncertain_again", None)
    assert Ending.LOST == "lost"


async def test_every_mail_has_one_recipient(desk: cases.Study) -> None:
    desk.tell(cases.rebooked(Event.VISIT_BOOKED))
    async with server() as (peer, way):
        await deliver(desk, way)
    assert [len(to) for to, _ in peer.kept] == [1, 1]
    assert all(message_from_bytes(content)["To"] == to[0] for to, content in peer.kept)
