"""Hints that a file was dropped: they come at once where the system gives them, and are missed nowhere."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from config.settings import DaemonSettings
from scheduler.clock import SystemClock
from scheduler.runtime.daemon import run_daemon
from scheduler.runtime.watch import watch_folder
from scheduler.runtime.work import Work
from scheduler.store.database import Database


async def drop_until(rung: asyncio.Event, folder: Path) -> None:
    """Drops files until the bell rings: the first may come before the watch does."""
    async with asyncio.timeout(30):
        for number in range(1000):
            (folder / f"{number}.csv").write_bytes(b"x")
            try:
                await asyncio.wait_for(rung.wait(), 1)
            except TimeoutError:
                continue
            return


async def test_a_dropped_file_rings_also_in_a_sub_folder_made_later(tmp_path: Path) -> None:
    rung, stop = asyncio.Event(), asyncio.Event()
    watching = asyncio.create_task(watch_folder(tmp_path, rung.set, stop))
    await drop_until(rung, tmp_path)
    (tmp_path / "lyon").mkdir()
    rung.clear()
    await drop_until(rung, tmp_path / "lyon")
    stop.set()
    async with asyncio.timeout(20):
        await watching


async def test_a_folder_that_cannot_be_watched_costs_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await watch_folder(tmp_path / "missing", lambda: None, asyncio.Event())
    assert "".join(capsys.readouterr()).count("folder_not_watched") == 1


async def run(db: Database, watched: Path, longest_wait_s: float, turns: list[datetime], enough: int) -> int:
    """The daemon with one work, until it had `enough` turns; files are dropped meanwhile."""
    stop, turned = asyncio.Event(), asyncio.Event()

    async def step(now: datetime) -> None:
        turns.append(now)
        turned.set()
        if len(turns) >= enough:
            stop.set()

    settings = DaemonSettings(longest_wait_s=longest_wait_s, stop_within_s=5)
    running = asyncio.create_task(
        run_daemon(
            db, [Work("intake", step)], SystemClock(), settings, daily=[], every=[],
            watched=[("intake", watched)], stop=stop,
        )
    )  # fmt: skip
    async with asyncio.timeout(60):
        await turned.wait()
        if longest_wait_s > 1:
            await drop_until(stop, watched)
        return await running


async def test_the_daemon_looks_at_once_instead_of_at_the_end_of_its_wait(
    sqlite_db: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    turns: list[datetime] = []
    assert await run(sqlite_db, folder, 30, turns, enough=2) == 0
    assert (turns[1] - turns[0]).total_seconds() < 29


async def test_without_hints_the_daemon_goes_on_looking(sqlite_db: Database, tmp_path: Path) -> None:
    turns: list[datetime] = []
    assert await run(sqlite_db, tmp_path / "missing", 0.05, turns, enough=3) == 0
    assert len(turns) >= 3
