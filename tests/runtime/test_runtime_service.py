"""The one loop: it works, breathes, waits, counts failures and gives up; and the alarm that wakes it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from time import monotonic
from zoneinfo import ZoneInfo

import pytest

from scheduler.clock import SystemClock
from scheduler.domain.reason import because
from scheduler.runtime.alarm import Alarm
from scheduler.runtime.service import Service, ServiceFailedError, run_service
from scheduler.store.database import DiskFailedError

CLOCK = SystemClock()


class Beats:
    """What a service says of itself, and an event at each."""

    def __init__(self) -> None:
        self.said: list[tuple[int, str]] = []
        self._new = asyncio.Event()

    async def beat(self, service: str, now: datetime, failures: int, detail: str) -> None:
        self.said.append((failures, detail))
        self._new.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.said) < count:
                self._new.clear()
                await self._new.wait()


def started(
    step: object, alarm: Alarm, beats: Beats, stop: asyncio.Event, **limits: float
) -> asyncio.Task[None]:
    wanted = {"longest_wait_s": 30.0, "give_up": 3, **limits}
    service = Service("work", step)  # type: ignore[arg-type]
    return asyncio.create_task(run_service(service, CLOCK, alarm, beats.beat, stop, **wanted))  # type: ignore[arg-type]


async def test_a_ring_ends_the_wait_at_once_and_a_stop_too() -> None:
    alarm, beats, stop = Alarm(), Beats(), asyncio.Event()

    async def step(now: datetime) -> None:
        return None

    task = started(step, alarm, beats, stop)
    await beats.until(1)
    began = monotonic()
    alarm.ring("work")
    await beats.until(2)
    stop.set()
    await asyncio.wait_for(task, 5)
    assert monotonic() - began < 5  # and not the 30 s of the longest wait


async def test_a_ring_during_a_step_is_not_lost() -> None:
    alarm, beats, stop = Alarm(), Beats(), asyncio.Event()

    async def step(now: datetime) -> None:
        if not beats.said:
            alarm.ring("work")

    task = started(step, alarm, beats, stop)
    await beats.until(2)
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_no_wait_is_longer_than_the_longest() -> None:
    alarm, beats, stop = Alarm(), Beats(), asyncio.Event()

    async def step(now: datetime) -> None:
        return None

    task = started(step, alarm, beats, stop, longest_wait_s=0.02)
    await beats.until(3)
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_it_wakes_at_the_instant_the_step_asked_for() -> None:
    alarm, beats, stop = Alarm(), Beats(), asyncio.Event()
    turns: list[datetime] = []

    async def step(now: datetime) -> datetime:
        turns.append(now)
        return now + timedelta(milliseconds=200)

    alarm.start()
    task = started(step, alarm, beats, stop)
    await beats.until(3)
    stop.set()
    await asyncio.wait_for(task, 5)
    alarm.stop()
    assert all(
        timedelta(milliseconds=200) <= after - before < timedelta(seconds=5)
        for before, after in pairwise(turns)
    )


async def test_failures_are_counted_said_and_forgotten_when_it_works_again() -> None:
    alarm, beats, stop = Alarm(), Beats(), asyncio.Event()
    turns = iter([ValueError("1"), ValueError("2"), None, ValueError("3"), None])

    async def step(now: datetime) -> datetime | None:
        error = next(turns, None)
        if error is not None:
            raise error
        alarm.ring("work")
        return None

    task = started(step, alarm, beats, stop, longest_wait_s=0.01)
    await beats.until(5)
    stop.set()
    await asyncio.wait_for(task, 5)
    assert [failures for failures, _ in beats.said][:5] == [1, 2, 0, 1, 0]
    assert beats.said[0] == (1, "ValueError")


async def test_it_gives_up_at_once_when_the_disk_of_the_database_failed() -> None:
    calls = []

    async def step(now: datetime) -> None:
        calls.append(now)
        raise DiskFailedError(because("store_disk_failed_before", path_id="study.db"))

    task = started(step, Alarm(), Beats(), asyncio.Event())
    with pytest.raises(ServiceFailedError):
        await asyncio.wait_for(task, 5)
    assert len(calls) == 1


async def test_it_gives_up_after_so_many_failures_in_a_row() -> None:
    alarm, beats, stop = Alarm(), Beats(), asyncio.Event()

    async def step(now: datetime) -> None:
        raise OSError("disk full")

    with pytest.raises(ServiceFailedError, match="3 times in a row: disk full"):
        await asyncio.wait_for(started(step, alarm, beats, stop, longest_wait_s=0.01), 5)
    assert beats.said == [(1, "OSError"), (2, "OSError")]


async def test_the_pause_after_a_failure_grows_and_no_ring_shortens_it() -> None:
    alarm, beats, stop = Alarm(), Beats(), asyncio.Event()
    turns: list[float] = []

    async def step(now: datetime) -> None:
        turns.append(monotonic())
        alarm.ring("work")
        raise OSError("x")

    with pytest.raises(ServiceFailedError):
        await asyncio.wait_for(started(step, alarm, beats, stop), 10)
    assert turns[1] - turns[0] >= 1.0
    assert turns[2] - turns[1] >= 2.0


async def test_a_heartbeat_that_cannot_be_written_counts_as_a_failure() -> None:
    async def step(now: datetime) -> None:
        return None

    async def beat(*_: object) -> None:
        raise OSError("disk full")

    service = Service("work", step)
    with pytest.raises(ServiceFailedError):
        await asyncio.wait_for(
            run_service(
                service, CLOCK, Alarm(), beat, asyncio.Event(), longest_wait_s=0.01, give_up=3
            ),
            5,
        )  # fmt: skip


# --- the alarm --------------------------------------------------------------------------------------------------


async def rings(alarm: Alarm, name: str, within_s: float = 5) -> bool:
    try:
        await asyncio.wait_for(alarm.event(name).wait(), within_s)
    except TimeoutError:
        return False
    return True


async def test_the_alarm_rings_at_an_instant_and_at_one_that_has_passed() -> None:
    alarm = Alarm()
    alarm.start()
    alarm.at("soon", datetime.now(UTC) + timedelta(milliseconds=100))
    alarm.at("late", datetime.now(UTC) - timedelta(days=3))
    assert await rings(alarm, "soon")
    assert await rings(alarm, "late")  # however late: never dropped
    alarm.stop()


async def test_a_new_instant_replaces_the_one_asked_for_before() -> None:
    alarm = Alarm()
    alarm.start()
    alarm.at("work", datetime.now(UTC) + timedelta(milliseconds=150))
    alarm.at("work", datetime.now(UTC) + timedelta(hours=1))
    assert not await rings(alarm, "work", 0.5)
    alarm.stop()


async def test_the_alarm_rings_at_an_interval_and_at_a_local_time() -> None:
    alarm = Alarm()
    alarm.start()
    alarm.every("poll", 0.1)
    for _ in range(2):
        assert await rings(alarm, "poll")
        alarm.event("poll").clear()
    paris = ZoneInfo("Europe/Paris")
    alarm.daily("digest", time(7, 30), paris)
    jobs = {job.id: job.next_run_time for job in alarm._scheduler.get_jobs()}
    local = jobs["daily:digest:Europe/Paris:0730"].astimezone(paris)
    assert (local.hour, local.minute) == (7, 30)
    alarm.stop()


async def test_the_alarm_keeps_nothing_when_it_is_stopped() -> None:
    alarm = Alarm()
    alarm.start()
    alarm.at("work", datetime.now(UTC) + timedelta(hours=1))
    assert [type(store).__name__ for store in alarm._scheduler._jobstores.values()] == ["MemoryJobStore"]
    alarm.stop()
    again = Alarm()
    again.start()
    assert again._scheduler.get_jobs() == []
    again.stop()
