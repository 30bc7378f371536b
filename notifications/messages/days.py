"""The days that a mail about another protocol version tells of: before and after."""

from __future__ import annotations

from datetime import date
from typing import Any

from scheduler.domain.events import VisitReplanned

__all__ = ["as_facts", "days_told"]

_NAMES = ("target", "first", "last")


def as_facts(event: VisitReplanned) -> dict[str, Any]:
    """What is kept of the event, as JSON values; None where a version has no such visit."""
    facts: dict[str, Any] = {"event": event.event.value, "sequence": event.sequence}
    for which, days in (("old", event.old), ("new", event.new)):
        facts |= {f"{which}_{name}": str(getattr(days, name)) if days else None for name in _NAMES}
    return facts


def days_told(facts: dict[str, Any]) -> dict[str, dict[str, date] | None]:
    """`old_days` and `new_days` of a mail, for its template."""
    return {f"{which}_days": _days(facts, which) for which in ("old", "new")}


def _days(facts: dict[str, Any], which: str) -> dict[str, date] | None:
    if not facts.get(f"{which}_target"):
        return None
    return {name: date.fromisoformat(facts[f"{which}_{name}"]) for name in _NAMES}
