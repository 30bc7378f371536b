"""Where the files of a laboratory are, and what is said of them while they are moved."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from scheduler.domain.reason import Reason
from scheduler.whole_files import PRIVATE, SHARED, write_whole

__all__ = [
    "MAX_BYTES", "ON_ITS_WAY", "Alert", "Claimed", "Limits", "Ready", "Room", "Rooms", "Scan",
    "as_claimed", "own_name", "promise_of", "work_name",
]  # fmt: skip

MAX_BYTES = 5_000_000
ON_ITS_WAY = re.compile(r"\.([0-9a-f]{16}_.+)\.claimed", re.DOTALL)
"""The name of a file in `in/` that was taken and is still to be copied from there: the one that it gets."""


class Room(StrEnum):
    """The folders below the root."""

    IN = "in"
    WORK = "work"
    ARCHIVE = "archive"
    QUARANTINE = "quarantine"
    RECEIPTS = "receipts"
    DUPLICATES = "duplicates"


_PER_LABORATORY = (Room.IN, Room.WORK, Room.RECEIPTS)
_FOR_LABORATORIES = (Room.IN, Room.RECEIPTS)  # the others are the service's own


@dataclass(frozen=True, slots=True)
class Limits:
    settle_s: float = 30.0
    max_bytes: int = MAX_BYTES
    min_free_bytes: int = 500_000_000
    min_free_share: float = 0.05  # of the disk
    per_scan: int = 100


@dataclass(frozen=True, slots=True)
class Alert:
    """Something about the folder that a person should know; told once while it lasts."""

    name: str
    reason: Reason


@dataclass(slots=True)  # not frozen: ten thousand of them are made in one look
class Ready:
    """A file at rest, under the name it was given; `expected` is the hash that its marker promises."""

    name: str
    marker: str | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file that is ours: nobody else looks into the work folder. `name`, safe to show, is the one that it came under,
    and `at` when it was taken."""

    path: Path
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Scan:
    """`waiting` files are not taken yet; `more` of them only because there are so many."""

    ready: tuple[Ready, ...]
    waiting: int
    alerts: tuple[Alert, ...]
    more: int = 0


class Rooms:
    """The rooms below `root`. A laboratory may have a `box`, a sub-folder of its own in `in/`, `work/` and `receipts/`.

    Archive, quarantine and duplicates are common: only the service sees them, their names cannot collide, and the row
    of a file says whose it is.
    """

    def __init__(self, root: Path, box: str) -> None:
        self.root, self.box = root, box
        self._are_there = self._are_tidy = False

    def at(self, room: Room) -> Path:
        """Where a room is for this laboratory."""
        return self.root / room / self.box if room in _PER_LABORATORY else self.root / room

    def prepare(self) -> None:
        """Makes the rooms, once. Raises OSError."""
        if self._are_there:
            return
        for room in Room:
            for folder in dict.fromkeys((self.root / room, self.at(room))):
                folder.mkdir(parents=True, exist_ok=True, mode=0o750 if room in _FOR_LABORATORIES else 0o700)
                if room not in _FOR_LABORATORIES:
                    with suppress(OSError):  # the rights of a share may not be ours to give
                        folder.chmod(0o700)
        self._are_there = True

    def tidy(self) -> None:
        """Removes what an interrupted writing left, once, while nobody else writes. Raises OSError."""
        if self._are_tidy:
            return
        for leftover in self.at(Room.RECEIPTS).glob("*.tmp"):
            leftover.unlink(missing_ok=True)
        lying = (ON_ITS_WAY.fullmatch(path.name) for path in self.at(Room.IN).iterdir())
        coming = {match[1] for match in lying if match is not None}
        for promise in self.at(Room.WORK).glob(".*.expected*"):
            name = promise.name[1:].rpartition(".expected")[0]
            if name not in coming and not promise.with_name(name).exists():
                promise.unlink(missing_ok=True)
        self._are_tidy = True

    def write(self, room: Room, name: str, content: bytes) -> None:
        """Writes a receipt or note, whole or not at all."""
        write_whole(self.at(room) / name, content, SHARED if room is Room.RECEIPTS else PRIVATE)


def work_name(now: datetime, name: str) -> str:
    """A name in the work folder that no other file has: when the file was taken, chance, and its own name."""
    return f"{int(now.timestamp()):08x}{secrets.token_hex(4)}_{name}"


def own_name(work_name: str) -> str:
    """The name that a file in the work folder came under."""
    return work_name.partition("_")[2]


def as_claimed(path: Path) -> Claimed:
    """What the name of a file in the work folder says."""
    return Claimed(path, own_name(path.name), datetime.fromtimestamp(int(path.name[:8], 16), UTC))


def promise_of(work_path: Path) -> Path:
    """Where the hash is kept that the marker of a claimed file promised; never itself the name of a claimed file."""
    return work_path.with_name(f".{work_path.name}.expected")
