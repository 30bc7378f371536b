"""T2: ninety days of a rehearsal from many seeds, on a simulated clock: deaths at commits, answers that are lost."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlmodel import Session, select
from torture_ground import Ground
from torture_oracle import contents_of, differences, mails_of
from torture_result import Result
from torture_within import Killed, Mortal, Post

import composition
import main
from config.settings import load_settings
from scheduler.engine.reconcile import rebuild
from scheduler.runtime.cli.rehearse import prepare, rehearsal_of
from scheduler.runtime.program import Program
from scheduler.runtime.rehearsal.cast import FIRST_DAY
from scheduler.store import audit
from scheduler.store.tables import DeliveryRow, OutboxRow, SubjectRow

__all__ = ["seeds"]

_SUBJECTS, _SCRIPTS = 2, 5
_LOSES = 0.04  # of the answers to mails
_LATER = ("cancelled", "expired", "uncertain")
Contents = dict[str, list[tuple[Any, ...]]]
_WHOLE: dict[tuple[int, int], Contents] = {}


class _Careless(Post):
    """Now and then loses an answer, or the process dies at it."""

    def __init__(self, db: Mortal, random: Random | None) -> None:
        super().__init__(db)
        self._random, self._share = random or Random(), _LOSES

    def calm(self) -> None:
        self._share = 0.0

    async def send(self, parcel: Any, before_data: Any) -> Any:
        if self._random.random() < self._share:
            self.coming = [self._random.choice(("lost", "kept and lost", "killed", "kept and killed"))]
        return await super().send(parcel, before_data)


@dataclass
class _Course:
    """What a seed came to."""

    contents: Contents
    broken: list[str] = field(default_factory=list)
    deaths: int = 0
    mails: int = 0
    twice: int = 0
    doubtful: int = 0


def seeds(ground: Ground, numbers: Sequence[int], days: int = 90, deaths: int = 12) -> Result:
    """Each seed's days with so many deaths, compared with the same days undisturbed."""
    result = Result("T2", f"{days} simulated days, deaths at commits, lost answers", "sqlite")
    for number in numbers:
        script = number % _SCRIPTS
        if (script, days) not in _WHOLE:
            _WHOLE[script, days] = _course(ground, script, days, None, 0).contents
        found = _course(ground, script, days, Random(number), deaths)
        said = [*found.broken, *_differences(_WHOLE[script, days], found, result)]
        result.broken += [f"seed {number}: {one}" for one in said]
        result.runs, result.disturbed = result.runs + 1, result.disturbed + found.deaths
        result.mails, result.duplicates = result.mails + found.mails, result.duplicates + found.twice
        result.doubtful += found.doubtful
    return result


def _differences(whole: Contents, found: _Course, result: Result) -> list[str]:
    """A mail that was held up by a death or a lost answer may have lost its sense meanwhile: then it did not leave, or
    not again, and that is on record (`mails_of` has compared it with what arrived). All else must be the same."""
    late = {row[1] for row in found.contents["outbox"] if row[4] in _LATER}
    excused = [row for row in whole["outbox"] if row[1] in late and row[4] == "sent"]
    result.late += len(excused)
    keys = {row[1] for row in excused}
    same = {
        name: [row for row in rows if name != "outbox" or row[1] not in keys] for name, rows in whole.items()
    }
    other = {
        name: [row for row in rows if name != "outbox" or row[1] not in keys]
        for name, rows in found.contents.items()
    }
    return differences(same, other)


def in_tens(ground: Ground, amount: int) -> Iterator[Result]:
    """`seeds`, told of after every ten."""
    for first in range(1, amount + 1, 10):
        yield seeds(ground, range(first, min(first + 10, amount + 1)))


def _course(ground: Ground, script: int, days: int, random: Random | None, wanted: int) -> _Course:
    """These days from a seed, with so many deaths; undisturbed without one."""
    with tempfile.TemporaryDirectory(dir=ground.home) as folder:
        settings = load_settings(config=ground.config)
        program = prepare(main.make_program(settings), Path(folder) / "out", _SUBJECTS, script, resume=False)
        program.database.close()
        with closing(Mortal(program.settings.database)) as db:
            post, deaths = _Careless(db, random), 0
            while True:
                if random is not None and deaths < wanted:
                    db.doom(random.randint(1, 1 + 4 * days // 3), after=random.random() < 0.5)
                else:
                    post.calm()
                try:
                    now = _life(program, db, post, script, days)
                    break
                except Killed:
                    deaths += 1
                    db.live()
            found = _judged(program, db, post, now)
            found.deaths = deaths
            return found


def _life(program: Program, db: Mortal, post: Post, script: int, days: int) -> datetime:
    """From where the last life stopped to the end; the instant reached."""
    program.__dict__ |= {"database": db, "bare_database": db}
    with _posted(post):
        rehearsal = rehearsal_of(program, _SUBJECTS, script)
    rehearsal.end = datetime.combine(FIRST_DAY + timedelta(days=days), time(12), tzinfo=UTC)
    asyncio.run(rehearsal.play())
    return rehearsal.clock.now()


@contextmanager
def _posted(post: Post) -> Iterator[None]:
    """Mails go to this one."""
    before = composition.make_transport
    composition.make_transport = lambda *_, **__: post  # type: ignore[assignment]
    try:
        yield
    finally:
        composition.make_transport = before


def _judged(program: Program, db: Mortal, post: Post, now: datetime) -> _Course:
    rows, tried = db.read(_mails)
    found = _Course(contents_of(db), list(mails_of(rows, tried, post.kept, now)))
    found.broken += [f"I7 {one.problem}" for one in db.read(audit.verify)[2]]
    with Session(db.engine) as session:  # taken back at its end
        for row in session.exec(select(SubjectRow)).all():
            found.broken += [f"I6 {row.code}: {one}" for one in rebuild(session, program.study, row, now)]
    found.mails = len({one["id"] for one in post.kept})
    found.twice = len(post.kept) - found.mails
    found.doubtful = sum(row.uncertain for row in rows)
    return found


def _mails(session: Session) -> tuple[list[OutboxRow], list[DeliveryRow]]:
    return list(session.exec(select(OutboxRow))), list(session.exec(select(DeliveryRow)))
