"""Dates and times as people type them, in the zone of the subject's site."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.domain.civil import LocalTimeError, exact_instant
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.recording.typed_assessments import read_pair

__all__ = ["parse_day", "parse_instant", "parse_local", "read_field"]

_DAYS = ("%Y-%m-%d", "%d/%m/%Y")
_TIMES = ("%H:%M", "%Hh%M")


def parse_day(text: str) -> date:
    """A date written 2026-01-15 or 15/01/2026. Raises RefusedError."""
    for form in _DAYS:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise RefusedError([because("refused_date", text=text)])


def parse_local(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """A naive local time written '2026-01-15 08:31', '15/01/2026 08:31' or, for today, '08:31'. Raises RefusedError."""
    day_text, _, time_text = text.strip().replace("T", " ").rpartition(" ")
    day = parse_day(day_text) if day_text else now.astimezone(zone).date()
    return datetime.combine(day, _parse_time(time_text, text))


def parse_instant(text: str | None, now: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a local time; now when nothing is given. An explicit offset (+02:00) wins. Raises RefusedError."""
    if text is None:
        return now
    try:
        explicit = datetime.fromisoformat(text.strip())
    except ValueError:
        explicit = None
    if explicit is not None and explicit.tzinfo is not None:
        return explicit.astimezone(UTC)
    local = parse_local(text, now, zone)
    try:
        return exact_instant(local, zone)
    except LocalTimeError as error:
        code = "refused_instant_twice" if "twice" in str(error) else "refused_time_skipped"
        raise RefusedError([because(code, at=local)]) from error


def _parse_time(text: str, whole: str) -> time:
    for form in _TIMES:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC).time()
        except ValueError:
            continue
    raise RefusedError([because("refused_time", text=whole)])


def read_field(name: str, value: str, now: datetime, zone: ZoneInfo) -> tuple[str, Any]:
    """A field to correct as its record holds it; times are read as everywhere else. Raises RefusedError."""
    if name == "at":
        return name, parse_instant(value, now, zone).isoformat()
    if name == "local":
        return name, parse_local(value, now, zone).isoformat()
    if name in ("baseline", "treatment_start", "on"):
        return name, parse_day(value).isoformat()
    if name == "sites":
        return name, [read_pair(one) for one in value.split(",")]
    return name, value
