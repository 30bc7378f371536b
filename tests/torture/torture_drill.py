"""T16: a backup is made while the service works and is killed, and restored elsewhere: nothing that it holds is lost,
and nothing that had left by then leaves again."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlmodel import Session, select
from torture_conductor import Conductor, Reaper
from torture_ground import Ground, ended
from torture_oracle import contents, examine, sound
from torture_result import Result
from torture_script import SCRIPT, A, B, moved
from torture_stage import Stage

from scheduler.store import audit
from scheduler.store.audit_chain import Head
from scheduler.store.tables import OutboxRow

__all__ = ["drills"]

_STEPS = SCRIPT[:3]
_AMONG = 4  # moves of an appointment between which the backup is made


@dataclass
class _Saved:
    """A backup: where it is, and the end of the audit trail in it."""

    path: Path
    head: Head


@dataclass
class _Lived:
    """The study from which a backup was made, at its end: until when it lived, its facts, and the mails that left."""

    until: datetime
    facts: list[tuple[Any, ...]]
    left: set[str]


def drills(ground: Ground, kind: str, times: int, seed: int = 1, kills: int = 6) -> Result:
    """So many backups under load, each restored into an empty place."""
    result, random = Result("T16", "backup under load and kills, restored elsewhere", kind), Random(seed)
    for turn in range(times):
        with ground.stage(kind) as stage:
            saved, reaper = _saved_under_load(stage, random, kills, ground.home / f"saved-{kind}-{turn}")
            found = examine(stage)
            result.broken += [
                *found.broken,
                *stage.db.read(lambda session, head=saved.head: _bears(session, head)),
            ]
            lived = _Lived(stage.clock.now(), contents(stage)["fact"], {one["id"] for one in stage.peer.kept})
            result.mails, result.duplicates = result.mails + found.mails, result.duplicates + found.duplicates
            result.doubtful += found.doubtful
        result.runs, result.disturbed = result.runs + 1, result.disturbed + reaper.kills
        _restored(ground, saved, lived, result)
    return result


def _saved_under_load(stage: Stage, random: Random, kills: int, out: Path) -> tuple[_Saved, Reaper]:
    """The script's first days under kills; between two moves of an appointment a backup."""
    reaper = Reaper(kills, random, len(_STEPS))
    with ended(Conductor(stage, reaper=reaper)) as conductor:
        stage.peer.answer_after(0.02)
        conductor.play(_STEPS[:2])
        number, saved = random.randrange(_AMONG), None
        for turn in range(_AMONG):
            stage.do(*(moved(subject, turn) for subject in (A, B)), tick=conductor.tick)
            if turn == number:
                saved = _save(stage, out, conductor)
        reaper.step = len(_STEPS) - 1
        conductor.perform(_STEPS[2])
        conductor.end()
    assert saved is not None
    return saved, reaper


def _save(stage: Stage, out: Path, conductor: Conductor) -> _Saved:
    stage.do(["backup", "--out", str(out)], tick=conductor.tick)
    said = json.loads((out / "manifest.json").read_text("utf-8"))["audit"]
    return _Saved(out, Head(said["rows"], said["head"]))


def _bears(session: Session, head: Head) -> list[str]:
    """What is wrong when the living study's audit trail does not go on from the one that was saved."""
    return [
        f"the saved trail is not the living one's: {one.problem}"
        for one in audit.anchor_problems(session, [head])
    ]


def _restored(ground: Ground, saved: _Saved, lived: _Lived, result: Result) -> None:
    """Made again in an empty place, and lived on there."""
    with ground.stage("sqlite", begun=False) as stage:
        stage.clock.pass_until(lived.until + timedelta(hours=1))
        began = time.monotonic()
        stage.do(["restore", str(saved.path)], ["init"])
        result.longest_s = max(result.longest_s, time.monotonic() - began)
        sent = stage.db.read(_sent)
        with ended(Conductor(stage)) as conductor:
            conductor.settle()
            conductor.end()
        result.broken += [f"after the restore: {one}" for one in _objections(stage, saved, lived, sent)]
        result.duplicates += len({one["id"] for one in stage.peer.kept} & (lived.left - sent))


def _sent(session: Session) -> set[str]:
    return set(session.exec(select(OutboxRow.message_id).where(OutboxRow.state == "sent")))


def _objections(stage: Stage, saved: _Saved, lived: _Lived, sent: set[str]) -> Iterator[str]:
    yield from sound(stage)
    yield from stage.db.read(lambda session: _bears(session, saved.head))
    yield from (f"{one['id']} left again" for one in stage.peer.kept if one["id"] in sent)
    more = Counter(map(repr, contents(stage)["fact"])) - Counter(map(repr, lived.facts))
    yield from (f"a fact that nobody recorded: {one}" for one in more)
