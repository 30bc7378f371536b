"""The stories of README and docs/daily-use.md are lived: every command in its order, on its day."""

from __future__ import annotations

import asyncio
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from docs_cases import DOCS, ROOT, blocks, commands_in, prose
from typer.testing import CliRunner

import composition
import main
from config.settings import Settings, load_settings
from scheduler.clock import ManualClock
from scheduler.runtime.program import Program
from scheduler.runtime.rehearsal.labfile import LabRow, lab_file

PARIS = ZoneInfo("Europe/Paris")
STORY = "## A subject's first weeks\n"
# From when on: the first command that begins so is typed then, and what follows until the next of them.
DAYS = {
    "eligibility check": "2026-11-20 08:00",
    "enrol": "2026-11-20 09:30",
    "book": "2026-12-01 10:00",
    "attend MPA-0042-7 W6": "2027-01-04 12:00",
    "attend MPA-0001-3 W6": "2027-01-04 12:00",
    "explain MPA-0001-3": "2027-01-05 09:00",
    "auc MPA-0042-7": "2027-01-06 15:00",
    "lab held": "2027-01-06 15:00",
}
RESULTS_COME = ("auc MPA-0042-7", "lab held")
make_program = main.make_program


@dataclass
class Story:
    """The program over a database of its own; the laboratory's file comes before results are first looked at."""

    home: Path
    results: bytes
    clock: ManualClock = field(default_factory=lambda: ManualClock(_paris("2026-11-20 07:00")))

    def program(self, settings: Settings) -> Program:
        made = make_program(settings)
        made.clock = self.clock
        return made

    def tell(self, commands: Sequence[Sequence[str]]) -> dict[str, str]:
        """Type every command on its day; each must end well. What each said last, by its first word."""
        said = {}
        for words in commands:
            line = " ".join(words)
            for beginning, day in DAYS.items():
                if line.startswith(beginning) and _paris(day) > self.clock.now():
                    self.clock.move_to(_paris(day))
                    if beginning in RESULTS_COME:
                        self.receive()
            done = CliRunner().invoke(main.app, list(words), catch_exceptions=False)
            assert done.exit_code == 0, (words, done.output)
            said[words[0]] = done.output
        return said

    def receive(self) -> None:
        """The laboratory drops its file, and the service works until it has come to rest and been read."""
        (self.home / "lab" / "in" / "results.csv").write_bytes(self.results)
        program = self.program(load_settings())

        async def works() -> None:
            for work in composition.make_works(program):
                for _ in range(4):
                    await work.step(self.clock.now())

        asyncio.run(works())
        program.database.close()


def _paris(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=PARIS)


def _row(subject: str, point: str, tube: str, minutes: int, value: str, unit: str = "mg/L") -> LabRow:
    taken, validated = _paris("2027-01-04 08:25") + timedelta(minutes=minutes), _paris("2027-01-06 14:25")
    return LabRow("MPA-AUC", subject, "V2", point, tube, taken, validated, value, f"R-{tube}", unit)


WHOLE = [
    _row("MPA-0042-7", "H0", "27004-00311-1", -10, "1.85"),
    _row("MPA-0042-7", "H30", "27004-00311-2", 31, "14.20"),
    _row("MPA-0042-7", "H2", "27004-00311-3", 119, "6.40"),
]
IN_DOUBT = [
    _row("MPA-0001-3", "H0", "27004-00411-1", -10, "1.85"),
    _row("MPA-0001-3", "H2", "27004-00411-3", 119, "6.40", unit=""),
]


@pytest.fixture
def story(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    (tmp_path / "lab" / "in").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPA_DATABASE", f"sqlite:///{tmp_path / 'study.db'}")
    monkeypatch.setenv("MPA_INTAKE__FOLDER", str(tmp_path / "lab"))
    monkeypatch.setenv("MPA_INTAKE__SETTLE_S", "0")
    monkeypatch.setenv("MPA_MAIL__MAILDIR", str(tmp_path / "mail"))
    made = Story(tmp_path, lab_file(request.param, PARIS))
    monkeypatch.setattr(main, "make_program", made.program)
    made.tell([["init"]])
    return made


def _commands(text: str) -> list[list[str]]:
    """The calls of the program in the console blocks of a text."""
    return [
        words[1:]
        for block in blocks(text, "console")
        for line in re.findall(r"^\$ (.+)$", block, re.MULTILINE)
        for words in commands_in(line)
    ]


@pytest.mark.parametrize("story", [WHOLE], indirect=True, ids=[""])
def test_the_story_of_the_readme_ends_well(story: Story) -> None:
    text = (ROOT / "README.md").read_text("utf-8").partition(STORY)[2].partition("\n## ")[0]
    commands = _commands(text)
    assert len(commands) > 15
    said = story.tell(commands)
    assert "Pawinski 2002" in said["auc"]
    with Path("exposures.csv").open(encoding="utf-8", newline="") as file:
        assert [row["subject"] for row in csv.DictReader(file)] == ["MPA-0042-7"]
    assert Path("data.xml").read_bytes().startswith(b"<?xml")
    assert {one.name for one in Path("report").iterdir()} == {"target.html", "target.json"}
    assert list(Path("lab/receipts").glob("results.csv.*.receipt.csv"))


@pytest.mark.parametrize("story", [IN_DOUBT], indirect=True, ids=[""])
def test_the_story_of_daily_use_ends_well(story: Story) -> None:
    page = DOCS / "daily-use.md"
    text = page.read_text("utf-8")
    for name, kind in (("answers.toml", "toml"), ("subjects.csv", "csv")):
        assert f"`{name}`" in prose(text)
        Path(name).write_text(blocks(text, kind)[0], "utf-8")
    commands = _commands(text)
    assert len(commands) > 25
    said = story.tell(commands)
    assert "eligible; arms: skin arm" in said["eligibility"]
    assert "MPA-0003-7" in said["board"] and "MPA-0004-5" in said["board"]
