"""A sampling day as the nurse at the bedside needs it: what is done, what is next, which window each draw has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlmodel import Session

from scheduler.domain.civil import start_of_day
from scheduler.domain.facts import DoseGiven, Regimen
from scheduler.domain.reason import Reason, because
from scheduler.domain.sampling import deviation, minutes_after_dose
from scheduler.domain.timeline import Draw, VisitPlan
from scheduler.engine.study import Study
from scheduler.store.sampling import SamplingVisit, sampling_visits
from scheduler.store.subjects import load_history
from scheduler.store.tables import SubjectRow

__all__ = ["DrawState", "DrawToday", "SamplingDay", "days_of_sampling", "sampling_day"]


class DrawState(StrEnum):
    """Where a draw stands: before the dose nothing but the first can be timed."""

    BEFORE_DOSE = "before_dose"
    WAITING = "waiting"
    OPEN = "open"
    LATE = "late"
    DRAWN = "drawn"
    NOT_DRAWN = "not_drawn"


@dataclass(frozen=True, slots=True)
class DrawToday:
    """One draw. `minutes` is when it was taken after the dose; `outside` says so when that is out of its window."""

    point: str
    after_dose: bool
    planned_min: tuple[int, int, int]
    state: DrawState
    window: tuple[datetime, datetime] | None
    nominal_at: datetime | None
    drawn_at: datetime | None
    tube: str | None
    not_drawn: str | None
    minutes: int | None
    outside: Reason | None


@dataclass(frozen=True, slots=True)
class SamplingDay:
    """One visit of one subject. `usual` is the regimen on record, which the dose of the day mostly is; `record` is the
    number of the newest record of the subject: another number means that somebody recorded something since."""

    subject: str
    visit: str
    booked_at: datetime | None
    attended_at: datetime | None
    dose: DoseGiven | None
    usual: Regimen | None
    draws: tuple[DrawToday, ...]
    record: int

    @property
    def next_draw(self) -> str | None:
        """The first draw that is neither made nor given up; none after the first before the dose."""
        for one in self.draws:
            if one.state not in (DrawState.DRAWN, DrawState.NOT_DRAWN):
                return one.point if self.dose is not None or not one.after_dose else None
        return None


def sampling_day(
    session: Session, study: Study, subject: SubjectRow, visit: str, now: datetime
) -> SamplingDay | None:
    """The sampling day of a visit as it stands at `now`; None when the visit has none."""
    history = load_history(session, subject.code)
    timeline = study.timeline(session, subject, history)
    plan = timeline.visit(visit) if timeline is not None else None
    if timeline is None or plan is None or not plan.planned.encounter.sampling:
        return None
    return SamplingDay(
        subject=subject.code,
        visit=visit,
        booked_at=plan.booking.starts_at if plan.booking is not None else None,
        attended_at=plan.facts.seen_at,
        dose=plan.facts.dose,
        usual=timeline.facts.regimens[-1].regimen if timeline.facts.regimens else None,
        draws=tuple(_draws(plan, now)),
        record=max(fact.id for fact in history.facts),
    )


def _draws(plan: VisitPlan, now: datetime) -> Iterator[DrawToday]:
    draws = plan.draws or [Draw(point, None, None, None, None) for point in plan.protocol.points]
    dose_at = plan.facts.dose.at if plan.facts.dose is not None else None
    for draw in sorted(draws, key=lambda one: one.point.nominal_min):
        point, window, taken_at = draw.point, draw.window, draw.drawn.at if draw.drawn is not None else None
        minutes = outside = None
        if taken_at is not None and window is not None:
            minutes = minutes_after_dose(point, window, taken_at)
            if not window[0] <= taken_at <= window[1]:
                outside = because("flag_sample_out_of_window", **deviation(point, window, taken_at))
        yield DrawToday(
            point=point.id,
            after_dose=point.nominal_min > 0,
            planned_min=(point.earliest_min, point.nominal_min, point.latest_min),
            state=_state(draw, now),
            window=window,
            nominal_at=dose_at + timedelta(minutes=point.nominal_min) if dose_at is not None else None,
            drawn_at=taken_at,
            tube=draw.drawn.tube if draw.drawn is not None else None,
            not_drawn=draw.not_drawn.reason if draw.not_drawn is not None else None,
            minutes=minutes,
            outside=outside,
        )


def _state(draw: Draw, now: datetime) -> DrawState:
    if draw.drawn is not None:
        return DrawState.DRAWN
    if draw.not_drawn is not None:
        return DrawState.NOT_DRAWN
    if draw.window is None:
        return DrawState.BEFORE_DOSE
    if now < draw.window[0]:
        return DrawState.WAITING
    return DrawState.OPEN if now <= draw.window[1] else DrawState.LATE


def days_of_sampling(
    session: Session, study: Study, sites: Sequence[str], day: date
) -> tuple[SamplingVisit, ...]:
    """The visits with samples that are booked for a day or took place on it, by their time."""
    named = {
        one.id for protocol, _ in study.protocols.values() for one in protocol.encounters if one.sampling
    }
    found: list[SamplingVisit] = []
    for site in sites:
        zone = study.calendars[site].zone
        start, end = start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)
        found += [one for one in sampling_visits(session, site, day, start, end) if one.visit in named]
    return tuple(
        sorted(found, key=lambda one: (one.booked_local or datetime.combine(day, time()), one.subject))
    )
