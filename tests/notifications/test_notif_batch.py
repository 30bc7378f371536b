"""A batch of mails: what is looked at, written, committed and blamed together, and what is not."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import notif_cases as cases
import pytest
from notif_peer import Peer, listening
from notif_way import Way, deliver
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from notifications.delivery.maildir import MaildirTransport
from notifications.delivery.smtp import Security, SmtpServer, SmtpTransport
from notifications.delivery.transport import BeforeData, Parcel
from notifications.outbox.states import Phase, State
from notifications.outbox.verdict import Ending, Outcome
from scheduler.domain.reason import Reason
from scheduler.store.tables import OutboxRow


async def test_what_was_written_long_ago_is_looked_at_again(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    looked: list[str] = []

    def recheck(_session: Session, row: OutboxRow, _now: datetime) -> Reason | None:
        looked.append(row.staff_id)
        return None

    async def slow(parcel: Parcel, before_data: BeforeData) -> Outcome:
        desk.later(minutes=3)
        return await way.keep(parcel, before_data)

    way = Way()
    way.does = [slow]
    assert (await deliver(desk, way, recheck=recheck)).sent == 2
    assert looked == ["coordinator-en", "coordinator-fr", "coordinator-fr"]
    assert len(desk.attempts()) == 2


async def test_urgent_mails_leave_before_the_others_are_written(desk: cases.Study) -> None:
    desk.tell(cases.exposure())
    desk.tell(cases.reminder("h30_due"))
    done: list[str] = []

    def recheck(_session: Session, row: OutboxRow, _now: datetime) -> Reason | None:
        done.append(f"{'urgent' if row.urgent else 'ordinary'} written")
        return None

    async def sent(parcel: Parcel, before_data: BeforeData) -> Outcome:
        done.append("sent")
        return await way.keep(parcel, before_data)

    way = Way()
    way.does = [sent] * 4
    assert (await deliver(desk, way, recheck=recheck)).sent == 4
    assert done == [*["urgent written"] * 2, "sent", "sent", *["ordinary written"] * 2, "sent", "sent"]


@pytest.mark.parametrize("versions", [1, 5])
async def test_a_step_of_so_many_mails_takes_two_commits_more(desk: cases.Study, versions: int) -> None:
    for version in range(1, versions + 1):
        desk.tell(cases.exposure(version=version))
    commits: list[object] = []
    event.listen(desk.db.engine, "commit", commits.append)
    report = await deliver(desk, Way())
    assert len(commits) == report.sent + 2
    commits.clear()
    await deliver(desk, Way())
    assert len(commits) == 1


async def test_a_statement_that_fails_for_one_mail_blocks_no_other(either: cases.Study) -> None:
    either.tell(cases.reminder())

    def recheck(session: Session, row: OutboxRow, _now: datetime) -> Reason | None:
        if row.staff_id == "coordinator-en":
            zoneless = datetime(2026, 3, 2)  # noqa: DTZ001
            session.connection().execute(OutboxRow.__table__.select().where(OutboxRow.sent_at == zoneless))
        return None

    report = await deliver(either, Way(), recheck=recheck)
    assert report.settled == {"failed": 1, "sent": 2}
    assert either.mail("coordinator-fr").state == State.SENT


async def test_what_a_mail_that_fails_had_written_is_not_kept(either: cases.Study) -> None:
    either.tell(cases.reminder())

    def recheck(session: Session, row: OutboxRow, _now: datetime) -> Reason | None:
        if row.staff_id == "coordinator-en":
            session.connection().execute(text("UPDATE staff SET name = 'half'"))
            raise ValueError("poison")
        return None

    await deliver(either, Way(), recheck=recheck)
    names = either.do(
        lambda session: set(session.connection().execute(text("SELECT name FROM staff")).scalars())
    )
    assert "half" not in names
    assert either.mail("coordinator-fr").state == State.SENT


async def test_a_database_that_fails_while_writing_leaves_every_mail_waiting(either: cases.Study) -> None:
    either.tell(cases.reminder())

    def recheck(_session: Session, row: OutboxRow, _now: datetime) -> Reason | None:
        if row.staff_id == "coordinator-fr":
            raise OperationalError("SELECT 1", {}, OSError("disk full"))
        return None

    with pytest.raises(OperationalError):
        await deliver(either, Way(), recheck=recheck)
    assert {row.state for row in either.mails()} == {State.PENDING}
    assert (await deliver(either, Way())).sent == 2


async def test_the_flag_of_an_address_falls_in_the_batch_in_which_it_was_raised(desk: cases.Study) -> None:
    for rule in ("visit_soon", "book_visit"):
        desk.tell(cases.reminder(rule), cases.NOW)
    async with listening(Peer()) as peer:
        peer.on["RCPT"] = ["550 5.1.1 no such user"]
        way = SmtpTransport(SmtpServer("127.0.0.1", peer.port, Security.PLAIN, timeout_s=5))
        report = await deliver(desk, way)
    assert report.settled == {"failed": 1, "sent": 4}
    assert desk.flags() == []
    assert len(desk.flags(is_open=False)) == 1


async def test_after_a_failure_of_the_last_mail_the_next_instant_is_known(desk: cases.Study) -> None:
    desk.tell(cases.exposure())

    async def unreachable(_parcel: Parcel, _before_data: BeforeData) -> Outcome:
        return Outcome(Phase.CONNECT, Ending.UNREACHABLE, text="refused")

    way = Way()
    way.does = [way.keep, unreachable]
    report = await deliver(desk, way)
    assert report.next_due == report.channel.held_until == cases.NOW + timedelta(seconds=30)


async def test_kept_bytes_are_read_only_for_mails_that_have_some(desk: cases.Study, tmp_path: Path) -> None:
    desk.tell(cases.reminder())
    statements: list[str] = []
    event.listen(desk.db.engine, "before_cursor_execute", lambda *of: statements.append(of[2]))
    await deliver(desk, MaildirTransport(tmp_path / "mail"))
    reads = [one for one in statements if one.startswith("SELECT")]
    assert reads != []
    assert [one for one in reads if "outbox.body" in one.replace("outbox.body_sha256", "")] == []
