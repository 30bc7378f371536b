"""The process may be killed anywhere: started again, the database and the folder end up the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from intake_cases import H0, H2, H30, csv_bytes, enrol, found_site
from sqlmodel import Session, select

from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.store.audit import verify
from scheduler.store.database import Database
from scheduler.store.tables import AuditRow, FlagRow, LabFileRow, LabResultVersionRow

GOOD, HELD, CUT = csv_bytes(), csv_bytes([H0, {**H30, "unit": ""}, H2]), csv_bytes()[:-30]


MARKED = {"a.csv": GOOD, "a.csv.ok": f"{sha256(GOOD).hexdigest()};{len(GOOD)}".encode()}


BROKEN_PROMISE = {"a.csv": GOOD, "a.csv.ok": b"0" * 64 + b";1"}


@dataclass(frozen=True)
class Case:
    """What is dropped, what was taken before, and whether every folder is a disk of its own."""

    dropped: dict[str, bytes]
    before: dict[str, bytes] = field(default_factory=dict)
    two_disks: bool = False


CASES = {
    "accepted": Case({"a.csv": GOOD}),
    "held": Case({"a.csv": HELD}),
    "quarantined": Case({"a.csv": CUT}),
    "with its marker": Case(MARKED),
    "duplicate": Case({"b.csv": GOOD}, {"a.csv": GOOD}),
    "broken promise, two disks": Case(BROKEN_PROMISE, two_disks=True),
    "duplicate, two disks": Case({"b.csv": GOOD}, {"a.csv": GOOD}, two_disks=True),
}


# What every life of such a file must pass: the points at which it is killed are found, not listed.
PASSES = {
    "accepted": [
        "rename in/file work/file", "read work/file", "commit", "os.link work/file archive/file", "os.remove work/file",
        "create receipts/.receipt.csv.tmp", "create receipts/.receipt.json.tmp", "commit", "end",
    ],
    "quarantined": ["os.link work/file quarantine/file", "create quarantine/.reason.txt.tmp"],
    "with its marker": ["create work/.expected.tmp", "os.remove in/.ok", "os.remove work/.expected"],
    "duplicate": ["create receipts/.receipt.csv.tmp", "os.link work/file duplicates/file", "os.remove work/file"],
    "broken promise, two disks": [
        "os.rename in/file in/.claimed", "create work/file.tmp", "os.remove in/.claimed", "create quarantine/file.tmp",
        "os.remove work/file",
    ],
}  # fmt: skip


class Mortal:
    """Lives of the intake over one folder and one database."""

    def __init__(self, process: subprocess.Popen[str], place: Path, case: Case) -> None:
        self._process, self.place, self._case, self._lives = process, place, case, 0

    @property
    def root(self) -> Path:
        return self.place / "drop"

    def live(self, die_at: int | None = None) -> tuple[int, list[str]]:
        """One life: how it ended, and what it did."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._lives += 1
        points = self.place / "points"
        order = {
            "root": str(self.root), "url": f"sqlite:///{self.place / 'study.db'}", "die_at": die_at,
            "two_disks": self._case.two_disks, "seconds": 1000 * self._lives, "points": str(points),
        }  # fmt: skip
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())["code"], points.read_text().splitlines()

    def state(self) -> dict[str, Any]:
        """What is on record and in the folders, without what depends on the hour."""
        db = Database(f"sqlite:///{self.place / 'study.db'}", writer_thread=False)

        def look(session: Session) -> dict[str, Any]:
            files = list(session.exec(select(LabFileRow)))
            for file in files:
                assert file.archived_as is not None
                assert (self.root / file.archived_as).is_file()
            count, _, breaks = verify(session)
            assert breaks == []
            assert count == len(list(session.exec(select(AuditRow))))
            return {
                "files": [(one.original_name, one.sha256, one.verdict, one.code) for one in files],
                "versions": sorted(
                    (one.row_no, one.state, one.timepoint, one.conc_mg_l or "")
                    for one in session.exec(select(LabResultVersionRow))
                ),
                "flags": sorted(one.key for one in session.exec(select(FlagRow))),
                "audit": [one.action for one in session.exec(select(AuditRow))],
            }

        found: dict[str, Any] = db.transact(look)
        db.close()
        found["folders"] = Counter(
            (
                path.parent.name,
                path.name if path.parent.name == "receipts" else path.name[16:],
                path.stat().st_mode & 0o777,
                path.stat().st_nlink,
                "" if path.parent.name == "receipts" else sha256(path.read_bytes()).hexdigest(),
            )
            for path in self.root.rglob("*")
            if path.is_file()
        )
        return found


@pytest.fixture(scope="module")
def mortal_process() -> Iterator[subprocess.Popen[str]]:
    here = Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, str(here / "intake_mortal.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parents[1])])},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    assert json.loads(process.stdout.readline()) == {"ready": True}
    yield process
    process.stdin.close()
    process.stdout.close()
    assert process.wait(30) == 0


@pytest.mark.process
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", CASES)
def test_killed_at_any_point_and_started_again_it_ends_the_same(
    mortal_process: subprocess.Popen[str], sqlite_template: Path, tmp_path: Path, name: str
) -> None:
    """Killed before each thing it does to the world, killed there again in its second life, then let live twice."""
    case = CASES[name]
    start = tmp_path / "start"
    start.mkdir()
    shutil.copy(sqlite_template, start / "study.db")
    db = Database(f"sqlite:///{start / 'study.db'}", writer_thread=False)
    found_site(db)
    enrol(db)
    db.close()

    def begin(no: int) -> Mortal:
        place = tmp_path / str(no)
        shutil.copytree(start, place)
        return Mortal(mortal_process, place, case)

    DropFolder(start / "drop")
    for dropped in (case.before, case.dropped):
        for file, content in dropped.items():
            (start / "drop" / "in" / file).write_bytes(content)
        if dropped is case.before and dropped:
            assert Mortal(mortal_process, start, case).live()[0] == 0
    undisturbed = begin(0)
    code, points = undisturbed.live()
    assert code == 0
    expected = undisturbed.state()
    for passed in PASSES.get(name, ["end"]):
        assert any(passed in point for point in points), passed
    assert len(points) >= 15
    for die_at in range(len(points)):
        mortal = begin(die_at + 1)
        assert mortal.live(die_at)[0] == -signal.SIGKILL
        assert mortal.live(die_at)[0] in (0, -signal.SIGKILL)
        for _ in range(2):
            assert mortal.live()[0] == 0
            assert mortal.state() == expected, f"killed before: {points[die_at]} (point {die_at})"
        shutil.rmtree(mortal.place)
