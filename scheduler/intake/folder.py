"""The drop folder: what lies in it, what is ready, and the only ways in which files move."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from scheduler.domain.reason import Reason, because
from scheduler.intake.ingest import Arrival
from scheduler.intake.moving import move_new, write_whole
from scheduler.intake.shown import safe_name
from scheduler.intake.sightings import Sightings, identity_of

__all__ = ["MAX_BYTES", "Alert", "Claimed", "DropFolder", "Limits", "Ready", "Room", "Scan"]

MAX_BYTES = 5_000_000

_TEMPORARY = (".tmp", ".part", ".filepart", ".writing", ".crdownload", ".swp", "~")
_MARKERS = (".ok", ".done")
_MARKER = re.compile(r"([0-9a-fA-F]{64});([0-9]{1,12})")
_WORK_NAME = re.compile(r"[0-9a-f]{16}_(.+)", re.DOTALL)
_STALE = timedelta(hours=24)
_TRIES = 3


class Room(StrEnum):
    """The folders below the root."""

    IN = "in"
    WORK = "work"
    ARCHIVE = "archive"
    QUARANTINE = "quarantine"
    RECEIPTS = "receipts"
    DUPLICATES = "duplicates"


@dataclass(frozen=True, slots=True)
class Limits:
    settle_s: float = 30.0
    max_bytes: int = MAX_BYTES
    min_free_bytes: int = 500_000_000
    per_scan: int = 100


@dataclass(frozen=True, slots=True)
class Alert:
    """Something about the folder that a person should know; told once while it lasts."""

    name: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Ready:
    """A file at rest, under the name it was given; `expected` is the hash that its marker promises."""

    name: str
    marker: str | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file that is ours: nobody else looks into the work folder. `name` is safe to show; `linked` when it
    was given a second name at the last moment, by which somebody could still write to it."""

    path: Path
    name: str
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    ready: tuple[Ready, ...]
    waiting: int
    alerts: tuple[Alert, ...]


class DropFolder:
    """A drop folder below `root`; remembers what it saw, for files at rest can only be told over several scans."""

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self.root = root
        self.limits = limits or Limits()
        self._sightings = Sightings(self.limits.settle_s)
        self._troubles: dict[str, int] = {}
        self._unread: dict[Path, int] = {}
        self._failures: dict[Path, int] = {}
        self._told: set[tuple[str, str]] = set()
        for room in Room:
            private = room in (Room.WORK, Room.ARCHIVE, Room.DUPLICATES)
            (root / room).mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o750)
        for leftover in (root / Room.RECEIPTS).glob("*.tmp"):
            leftover.unlink(missing_ok=True)
        for promise in (root / Room.WORK).glob("*.expected*"):
            if not promise.with_name(promise.name.partition(".expected")[0]).exists():
                promise.unlink(missing_ok=True)

    def at(self, room: Room) -> Path:
        return self.root / room

    # --- looking

    def scan(self, now: datetime, monotonic_s: float) -> Scan:
        """One look at the folder: the files that are ready, oldest first, and what is wrong with others."""
        found = {entry.name: entry for entry in os.scandir(self.at(Room.IN))}
        ready: list[tuple[int, Ready]] = []
        alerts: list[Alert] = []
        waiting = 0
        for name, entry in sorted(found.items()):
            try:
                about = entry.stat(follow_symlinks=False)
            except OSError:
                alerts += self._trouble(name)
                continue
            if _is_temporary(name) or (_is_marker(name) and name.rpartition(".")[0] not in found):
                if now - datetime.fromtimestamp(about.st_ctime, UTC) > _STALE:
                    alerts.append(Alert(safe_name(name), because("F-01.stale", name=safe_name(name))))
            elif _is_marker(name):
                continue
            elif not _is_plain(about):
                alerts.append(Alert(safe_name(name), because("F-02", name=safe_name(name))))
            else:
                one = self._ready(name, found, about, monotonic_s)
                if one is not None:
                    ready.append((about.st_mtime_ns, one))
                    continue
                waiting += 1
                if self._sightings.is_endless(name, monotonic_s):
                    alerts.append(Alert(safe_name(name), because("F-11.unsettled", name=safe_name(name))))
        self._sightings.keep_only(set(found))
        self._troubles = {name: count for name, count in self._troubles.items() if name in found}
        if ready and shutil.disk_usage(self.root).free < self.limits.min_free_bytes:
            alerts.append(Alert("", because("folder.full")))
            waiting, ready = waiting + len(ready), []
        ready.sort(key=lambda pair: (pair[0], pair[1].name))
        taken = tuple(one for _, one in ready[: self.limits.per_scan])
        return Scan(taken, waiting + len(ready) - len(taken), self._new(alerts))

    def _ready(
        self, name: str, found: dict[str, os.DirEntry[str]], about: os.stat_result, monotonic_s: float
    ) -> Ready | None:
        settled = self._sightings.settled(name, identity_of(about), monotonic_s)
        marker = next((name + suffix for suffix in _MARKERS if name + suffix in found), None)
        if marker is None:
            return Ready(name) if settled else None
        promise = self._promise(marker)
        if promise is not None and promise[1] == about.st_size <= self.limits.max_bytes:
            content = _content(self.at(Room.IN) / name, self.limits.max_bytes)
            if content is not None and sha256(content).hexdigest() == promise[0]:
                return Ready(name, marker, promise[0])
        return Ready(name, marker, promise[0] if promise is not None else "") if settled else None

    def _promise(self, marker: str) -> tuple[str, int] | None:
        """The hash and size that a marker file promises."""
        content = _content(self.at(Room.IN) / marker, 200)
        match = _MARKER.fullmatch(content.decode("ascii", "replace").strip()) if content is not None else None
        return (match[1].lower(), int(match[2])) if match is not None else None

    def _trouble(self, name: str) -> list[Alert]:
        """Counts a file that cannot be looked at or taken; the third time is an alert."""
        self._troubles[name] = self._troubles.get(name, 0) + 1
        if self._troubles[name] < _TRIES:
            return []
        return [Alert(safe_name(name), because("folder.unreadable", name=safe_name(name)))]

    def _new(self, alerts: list[Alert]) -> tuple[Alert, ...]:
        """The alerts that were not told yet; one that is over may be told again when it comes back."""
        now = {(alert.name, alert.reason.code): alert for alert in alerts}
        new = tuple(alert for key, alert in now.items() if key not in self._told)
        self._told = set(now)
        return new

    # --- taking

    def claim(self, ready: Ready) -> Claimed | None:
        """Takes a file by renaming it into the work folder; None when somebody else was faster."""
        name = safe_name(ready.name)
        target = self.at(Room.WORK) / f"{secrets.token_hex(8)}_{name}"
        if ready.marker is not None:  # first, so that a file in the work folder never lacks its promise
            promise = target.with_name(target.name + ".expected")
            write_whole(promise, (ready.expected or "").encode())
        try:
            (self.at(Room.IN) / ready.name).rename(target)
        except OSError:
            self._troubles[ready.name] = self._troubles.get(ready.name, 0) + 1
            target.with_name(target.name + ".expected").unlink(missing_ok=True)
            return None
        if ready.marker is not None:
            (self.at(Room.IN) / ready.marker).unlink(missing_ok=True)
        return Claimed(target, name, target.lstat().st_nlink > 1)

    def claimed(self) -> tuple[Claimed, ...]:
        """The files in the work folder: left by an earlier step that did not finish."""
        return tuple(
            Claimed(path, _own_name(path))
            for path in sorted(self.at(Room.WORK).iterdir())
            if _WORK_NAME.fullmatch(path.name) and not path.name.endswith((".expected", ".expected.tmp"))
        )

    def read(self, claimed: Claimed) -> Arrival | None:
        """The file as it is; None while it still changes under our hands."""
        about = claimed.path.lstat()
        if claimed.linked or not stat.S_ISREG(about.st_mode):
            return _unread(claimed.name, about, because("F-02", name=claimed.name))
        if about.st_size > self.limits.max_bytes:
            limit_mb = self.limits.max_bytes // 1_000_000
            return _unread(claimed.name, about, because("F-04", limit=limit_mb))
        content = _content(claimed.path, self.limits.max_bytes)
        if content is None or identity_of(claimed.path.lstat()) != identity_of(about):
            self._unread[claimed.path] = self._unread.get(claimed.path, 0) + 1
            return None
        self._unread.pop(claimed.path, None)
        expected = self._expected(claimed)
        arrival = Arrival.of(claimed.name, content)
        if expected is not None and arrival.sha256 != expected:
            # known by both hashes: the same content with the right marker is another arrival
            both = sha256(f"{arrival.sha256}|{expected}".encode()).hexdigest()
            return Arrival(claimed.name, len(content), both, None, because("F-11.marker"))
        return arrival

    def unread_alerts(self) -> tuple[Alert, ...]:
        """The claimed files that could not be read for the third time."""
        names = [safe_name(_own_name(path)) for path, tries in self._unread.items() if tries == _TRIES]
        return tuple(Alert(name, because("folder.unreadable", name=name)) for name in names)

    def count_failure(self, claimed: Claimed) -> int:
        """How often a file has failed in this process, this time included."""
        self._failures[claimed.path] = self._failures.get(claimed.path, 0) + 1
        return self._failures[claimed.path]

    def _expected(self, claimed: Claimed) -> str | None:
        path = claimed.path.with_name(claimed.path.name + ".expected")
        return path.read_text("ascii") if path.exists() else None

    # --- putting away

    def put_away(self, claimed: Claimed, room: Room, name: str) -> str:
        """Moves a claimed file to its last place, never over another; returns the name it has there."""
        placed = move_new(claimed.path, self.at(room), name)
        claimed.path.with_name(claimed.path.name + ".expected").unlink(missing_ok=True)
        return placed

    def write(self, room: Room, name: str, content: bytes) -> None:
        """Writes a receipt or note, whole or not at all."""
        write_whole(self.at(room) / name, content)


def _own_name(work_path: Path) -> str:
    """The name that a file in the work folder came under."""
    return work_path.name.partition("_")[2]


def _is_temporary(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower().endswith(_TEMPORARY)


def _is_marker(name: str) -> bool:
    return name.endswith(_MARKERS)


def _is_plain(about: os.stat_result) -> bool:
    """An ordinary file with one name and no special rights."""
    return (
        stat.S_ISREG(about.st_mode)
        and about.st_nlink == 1
        and not about.st_mode & (stat.S_ISUID | stat.S_ISGID)
    )


def _content(path: Path, limit: int) -> bytes | None:
    """The bytes of a regular file of at most `limit` bytes, never through a link and never waiting."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > limit:
            return None
        content = file.read(limit + 1)
        same = identity_of(os.fstat(file.fileno())) == identity_of(about)
    return content if same and len(content) <= limit else None


def _unread(name: str, about: os.stat_result, reason: Reason) -> Arrival:
    """A file that is put away without being read; it is known by its marks instead of its content."""
    marks = f"unread|{name}|{about.st_ino}|{about.st_size}|{about.st_mtime_ns}"
    return Arrival(name, about.st_size, sha256(marks.encode()).hexdigest(), None, reason)
