"""What the program does, as plain steps: the daemon repeats them, a rehearsal plays them on a simulated clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

__all__ = ["DELIVERY", "DIGEST", "HOUSEKEEPING", "INTAKE", "RECONCILE", "Work"]

INTAKE, RECONCILE, DIGEST, DELIVERY, HOUSEKEEPING = (
    "intake",
    "reconcile",
    "digest",
    "delivery",
    "housekeeping",
)


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work. `step` does what is due and returns when it next has something to do, if it knows;
    `wakes` names the work that may have more to do afterwards."""

    name: str
    step: Callable[[datetime], Awaitable[datetime | None]]
    wakes: tuple[str, ...] = ()
