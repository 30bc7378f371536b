"""Reads the times of a laboratory file: ISO 8601 or dd/mm/yyyy hh:mm, to the minute at least."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from scheduler.domain.civil import LocalTimeError, exact_instant

__all__ = ["TimeFault", "instant_of"]

_FRENCH = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4}) ([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)", re.ASCII)
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)


class TimeFault(ValueError):  # noqa: N818
    """Why a text names no single instant; `code` is the sentence's code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def instant_of(text: str, zone: ZoneInfo) -> datetime:
    """The instant that a text names: by its own offset, else as local time of `zone`.

    Raises TimeFault when it is no such text, no such day, or an hour that is skipped or repeated.
    """
    french = _FRENCH.fullmatch(text)
    if french is not None:
        day, month, year, clock = french.groups()
        text = f"{year}-{month}-{day}T{clock}"
    elif _ISO.fullmatch(text) is None:
        raise TimeFault("R-30")
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo is not None else exact_instant(read, zone)
    except LocalTimeError as error:
        code = "R-30.skipped" if "not exist" in str(error) else "R-30.repeated"
        raise TimeFault(code) from error
    except (ValueError, OverflowError) as error:
        raise TimeFault("R-30") from error
