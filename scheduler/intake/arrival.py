"""A file as it came, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from scheduler.domain.reason import Reason

__all__ = ["Arrival"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One that was not read has a `fault` instead of `content`."""

    name: str
    size: int
    sha256: str
    content: bytes | None
    fault: Reason | None = None

    @classmethod
    def of(cls, name: str, content: bytes, fault: Reason | None = None) -> Arrival:
        return cls(name, len(content), sha256(content).hexdigest(), content, fault)
