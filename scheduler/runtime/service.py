"""The one loop: a step, a heartbeat, a wait that ends when there is work, and never longer than 30 s."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from config.logs import log
from scheduler.clock import Clock
from scheduler.runtime.alarm import Alarm
from scheduler.store.database import DiskFailedError
from scheduler.store.postgresql import connection_lost

__all__ = ["Beat", "Service", "ServiceFailedError", "run_service"]

Beat = Callable[[str, datetime, int, str], Awaitable[None]]


class ServiceFailedError(RuntimeError):
    """A service kept failing."""


@dataclass(frozen=True, slots=True)
class Service:
    """Something the daemon does again and again. `step` returns when it next has work, if it knows."""

    name: str
    step: Callable[[datetime], Awaitable[datetime | None]]


async def run_service(
    service: Service,
    clock: Clock,
    alarm: Alarm,
    beat: Beat,
    stop: asyncio.Event,
    *,
    longest_wait_s: float,
    give_up: int,
) -> None:
    """Run a service until `stop`. Raises ServiceFailedError after `give_up` failures in a row, and at once when the
    disk of the database failed.

    A database server that went away is waited for, however long it takes: each time longer, up to `longest_wait_s`.
    """
    event, failures, in_vain = alarm.event(service.name), 0, 0
    while not stop.is_set():
        event.clear()
        now = clock.now()
        try:
            next_work = await service.step(now)
            await beat(service.name, now, 0, "")
        except Exception as error:
            failures, in_vain = failures + 1, in_vain + (not connection_lost(error))
            log.error("service_failed", service=service.name, failures=failures, error=type(error).__name__)
            if in_vain >= give_up or isinstance(error, DiskFailedError):
                raise ServiceFailedError(
                    f"{service.name} failed {in_vain} times in a row: {error}"
                ) from error
            await _note_failure(beat, service.name, now, failures, error)
            await _wait(stop, event, min(longest_wait_s, 0.5 * 2 ** min(failures, 10)), ignore_event=True)
            continue
        failures = in_vain = 0
        if next_work is not None:
            alarm.at(service.name, max(next_work, now))
        await _wait(stop, event, longest_wait_s)


async def _note_failure(beat: Beat, name: str, now: datetime, failures: int, error: Exception) -> None:
    try:
        await beat(name, now, failures, type(error).__name__)
    except Exception as also:  # noqa: BLE001 - the database itself may be what fails
        log.error("heartbeat_failed", service=name, error=type(also).__name__)


async def _wait(
    stop: asyncio.Event, event: asyncio.Event, seconds: float, *, ignore_event: bool = False
) -> None:
    """Until there is work, the daemon stops, or the time is up."""
    waiting = [asyncio.ensure_future(stop.wait())]
    if not ignore_event:
        waiting.append(asyncio.ensure_future(event.wait()))
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
