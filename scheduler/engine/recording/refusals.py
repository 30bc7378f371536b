"""Why a fact cannot be recorded: unknown words, the rules of the domain, no reason given, the tube of another draw."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from scheduler.domain.facts import SampleDrawn, What
from scheduler.domain.reason import Reason, RefusedError, because
from scheduler.domain.rules import refusals
from scheduler.domain.timeline import Timeline
from scheduler.store.recorded import draws_of_tube

__all__ = ["all_refusals", "need_reason", "refuse"]


def refuse(reasons: list[Reason]) -> None:
    """Raises RefusedError when there are reasons."""
    if reasons:
        raise RefusedError(reasons)


def need_reason(reason: str) -> None:
    """Whoever changes what is on record says why. Raises RefusedError."""
    if not reason.strip():
        raise RefusedError([because("refused_text_needed")])


def all_refusals(session: Session, timeline: Timeline, what: What, now: datetime) -> list[Reason]:
    """Why this cannot be recorded now; nothing when it can. Of words that the protocol lacks only these are said."""
    unknown = list(_unknown_words(timeline, what))
    if unknown:
        return unknown
    found = refusals(timeline, what, now)
    reason = getattr(what, "reason", None)
    if isinstance(reason, str) and not reason.strip():
        found.append(because("refused_text_needed"))
    if isinstance(what, SampleDrawn):
        found += _tube_used(session, timeline.subject, what)
    return found


def _unknown_words(timeline: Timeline, what: What) -> Iterator[Reason]:
    visit, point, item = (getattr(what, name, None) for name in ("visit", "timepoint", "item"))
    plan = timeline.visit(visit) if visit is not None else None
    protocol = plan.protocol if plan is not None else timeline.protocol
    if visit is not None and plan is None:
        known = ", ".join(one.id for one in timeline.visits)
        yield because("refused_visit_unknown", visit=visit, known=known)
    if point is not None and protocol.point(point) is None:
        known = ", ".join(one.id for one in protocol.points)
        yield because("refused_point_unknown", point=point, known=known)
    if item is not None and protocol.activity(item) is None:
        known = ", ".join(one.id for one in protocol.activities)
        yield because("refused_item_unknown", item=item, known=known)


def _tube_used(session: Session, subject: str, what: SampleDrawn) -> list[Reason]:
    """Whether the tube number is on record for another draw."""
    return [
        because("refused_tube_used", tube=what.tube, subject=owner, visit=visit, point=point)
        for owner, visit, point in draws_of_tube(session, what.tube)
        if (owner, visit, point) != (subject, what.visit, what.timepoint)
    ]
