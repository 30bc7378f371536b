"""The short campaign of faults: one of each kind. The whole one is `make torture`, with docs/reliability.md."""

from __future__ import annotations

import pytest
import torture_strace
from torture_clockwork import clock_steps, frozen, late_alarm
from torture_database import busy_neighbour, disk_full, locked_sqlite, server_faults, why_no_mount
from torture_ground import Ground
from torture_parts import at_failpoints, smtp_faults
from torture_points import POINTS, arm
from torture_result import Result

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

traced = pytest.mark.skipif(torture_strace.why_not() is not None, reason=str(torture_strace.why_not()))


def holds(*results: Result) -> None:
    for one in results:
        assert one.broken == [], one.what
        assert one.disturbed > 0, one.what


@pytest.mark.parametrize("point", POINTS)
def test_every_named_point_is_there(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that was renamed would make its failpoint vanish unseen."""
    arm(point, "delay", nth=1_000_000, put=monkeypatch.setattr)


@pytest.mark.parametrize(
    "point", ["after mails are claimed", "after mail is handed over", "before file is recorded"]
)
def test_killed_at_a_named_point_it_goes_on_where_it_was(ground: Ground, point: str) -> None:
    holds(*at_failpoints(ground, points=[point], actions=["kill"]))


def test_a_mail_server_that_loses_its_answer_costs_one_copy_that_is_marked(ground: Ground) -> None:
    (found,) = smtp_faults(ground, phases=["dot"], kinds=["lost"])
    holds(found)
    assert (found.duplicates, found.doubtful) == (1, 1)


@traced
def test_nothing_is_told_before_the_disk_has_it(ground: Ground) -> None:
    assert torture_strace.unsynced(ground) == []


@traced
def test_killed_at_a_write_it_ends_as_always(ground: Ground) -> None:
    holds(*torture_strace.kills_at_calls(ground, ["linkat"], at_most=1))


def test_a_neighbour_that_writes_all_the_time_makes_nothing_fail(ground: Ground) -> None:
    assert busy_neighbour(ground) == []


def test_a_locked_database_is_waited_for(ground: Ground) -> None:
    holds(locked_sqlite(ground, 2))


def test_a_full_disk_is_survived(ground: Ground) -> None:
    if reason := why_no_mount(ground.home):
        pytest.skip(reason)
    holds(disk_full(ground, [0]))


def test_sessions_that_end_are_begun_again(ground: Ground) -> None:
    holds(*server_faults(ground, 1, kinds=["sessions terminated"]))


def test_a_frozen_sender_writes_nothing_when_it_wakes(ground: Ground) -> None:
    found = frozen(ground)
    holds(found)
    assert (found.duplicates, found.doubtful) == (1, 1)


def test_mail_is_held_while_the_clock_is_implausible(ground: Ground) -> None:
    holds(clock_steps(ground, [-7200.0]))


def test_an_alarm_found_late_still_rings(ground: Ground) -> None:
    assert late_alarm(ground) == []
