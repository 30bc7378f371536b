"""The named points of the program at which the campaign stops it, makes it fail or holds it up.

They are put around the program's own functions from outside, in a child of the campaign only: the product knows nothing
of them (ADR 0019). A name that no longer exists is an error, so that no point is lost unseen.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any

__all__ = ["ACTIONS", "POINTS", "arm"]

ACTIONS = ("kill", "exception", "delay")
_DELAY_S = 5.0

# Where a function is looked up by its caller. Each gives two points: before it and after it.
_FUNCTIONS = {
    "commit": ("sqlalchemy.orm", "SessionTransaction.commit"),
    "study is synchronised": ("scheduler.engine.study", "Study.sync"),
    "clock is checked": ("scheduler.runtime.daemon", "newest_instant"),
    "heartbeat": ("scheduler.runtime.daemon", "beat"),
    "folder is scanned": ("scheduler.intake.folder.drop_folder", "DropFolder.scan"),
    "file is claimed": ("scheduler.intake.folder.drop_folder", "DropFolder.claim"),
    "file is read": ("scheduler.intake.folder.drop_folder", "DropFolder.read"),
    "file is recorded": ("scheduler.intake.step", "ingest"),
    "file is put away": ("scheduler.intake.folder.drop_folder", "DropFolder.put_away"),
    "receipt is written": ("scheduler.intake.folder.drop_folder", "DropFolder.write"),
    "file is marked": ("scheduler.intake.step", "mark_archived"),
    "exposure is estimated": ("scheduler.engine.exposure", "Exposer.estimate"),
    "subject is assessed": ("scheduler.engine.reconcile", "assess"),
    "changes are applied": ("scheduler.engine.reconcile", "apply_changes"),
    "subject is reconciled": ("scheduler.engine.reconcile", "_record"),
    "mail is put in": ("notifications.outbox.posting", "add"),
    "digest": ("composition", "digest_step"),
    "lists of laboratories": ("composition", "laboratory_lists"),
    "mails are claimed": ("notifications.outbox.queue", "claim"),
    "mails are written": ("notifications.delivery.step", "make_ready"),
    "bytes are kept": ("notifications.outbox.attempts", "keep_bytes"),
    "hand-over is recorded": ("notifications.outbox.attempts", "begin_data"),
    "server is connected": ("aiosmtplib", "SMTP.connect"),
    "sender is named": ("aiosmtplib", "SMTP.mail"),
    "recipient is named": ("aiosmtplib", "SMTP.rcpt"),
    "mail is handed over": ("aiosmtplib", "SMTP.data"),
    "mail is settled": ("notifications.delivery.step", "settle"),
    "installation is inspected": ("scheduler.runtime.works", "inspect"),
}  # fmt: skip
POINTS = tuple(f"{side} {name}" for name in _FUNCTIONS for side in ("before", "after"))


class FailedOnPurposeError(RuntimeError):
    """A failpoint was reached."""


class _Point:
    """Acts once, at the n-th time it is reached."""

    def __init__(self, action: str, nth: int, seconds: float) -> None:
        assert action in (*ACTIONS, "freeze")
        self._action, self._left, self._seconds = action, nth, seconds

    def reached(self) -> None:
        self._left -= 1
        if self._left:
            return
        if self._action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._action == "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        if self._action == "exception":
            raise FailedOnPurposeError
        time.sleep(self._seconds)


def arm(
    name: str,
    action: str,
    nth: int = 1,
    seconds: float = _DELAY_S,
    put: Callable[[Any, str, Any], None] = setattr,
) -> None:
    """From now on this process does `action` at the point, the n-th time it comes there."""
    side, _, what = name.partition(" ")
    module, path = _FUNCTIONS[what]
    owner: Any = import_module(module)
    *parents, attribute = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    put(owner, attribute, _around(getattr(owner, attribute), side, _Point(action, nth, seconds)))


def _around(function: Callable[..., Any], side: str, point: _Point) -> Callable[..., Any]:
    if iscoroutinefunction(function):

        async def waited(*args: Any, **options: Any) -> Any:
            if side == "before":
                point.reached()
            found = await function(*args, **options)
            if side == "after":
                point.reached()
            return found

        return waited

    def called(*args: Any, **options: Any) -> Any:
        if side == "before":
            point.reached()
        found = function(*args, **options)
        if side == "after":
            point.reached()
        return found

    return called
