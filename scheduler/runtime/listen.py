"""Hints from the other daemons and the command line that there is work, on PostgreSQL. They only make the next look
earlier: the loops look anyway, and a lost connection costs nothing but that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from psycopg import Error
from sqlalchemy import Engine

from config.logs import log
from scheduler.store.database import Database
from scheduler.store.hints import Hint, hear

__all__ = ["listen"]

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0


async def listen(db: Database, ring: Callable[[Hint], None], stop: asyncio.Event) -> None:
    """Rings for every hint until `stop`, and for all of them when it begins to hear, or hears again: what was said
    meanwhile is unknown. Tries a lost connection again with growing delays. On SQLite there is nothing to hear."""
    if db.is_sqlite:
        return
    hearing = asyncio.create_task(_hear_for_ever(db.engine, ring))
    await stop.wait()
    hearing.cancel()
    with suppress(asyncio.CancelledError):
        await hearing


async def _hear_for_ever(engine: Engine, ring: Callable[[Hint], None]) -> None:
    wait_s = _FIRST_WAIT_S
    while True:
        try:
            async with hear(engine) as hints:
                for each in Hint:
                    ring(each)
                wait_s = _FIRST_WAIT_S
                async for one in hints:
                    ring(one)
        except (Error, OSError) as error:
            log.warning("hints_lost", error=type(error).__name__)
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
