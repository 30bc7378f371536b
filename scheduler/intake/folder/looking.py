"""A look into a drop folder: what is at rest and ready, what waits, and what a person should know."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from scheduler.domain.reason import because
from scheduler.intake.folder.moving import content_of
from scheduler.intake.folder.rooms import ON_ITS_WAY, Alert, Limits, Ready, Room, Rooms, Scan, own_name
from scheduler.intake.folder.sightings import Sightings, identity_of
from scheduler.intake.folder.troubles import Troubles
from scheduler.intake.shown import safe_name

__all__ = ["OURS", "PLACED", "Lookout"]

FOLDER, OURS, PLACED = "in/", "work/", "placed/"
"""Names of troubles: the folder's; what begins those of files that are ours, and of those in their last place."""

_TEMPORARY = (".tmp", ".part", ".filepart", ".writing", ".crdownload", ".swp", "~")
_MARKERS = (".ok", ".done")
_MARKER = re.compile(r"([0-9a-fA-F]{64});([0-9]{1,12})")
_STALE = timedelta(hours=24)


@dataclass
class _Seen:
    """What one look has found so far."""

    found: Mapping[str, os.DirEntry[str]]
    markers: Set[str]
    ready: list[tuple[int, str, Ready]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    waiting: int = 0


class Lookout:
    """Remembers what it saw, for files at rest can only be told over several looks. `boxes` are the sub-folders of
    other laboratories."""

    def __init__(self, rooms: Rooms, limits: Limits, boxes: Collection[str], troubles: Troubles) -> None:
        self._rooms, self._limits, self._boxes, self._troubles = rooms, limits, frozenset(boxes), troubles
        self._sightings = Sightings(limits.settle_s)
        self._told: set[tuple[str, str]] = set()
        self.now, self.now_s = datetime.fromtimestamp(0, UTC), 0.0
        self.on_their_way: tuple[str, ...] = ()

    def scan(self, now: datetime, monotonic_s: float) -> Scan:
        """One look at the folder: the files that are ready, oldest first, and what is wrong with others."""
        self.now, self.now_s = now, monotonic_s
        try:
            self._rooms.prepare()
            self._rooms.tidy()
            found = {entry.name: entry for entry in os.scandir(self._rooms.at(Room.IN))}
            is_full = self._is_full()
        except OSError as error:
            self._troubles.note(FOLDER, error, monotonic_s)
            return Scan((), 0, self._new(list(self._lasting())))
        self._troubles.over(FOLDER)
        seen = _Seen(found, {name for name in found if name.endswith(_MARKERS)})
        for name, entry in found.items():
            if self._troubles.rests(name, monotonic_s):
                seen.waiting += 1
                continue
            try:
                self._look(name, entry.stat(follow_symlinks=False), seen)
            except FileNotFoundError:
                continue  # gone since we listed it
            except OSError as error:
                self._troubles.note(name, error, monotonic_s)
        self._sightings.keep_only(found)
        self._troubles.keep(lambda key: key in found or key.startswith((OURS, PLACED)))
        self.on_their_way = tuple(name for name in found if name.endswith(".claimed"))
        if seen.ready and is_full:
            seen.alerts.append(self._about("", "folder.full"))
            seen.ready.clear()
        seen.ready.sort()
        taken = tuple(one for _, _, one in seen.ready[: self._limits.per_scan])
        alerts = self._new([*seen.alerts, *self._lasting()])
        return Scan(taken, seen.waiting - len(taken), alerts, len(seen.ready) - len(taken))

    def _is_full(self) -> bool:
        """Whether the disk has less space left than both limits ask for. Raises OSError."""
        disk = shutil.disk_usage(self._rooms.root)
        return disk.free < max(self._limits.min_free_bytes, self._limits.min_free_share * disk.total)

    def _look(self, name: str, about: os.stat_result, seen: _Seen) -> None:
        """Notes what one thing in the folder is: passed over, told of, waiting, or ready."""
        if name in self._boxes:
            return
        if stat.S_ISDIR(about.st_mode) and not self._rooms.box:
            seen.alerts.append(self._about(name, "folder.unknown"))
        elif _is_temporary(name) or (name in seen.markers and name.rpartition(".")[0] not in seen.found):
            is_stale = self.now - datetime.fromtimestamp(about.st_ctime, UTC) > _STALE
            if is_stale and ON_ITS_WAY.fullmatch(name) is None:
                seen.alerts.append(self._about(name, "F-01.stale"))
        elif name in seen.markers:
            return
        elif not _is_plain(about):
            seen.alerts.append(self._about(name, "F-02"))
        else:
            seen.waiting += 1
            one = self._ready(name, seen.markers, about)
            if one is not None:
                seen.ready.append((about.st_mtime_ns, name, one))
            elif self._sightings.is_endless(name, self.now_s):
                seen.alerts.append(self._about(name, "F-11.unsettled"))

    def _ready(self, name: str, markers: Set[str], about: os.stat_result) -> Ready | None:
        settled = self._sightings.settled(name, identity_of(about), self.now_s)
        marker = (
            next((name + suffix for suffix in _MARKERS if name + suffix in markers), None)
            if markers
            else None
        )
        if marker is None:
            return Ready(name) if settled else None
        promise = self._promise(marker)
        if promise is not None and promise[1] == about.st_size <= self._limits.max_bytes:
            content = content_of(self._rooms.at(Room.IN) / name, self._limits.max_bytes)
            if content is not None and sha256(content).hexdigest() == promise[0]:
                return Ready(name, marker, promise[0])
        return Ready(name, marker, promise[0] if promise is not None else "") if settled else None

    def _promise(self, marker: str) -> tuple[str, int] | None:
        """The hash and size that a marker file promises."""
        try:
            content = content_of(self._rooms.at(Room.IN) / marker, 200)
        except OSError:  # what cannot be read promises nothing: the file waits until it is at rest
            return None
        match = _MARKER.fullmatch(content.decode("ascii", "replace").strip()) if content is not None else None
        return (match[1].lower(), int(match[2])) if match is not None else None

    def _about(self, name: str, code: str, **params: str) -> Alert:
        """An alert about something in this folder."""
        shown = safe_name(name) if name else ""
        where = "/".join(part for part in (self._rooms.box, shown) if part)
        return Alert(where or FOLDER, because(code, **({"name": shown} if shown else {}), **params))

    def _lasting(self) -> Iterator[Alert]:
        """What has failed for the third time."""
        for name, why in self._troubles.lasting():
            if name in (FOLDER, OURS):
                yield self._about("", "folder.away", why=why)
            elif name.startswith(PLACED):
                yield self._about(name.removeprefix(PLACED), "folder.unfinished", why=why)
            else:
                own = own_name(name) if name.startswith((OURS, ".")) else name
                is_closed = why in ("EACCES", "EPERM")
                yield self._about(own, "folder.unreadable" if is_closed else "folder.trouble", why=why)

    def _new(self, alerts: list[Alert]) -> tuple[Alert, ...]:
        """The alerts that were not told yet; one that is over may be told again when it comes back."""
        now = {(alert.name, alert.reason.code): alert for alert in alerts}
        new = tuple(alert for key, alert in now.items() if key not in self._told)
        self._told = set(now)
        return new


def _is_temporary(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower().endswith(_TEMPORARY)


def _is_plain(about: os.stat_result) -> bool:
    """An ordinary file with one name and no special rights."""
    return (
        stat.S_ISREG(about.st_mode)
        and about.st_nlink == 1
        and not about.st_mode & (stat.S_ISUID | stat.S_ISGID)
    )
