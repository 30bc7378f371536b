"""The dates that the reason of a flag carries, where the protocol sets any: until when, and when others are told."""

from __future__ import annotations

from datetime import datetime

from scheduler.domain.reason import Reason

__all__ = ["due_at", "raised_at"]


def due_at(reason: Reason) -> datetime | None:
    """Until when a matter can be seen to as its reason says, before it becomes another one; None where nothing is set.

    A visit that was booked and of which nothing is recorded becomes overdue, one that is overdue is missed, an
    incomplete one lacks more.
    """
    found = reason.get("due_at")
    return found if isinstance(found, datetime) else None


def raised_at(reason: Reason) -> datetime | None:
    """When others than at first are told of a matter, if the protocol has it so."""
    found = reason.get("raised_at")
    return found if isinstance(found, datetime) else None
