"""Civil days of a site: periods, starts of days, open days. Elapsed time is only ever computed in UTC."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = [
    "DayCalendar",
    "LocalTimeError",
    "Period",
    "add_period",
    "at_local",
    "exact_instant",
    "local_date",
    "parse_period",
    "start_of_day",
]

_PERIOD = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")


class LocalTimeError(ValueError):
    """A local time that does not exist, or exists twice, on that day."""


@dataclass(frozen=True, slots=True)
class Period:
    """A non-negative ISO 8601 duration: months and days of the calendar, minutes of elapsed time."""

    months: int = 0
    days: int = 0
    minutes: int = 0

    @property
    def is_zero(self) -> bool:
        return not (self.months or self.days or self.minutes)

    @property
    def elapsed(self) -> timedelta:
        """Days and minutes as elapsed time; for limits, never for calendar dates."""
        return timedelta(days=self.days, minutes=self.minutes)

    def __str__(self) -> str:
        date_part = (f"{self.months}M" if self.months else "") + (f"{self.days}D" if self.days else "")
        if self.minutes:
            return f"P{date_part}T{self.minutes}M"
        return f"P{date_part or '0D'}"


def parse_period(text: str) -> Period:
    """The period that an ISO 8601 duration names.

    >>> parse_period("P1Y6M"), parse_period("P6W"), parse_period("PT2H10M")
    (Period(months=18, days=0, minutes=0), Period(months=0, days=42, minutes=0), Period(months=0, days=0, minutes=130))
    """
    match = _PERIOD.fullmatch(text)
    if match is None or text in ("P", "PT") or text.endswith("T"):
        raise ValueError(f"'{text}' is not a duration such as P6W, P6M, P7D or PT30M")
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in match.groups())
    return Period(12 * years + months, 7 * weeks + days, 60 * hours + minutes)


def add_period(day: date, period: Period, sign: int = 1) -> date:
    """The day a period later (or earlier): months first, a month too short gives its last day (clamp_end).

    >>> add_period(date(2025, 8, 31), parse_period("P6M"))
    datetime.date(2026, 2, 28)
    """
    if period.months:
        index = day.year * 12 + day.month - 1 + sign * period.months
        year, month = divmod(index, 12)
        day = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return day + timedelta(days=sign * period.days)


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The civil date of an instant."""
    return instant.astimezone(zone).date()


@lru_cache(maxsize=65536)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a civil day, in UTC, also where midnight or the whole day does not exist."""
    instant = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    while instant.astimezone(zone).date() < day:  # the offset was stepped over: go on to the day
        instant += timedelta(minutes=1)
    earlier = instant - timedelta(minutes=1)
    while earlier.astimezone(zone).date() >= day:  # midnight lies inside a gap that began before it
        instant, earlier = earlier, earlier - timedelta(minutes=1)
    return instant


@lru_cache(maxsize=65536)
def at_local(day: date, clock_time: time, zone: ZoneInfo) -> datetime:
    """The instant of a local time: the first of two, moved past a gap when there is none."""
    return datetime.combine(day, clock_time, tzinfo=zone).astimezone(UTC)


def exact_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant that a naive local time names, when it names exactly one.

    Raises LocalTimeError in the hour that the change of clocks skips or repeats.
    """
    first = local.replace(tzinfo=zone, fold=0)
    second = local.replace(tzinfo=zone, fold=1)
    instant = first.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local:
        raise LocalTimeError("does not exist")
    if first.utcoffset() != second.utcoffset():
        raise LocalTimeError("exists twice")
    return instant


@dataclass(frozen=True, slots=True)
class DayCalendar:
    """The days on which a site is open, in its zone."""

    zone: ZoneInfo
    open_weekdays: frozenset[int]
    closed: frozenset[date]

    def is_open(self, day: date) -> bool:
        return day.isoweekday() in self.open_weekdays and day not in self.closed

    def nearest_open_day(self, target: date, first: date, last: date) -> date | None:
        """The open day of [first, last] nearest to `target`, the later of two equally near."""
        for distance in range(max((last - target).days, (target - first).days) + 1):
            for day in (target + timedelta(days=distance), target - timedelta(days=distance)):
                if first <= day <= last and self.is_open(day):
                    return day
        return None

    def next_open_day(self, target: date, last: date) -> date | None:
        """The first open day of [target, last]."""
        for distance in range((last - target).days + 1):
            if self.is_open(target + timedelta(days=distance)):
                return target + timedelta(days=distance)
        return None
