"""A subject's year as one picture shows it: for every visit its window, target, appointment, day, and draws. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduler.domain.civil import local_date
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.results import ResultStatus
from scheduler.domain.status import VisitView
from scheduler.domain.timeline import Draw, Timeline

__all__ = ["SampleState", "Year", "YearSample", "YearVisit", "year_of"]


class SampleState(StrEnum):
    """How far a draw came."""

    TO_DRAW = "to_draw"
    DRAWN = "drawn"
    RESULT = "result"
    NOT_DRAWN = "not_drawn"
    NO_RESULT = "no_result"


@dataclass(frozen=True, slots=True)
class YearSample:
    """One draw. `outside` says that it was taken out of its window."""

    point: str
    state: SampleState
    outside: bool


@dataclass(frozen=True, slots=True)
class YearVisit:
    """One visit. Days are the site's; `window` is its first and its last day."""

    id: str
    status: VisitStatus
    window: tuple[date, date]
    target: date
    booked: date | None
    attended: date | None
    samples: tuple[YearSample, ...]

    @property
    def days(self) -> tuple[date, ...]:
        """Every day that the picture must show."""
        found = (*self.window, self.target, self.booked, self.attended)
        return tuple(day for day in found if day is not None)


@dataclass(frozen=True, slots=True)
class Year:
    """All visits of a subject as they stand `today`, with the times on hold and the day of withdrawal."""

    subject: str
    visits: tuple[YearVisit, ...]
    today: date
    on_hold: tuple[tuple[date, date | None], ...]
    withdrawn: date | None

    @property
    def span(self) -> tuple[date, date]:
        """The first and the last day of the picture."""
        days = [day for visit in self.visits for day in visit.days]
        return min(days), max(days)

    @property
    def shows_today(self) -> bool:
        """Whether today lies in the picture: a year that is over is not stretched to it."""
        first, last = self.span
        return first <= self.today <= last


def year_of(timeline: Timeline, views: Sequence[VisitView], now: datetime) -> Year:
    """The year as `views` found it at `now`."""
    zone = timeline.zone_calendar.zone
    withdrawn = timeline.withdrawn_at
    return Year(
        subject=timeline.subject,
        visits=tuple(_visit(view) for view in views),
        today=local_date(now, zone),
        on_hold=tuple((local_date(one.start, zone), _day(one.end, zone)) for one in timeline.pauses),
        withdrawn=_day(withdrawn, zone),
    )


def _day(instant: datetime | None, zone: ZoneInfo) -> date | None:
    return local_date(instant, zone) if instant is not None else None


def _visit(view: VisitView) -> YearVisit:
    plan, planned = view.plan, view.plan.planned
    return YearVisit(
        id=plan.id,
        status=view.status,
        window=(planned.first, planned.last),
        target=planned.target,
        booked=plan.booking.local.date() if plan.booking is not None else None,
        attended=plan.attended_on,
        samples=tuple(_sample(draw) for draw in plan.draws),
    )


def _sample(draw: Draw) -> YearSample:
    return YearSample(draw.point.id, _state(draw), draw.outside)


def _state(draw: Draw) -> SampleState:
    if draw.not_drawn is not None:
        return SampleState.NOT_DRAWN
    if draw.result is not None:
        if draw.result.is_final:
            return SampleState.RESULT
        if draw.result.version.status is ResultStatus.NOT_OBTAINED:
            return SampleState.NO_RESULT
    return SampleState.DRAWN if draw.drawn is not None else SampleState.TO_DRAW
