"""The drop folder of a laboratory, and the only ways in which files move through it."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from scheduler.domain.reason import Reason, because
from scheduler.intake.arrival import Arrival
from scheduler.intake.folder.looking import OURS, PLACED, Lookout
from scheduler.intake.folder.moving import content_of, fetch, keep_private, move_new
from scheduler.intake.folder.rooms import (
    ON_ITS_WAY,
    Claimed,
    Limits,
    Ready,
    Room,
    Rooms,
    Scan,
    as_claimed,
    own_name,
    promise_of,
    work_name,
)
from scheduler.intake.folder.sightings import identity_of
from scheduler.intake.folder.troubles import Troubles
from scheduler.intake.shown import safe_name
from scheduler.whole_files import PRIVATE, write_whole

__all__ = ["DropFolder"]

_WORK_NAME = re.compile(r"[0-9a-f]{16}_(.+)", re.DOTALL)


class DropFolder:
    """The drop folder below `root`, or the `box` of one laboratory in it; the folder without a box knows of the `boxes`
    of the others."""

    def __init__(
        self, root: Path, limits: Limits | None = None, *, box: str = "", boxes: Collection[str] = ()
    ) -> None:
        self.root, self.box, self.limits = root, box, limits or Limits()
        self._rooms = Rooms(root, box)
        self._troubles = Troubles()
        self._lookout = Lookout(self._rooms, self.limits, boxes, self._troubles)
        self._failures: dict[Path, int] = {}
        with suppress(OSError):  # a share that is away now may come back: every scan tries again
            self._rooms.prepare()

    def at(self, room: Room) -> Path:
        """Where a room is for this laboratory."""
        return self._rooms.at(room)

    def scan(self, now: datetime, monotonic_s: float) -> Scan:
        """One look at the folder: the files that are ready, oldest first, and what is wrong with others."""
        return self._lookout.scan(now, monotonic_s)

    # --- taking

    def claim(self, ready: Ready) -> Claimed | None:
        """Takes a file by renaming it into the work folder; None when somebody else was faster, or the world is
        against it for now."""
        source = self.at(Room.IN) / ready.name
        target = self.at(Room.WORK) / work_name(self._lookout.now, safe_name(ready.name))
        try:
            if ready.marker is not None:  # first, so that a file in the work folder never lacks its promise
                self._keep_promise(ready.marker, ready.expected or "", target)
            is_here = self._take(source, target)
        except OSError as error:
            with suppress(OSError):
                promise_of(target).unlink(missing_ok=True)
            if os.path.lexists(source):
                self._troubles.note(ready.name, error, self._lookout.now_s)
            return None
        self._troubles.over(ready.name)
        if ready.marker is not None:
            self._kept_promise(target)
        return as_claimed(target) if is_here else None

    def _take(self, source: Path, target: Path) -> bool:
        """Across file systems, where a rename is impossible, the file is first renamed where it is: of two daemons one
        is the faster there too. False when it is ours and not here yet."""
        try:
            source.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            on_its_way = source.with_name(f".{target.name}.claimed")
            source.rename(on_its_way)
            return self._fetch(on_its_way, target)
        return True

    def _fetch(self, on_its_way: Path, target: Path) -> bool:
        try:
            fetch(on_its_way, target)
        except OSError as error:
            self._troubles.note(on_its_way.name, error, self._lookout.now_s)
            return False
        self._troubles.over(on_its_way.name)
        return True

    def claimed(self) -> tuple[Claimed, ...]:
        """The files in the work folder, left by an earlier step that did not finish, whose turn it is again."""
        for name in self._lookout.on_their_way:
            match = ON_ITS_WAY.fullmatch(name)
            if match is not None and not self._troubles.rests(name, self._lookout.now_s):
                self._fetch(self.at(Room.IN) / name, self.at(Room.WORK) / match[1])
        try:
            held = self.held()
        except OSError as error:
            self._troubles.note(OURS, error, self._lookout.now_s)
            return ()
        there = {OURS + name for name in held}
        self._troubles.keep(lambda key: not key.startswith(OURS) or key in there)
        due = (name for name in held if not self._troubles.rests(OURS + name, self._lookout.now_s))
        return tuple(as_claimed(self.at(Room.WORK) / name) for name in due)

    def held(self) -> list[str]:
        """The names of all files in the work folder. Raises OSError."""
        names = sorted(entry.name for entry in os.scandir(self.at(Room.WORK)))
        return [name for name in names if _WORK_NAME.fullmatch(name) and not name.endswith(".tmp")]

    def holds(self, name: str) -> bool:
        """Whether a file of that name is in the work folder. Raises OSError."""
        return any(own_name(one) == name for one in self.held())

    def read(self, claimed: Claimed) -> Arrival | None:
        """The file as it is; None while it still changes under our hands. Raises OSError."""
        about = claimed.path.lstat()
        if not stat.S_ISREG(about.st_mode) or (about.st_nlink > 1 and not self._is_half_moved(about)):
            return _unread(claimed.name, about, because("F-02", name=claimed.name))
        if about.st_nlink == 1:
            keep_private(claimed.path)
            about = claimed.path.lstat()
        if about.st_size > self.limits.max_bytes:
            limit_mb = self.limits.max_bytes // 1_000_000
            return _unread(claimed.name, about, because("F-04", limit=limit_mb))
        content = content_of(claimed.path, self.limits.max_bytes)
        if content is None or identity_of(claimed.path.lstat()) != identity_of(about):
            return None
        expected = self._kept_promise(claimed.path)
        arrival = Arrival.of(claimed.name, content)
        if expected is not None and arrival.sha256 != expected:
            # known by both hashes: the same content with the right marker is another arrival
            both = sha256(f"{arrival.sha256}|{expected}".encode()).hexdigest()
            return Arrival(claimed.name, len(content), both, None, because("F-11.marker"))
        return arrival

    def _keep_promise(self, marker: str, expected: str, target: Path) -> None:
        about = (self.at(Room.IN) / marker).lstat()
        promise = {"sha256": expected, "marker": marker, "inode": about.st_ino, "mtime_ns": about.st_mtime_ns}
        write_whole(promise_of(target), json.dumps(promise).encode(), PRIVATE)

    def _kept_promise(self, target: Path) -> str | None:
        """The hash that a marker promised of a claimed file. The marker goes, unless another came meanwhile: without
        its file it means nothing, and is told when it lies too long."""
        try:
            promise = json.loads(promise_of(target).read_bytes())
        except FileNotFoundError:
            return None
        marker = self.at(Room.IN) / promise["marker"]
        with suppress(OSError):
            about = marker.lstat()
            if (about.st_ino, about.st_mtime_ns) == (promise["inode"], promise["mtime_ns"]):
                marker.unlink()
        return str(promise["sha256"])

    def _is_half_moved(self, about: os.stat_result) -> bool:
        """Whether the second name of a file is the one that an interrupted move gave it."""
        kept = (self.at(room) for room in (Room.ARCHIVE, Room.QUARANTINE, Room.DUPLICATES))
        return about.st_ino in {entry.inode() for folder in kept for entry in os.scandir(folder)}

    def note_trouble(self, claimed: Claimed, error: OSError) -> None:
        """The world is against a file of ours: it is left alone for a while, and told the third time."""
        self._troubles.note(OURS + claimed.path.name, error, self._lookout.now_s)

    # --- files that lie in their last place and wait for their receipts

    def note_unfinished(self, name: str, error: OSError) -> None:
        self._troubles.note(PLACED + name, error, self._lookout.now_s)

    def note_finished(self, name: str) -> None:
        self._troubles.over(PLACED + name)

    def rests(self, name: str) -> bool:
        return self._troubles.rests(PLACED + name, self._lookout.now_s)

    def left_over(self) -> int:
        """How many files of ours wait for another step."""
        with suppress(OSError):
            return len(self.held()) + self._troubles.count(PLACED)
        return 1  # whatever is there

    def count_failure(self, claimed: Claimed) -> int:
        """How often a file has failed in this process, this time included."""
        self._failures[claimed.path] = self._failures.get(claimed.path, 0) + 1
        return self._failures[claimed.path]

    # --- putting away

    def put_away(self, claimed: Claimed, room: Room, name: str) -> str:
        """Moves a claimed file to its last place, never over another; returns the name it has there."""
        placed = move_new(claimed.path, self.at(room), name, private=True)
        promise_of(claimed.path).unlink(missing_ok=True)
        return placed

    def has(self, room: Room, name: str) -> bool:
        """Whether something was put away under this name, a broken link too."""
        return os.path.lexists(self.at(room) / name)

    def original(self, room: Room, name: str) -> bytes | None:
        """The content of a file that was put away; None for one that was not read before either. Raises OSError."""
        path = self.at(room) / name
        return content_of(path, self.limits.max_bytes) if stat.S_ISREG(path.lstat().st_mode) else None

    def write(self, room: Room, name: str, content: bytes) -> None:
        """Writes a receipt or note, whole or not at all."""
        self._rooms.write(room, name, content)


def _unread(name: str, about: os.stat_result, reason: Reason) -> Arrival:
    """A file that is put away without being read; it is known by its marks instead of its content."""
    marks = f"unread|{name}|{about.st_ino}|{about.st_size}|{about.st_mtime_ns}"
    return Arrival(name, about.st_size, sha256(marks.encode()).hexdigest(), None, reason)
