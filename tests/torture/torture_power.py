"""T8: the power is cut. The database and the drop folder lie on an ext4 of their own, which forgets at once all that no
sync has put on the disk (EXT4_IOC_SHUTDOWN without flushing its log); then it is mounted again as after a boot."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from sqlmodel import select
from torture_conductor import Conductor
from torture_database import go_on
from torture_ground import Ground, ended
from torture_result import Result
from torture_stage import Stage

from scheduler.store.tables import AuditRow

__all__ = ["power_cuts", "restored_and_cut", "why_no_disk"]

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
_WITHOUT_FLUSH = 2
_SIZE = 1 << 30  # sparse; with less room the service takes no file
_LONGEST_S = 2.5


class Disk:
    """An ext4 in a file, mounted at `place`."""

    def __init__(self, home: Path) -> None:
        self._image, self.place = home / "disk.img", home / "disk"
        self.place.mkdir()
        with self._image.open("wb") as file:
            file.truncate(_SIZE)
        _run("mkfs.ext4", "-q", "-F", "-N", "1024", str(self._image))
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.place))

    def settle(self) -> None:
        """What is there now has been on the disk for long."""
        _run("sync", "-f", str(self.place))

    def cut(self) -> None:
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSH))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        _run("umount", str(self.place))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


@contextmanager
def _disk(home: Path) -> Iterator[Disk]:
    home.mkdir()
    disk = Disk(home)
    try:
        yield disk
    finally:
        disk.unmount()
        for path in (home / "disk.img",):
            path.unlink()
        disk.place.rmdir()
        home.rmdir()


def why_no_disk(home: Path) -> str | None:
    """Why no power can be cut here, if it cannot."""
    try:
        with _disk(home / "trial-of-a-cut") as disk:
            disk.cut()
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"an ext4 on a loop device: {getattr(error, 'stderr', '') or error}".strip()[:120]


def restored_and_cut(ground: Ground, files: int = 3) -> Result:
    """The power fails right after `restore` said that it is done: what it said is on the disk."""
    result = Result("T8", "power cut right after a restore", "sqlite", runs=1, disturbed=1)
    saved = ground.home / "saved-before-a-cut"
    with ground.stage("sqlite") as stage:
        for number in range(files):
            (stage.lab / "archive").mkdir(parents=True, exist_ok=True)
            (stage.lab / "archive" / f"{number}.csv").write_bytes(b"x" * 1000)
        stage.do(["backup", "--out", str(saved)])
    with (
        _disk(ground.home / "power") as disk,
        ground.stage("sqlite", place=disk.place, begun=False) as stage,
    ):
        stage.move_folder(disk.place / "lab")
        stage.do(["restore", str(saved)])
        disk.cut()
        disk.unmount()
        disk.mount()
        there = sorted(path.stat().st_size for path in (disk.place / "lab" / "archive").glob("*"))
        if there != [1000] * files:
            result.broken.append(f"of {files} files there are {there}")
        actions = stage.db.read(lambda session: session.exec(select(AuditRow.action)).all())
        if "restored" not in actions:
            result.broken.append("the restore is not on record")
        stage.close()
    return result


def power_cuts(ground: Ground, times: int, seed: int = 1) -> Result:
    """So many lives, in each of which the power fails at a random moment."""
    result, random = Result("T8", "power cut: ext4 shut down without a flush", "sqlite"), Random(seed)
    for _ in range(times):
        with _disk(ground.home / "power") as disk, ground.scene(place=disk.place) as stage:
            _drop_onto(disk, stage)
            with ended(Conductor(stage)) as conductor:
                go_on(conductor, random.uniform(0.1, _LONGEST_S))
                _cut(disk, conductor)
                conductor.settle()
                conductor.end()
                ground.judge(result, conductor, "power cut")
            stage.close()
    return result


def _drop_onto(disk: Disk, stage: Stage) -> None:
    """The drop folder is on the same disk; what the laboratory sent has arrived there for good."""
    there = disk.place / "lab"
    if stage.lab.exists():
        (there / "in").mkdir(parents=True)
        for path in (stage.lab / "in").iterdir():
            (there / "in" / path.name).write_bytes(path.read_bytes())
            os.utime(there / "in" / path.name, (path.stat().st_mtime,) * 2)
    stage.move_folder(there)
    disk.settle()


def _cut(disk: Disk, conductor: Conductor) -> None:
    disk.cut()
    for daemon in conductor.alive:
        conductor.stage.kill(daemon)
    conductor.alive.clear()
    conductor.stage.close()
    disk.unmount()
    disk.mount()
