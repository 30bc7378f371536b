"""Delivery from the outbox to the server, with everything that can go wrong on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import notif_cases as cases
import pytest
from notif_peer import TO
from notif_way import Way, deliver
from sqlmodel import Session

from notifications.delivery.channel import Channel
from notifications.delivery.maildir import MaildirTransport, read_maildir
from notifications.delivery.transport import BeforeData, Burst, Parcel
from notifications.outbox import attempts, queue
from notifications.outbox.queue import Calm
from notifications.outbox.states import State
from notifications.outbox.verdict import Outcome
from scheduler.domain.reason import Reason, because, from_json
from scheduler.store.tables import OutboxRow, StaffRow, VisitRow

# --- the way of a mail ----------------------------------------------------------------------------------------


async def test_a_due_mail_is_written_sent_and_settled(either: cases.Study, box: MaildirTransport) -> None:
    either.tell(cases.reminder())
    report = await deliver(either, box)
    assert report.sent == 2
    assert report.next_due is None
    mail = either.mail()
    assert (mail.state, mail.attempts, mail.sent_at) == (State.SENT, 1, cases.NOW)
    (message,) = read_maildir(box.root, TO)
    assert message["Message-ID"] == mail.message_id
    (attempt,) = either.attempts(mail.id)
    assert (attempt.phase, attempt.outcome, attempt.code) == ("replied", "sent", 250)


async def test_a_second_step_sends_nothing_again(desk: cases.Study, box: MaildirTransport) -> None:
    desk.tell(cases.reminder())
    await deliver(desk, box)
    desk.tell(cases.reminder())
    assert (await deliver(desk, box)).settled == {}
    assert len(desk.mails()) == 2


async def test_what_is_not_due_is_told_as_the_next_instant(desk: cases.Study, box: MaildirTransport) -> None:
    tomorrow = cases.NOW + timedelta(days=1)
    desk.tell(cases.reminder(due_at=tomorrow))
    report = await deliver(desk, box)
    assert (report.sent, report.next_due) == (0, tomorrow)


async def test_more_mails_than_a_batch_leave_in_one_step(desk: cases.Study, box: MaildirTransport) -> None:
    for version in range(1, 8):
        desk.tell(cases.exposure(version=version))
    assert (await deliver(desk, box, batch=3)).sent == 14


async def test_a_mail_that_lost_its_sense_is_taken_back_with_the_reason(
    desk: cases.Study, box: MaildirTransport
) -> None:
    desk.tell(cases.reminder())

    def recheck(_session: Session, row: OutboxRow, _now: datetime) -> Reason | None:
        return because("recheck_no_longer_due") if row.staff_id == "coordinator-en" else None

    report = await deliver(desk, box, recheck=recheck)
    assert report.settled == {"cancelled": 1, "sent": 1}
    mail = desk.mail()
    assert mail.state == State.CANCELLED
    assert queue.reason_of(mail) == because("recheck_no_longer_due")
    assert mail.body is None


async def test_a_mail_past_its_use_is_not_sent(desk: cases.Study, box: MaildirTransport) -> None:
    desk.tell(cases.reminder(valid=timedelta(hours=1)))
    desk.later(hours=1)
    assert (await deliver(desk, box)).expired == 2
    assert not box.root.exists()


# --- what we can do to ourselves ------------------------------------------------------------------------------


async def test_a_mail_that_cannot_be_written_fails_alone_and_is_flagged(
    desk: cases.Study, box: MaildirTransport
) -> None:
    desk.tell(cases.reminder())
    desk.tell(cases.exposure())

    def unbook(session: Session) -> None:
        row = session.get(VisitRow, (cases.SUBJECT, cases.VISIT))
        assert row is not None
        row.booked_local = None

    desk.do(unbook)
    report = await deliver(desk, box)
    assert report.settled == {"failed": 2, "sent": 3}  # two AUC mails, one notice to the data manager
    assert {row.state for row in desk.mails(template="visit_soon")} == {State.FAILED}
    (flag,) = desk.flags()
    assert from_json(flag.reason).get("template") == "visit_soon"


async def test_a_recheck_that_fails_blocks_no_other_mail(desk: cases.Study, box: MaildirTransport) -> None:
    desk.tell(cases.reminder())

    def recheck(_session: Session, row: OutboxRow, _now: datetime) -> Reason | None:
        if row.staff_id == "coordinator-en":
            raise ValueError("poison")
        return None

    report = await deliver(desk, box, recheck=recheck)
    assert report.settled["failed"] == 1
    assert desk.mail("coordinator-fr").state == State.SENT


class _Hangs:
    """A way out on which the given phase never ends."""

    def __init__(self, after_data: bool) -> None:
        self.after_data = after_data
        self.reached = asyncio.Event()

    @asynccontextmanager
    async def burst(self) -> AsyncIterator[Burst]:
        yield self

    async def send(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        if self.after_data:
            await before_data()
        self.reached.set()
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize(
    ("after_data", "state", "uncertain"), [(False, "pending", False), (True, "retry", True)]
)
async def test_a_cancelled_step_leaves_nothing_leased_that_was_not_handed_over(
    desk: cases.Study, after_data: bool, state: str, uncertain: bool
) -> None:
    desk.tell(cases.rebooked())
    way = _Hangs(after_data)
    task = asyncio.create_task(deliver(desk, way))
    await way.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [row.state for row in desk.mails()].count("leased") == int(after_data)
    await deliver(
        desk, MaildirTransport(Path("/nonexistent")), Channel(held_until=cases.NOW + timedelta(1)), True
    )
    row = desk.mails()[0]
    assert (row.state, row.uncertain) == (state, uncertain)


async def test_a_crash_between_the_answer_and_the_record_sends_the_same_mail_once_more(
    desk: cases.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tell(cases.rebooked())
    way = Way()

    def crash(*_: object) -> bool:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(attempts, "settle", crash)
        with pytest.raises(RuntimeError):
            await deliver(desk, way)
    (after,) = [row for row in desk.mails() if row.state == State.LEASED]
    await deliver(desk, way, everyone=True)
    desk.later(minutes=15)
    report = await deliver(desk, way)
    assert report.sent == 1
    (row,) = desk.mails(id=after.id)
    assert (row.state, row.uncertain, row.body_sha256) == (State.SENT, True, after.body_sha256)
    assert [one.body for one in way.sent if one.recipient == row.address] == [row.body] * 2


async def test_the_brake_and_the_night_put_mail_off_in_a_step(
    desk: cases.Study, box: MaildirTransport
) -> None:
    for version in range(1, 5):
        desk.tell(cases.exposure(version=version))
    report = await deliver(desk, box, calm=Calm({"cochin": cases.site()}, per_hour=3))
    assert (report.sent, report.put_off) == (6, 2)
    assert report.next_due == cases.NOW + timedelta(hours=1)


async def test_somebody_who_left_meanwhile_gets_nothing_and_a_new_address_gets_the_mail(
    desk: cases.Study, box: MaildirTransport
) -> None:
    desk.tell(cases.reminder())

    def change(session: Session) -> None:
        left, moved = (session.get(StaffRow, one) for one in ("coordinator-fr", "coordinator-en"))
        assert left is not None
        assert moved is not None
        left.active, moved.email = False, "new@cochin.example"

    desk.do(change)
    assert (await deliver(desk, box)).settled == {"cancelled": 1, "sent": 1}
    assert queue.reason_of(desk.mail("coordinator-fr")) == because("mail_person_left", staff="coordinator-fr")
    (message,) = read_maildir(box.root, "new@cochin.example")
    assert message["To"] == "new@cochin.example"
