"""Starts the command again and again without paying its imports each time: a warm process that forks.

Reads one JSON line per command, {"argv": […], "log": PATH}; answers {"pid": N} when it runs and {"code": N} when it
has ended, killed or not. Every child is a process of its own that runs the real `main.main()`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import main


def run(argv: list[str], log: str) -> None:
    """The command, in the child; never returns."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.argv = ["mpa-monitor", *argv]
    code = 0
    try:
        main.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def say(**words: int) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


def serve() -> None:
    say(ready=os.getpid())
    for line in sys.stdin:
        order = json.loads(line)
        Path(order["log"]).parent.mkdir(parents=True, exist_ok=True)
        pid = os.fork()
        if pid == 0:
            run(order["argv"], order["log"])
        say(pid=pid)
        say(code=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    serve()
