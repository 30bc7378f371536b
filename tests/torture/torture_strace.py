"""T3b SIGKILL at every write-class system call of one life, T9 EIO at every sync of it, and the order of its writes.

The calls are found, not listed: an undisturbed life is traced first. strace counts a call for each thread apart, so
that n goes up to the largest count of any thread.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from acceptance_cases import wait_until
from torture_conductor import Conductor
from torture_ground import Ground, ended
from torture_result import Result
from torture_stage import Daemon, Stage

__all__ = ["WRITES", "kills_at_calls", "sync_errors", "unsynced", "why_not"]

WRITES = (
    "pwrite64", "write", "fdatasync", "fsync", "ftruncate", "rename", "link", "linkat", "unlink", "chmod", "mkdir",
    "sendto",
)  # fmt: skip
SYNCS = ("fdatasync", "fsync")
_LINE = re.compile(r"(\d+) +(\w+)\((.*)")
_WAL = re.compile(r"\d+<[^>]*-wal>")


def why_not() -> str | None:
    """Why system calls cannot be tampered with here, if they cannot."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"strace may not trace: {tried.stderr.strip()[:100]}" if tried.returncode else None


def kills_at_calls(
    ground: Ground, calls: Sequence[str] = WRITES, at_most: int | None = None
) -> Iterator[Result]:
    """A life killed at the n-th call of each kind, for every n, and the lives that follow it; `at_most` of a kind."""
    counts = _counts(_traced(ground))
    for call in calls:
        highest = max((count for (_, name), count in counts.items() if name == call), default=0)
        result = Result("T3b", f"SIGKILL at {call}, n of {highest}", "sqlite")
        for n in _spread(highest, at_most):
            _disturb(ground, result, f"inject={call}:signal=KILL:when={n}", f"{call} {n}", call)
        if highest:
            yield result


def sync_errors(ground: Ground, at_most: int | None = None) -> Iterator[Result]:
    """EIO at the n-th sync, for every n: the life ends, the next one recovers."""
    counts = _counts(_traced(ground))
    for call in SYNCS:
        highest = max((count for (_, name), count in counts.items() if name == call), default=0)
        result = Result("T9", f"EIO at {call}, n of {highest}", "sqlite")
        for n in _spread(highest, at_most):
            _disturb(ground, result, f"inject={call}:error=EIO:when={n}", f"{call} {n}", call)
        if highest:
            yield result


def unsynced(ground: Ground) -> list[str]:
    """What a life tells the world, or goes on to, before the disk has what it committed."""
    dirty, found = dict[str, str](), []
    for thread, call, arguments in _calls(_traced(ground)):
        if call == "pwrite64" and _WAL.match(arguments):
            dirty[thread] = arguments[:80]
        elif call in SYNCS and _WAL.match(arguments):
            dirty.pop(thread, None)
        elif thread in dirty:
            found.append(f"{call}({arguments[:60]}) before the sync of {dirty.pop(thread)}")
    return found


def _spread(highest: int, at_most: int | None) -> list[int]:
    if at_most is None or highest <= at_most:
        return list(range(1, highest + 1))
    return sorted({1 + round(i * (highest - 1) / max(at_most - 1, 1)) for i in range(at_most)})


def _traced(ground: Ground) -> str:
    """The write-class calls of an undisturbed life."""
    with ground.scene() as stage, _life(stage, "") as (conductor, log):
        conductor.settle()
        conductor.end()
        return log.read_text("utf-8", "replace")


def _calls(log: str) -> Iterator[tuple[str, str, str]]:
    for line in log.splitlines():
        found = _LINE.match(line)
        if found is not None:
            yield found.group(1), found.group(2), found.group(3)


def _counts(log: str) -> Counter[tuple[str, str]]:
    return Counter((thread, call) for thread, call, _ in _calls(log))


def _disturb(ground: Ground, result: Result, inject: str, what: str, call: str) -> None:
    with ground.scene() as stage, _life(stage, inject) as (conductor, log):
        conductor.settle()
        conductor.end()
        ground.judge(result, conductor, what)
        if conductor.seen["ended -9"] == 0 and "(INJECTED)" not in log.read_text("utf-8", "replace"):
            result.disturbed -= 1  # the call was not reached this time


@contextmanager
def _life(stage: Stage, inject: str) -> Iterator[tuple[Conductor, Path]]:
    """A conductor whose first daemon is traced; the others are not."""
    log, tracers = stage.home / "strace", list[subprocess.Popen[bytes]]()

    def begin() -> Daemon:
        if tracers:
            return stage.start()
        daemon = stage.start(halted=True)
        wait_until(lambda: _state(daemon.pid, "State")[0] == "T", 20, "the life is halted")
        options = ["-e", inject] if inject else []
        tracers.append(subprocess.Popen([
            "strace", "-f", "-y", "-s", "0", "-qq", "-o", str(log), "-p", str(daemon.pid),
            "-e", f"trace={','.join(WRITES)}", "-e", "signal=none", *options,
        ]))  # fmt: skip
        wait_until(lambda: _state(daemon.pid, "TracerPid") != "0", 20, "the life is traced")
        daemon.signal(signal.SIGCONT)
        return daemon

    try:
        with ended(Conductor(stage, begin=begin)) as conductor:
            yield conductor, log
    finally:
        for tracer in tracers:
            tracer.wait(20)


def _state(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))
