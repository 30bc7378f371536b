"""T14: one daemon works without a pause: appointments are moved and files dropped all the time. What it holds in memory
and how many files it has open must not grow."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from torture_conductor import Conductor
from torture_ground import Ground, ended
from torture_oracle import examine
from torture_result import Result
from torture_script import SCRIPT, A, B, moved

__all__ = ["soak"]

_EVERY_S = 2.0
_GROWS = 1.05


def soak(ground: Ground, seconds: float) -> Result:
    """So many seconds of work; the second half's memory beside the first's, after a tenth to warm up."""
    result = Result("T14", "one daemon at work without a pause", "sqlite", runs=1)
    with (
        ground.stage("sqlite", MPA_MAIL__PER_RECIPIENT_PER_HOUR="100000") as stage,
        ended(Conductor(stage, patience_s=180)) as conductor,
    ):
        for step in SCRIPT[:2]:
            conductor.perform(step)
        (pid,) = [daemon.pid for daemon in conductor.alive]
        began, seen, number = time.monotonic(), list[tuple[float, float, int]](), 0
        while time.monotonic() < began + seconds:
            stage.do(
                *(moved(subject, number + turn) for turn in range(5) for subject in (A, B)),
                tick=conductor.tick,
            )
            stage.drop(f"note {number}.csv", f"rien;a;lire;{number}\r\n".encode())
            number += 5
            if not seen or time.monotonic() - seen[-1][0] > _EVERY_S:
                seen.append((time.monotonic(), *_held(pid)))
        conductor.settle()
        conductor.end()
        found = examine(stage)
        result.broken = list(found.broken)
    result.mails, result.duplicates, result.doubtful = found.mails, found.duplicates, found.doubtful
    _judge(result, seen[len(seen) // 10 :], found.files, seconds)
    return result


def _held(pid: int) -> tuple[float, int]:
    """Megabytes in memory, and open files."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) / 1000, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _judge(result: Result, seen: list[tuple[float, float, int]], files: int, seconds: float) -> None:
    half = len(seen) // 2
    first, second = seen[:half], seen[half:]
    memory = [median(one[1] for one in part) for part in (first, second)]
    opened = [max(one[2] for one in part) for part in (first, second)]
    result.notes.append(
        f"{seconds:g} s, {files} files; memory in the first half {memory[0]:.0f} MB, then {memory[1]:.0f} MB; "
        f"open files at most {opened[0]} and {opened[1]}"
    )
    if memory[1] > _GROWS * memory[0]:
        result.broken.append(f"memory grew from {memory[0]:.0f} to {memory[1]:.0f} MB")
    if opened[1] > opened[0] + 5:
        result.broken.append(f"open files grew from {opened[0]} to {opened[1]}")
