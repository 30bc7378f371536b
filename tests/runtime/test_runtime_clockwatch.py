"""Whether the wall clock is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.runtime.clockwatch import ClockWatch

NOON = datetime(2025, 9, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clocks:
    """A wall clock and a monotonic one that can go apart."""

    def __init__(self) -> None:
        self.wall, self.steady = NOON, 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def pass_time(self, elapsed: timedelta, jump: timedelta = timedelta(0)) -> None:
        self.wall += elapsed + jump
        self.steady += elapsed.total_seconds()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_time_that_passes_is_believed_however_long_it_takes(clocks: Clocks) -> None:
    watch = ClockWatch(clocks, NOON)
    for elapsed in (MINUTE, timedelta(hours=9), timedelta(days=90)):
        clocks.pass_time(elapsed)
        assert watch.look() is None


@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(hours=-2), timedelta(days=400)])
def test_a_jump_either_way_holds_until_the_clock_is_back(clocks: Clocks, jump: timedelta) -> None:
    watch = ClockWatch(clocks, NOON)
    clocks.pass_time(MINUTE, jump)
    held = watch.look()
    assert held == f"the clock jumped by {round(jump.total_seconds() / 60)} min"
    clocks.pass_time(MINUTE)
    assert watch.look() == held
    clocks.pass_time(MINUTE, -jump)
    assert watch.look() is None


@pytest.mark.parametrize("minutes", [14, -14])
def test_a_small_correction_of_the_clock_is_believed(clocks: Clocks, minutes: int) -> None:
    watch = ClockWatch(clocks, NOON - timedelta(days=1))
    clocks.pass_time(MINUTE, minutes * MINUTE)
    assert watch.look() is None


def test_a_person_can_say_that_the_new_time_is_right(clocks: Clocks) -> None:
    watch = ClockWatch(clocks, NOON)
    clocks.pass_time(MINUTE, timedelta(hours=5))
    assert watch.look() is not None
    watch.confirm()
    clocks.pass_time(MINUTE)
    assert watch.look() is None
    assert watch.drift() == timedelta(0)


@pytest.mark.parametrize(
    ("newest", "believed"),
    [
        (None, True),
        (NOON, True),
        (NOON + timedelta(seconds=59), True),
        (NOON + timedelta(minutes=2), False),
        (NOON - timedelta(days=44), True),
        (NOON - timedelta(days=46), False),
    ],
)
def test_a_clock_far_from_the_last_record_is_not_believed_at_the_start(
    clocks: Clocks, newest: datetime | None, believed: bool
) -> None:
    watch = ClockWatch(clocks, newest)
    assert (watch.look() is None) == believed
    clocks.pass_time(timedelta(hours=1))
    assert (watch.look() is None) == believed  # only a person can settle it
    watch.confirm()
    assert watch.look() is None
