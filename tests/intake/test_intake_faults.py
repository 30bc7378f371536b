"""Shares that are busy, stale or closed: nothing is lost; it is tried again later and later, told the third time, and
goes on when it is over."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from fault_cases import CALLS, World, codes, is_done
from hypothesis import given
from hypothesis import strategies as st
from intake_cases import H0, H30, Bench, csv_bytes

from scheduler.intake.folder.rooms import Room
from scheduler.intake.folder.troubles import Troubles

WORLD = [errno.EBUSY, errno.EACCES, errno.ESTALE, errno.EIO]


def whole_copies(bench: Bench, content: bytes) -> int:
    """How many files hold the content: one, or two names of one file in the middle of a move."""
    found = {
        path.stat().st_ino
        for room in Room
        for path in (bench.root / room).iterdir()
        if path.read_bytes() == content
    }
    return len(found)


@pytest.mark.parametrize("number", WORLD, ids=errno.errorcode.get)
@pytest.mark.parametrize("call", CALLS)
def test_it_is_tried_again_told_the_third_time_and_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    content = csv_bytes()
    bench.drop("a.csv", content)
    with monkeypatch.context() as patch:
        world = World(patch, CALLS[call], number)
        told = codes(bench, 40)
        asked = world.asked
        assert world.asked < 40  # later and later
        # a file at rest is not opened before it is ours; the other calls are of one step or another
        assert asked >= 3
    closed = "folder.unreadable" if number == errno.EACCES else "folder.trouble"
    assert told
    assert set(told) <= {closed, "folder.unfinished"}
    assert whole_copies(bench, content) == 1
    assert codes(bench, 32) == []  # 300 s at most
    is_done(bench, content)


@pytest.mark.parametrize("number", WORLD, ids=errno.errorcode.get)
def test_a_file_that_cannot_be_looked_at_holds_up_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    class Closed:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name, self.path, self.inode = entry.name, entry.path, entry.inode
            self._entry = entry

        def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
            if self.name == "a.csv":
                raise OSError(number, os.strerror(number))
            return self._entry.stat(follow_symlinks=follow_symlinks)

    real = os.scandir
    bench.drop("a.csv", csv_bytes([H0]))
    bench.drop("b.csv", csv_bytes([H30]))
    bench.look()
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", lambda path: [Closed(entry) for entry in real(path)])
        assert [one.name for one in bench.step().files] == ["b.csv"]
        assert codes(bench, 3) == []  # told already, once
    assert [one.name for _ in range(32) for one in bench.look().files] == ["a.csv"]


@pytest.mark.parametrize("number", WORLD, ids=errno.errorcode.get)
def test_a_share_that_is_away_is_told_once_and_comes_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def away(path: Any) -> Any:
        raise OSError(number, os.strerror(number))

    bench.drop("a.csv", csv_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", away)
        assert codes(bench, 10) == ["folder.away"]
    assert [one.verdict for one in bench.step().files] == ["accepted"]


def test_a_folder_that_cannot_be_made_yet_is_made_later(bench: Bench, tmp_path: Path) -> None:
    bench.root = tmp_path / "share" / "drop"
    (tmp_path / "share").write_text("what is there before it is mounted")
    bench.restart()
    assert codes(bench, 5) == ["folder.away"]
    (tmp_path / "share").unlink()
    bench.look()
    bench.drop("a.csv", csv_bytes())
    assert [one.verdict for one in bench.step().files] == ["accepted"]


def test_a_file_that_is_gone_before_it_is_taken_is_nobodys_trouble(bench: Bench) -> None:
    path = bench.drop("a.csv", csv_bytes())
    for seconds in (0, 20, 40):
        scan = bench.folder.scan(bench.clock.now(), seconds)
    path.unlink()
    assert bench.folder.claim(scan.ready[0]) is None
    assert codes(bench, 10) == []


@given(st.lists(st.floats(0, 1000), min_size=3, max_size=12))
def test_the_delay_grows_to_five_minutes_and_success_forgets(gaps: list[float]) -> None:
    troubles, now, waits = Troubles(), 0.0, []
    for no, gap in enumerate(gaps, 1):
        troubles.note("a", OSError(errno.EBUSY, ""), now)
        wait = min(5.0 * 2 ** (no - 1), 300.0)
        assert troubles.rests("a", now + wait - 0.01)
        assert not troubles.rests("a", now + wait)
        assert list(troubles.lasting()) == ([("a", "EBUSY")] if no >= 3 else [])
        waits.append(wait)
        now += gap
    assert waits == sorted(waits)
    troubles.over("a")
    assert not troubles.rests("a", now)
    assert list(troubles.lasting()) == []
