"""T12: three daemons share a PostgreSQL database; every two seconds one of them is killed or frozen for a while."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from sqlmodel import func, select
from torture_conductor import Conductor
from torture_ground import Ground, ended
from torture_oracle import examine
from torture_result import Result
from torture_script import SCRIPT, A, B, moved
from torture_stage import Daemon

from scheduler.store.tables import DeliveryRow

__all__ = ["crowd"]

_EVERY_S = 2.0
_FROZEN_S = (0.5, 5.0)


@dataclass
class _Trouble:
    """Kills or freezes one daemon every two seconds, and thaws those that were frozen."""

    random: Random
    conductor: Conductor | None = None
    frozen: dict[int, tuple[Daemon, float]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    last: float = field(default_factory=time.monotonic)

    def __call__(self) -> None:
        now = time.monotonic()
        for pid, (daemon, until) in list(self.frozen.items()):
            if now >= until:
                daemon.signal(signal.SIGCONT)
                del self.frozen[pid]
        if self.conductor is None or now - self.last < _EVERY_S:
            return
        self.last = now
        able = [one for one in self.conductor.alive if one.pid not in self.frozen]
        if not able:
            return
        victim = self.random.choice(able)
        if self.random.random() < 0.5:
            victim.signal(signal.SIGKILL)
            self.done["killed"] += 1
        else:
            victim.signal(signal.SIGSTOP)
            self.frozen[victim.pid] = victim, now + self.random.uniform(*_FROZEN_S)
            self.done["frozen"] += 1

    def ends(self) -> None:
        for daemon, _ in self.frozen.values():
            daemon.signal(signal.SIGCONT)
        self.frozen.clear()
        self.conductor = None


def crowd(ground: Ground, seconds: float, seed: int, now: Callable[[], float] = time.monotonic) -> Result:
    """So many seconds of appointments and laboratory files under trouble, then rest."""
    result = Result("T12", "three daemons, one killed or frozen every 2 s", "postgresql", runs=1)
    trouble = _Trouble(Random(seed))
    with ground.stage("postgresql", MPA_MAIL__PER_RECIPIENT_PER_HOUR="100000") as stage:
        conductor = Conductor(stage, daemons=3, meanwhile=trouble, patience_s=180)
        with ended(conductor):
            for step in SCRIPT[:2]:
                conductor.perform(step)
            stage.peer.answer_after(0.02)
            trouble.conductor, until, number = conductor, now() + seconds, 0
            while now() < until:
                stage.do(
                    *(moved(subject, number + turn) for turn in range(5) for subject in (A, B)),
                    tick=conductor.tick,
                )
                stage.drop(f"note {number}.csv", f"rien;a;lire;{number}\r\n".encode())
                number += 5
            trouble.ends()
            conductor.settle()
            conductor.end()
        found = examine(stage)
        result.broken = list(found.broken)
        attempts = stage.db.read(lambda session: session.exec(select(func.count(DeliveryRow.id))).one())
    result.disturbed = sum(trouble.done.values())
    result.mails, result.duplicates, result.doubtful = found.mails, found.duplicates, found.doubtful
    result.to_a_person = conductor.seen["left to a person"]
    result.notes = [
        f"{trouble.done['killed']} kills, {trouble.done['frozen']} freezes in {seconds:g} s; {attempts} attempts, "
        f"{found.files} files; seed {seed}"
    ]
    if found.duplicates > result.disturbed:
        result.broken.append(f"{found.duplicates} duplicates after {result.disturbed} disturbances")
    return result
