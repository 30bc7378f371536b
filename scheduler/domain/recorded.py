"""What was already written about a subject, as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from scheduler.domain.exposure import Shown
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.reason import Reason

__all__ = ["Recorded", "RecordedDraw", "RecordedExposure", "RecordedVisit"]


class RecordedDraw(NamedTuple):
    """A draw's row."""

    point: str
    window_from: datetime | None
    window_to: datetime | None
    drawn_at: datetime | None
    tube: str | None
    not_drawn: str | None
    result: str | None


class RecordedVisit(NamedTuple):
    """A visit's row: everything a board or a mail shows of it."""

    status: VisitStatus
    reason: Reason
    target: date
    first: date
    last: date
    booked_local: datetime | None
    sequence: int
    attended_at: datetime | None
    missing: tuple[Reason, ...]
    draws: tuple[RecordedDraw, ...]
    amended_by: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedExposure:
    """The newest estimate on record for a visit; `inputs_hash` is None once it was withdrawn.

    `shown` is what people saw of its AUC0-12; None without a value.
    """

    inputs_hash: str | None
    version: int
    shown: Shown | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was already written about a subject."""

    visits: Mapping[str, RecordedVisit]
    open_flags: Mapping[str, Reason]
    reminder_keys: Collection[str]
    exposures: Mapping[str, RecordedExposure]
