"""A warm process that forks the real command for the campaign, any number at a time.

Reads one JSON order per line. {"commands": [[…]], "cwd", "settings", "out", "err", "clock", "point", "halted"} starts
a child that runs them one after the other by the real `main.main()`, until one fails; the answer is {"pid": N}.
{"poll": N} asks for the exit code of a child: {"code": N} or {"code": null}.

The only differences to the installed command are the clock, which is the one the campaign moves, how long it waits for
a server's last answer, and how long the lease on a folder lasts, which goes by the real clock. `point` is a failpoint
(torture_points.py); a `halted` child waits for SIGCONT before it begins.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import nursery
import torture_points
from torture_clock import SharedClock

import composition
import scheduler.clock

_FINAL_ANSWER_WITHIN_S = 2.0
_FOLDER_LEASE = timedelta(seconds=2)
_PR_SET_PDEATHSIG = 1


def live(order: dict[str, Any]) -> None:
    """The commands, in the child; never returns."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # no daemon outlives the campaign
    nursery.enter(order)
    if order.get("clock"):
        clock = SharedClock(Path(order["clock"]))
        scheduler.clock.SystemClock = lambda: clock  # type: ignore[assignment,misc]
    composition.SmtpServer = partial(composition.SmtpServer, final_timeout_s=_FINAL_ANSWER_WITHIN_S)  # type: ignore[misc,assignment]
    composition.intake_work = partial(composition.intake_work, lease=_FOLDER_LEASE)  # type: ignore[assignment]
    if order.get("point"):
        torture_points.arm(*order["point"])
    if order.get("halted"):
        os.kill(os.getpid(), signal.SIGSTOP)
    code = 0
    for argv in order["commands"]:
        code = nursery.perform(argv)
        if code:
            break
    os._exit(code)


def answer(order: dict[str, Any]) -> dict[str, Any]:
    if "poll" in order:
        pid, status = os.waitpid(order["poll"], os.WNOHANG)
        return {"code": os.waitstatus_to_exitcode(status) if pid else None}
    pid = os.fork()
    if pid == 0:
        live(order)
    return {"pid": pid}


def serve() -> None:
    nursery.warm()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        os.write(1, json.dumps(answer(json.loads(line))).encode() + b"\n")


if __name__ == "__main__":
    serve()
