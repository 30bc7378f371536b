"""Who asks for something to be recorded, and what came of it; a refusal is `scheduler.domain.reason.RefusedError`."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.domain.facts import Source
from scheduler.domain.reason import Reason

__all__ = ["Done", "Who"]


@dataclass(frozen=True, slots=True)
class Who:
    """Who records, and by which door."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Done:
    """What was recorded, under which number, and what deserves a second look."""

    subject: str
    number: int
    warnings: tuple[Reason, ...]
