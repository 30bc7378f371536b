"""Many files, and several daemons on one folder."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from config_cases import hospital_config
from intake_cases import H0, Bench, csv_bytes, found_site
from sqlmodel import Session, select

from composition import make_works
from config.settings import load_settings
from main import make_program
from scheduler.clock import SystemClock
from scheduler.domain.facts import Attended, DoseGiven, Enrolled, Formulation, Regimen, Source
from scheduler.engine.recording import record
from scheduler.engine.recording.request import Who
from scheduler.runtime.daemon import run_daemon
from scheduler.runtime.program import Program
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.store.audit import verify
from scheduler.store.database import Database
from scheduler.store.tables import AuditRow, LabFileRow, LabResultVersionRow

HERE = Path(__file__).parent


def files(count: int) -> dict[str, bytes]:
    return {f"{no}.csv": csv_bytes([{**H0, "specimen_id": f"26015-{no:05}"}]) for no in range(count)}


def lying(root: Path) -> int:
    return sum(1 for room in ("in", "work") for path in (root / room).iterdir() if path.is_file())


@pytest.mark.process
def test_two_daemons_on_one_folder_take_each_file_once(postgresql_url: str, tmp_path: Path) -> None:
    """Two processes, one PostgreSQL, one folder; one of them is killed in the middle, and another takes its place."""
    db = Database(postgresql_url)
    found_site(db)
    root, over = tmp_path / "drop", tmp_path / "over"

    def start() -> subprocess.Popen[str]:
        peer = subprocess.Popen(
            [sys.executable, str(HERE / "intake_peer.py"), postgresql_url, str(root), str(over)],
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert peer.stdout is not None
        assert peer.stdout.readline() == "ready\n"
        return peer

    peers = [start(), start()]
    wanted = files(40)
    for no, (name, content) in enumerate(wanted.items()):
        (root / "in" / f".{name}").write_bytes(content)
        (root / "in" / f".{name}").rename(root / "in" / name)
        if no == 20:
            until(lambda: lying(root) < 15)
            peers[0].kill()
            peers.append(start())
    until(lambda: lying(root) == 0 and unfinished(db) == 0)
    over.touch()
    said = [peer.communicate(timeout=60) for peer in peers]
    assert [peer.returncode for peer in peers] == [-9, 0, 0]
    assert all(int(out.splitlines()[-1]) > 0 for out, _ in said[1:])
    assert not any("verdict=failed" in out for out, _ in said)
    assert not any("Traceback" in err for _, err in said)
    rows: list[LabFileRow] = db.transact(lambda session: list(session.exec(select(LabFileRow))))
    assert sorted(one.original_name for one in rows) == sorted(wanted)
    versions = db.transact(lambda session: list(session.exec(select(LabResultVersionRow.specimen))))
    assert len(versions) == len(set(versions)) == 40
    for room, count in (("archive", 40), ("receipts", 80), ("duplicates", 0), ("quarantine", 0)):
        assert len(list((root / room).iterdir())) == count
    recorded = db.transact(
        lambda session: list(session.exec(select(AuditRow).where(AuditRow.action == "lab_file_recorded")))
    )
    assert len(recorded) == 40
    assert db.transact(verify)[2] == []
    db.close()


def unfinished(db: Database) -> int:
    query = select(LabFileRow.id).where(LabFileRow.archived_as == None)  # noqa: E711
    return len(db.transact(lambda session: list(session.exec(query))))


def until(condition: Callable[[], bool]) -> None:
    """Waits, up to a minute."""
    from threading import Event

    pause = Event()
    for _ in range(1200):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("not within a minute")


def test_a_step_takes_a_bounded_number_and_says_that_there_is_more(bench: Bench) -> None:
    for name, content in files(230).items():
        bench.drop(name, content)
    taken = []
    for _ in range(8):
        report = bench.look()
        taken.append(len(report.files))
        left = 230 - sum(taken)
        assert report.waiting == left
        assert report.more == (left if sum(taken) else 0)
    assert [count for count in taken if count] == [100, 100, 30]


async def test_ten_thousand_files_starve_no_reminder(sqlite_url: str, tmp_path: Path) -> None:
    """The whole service on a full folder: a reminder that falls due leaves while nearly all of the files still wait."""
    settings = load_settings(
        database=sqlite_url,
        config=hospital_config(tmp_path / "config"),
        intake={"folder": tmp_path / "drop", "settle_s": 0},
        mail={"maildir": tmp_path / "mail"},
    )
    program = make_program(settings)
    code = subject_code(7)
    reminder_due(program, code)
    works = make_works(program)
    content = csv_bytes([{**H0, "study_id": "ANOTHER"}])
    for no in range(10_000):
        (tmp_path / "drop" / "in" / f"{no}.csv").write_bytes(content.replace(b"00871", b"%05d" % no))
    stop = asyncio.Event()
    running = asyncio.create_task(
        run_daemon(
            program.database,
            works,
            program.clock,
            settings.daemon,
            daily=[],
            every=[("intake", 0.1)],
            stop=stop,
        )
    )

    def mail() -> list[Path]:
        found = (tmp_path / "mail").glob("*/new/*")
        return [path for path in found if code.encode() in path.read_bytes() and b"H30" in path.read_bytes()]

    async def both() -> None:
        while not await asyncio.to_thread(lambda: mail() and taken(tmp_path / "drop")):
            await asyncio.wait({running}, timeout=0.05)
            assert not running.done()

    await asyncio.wait_for(both(), 90)
    assert lying(tmp_path / "drop") > 9_000
    stop.set()
    assert await running == 0
    program.database.close()


def taken(root: Path) -> int:
    return sum(1 for _ in (root / "archive").iterdir())


def reminder_due(program: Program, code: str) -> None:
    """A subject with a dose twenty minutes ago: the mail about H30 is due."""
    who, now = Who("test", Source.CLI), SystemClock().now()
    dose = now - timedelta(minutes=20)
    program.database.transact(lambda session: program.study.sync(session, now))
    baseline = (dose - timedelta(days=182)).date()
    enrolled = Enrolled(baseline, baseline - timedelta(days=60), Regimen(Formulation.MMF, 1000, 12))
    facts: list[Any] = [
        Attended("M6", dose - timedelta(minutes=5)),
        DoseGiven("M6", dose, 1000, Formulation.MMF, 12),
    ]

    def step(session: Session) -> None:
        record.enrol(session, program.study, code, "cochin", enrolled, who, now, program.handle)
        for fact in facts:
            record.record(session, program.study, code, fact, who, now, program.handle)

    program.database.transact(step)
