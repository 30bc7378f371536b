"""A batch: what is committed together, and what is left when the program dies in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import notif_cases as cases
import pytest
from notif_peer import Peer, listening
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from notifications import attempts
from notifications.delivery import DeliveryReport, delivery_step
from notifications.maildir import MaildirTransport
from notifications.smtp import Security, SmtpServer, SmtpTransport
from notifications.states import Phase, State
from notifications.transport import BeforeData, Burst, Parcel
from notifications.verdict import Ending, Outcome
from scheduler.domain.reason import Reason
from scheduler.store.tables import OutboxRow

OK = Outcome(Phase.REPLIED, Ending.REPLIED, 250, "2.0.0 OK")
LOST = Outcome(Phase.DATA, Ending.LOST)


class PowerCutError(RuntimeError):
    """The program is dead from here on."""


class Way:
    """A way out that does with its mails, one after the other, what it is told; then it sends."""

    def __init__(self, *does: Callable[[Parcel, BeforeData], Any]) -> None:
        self.does = list(does)
        self.sent: list[Parcel] = []

    @asynccontextmanager
    async def burst(self) -> AsyncIterator[Burst]:
        yield self

    async def send(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        does = self.does.pop(0) if self.does else self.keep
        found = await does(parcel, before_data)
        assert isinstance(found, Outcome)
        return found

    async def keep(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        if not await before_data():
            return Outcome(Phase.RCPT, Ending.ABANDONED)
        self.sent.append(parcel)
        return OK


async def dies_before_data(_parcel: Parcel, _before_data: BeforeData) -> Outcome:
    raise PowerCutError


async def loses_the_answer(_parcel: Parcel, before_data: BeforeData) -> Outcome:
    assert await before_data()
    return LOST


async def deliver(desk: cases.Study, way: Any, everyone: bool = False, **changes: Any) -> DeliveryReport:
    return await delivery_step(desk.db, way, desk.clock, cases.room(**changes), None, everyone)


async def killed(desk: cases.Study, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that ends like a power cut: nothing is cleaned up."""

    def dead(*_: object) -> int:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(attempts, "release", dead)
        with pytest.raises(PowerCutError):
            await deliver(desk, way)


def second(desk: cases.Study) -> OutboxRow:
    return desk.mails()[1]


# --- killed between the joint commit and the next DATA --------------------------------------------------------


async def test_the_result_of_a_mail_stands_before_the_next_one_begins(either: cases.Study) -> None:
    either.tell(cases.reminder())
    seen: list[list[str]] = []

    async def looks(parcel: Parcel, before_data: BeforeData) -> Outcome:
        seen.append([row.state for row in either.mails()])
        assert await before_data()
        return OK

    way = Way(looks, looks)
    await deliver(either, way)
    assert seen == [["leased", "leased"], ["sent", "leased"]]


async def test_one_whose_handing_over_was_only_intended_is_sent_with_the_same_bytes(
    either: cases.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    either.tell(cases.reminder())
    way = Way()
    way.does = [way.keep, dies_before_data]
    await killed(either, way, monkeypatch)
    assert [row.state for row in either.mails()] == [State.SENT, State.LEASED]
    before = second(either)
    (attempt,) = either.attempts(before.id)
    assert (attempt.phase, attempt.finished_at) == (Phase.DATA, None)
    await deliver(either, way, everyone=True)
    assert (second(either).state, second(either).uncertain) == (State.RETRY, True)
    either.later(minutes=15)
    assert (await deliver(either, way)).sent == 1
    assert (second(either).state, second(either).body) == (State.SENT, before.body)
    assert [one.message_id for one in way.sent].count(before.message_id) == 1
    assert way.sent[-1].body == before.body


async def test_one_in_doubt_is_not_intended_early_so_that_a_stop_does_not_end_it(
    desk: cases.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tell(cases.reminder())
    way = Way()
    way.does = [way.keep, loses_the_answer]
    await deliver(desk, way)
    assert second(desk).uncertain
    desk.later(minutes=15)
    desk.tell(cases.exposure(), desk.clock.now() - timedelta(hours=1))  # these leave before it
    way.does = [way.keep, way.keep, dies_before_data]
    await killed(desk, way, monkeypatch)
    assert second(desk).state == State.LEASED
    await deliver(desk, way, everyone=True)
    assert second(desk).state == State.SENT


async def test_a_cancelled_step_takes_the_intention_back(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    reached = asyncio.Event()

    async def hangs(_parcel: Parcel, _before_data: BeforeData) -> Outcome:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    way = Way()
    way.does = [way.keep, hangs]
    task = asyncio.create_task(deliver(desk, way))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (second(desk).state, second(desk).uncertain) == (State.PENDING, False)
    assert (await deliver(desk, way)).sent == 1
    assert len(way.sent) == 2


async def test_an_intention_that_is_old_is_made_anew_and_lasts_for_data(desk: cases.Study) -> None:
    desk.tell(cases.reminder())

    async def slow(_parcel: Parcel, before_data: BeforeData) -> Outcome:
        now = desk.later(minutes=4)
        assert await before_data()
        assert second(desk).lease_until == now + attempts.DATA_LEASE
        return OK

    way = Way()
    way.does = [way.keep, slow]
    assert (await deliver(desk, way)).sent == 2
    assert len(desk.attempts(second(desk).id)) == 1


async def test_a_lease_that_was_lost_meanwhile_hands_nothing_over(desk: cases.Study) -> None:
    desk.tell(cases.reminder())

    async def taken_by_another(parcel: Parcel, before_data: BeforeData) -> Outcome:
        row = second(desk)
        steal = text("UPDATE outbox SET lease_token = 'another' WHERE id = :id")
        desk.do(lambda session: session.connection().execute(steal, {"id": row.id}))
        desk.later(minutes=2)
        return await way.keep(parcel, before_data)

    way = Way()
    way.does = [way.keep, taken_by_another]
    report = await deliver(desk, way)
    assert report.settled == {"sent": 1, "abandoned": 1}
    assert len(way.sent) == 1
    assert second(desk).lease_token == "another"


# --- one batch, many mails ------------------------------------------------------------------------------------


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
            session.connection().execute(OutboxRow.__table__.select().where(OutboxRow.sent_at == zoneless))  # type: ignore[attr-defined]
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
