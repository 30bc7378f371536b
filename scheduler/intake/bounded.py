"""Reads a file within bounds of processor time and memory, for a command that has nothing else to do meanwhile.

The size of a file and the numbers of its lines, rows and entries are limits that every reader has; this is the net
below them. A workbook has a process of its own with its own limits.
"""

from __future__ import annotations

import gc
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from scheduler.domain.reason import because
from scheduler.intake.arrival import Arrival
from scheduler.intake.ingest import read_arrival
from scheduler.intake.readers import Fault, Reading
from scheduler.intake.study import IntakeStudy

__all__ = ["Bounds", "read_bounded"]

_PAGES = Path("/proc/self/statm")
_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading one file may cost, beyond what the program holds already."""

    cpu_s: float = 5.0
    memory: int = 340_000_000


class TooCostlyError(BaseException):
    """Not an Exception, so that no reader takes it for a fault of its own."""


def read_bounded(arrival: Arrival, study: IntakeStudy, bounds: Bounds) -> Reading | Fault:
    """What a file says, or that it costs too much to find out."""
    try:
        with _limited(bounds):
            return read_arrival(arrival, study)
    except (TooCostlyError, MemoryError):
        return Fault(because("F-13.cost"))


@contextmanager
def _limited(bounds: Bounds) -> Iterator[None]:
    """Limits what follows; without effect in a thread, where no signal arrives."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, space = signal.signal(signal.SIGPROF, _too_costly), resource.getrlimit(resource.RLIMIT_AS)
    collects = gc.isenabled()
    try:
        _limit_memory(bounds.memory, space)
        # what is raised in the garbage collector or a destructor is lost: the one rests, after the other it comes again
        gc.disable()
        signal.setitimer(signal.ITIMER_PROF, bounds.cpu_s, _AGAIN_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        if collects:
            gc.enable()
        resource.setrlimit(resource.RLIMIT_AS, space)
        signal.signal(signal.SIGPROF, before)


def _limit_memory(memory: int, space: tuple[int, int]) -> None:
    with suppress(
        OSError, ValueError
    ):  # a system that does not say what is in use has the limit of time only
        most = int(_PAGES.read_text().split()[0]) * resource.getpagesize() + memory
        if space[0] == resource.RLIM_INFINITY or most < space[0]:
            resource.setrlimit(resource.RLIMIT_AS, (most, space[1]))


def _too_costly(_number: int, _frame: FrameType | None) -> None:
    raise TooCostlyError
