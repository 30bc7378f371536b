"""One of several daemons on one drop folder: the intake's own work, again and again, until a file says that it is over.

Arguments: database URL, drop folder, the file. Prints how often it had its turn.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from config.settings import load_settings
from main import make_program
from scheduler.clock import SystemClock
from scheduler.runtime.works import intake_work


async def serve(url: str, folder: Path, over: Path) -> int:
    settings = load_settings(database=url, intake={"folder": folder, "settle_s": 0, "poll_s": 0.02})
    program = make_program(settings)
    work, turns = intake_work(program, timedelta(seconds=5)), 0
    print("ready", flush=True)
    while not await asyncio.to_thread(over.exists):
        await work.step(SystemClock().now())
        turns += 1
    program.database.close()
    return turns


if __name__ == "__main__":
    print(asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
