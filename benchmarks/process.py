"""Runs the real command in a process of its own and reads what the system says of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cost", "command", "cpu_seconds", "resident_mb", "run"]


@dataclass(frozen=True)
class Cost:
    """Wall time, processor time and peak memory of a finished process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def command(*words: str) -> list[str]:
    """The mpa-monitor command beside this interpreter."""
    return [str(Path(sys.executable).parent / "mpa-monitor"), *words]


def run(words: list[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run to the end. Raises when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(words, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}")
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def cpu_seconds(pid: int) -> float:
    """Processor time that a running process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Memory that a running process holds."""
    line = next(
        one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024
