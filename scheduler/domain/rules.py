"""What may be recorded: why a fact is refused, and what is worth a second look. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from scheduler.domain.assessment_rules import refusals_of_assessment
from scheduler.domain.civil import LocalTimeError, exact_instant, local_date, start_of_day
from scheduler.domain.facts import (
    Assessed,
    Attended,
    DoseGiven,
    EligibilityAssessed,
    Enrolled,
    Paused,
    ProtocolApplied,
    Regimen,
    RegimenChanged,
    Resumed,
    SampleDrawn,
    SampleNotDrawn,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    What,
    Withdrawn,
)
from scheduler.domain.protocol import Protocol, VisitStatus
from scheduler.domain.reason import Reason, because
from scheduler.domain.sampling import deviation
from scheduler.domain.status import view_visit
from scheduler.domain.subject_code import is_well_formed
from scheduler.domain.timeline import Timeline, VisitPlan
from scheduler.domain.trial.answers import refusals_of_answers
from scheduler.domain.trial.eligibility import Eligibility, EligibilityStatus, eligibility_of

__all__ = ["refusals", "refusals_of_enrolment", "warnings"]

CLOCK_TOLERANCE = timedelta(minutes=5)
_HIGHEST_DOSE_MG = 5000.0
_FARTHEST_VERSION = timedelta(days=366)


def refusals_of_enrolment(protocol: Protocol, code: str, what: Enrolled, now: datetime) -> list[Reason]:
    """Why a subject cannot be enrolled so; empty when it can."""
    found = []
    problem = is_well_formed(protocol, code)
    if problem is not None:
        found.append(because("refused_code", subject=code, why=problem))
    if what.baseline > now.date() + timedelta(days=366):
        found.append(because("refused_baseline_far", on=what.baseline))
    if what.baseline < now.date() - timedelta(days=5 * 366):
        found.append(because("refused_baseline_old", on=what.baseline))
    if what.treatment_start is not None and what.treatment_start > now.date() + timedelta(days=366):
        found.append(because("refused_treatment_far", on=what.treatment_start))
    if what.regimen is not None:
        found += _regimen(what.regimen)
    return found


def refusals(timeline: Timeline, what: What, now: datetime) -> list[Reason]:
    """Why a fact cannot be recorded for this subject; empty when it can."""
    return list(_refusals(timeline, what, now))


def _refusals(timeline: Timeline, what: What, now: datetime) -> Iterator[Reason]:
    at = getattr(what, "at", None)
    if isinstance(at, datetime):
        yield from _moment(timeline, at, now, of_visit=isinstance(getattr(what, "visit", None), str))
    visit = getattr(what, "visit", None)
    plan = timeline.visit(visit) if isinstance(visit, str) else None
    match what:
        case VisitBooked() | VisitMoved() | VisitCancelled():
            assert plan is not None
            yield from _appointment(timeline, plan, what, now)
        case Attended() | DoseGiven() | SampleDrawn() | SampleNotDrawn() | Assessed():
            assert plan is not None
            yield from _visit_record(timeline, plan, what)
        case EligibilityAssessed():
            if timeline.facts.eligibility is not None:
                yield because("refused_eligibility_twice", on=timeline.facts.eligibility.on)
            yield from refusals_of_answers(what, local_date(now, timeline.zone_calendar.zone))
        case RegimenChanged():
            yield from _regimen(what.regimen)
        case Paused():
            if timeline.pauses and timeline.pauses[-1].end is None:
                yield because("refused_already_on_hold", since=timeline.pauses[-1].start)
        case Resumed():
            if not timeline.pauses or timeline.pauses[-1].end is not None:
                yield because("refused_not_on_hold")
            elif what.at < timeline.pauses[-1].start:
                yield because("refused_resumed_before_pause", since=timeline.pauses[-1].start)
        case Withdrawn():
            if timeline.withdrawn_at is not None:
                yield because("refused_already_withdrawn", on=timeline.withdrawn_at)
        case ProtocolApplied():
            yield from _amendment(timeline, what, now)
        case _:
            pass


def _amendment(timeline: Timeline, what: ProtocolApplied, now: datetime) -> Iterator[Reason]:
    """Why a subject cannot be followed under another version from this day on."""
    zone = timeline.zone_calendar.zone
    if timeline.withdrawn_at is not None and local_date(timeline.withdrawn_at, zone) <= what.on:
        yield because("refused_left_before", subject=timeline.subject, on=timeline.withdrawn_at)
    if abs(what.on - local_date(now, zone)) > _FARTHEST_VERSION:
        yield because("refused_version_far", on=what.on)
    holding = [one for one in timeline.versions if not one.begins_after(what.on)][-1]
    if holding.plan.protocol.key == what.sha256:
        version = holding.plan.protocol.version
        yield because("refused_version_followed", subject=timeline.subject, version=version, on=what.on)


def _moment(timeline: Timeline, at: datetime, now: datetime, *, of_visit: bool) -> Iterator[Reason]:
    """A moment that cannot be. A visit is not before the first day; a withdrawal or pause may be, once enrolled."""
    zone = timeline.zone_calendar.zone
    assert timeline.facts.enrolled is not None
    first_day = min([timeline.facts.enrolled.baseline, *(plan.planned.first for plan in timeline.visits)])
    if at > now + CLOCK_TOLERANCE:
        yield because("refused_future", at=at, now=now)
    earliest = start_of_day(first_day, zone)
    if at < (earliest if of_visit else min(earliest, timeline.enrolled_at)):
        yield because("refused_before_enrolment", at=at, on=first_day)
    if timeline.withdrawn_at is not None and at > timeline.withdrawn_at:
        yield because("refused_after_withdrawal", at=at, on=timeline.withdrawn_at)


def _appointment(
    timeline: Timeline, plan: VisitPlan, what: VisitBooked | VisitMoved | VisitCancelled, now: datetime
) -> Iterator[Reason]:
    if timeline.withdrawn_at is not None:
        yield because("refused_withdrawn", on=timeline.withdrawn_at)
        return
    if plan.attended_at is not None:
        yield because("refused_already_attended", visit=plan.id, at=plan.attended_at)
        return
    if isinstance(what, VisitBooked) and plan.booking is not None:
        yield because("refused_already_booked", visit=plan.id, at=plan.booking.starts_at)
    if isinstance(what, VisitMoved) and plan.booking is None:
        yield because("refused_not_booked", visit=plan.id)
    if plan.left_out_by is not None and not isinstance(what, VisitCancelled):
        yield because("refused_visit_left_out", visit=plan.id, version=plan.left_out_by)
    if isinstance(what, VisitCancelled):
        if plan.booking is None and not what.final:
            yield because("refused_not_booked", visit=plan.id)
        return
    yield from _local_time(timeline, what.local, now)


def _local_time(timeline: Timeline, local: datetime, now: datetime) -> Iterator[Reason]:
    zone = timeline.zone_calendar.zone
    try:
        exact_instant(local, zone)
    except LocalTimeError as error:
        twice = "twice" in str(error)
        yield because("refused_time_twice" if twice else "refused_time_skipped", at=local)
    if local.date() < local_date(now, zone):
        yield because("refused_booking_past", at=local)
    if local.date() > local_date(now, zone) + timedelta(days=3 * 366):
        yield because("refused_booking_far", at=local)


def _visit_record(
    timeline: Timeline,
    plan: VisitPlan,
    what: Attended | DoseGiven | SampleDrawn | SampleNotDrawn | Assessed,
) -> Iterator[Reason]:
    zone = timeline.zone_calendar.zone
    facts = plan.facts
    seen_at = facts.seen_at  # not the laboratory's word: a slip there must not keep the right day out
    if isinstance(what, DoseGiven | SampleDrawn | SampleNotDrawn) and not plan.planned.encounter.sampling:
        yield because("refused_no_sampling", visit=plan.id)
    if (
        isinstance(what, DoseGiven | SampleDrawn)
        and seen_at is not None
        and local_date(what.at, zone) != local_date(seen_at, zone)
    ):
        yield because("refused_other_day", at=what.at, visit=plan.id, attended=seen_at)
    match what:
        case Attended():
            if facts.attended_at is not None:
                yield because("refused_attended_twice", visit=plan.id, at=facts.attended_at)
            yield from _not_the_day_of_another(timeline, plan, what.at)
        case DoseGiven():
            if facts.dose is not None:
                yield because("refused_dose_twice", visit=plan.id, at=facts.dose.at)
            yield from _regimen(Regimen(what.formulation, what.dose_mg, what.interval_h))
            yield from _order(plan, what.at)
        case SampleDrawn() | SampleNotDrawn():
            earlier = facts.draws.get(what.timepoint)
            if earlier is not None:
                yield because("refused_draw_twice", point=what.timepoint, visit=plan.id, at=earlier.at)
            if isinstance(what, SampleDrawn):
                yield from _draw_order(plan, what)
        case Assessed():
            yield from refusals_of_assessment(plan.protocol, plan, what)


def _not_the_day_of_another(timeline: Timeline, plan: VisitPlan, at: datetime) -> Iterator[Reason]:
    for other in timeline.visits:
        if other.id == plan.id or other.attended_on is None or other.attended_at is None:
            continue
        if local_date(at, timeline.zone_calendar.zone) == other.attended_on:
            yield because("refused_same_day_as", visit=plan.id, other=other.id, on=other.attended_on)


def _order(plan: VisitPlan, dose_at: datetime) -> Iterator[Reason]:
    for draw in plan.draws:
        if draw.drawn is not None and draw.point.nominal_min > 0 and draw.drawn.at <= dose_at:
            yield because("refused_dose_after_draw", point=draw.point.id, at=draw.drawn.at)


def _draw_order(plan: VisitPlan, what: SampleDrawn) -> Iterator[Reason]:
    point = plan.protocol.point(what.timepoint)
    dose = plan.facts.dose
    if point is not None and point.nominal_min > 0 and dose is not None and what.at <= dose.at:
        yield because("refused_draw_before_dose", point=what.timepoint, at=what.at, dose=dose.at)
    for other in plan.draws:
        if other.drawn is not None and point is not None and other.point.id != point.id:
            later = other.point.nominal_min > point.nominal_min
            if (later and other.drawn.at <= what.at) or (not later and other.drawn.at >= what.at):
                yield because(
                    "refused_draw_order",
                    point=point.id,
                    at=what.at,
                    other=other.point.id,
                    other_at=other.drawn.at,
                )


def _regimen(regimen: Regimen) -> Iterator[Reason]:
    if not 0 < regimen.dose_mg <= _HIGHEST_DOSE_MG:
        yield because("refused_dose_mg", dose=regimen.dose_mg)
    if not 1 <= regimen.interval_h <= 48:
        yield because("refused_interval", interval=regimen.interval_h)


def warnings(timeline: Timeline, what: What, now: datetime) -> list[Reason]:
    """What is recorded all the same, but deserves a second look."""
    return list(_warnings(timeline, what, now))


def _warnings(timeline: Timeline, what: What, now: datetime) -> Iterator[Reason]:
    if isinstance(what, EligibilityAssessed):
        yield from _eligibility(eligibility_of(what, timeline.protocol.endpoints.biologic_scope))
    visit = getattr(what, "visit", None)
    plan = timeline.visit(visit) if isinstance(visit, str) else None
    if plan is None:
        return
    planned = plan.planned
    day: date | None = None
    if isinstance(what, VisitBooked | VisitMoved):
        day = what.local.date()
        if not timeline.zone_calendar.is_open(day):
            yield because("warned_closed_day", on=day)
    elif isinstance(what, Attended):
        day = local_date(what.at, timeline.zone_calendar.zone)
        if plan.left_out_by is not None:
            yield because("warned_left_out", visit=plan.id, version=plan.left_out_by)
        elif view_visit(timeline, plan, now).status is VisitStatus.CANCELLED:
            yield because("warned_was_cancelled", visit=plan.id)
    if day is not None and not planned.first <= day <= planned.last:
        yield because("warned_out_of_window", on=day, first=planned.first, last=planned.last)
    if isinstance(what, SampleDrawn) and plan.facts.dose is not None:
        yield from _window_warning(plan, what, plan.facts.dose)
    if isinstance(what, DoseGiven) and plan.draws:
        for draw in plan.draws:
            if draw.drawn is not None:
                yield from _window_warning(plan, draw.drawn, what)


def _eligibility(found: Eligibility) -> Iterator[Reason]:
    """What keeps a subject from being eligible, or what must be known to say so."""
    if found.status is not EligibilityStatus.ELIGIBLE:
        yield because(f"flag_eligibility_{found.status}", why=found.open_reasons)


def _window_warning(plan: VisitPlan, draw: SampleDrawn, dose: DoseGiven) -> Iterator[Reason]:
    point = plan.protocol.point(draw.timepoint)
    if point is None:
        return
    window = dose.at + timedelta(minutes=point.earliest_min), dose.at + timedelta(minutes=point.latest_min)
    if not window[0] <= draw.at <= window[1]:
        yield because("flag_sample_out_of_window", **deviation(point, window, draw.at))
