"""Hints that somebody dropped a file, where the system gives any. They only make the next look earlier: the loop looks
anyway, and a share that tells nothing, a full table of watches or a missing library cost nothing but that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from config.logs import log

__all__ = ["watch_folder"]

_STEP_MS, _GROUPED_MS = 250, 1000
_PAUSE_S = 1.0  # a long upload changes its file all the time


async def watch_folder(folder: Path, ring: Callable[[], None], stop: asyncio.Event) -> None:
    """Rings when something changes in a folder, at most once a second, until `stop`. Ends early, with a line in the
    log, when changes cannot be watched."""
    try:
        from watchfiles import awatch

        await asyncio.to_thread(folder.stat)  # one that is missing would be watched in silence, for ever
        changes = awatch(
            folder, watch_filter=None, debounce=_GROUPED_MS, step=_STEP_MS, stop_event=stop,
            force_polling=False, ignore_permission_denied=True,
        )  # fmt: skip
        async for _ in changes:
            ring()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE_S)
    except Exception as error:  # noqa: BLE001
        log.warning("folder_not_watched", error=type(error).__name__)
