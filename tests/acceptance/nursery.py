"""Starts the command again and again without paying its imports each time: a warm process that forks.

Reads one JSON line per command, {"argv": […], "cwd": DIR, "settings": {…}, "out": FILE, "err": FILE}; answers
{"pid": N} when it runs and {"code": N} when it has ended, killed or not. Every child is a process of its own that
runs the real `main.main()`.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import main


def enter(order: dict[str, Any]) -> None:
    """The surroundings of a command: its folder, its settings, where its words go."""
    for number, name in ((1, "out"), (2, "err")):
        descriptor = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.chdir(order["cwd"])
    os.environ.update(order["settings"])


def perform(argv: list[str]) -> int:
    """Run the command to its end; its exit code."""
    sys.argv = ["mpa-monitor", *argv]
    code = 0
    try:
        main.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        code = 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def run(order: dict[str, Any]) -> None:
    """The command, in the child; never returns."""
    code = 70
    try:
        enter(order)
        code = perform(order["argv"])
    finally:
        os._exit(code)


def say(**words: int) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


def warm() -> None:
    """Load the whole program: a command loads its own part when it is called, and would do so in every child."""
    for package in ("config", "pk", "scheduler", "notifications"):
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if "__main__" not in module.name and ".migrations." not in module.name:
                import_module(module.name)
    import_module("composition")
    gc.freeze()


def serve() -> None:
    warm()
    say(ready=os.getpid())
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run(json.loads(line))
        say(pid=pid)
        say(code=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    serve()
