"""The crash and fault campaign: `make torture`, or `make torture PARTS="kills-sqlite smtp"`.

Each part adds lines to tests/torture/data/results.jsonl, which is kept; docs/reliability.md is written from it.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import torture_strace
from torture_bugs import seeded_bugs
from torture_clockwork import IMPLAUSIBLE_S, PLAUSIBLE_S, asleep, clock_steps, frozen, late_alarm
from torture_crowd import crowd
from torture_database import (
    busy_neighbour,
    disk_full,
    locked_postgresql,
    locked_sqlite,
    server_faults,
    why_no_mount,
)
from torture_drill import drills
from torture_ground import Ground
from torture_kills import random_kills
from torture_model import model
from torture_mutants import mutants
from torture_outage import day_without_mail
from torture_parts import at_failpoints, smtp_faults
from torture_points import POINTS
from torture_power import power_cuts, why_no_disk
from torture_report import write_report
from torture_result import Result, read_results
from torture_script import DROPS
from torture_seeds import in_tens
from torture_soak import soak

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE / "data" / "results.jsonl"
KILLS_A_PLAY = 50
Part = Callable[[Ground, int], Iterator[Result]]


def kills_on(kind: str) -> Part:
    def part(ground: Ground, amount: int) -> Iterator[Result]:
        done, seed = 0, int(time.time())
        while done < amount:
            result = random_kills(ground, kind, min(KILLS_A_PLAY, amount - done + 10), seed)
            result.notes.append(f"seed {seed}")
            done, seed = done + result.disturbed, seed + 1
            yield result

    return part


def drops(ground: Ground, amount: int) -> Iterator[Result]:
    done, seed = 0, int(time.time())
    while done < amount:
        result = random_kills(ground, "sqlite", min(KILLS_A_PLAY, amount - done + 10), seed, DROPS, "T13")
        result.notes.append(f"seed {seed}")
        done, seed = done + result.disturbed, seed + 1
        yield result


def at_calls(ground: Ground, amount: int) -> Iterator[Result]:
    """`amount` of each kind of call at most."""
    if reason := torture_strace.why_not():
        yield Result("T3b", "SIGKILL at write-class system calls", "sqlite", skipped=[reason])
        return
    yield Result("T3b", "every commit is synced before anything follows", "sqlite", runs=1,
                 broken=torture_strace.unsynced(ground))  # fmt: skip
    yield from torture_strace.kills_at_calls(ground, at_most=amount)


def sync_errors(ground: Ground, amount: int) -> Iterator[Result]:
    if reason := torture_strace.why_not():
        yield Result("T9", "EIO at syncs", "sqlite", skipped=[reason])
        return
    yield from torture_strace.sync_errors(ground, at_most=amount)


def locks(ground: Ground, amount: int) -> Iterator[Result]:
    """`amount` of 15 s, and one of a whole minute, on each database."""
    for lock in (locked_sqlite, locked_postgresql):
        yield lock(ground, 60, 1)
        yield lock(ground, 15, amount)
    yield Result("T6", "a neighbour that writes all the time", "sqlite", runs=1, disturbed=1,
                 broken=busy_neighbour(ground))  # fmt: skip


def full_disk(ground: Ground, amount: int) -> Iterator[Result]:
    if reason := why_no_mount(ground.home):
        yield Result("T7", "disk full", "sqlite", skipped=[reason])
        return
    for _ in range(amount):
        yield disk_full(ground)


def clocks(ground: Ground, amount: int) -> Iterator[Result]:
    yield clock_steps(ground, PLAUSIBLE_S, amount)
    yield clock_steps(ground, IMPLAUSIBLE_S, amount)
    yield asleep(ground, [0.05, 1.0, 4.0] * amount)  # of one day: the next one has other mails
    yield Result("T11", "held across an alarm", "sqlite", runs=1, disturbed=1, broken=late_alarm(ground))


def frozen_ones(ground: Ground, amount: int) -> Iterator[Result]:
    points = [
        one for one in POINTS if "installation" not in one and "clock" not in one and "study" not in one
    ]
    for point in points[:amount]:
        yield frozen(ground, point)


def power(ground: Ground, amount: int) -> Iterator[Result]:
    if reason := why_no_disk(ground.home):
        yield Result("T8", "power cut", "sqlite", skipped=[reason])
        return
    seed = int(time.time())
    for done in range(0, amount, 10):
        yield power_cuts(ground, min(10, amount - done), seed + done)


def restores(ground: Ground, amount: int) -> Iterator[Result]:
    for kind in ("sqlite", "postgresql"):
        yield drills(ground, kind, amount, seed=int(time.time()))


def zones() -> Result:
    """The changes of clocks, by their own test."""
    changes = len((HERE / "data" / "transitions.csv").read_text("ascii").splitlines()) - 1
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "test_torture_zones.py")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    what = "changes of clocks, against the table of another program (glibc's zdump)"
    return Result("T10", what, runs=changes, broken=[done.stdout[-500:]] if done.returncode else [])


PARTS: dict[str, tuple[Part, int]] = {
    "kills-sqlite": (kills_on("sqlite"), 500),
    "kills-postgresql": (kills_on("postgresql"), 500),
    "drops": (drops, 200),
    "smtp": (lambda ground, amount: smtp_faults(ground, times=amount), 1),
    "points": (lambda ground, _: at_failpoints(ground), 0),
    "points-postgresql": (lambda ground, _: at_failpoints(ground, "postgresql", actions=["kill"]), 0),
    "calls": (at_calls, 10_000),
    "sync-errors": (sync_errors, 10_000),
    "locks": (locks, 5),
    "server": (lambda ground, amount: server_faults(ground, amount, seed=int(time.time())), 25),
    "disk": (full_disk, 2),
    "clock": (clocks, 3),
    "crowd": (lambda ground, amount: iter([crowd(ground, amount, int(time.time()))]), 1800),
    "frozen": (frozen_ones, 100),
    "zones": (lambda ground, _: iter([zones()]), 0),
    "model": (lambda ground, amount: iter([model(amount, steps=50)]), 10_000),
    "seeds": (in_tens, 300),
    "outage": (lambda ground, amount: iter([day_without_mail(ground, amount, latency_s=0.02)]), 10_000),
    "power": (power, 200),
    "soak": (lambda ground, amount: iter([soak(ground, amount)]), 3600),
    "restores": (restores, 10),
    "mutants": (lambda ground, amount: iter([mutants(ground.home, amount)]), 10_000),
    "bugs": (lambda ground, _: seeded_bugs(ground.home), 0),
}


def product_commit() -> str:
    """The commit that last changed what is tested."""
    packages = ["config", "pk", "scheduler", "notifications", "templates", "main.py", "composition.py"]
    said = subprocess.run(
        ["git", "log", "-1", "--format=%h", "--", *packages],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.strip()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("parts", nargs="*", metavar="PART", help="all when none is named")
    arguments.add_argument("--amount", type=int, help="instead of the part's own")
    arguments.add_argument(
        "--report", action="store_true", help="only write docs/reliability.md from what was run"
    )
    asked = arguments.parse_args()
    commit = product_commit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is running is cleared away
    bad = 0
    for name in [] if asked.report else asked.parts or PARTS:
        part, amount = PARTS[name]
        with tempfile.TemporaryDirectory(prefix="mpa-torture-") as folder:
            ground = Ground.at(Path(folder) / "ground")
            began = time.monotonic()
            try:
                for result in part(ground, asked.amount if asked.amount is not None else amount):
                    result.seconds, began = time.monotonic() - began, time.monotonic()
                    result.at, result.commit = f"{datetime.now(UTC):%Y-%m-%d %H:%M}", commit
                    result.append_to(RESULTS)
                    bad += bool(result.broken)
                    print(f"{name}: {result.disturbed} disturbances, {result.mails} mails, "
                          f"{result.duplicates} duplicates, {result.seconds:.0f} s", *result.broken, *result.skipped,
                          sep="\n  ", flush=True)  # fmt: skip
            except Exception:  # noqa: BLE001
                bad += 1
                traceback.print_exc()
            finally:
                ground.close()
    if asked.report or not asked.parts:
        write_report(read_results(RESULTS), ROOT / "docs" / "reliability.md")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
