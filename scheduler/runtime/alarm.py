"""Punctuality: APScheduler wakes a service at the right moment. It keeps no state of ours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

__all__ = ["Alarm"]


class Alarm:
    """Sets a service's event at an instant, at an interval, or daily at a local time."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._events: dict[str, asyncio.Event] = {}

    def event(self, name: str) -> asyncio.Event:
        """The event that a service waits for."""
        return self._events.setdefault(name, asyncio.Event())

    def ring(self, name: str) -> None:
        """Wake a service now."""
        self.event(name).set()

    def at(self, name: str, instant: datetime) -> None:
        """Wake a service at an instant, instead of at the one asked for before."""
        self._scheduler.add_job(
            self._ring, DateTrigger(instant), args=(name,), id=f"at:{name}", replace_existing=True
        )

    def every(self, name: str, seconds: float) -> None:
        """Wake a service at an interval."""
        trigger = IntervalTrigger(seconds=seconds)
        self._scheduler.add_job(self._ring, trigger, args=(name,), id=f"every:{name}", replace_existing=True)

    def daily(self, name: str, at: time, zone: ZoneInfo) -> None:
        """Wake a service every day at a local time."""
        trigger = CronTrigger(hour=at.hour, minute=at.minute, timezone=zone)
        job = f"daily:{name}:{zone.key}:{at:%H%M}"
        self._scheduler.add_job(self._ring, trigger, args=(name,), id=job, replace_existing=True)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    async def _ring(self, name: str) -> None:
        self.ring(name)
