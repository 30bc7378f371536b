"""What keeps the machine's clock right, as the kernel sees it: read only, on Linux; elsewhere it is not known."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["TimeSource", "time_source"]

_UNSYNCHRONISED = 0x0040  # STA_UNSYNC of <linux/timex.h>
_NANOSECONDS = 0x2000  # STA_NANO
_ERROR_STATE = 5  # TIME_ERROR
_COUNTER = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


@dataclass(frozen=True, slots=True)
class TimeSource:
    """The kernel's clock: the counter that it runs on, and whether a time service keeps it right. None: not known."""

    counter: str | None = None
    synchronised: bool | None = None
    offset_us: int | None = None
    largest_error_us: int | None = None
    estimated_error_us: int | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class _Timex(ctypes.Structure):
    """`struct timex` of <sys/timex.h>; what follows the fields that are read is room for the kernel to write in."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_byte * 256),
    )  # fmt: skip


def time_source() -> TimeSource:
    """The state of the kernel's clock now."""
    if not sys.platform.startswith("linux"):
        return TimeSource()
    try:
        counter = _COUNTER.read_text("ascii").strip()
    except (OSError, ValueError):
        counter = None
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return TimeSource(counter)
    state = _Timex()  # modes = 0: nothing is set
    answer = adjtimex(ctypes.byref(state))
    if answer < 0:
        return TimeSource(counter)
    synchronised = answer != _ERROR_STATE and not state.status & _UNSYNCHRONISED
    offset_us = round(state.offset / 1000) if state.status & _NANOSECONDS else state.offset
    return TimeSource(counter, synchronised, offset_us, state.maxerror, state.esterror)
