"""Where a step can die between its commits, and what is left then."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import notif_cases as cases
import pytest
from notif_way import OK, Way, deliver
from sqlalchemy import text

from notifications.delivery.transport import BeforeData, Parcel
from notifications.outbox import attempts
from notifications.outbox.states import Phase, State
from notifications.outbox.verdict import Ending, Outcome
from scheduler.store.tables import OutboxRow

LOST = Outcome(Phase.DATA, Ending.LOST)


class PowerCutError(RuntimeError):
    """The program is dead from here on."""


async def dies_before_data(_parcel: Parcel, _before_data: BeforeData) -> Outcome:
    raise PowerCutError


async def loses_the_answer(_parcel: Parcel, before_data: BeforeData) -> Outcome:
    assert await before_data()
    return LOST


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
