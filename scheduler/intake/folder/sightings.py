"""When a file in the drop folder is at rest: seen unchanged often enough and long enough."""

from __future__ import annotations

import os
from collections.abc import Container
from dataclasses import dataclass

__all__ = ["Identity", "Sightings", "identity_of"]

_SCANS = 3
_ENDLESS_S = 6 * 3600.0


Identity = tuple[int, int, int, int]
"""What changes when a file is written to, replaced, or touched: inode, size, mtime and ctime."""


@dataclass(slots=True)
class _Sighting:
    identity: Identity
    first_seen_s: float
    unchanged_since_s: float
    scans: int = 1


def identity_of(stat: os.stat_result) -> Identity:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


class Sightings:
    """Remembers how each name looked, on a clock that only grows."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._seen: dict[str, _Sighting] = {}

    def settled(self, name: str, identity: Identity, now_s: float) -> bool:
        """Notes a sighting; true when the file has been at rest for three scans and the settling time."""
        seen = self._seen.get(name)
        if seen is None:
            self._seen[name] = _Sighting(identity, now_s, now_s)
            return False
        if seen.identity != identity:
            seen.identity, seen.unchanged_since_s, seen.scans = identity, now_s, 1
            return False
        seen.scans += 1
        return seen.scans >= _SCANS and now_s - seen.unchanged_since_s >= self._settle_s

    def is_endless(self, name: str, now_s: float) -> bool:
        """Whether a file has been changing for hours."""
        seen = self._seen.get(name)
        return seen is not None and now_s - seen.first_seen_s >= _ENDLESS_S

    def keep_only(self, names: Container[str]) -> None:
        """Forgets the files that are gone."""
        if all(name in names for name in self._seen):
            return
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}
