"""A process that runs the intake and is killed at a point of its life: before the n-th thing it does to the world.

Reads one JSON line per life, {"root", "url", "die_at", "two_disks", "seconds", "points"}; answers with how it ended.
The imports are paid once: every life is a fork, a process of its own, that ends by SIGKILL or in order.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from intake_cases import NOW, a_study
from sqlalchemy import event

from scheduler.clock import ManualClock
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.folder.rooms import Limits
from scheduler.intake.step import intake_step
from scheduler.store.database import Database

LOOKS = 4  # at rest for thirty seconds, then taken
_STUDY = a_study()
_CHANGES = {"os.rename": 2, "os.link": 2, "os.remove": 1, "os.chmod": 1}


class Life:
    """Counts what is done to the drop folder and to the database; ends before the n-th of it."""

    def __init__(self, root: str, die_at: int | None, points: str) -> None:
        self._root, self._die_at, self._count = root, die_at, 0
        self._points = os.open(points, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    def hook(self, name: str, args: tuple[Any, ...]) -> None:
        """Every call of the system that Python tells of."""
        if name in _CHANGES:
            paths = [os.fspath(one) for one in args[: _CHANGES[name]] if not isinstance(one, int)]
        elif name == "open" and isinstance(args[0], str | os.PathLike):
            paths = [os.fspath(args[0])]
            name = "create" if args[2] & os.O_CREAT else "read"
        else:
            return
        if any(str(one).startswith(self._root + "/") for one in paths):
            rooms = [os.path.relpath(str(one), self._root).partition("/") for one in paths]
            self.point(" ".join([name, *(f"{room}/{_kind(rest)}" for room, _, rest in rooms)]))

    def point(self, name: str) -> None:
        if self._count == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._count += 1
        os.write(self._points, f"{name}\n".encode())


def _kind(name: str) -> str:
    """What a file is, without its name."""
    for ending in (".expected", ".receipt.csv", ".receipt.json", ".reason.txt", ".claimed", ".ok"):
        if name.removesuffix(".tmp").endswith(ending):
            return ending + (".tmp" if name.endswith(".tmp") else "")
    return "file.tmp" if name.endswith(".tmp") else "file"


def _apart(call: str) -> None:
    """From here on every folder is a disk of its own."""
    real = getattr(os, call)

    def across(source: Any, target: Any, **options: Any) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, "two disks")
        real(source, target, **options)

    setattr(os, call, across)


def live(order: dict[str, Any]) -> None:
    """One life, from the start of a process to its end."""
    if order["two_disks"]:
        for call in ("rename", "link"):
            _apart(call)
    db = Database(order["url"], writer_thread=False, durable=False)
    life = Life(order["root"], order["die_at"], order["points"])
    event.listen(db.engine, "commit", lambda connection: life.point("commit"))
    sys.addaudithook(life.hook)
    folder = DropFolder(Path(order["root"]), Limits(settle_s=30, min_free_bytes=0, min_free_share=0))
    clock = ManualClock(NOW + timedelta(seconds=order["seconds"]))
    for _ in range(LOOKS):
        clock.move_to(clock.now() + timedelta(seconds=10))
        intake_step(folder, _STUDY, clock, db.transact, lambda *_: None)
    life.point("end")


def serve() -> None:
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                live(json.loads(line))
            except BaseException:  # noqa: BLE001
                import traceback

                traceback.print_exc()
                os._exit(70)
            os._exit(0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}), flush=True)


if __name__ == "__main__":
    serve()
