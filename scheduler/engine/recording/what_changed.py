"""What a record changes, for the audit: the old and the new value of each field."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from scheduler.domain.facts import RegimenChanged, VisitBooked, VisitCancelled, VisitMoved, What
from scheduler.domain.timeline import Timeline
from scheduler.store.rows import payload_of

__all__ = ["changed_by", "changed_fields"]

Changes = dict[str, tuple[Any, Any]]


def changed_fields(before: What, after: What | None) -> Changes:
    """The fields in which a correction differs from what it corrects; all of them when it takes it back whole."""
    old = payload_of(before)
    new = payload_of(after) if after is not None else dict.fromkeys(old)
    return {name: (old.get(name), new.get(name)) for name in old | new if old.get(name) != new.get(name)}


def changed_by(timeline: Timeline, what: What) -> Changes:
    """What a new record takes the place of: an appointment, a regimen. Nothing, where it only adds."""
    match what:
        case VisitBooked() | VisitMoved():
            return {"booked": (_booked(timeline, what.visit), _iso(what.local))}
        case VisitCancelled():
            return {"booked": (_booked(timeline, what.visit), None)}
        case RegimenChanged():
            periods = timeline.facts.regimens
            before = asdict(periods[-1].regimen) if periods else None
            return {"regimen": (before, payload_of(what).get("regimen"))}
        case _:
            return {}


def _booked(timeline: Timeline, visit: str) -> str | None:
    plan = timeline.visit(visit)
    return _iso(plan.facts.booked_local) if plan is not None else None


def _iso(local: datetime | None) -> str | None:
    return local.isoformat(timespec="minutes") if local is not None else None
