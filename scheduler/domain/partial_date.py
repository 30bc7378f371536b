"""Dates of which only the year, or year and month, may be known. Their precision is kept, never filled in."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import NamedTuple

from scheduler.domain.civil import Period, add_period

__all__ = ["PartialDate", "parse_partial_date", "within_years"]

_FORM = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


class PartialDate(NamedTuple):
    """The first and the last day that it can be."""

    first: date
    last: date


def parse_partial_date(text: str) -> PartialDate:
    """The days that 2024, 2024-05 or 2024-05-17 can be. Raises ValueError for anything else.

    >>> parse_partial_date("2024-02")
    PartialDate(first=datetime.date(2024, 2, 1), last=datetime.date(2024, 2, 29))
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a date such as 2024, 2024-05 or 2024-05-17")
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    if month is None:
        return PartialDate(date(year, 1, 1), date(year, 12, 31))
    if day is None:
        return PartialDate(date(year, month, 1), date(year, month, monthrange(year, month)[1]))
    return PartialDate(date(year, month, day), date(year, month, day))


def within_years(event: PartialDate, on: date, years: int) -> bool | None:
    """Whether an event lies less than so many years before a day (exactly so many is not less).

    None when that depends on the part of the date that is not known. What would lie after `on` is left out.

    >>> within_years(parse_partial_date("2021-05"), date(2024, 5, 10), 3) is None
    True
    """
    period = Period(months=12 * years)
    earliest, latest = (on < add_period(day, period) for day in (event.first, min(event.last, on)))
    return earliest if earliest == latest else None
