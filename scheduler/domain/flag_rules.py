"""Which flags are open on a subject: the rules by which each opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from pk.exposure import AVERAGE
from scheduler.domain.civil import start_of_day
from scheduler.domain.exposure import HELD, Exposure, VisitExposures, method_said, settled_at
from scheduler.domain.facts import EligibilityAssessed
from scheduler.domain.flags import Flag, FlagCode, flag_key
from scheduler.domain.protocol import Band, TimingType, VisitStatus
from scheduler.domain.reason import Param, Reason, because
from scheduler.domain.sampling import Doubt, Weight, deviation, doubts_of
from scheduler.domain.status import MissingKind, VisitView
from scheduler.domain.timeline import Timeline, VisitPlan
from scheduler.domain.trial.eligibility import EligibilityStatus, eligibility_of

__all__ = ["flags_of", "holds_of"]


def flags_of(
    timeline: Timeline, views: tuple[VisitView, ...], exposures: Mapping[str, VisitExposures], now: datetime
) -> list[Flag]:
    """Every flag that is open on this subject at `now`."""
    found: list[Flag] = []
    for view in views:
        plan, status = view.plan, view.status
        derivation = plan.planned.derivation
        if derivation.no_open_day and not derivation.blocked and status in _TO_BE_BOOKED:
            found += _no_open_day(timeline, view)
        code = _STATUS_FLAGS.get(status)
        if code is not None:
            since = view.since or timeline.enrolled_at
            found.append(Flag(code, timeline.subject, plan.id, "", view.reason, since))
            found += _endpoint_flags(timeline, view, now)
        if plan.attended_at is not None:
            _add_day_flags(timeline, plan, plan.attended_at, found)
            if view.results_overdue:
                found += _results_overdue(timeline, view, now)
            estimated = exposures.get(plan.id)
            if plan.draws:
                found += _sample_flags(timeline, plan, estimated)
            primary = estimated.primary if estimated is not None else None
            if primary is not None and primary.method != HELD:
                _add_exposure_flags(timeline, plan, primary, found)
    if timeline.facts.eligibility is not None:
        found += _eligibility_flag(timeline, timeline.facts.eligibility)
    return found


_TO_BE_BOOKED = frozenset({VisitStatus.PLANNED, VisitStatus.WINDOW_OPEN, VisitStatus.OVERDUE})
_STATUS_FLAGS = {
    VisitStatus.OVERDUE: FlagCode.VISIT_OVERDUE,
    VisitStatus.MISSED: FlagCode.VISIT_MISSED,
    VisitStatus.UNCONFIRMED: FlagCode.VISIT_UNCONFIRMED,
    VisitStatus.INCOMPLETE: FlagCode.VISIT_INCOMPLETE,
}


def _eligibility_flag(timeline: Timeline, answers: EligibilityAssessed) -> Iterator[Flag]:
    """Answers by which a subject who takes part is not eligible, or may not be."""
    found = eligibility_of(answers, timeline.protocol.endpoints.biologic_scope)
    if found.status is not EligibilityStatus.ELIGIBLE:
        since = start_of_day(answers.on, timeline.zone_calendar.zone)
        reason = because(f"flag_eligibility_{found.status}", why=found.open_reasons)
        yield Flag(FlagCode.ELIGIBILITY_OPEN, timeline.subject, None, "", reason, since)


def _no_open_day(timeline: Timeline, view: VisitView) -> Iterator[Flag]:
    """A visit without appointment whose window has no working day."""
    plan, planned = view.plan, view.plan.planned
    if plan.booking is None:
        # from the end of its window on the visit counts as overdue, with the limit of that
        due_at = plan.missed_at if view.status is VisitStatus.OVERDUE else planned.closes_at
        reason = because("flag_no_open_day", first=planned.first, last=planned.last, due_at=due_at)
        yield Flag(FlagCode.NO_OPEN_DAY, timeline.subject, plan.id, "", reason, timeline.enrolled_at)


def _endpoint_flags(timeline: Timeline, view: VisitView, now: datetime) -> Iterator[Flag]:
    """The required assessments that a visit after the anchor can no longer give in time."""
    plan, subject = view.plan, timeline.subject
    encounter = plan.planned.encounter
    if encounter.timing.type is TimingType.FIXED:
        return
    late: list[tuple[str, datetime]] = []
    if view.status is VisitStatus.MISSED:
        late = [(item, plan.missed_at) for item in encounter.required]
    elif view.status is VisitStatus.INCOMPLETE:
        late = [
            (one.item, one.expected_by)
            for one in view.missing
            if one.kind is MissingKind.ASSESSMENT and one.expected_by is not None and now >= one.expected_by
        ]
    for item, since in late:
        reason = because("flag_endpoint_missing", item=item)
        yield Flag(FlagCode.ENDPOINT_MISSING, subject, plan.id, item, reason, since)


def _add_day_flags(timeline: Timeline, plan: VisitPlan, at: datetime, found: list[Flag]) -> None:
    """What is wrong with the day of a visit and with its draws."""
    planned, subject = plan.planned, timeline.subject
    if not planned.opens_at <= at < planned.closes_at and not planned.derivation.blocked:
        reason = because("flag_visit_out_of_window", at=at, first=planned.first, last=planned.last)
        found.append(Flag(FlagCode.VISIT_OUT_OF_WINDOW, subject, plan.id, "", reason, at))
    for draw in plan.draws:
        point, window, drawn, _, result, _ = draw
        if window is not None and drawn is not None and not window[0] <= drawn.at <= window[1]:
            reason = because("flag_sample_out_of_window", **deviation(point, window, drawn.at))
            found.append(Flag(FlagCode.SAMPLE_OUT_OF_WINDOW, subject, plan.id, point.id, reason, drawn.at))
        if drawn is None and result is not None and result.is_final:
            reason = because("flag_result_without_draw", point=point.id, specimen=result.version.specimen)
            since = result.version.recorded_at
            found.append(Flag(FlagCode.RESULT_WITHOUT_DRAW, subject, plan.id, point.id, reason, since))


def _results_overdue(timeline: Timeline, view: VisitView, now: datetime) -> Iterator[Flag]:
    """The results that the laboratory should have sent by now."""
    plan = view.plan
    for one in view.missing:
        if one.kind is MissingKind.RESULT and one.expected_by is not None and now >= one.expected_by:
            assert plan.attended_on is not None
            reason = because("flag_result_overdue", point=one.item, on=plan.attended_on)
            yield Flag(FlagCode.RESULT_OVERDUE, timeline.subject, plan.id, one.item, reason, one.expected_by)


# --- what does not fit about the samples

_FROM_MODELS = frozenset({"profile_unexplained", "profile_looks_swapped", "profile_unit_suspected"})


def holds_of(timeline: Timeline, plan: VisitPlan) -> tuple[Reason, ...]:
    """Why the samples of a visit are not used together: what is in question, and what nobody acknowledged."""
    return tuple(
        doubt.reason
        for doubt in doubts_of(timeline, plan)
        if doubt.weight is Weight.QUESTIONS
        or (doubt.weight is Weight.HOLDS and _key(timeline, plan, doubt) not in timeline.facts.acknowledged)
    )


def _key(timeline: Timeline, plan: VisitPlan, doubt: Doubt) -> str:
    return flag_key(FlagCode.SET_HELD, timeline.subject, plan.id, doubt.detail)


def _sample_flags(timeline: Timeline, plan: VisitPlan, estimated: VisitExposures | None) -> Iterator[Flag]:
    """What holds the samples of a visit, and what is unusual about their profile, by the rules and by the models."""
    subject, by_models = timeline.subject, _said_by_models(estimated)
    for doubt in doubts_of(timeline, plan):
        if doubt.weight is Weight.QUESTIONS:
            reason = because("flag_result_in_question", why=doubt.reason)
            yield Flag(FlagCode.RESULT_IN_QUESTION, subject, plan.id, doubt.detail, reason, doubt.since)
        elif doubt.weight is Weight.HOLDS:
            reason = because("flag_set_held", why=doubt.reason)
            yield Flag(FlagCode.SET_HELD, subject, plan.id, doubt.detail, reason, doubt.since)
        elif doubt.weight is Weight.WARNS:
            why: tuple[Reason, ...] = (doubt.reason,)
            if doubt.detail.startswith("S-05"):
                why, by_models = (doubt.reason, *by_models), ()
            reason = because("flag_profile_unusual", why=why)
            yield Flag(FlagCode.PROFILE_UNUSUAL, subject, plan.id, doubt.detail, reason, doubt.since)
    if by_models:
        since = settled_at(plan) or timeline.enrolled_at
        reason = because("flag_profile_unusual", why=by_models)
        yield Flag(FlagCode.PROFILE_UNUSUAL, subject, plan.id, "S-05", reason, since)


def _said_by_models(estimated: VisitExposures | None) -> tuple[Reason, ...]:
    """The suspicions that come with the average of the models: tubes exchanged, another unit."""
    found = estimated.exposures if estimated is not None else ()
    return tuple(
        note for one in found if one.method == AVERAGE for note in one.notes if note.code in _FROM_MODELS
    )


def _add_exposure_flags(timeline: Timeline, plan: VisitPlan, primary: Exposure, found: list[Flag]) -> None:
    """An exposure that could not be computed, or that lies outside a reference range."""
    value, subject = primary.value, timeline.subject
    if value is None:
        reason = because("flag_auc_not_computable", why=primary.reasons)
        since = settled_at(plan) or timeline.enrolled_at
        found.append(Flag(FlagCode.AUC_NOT_COMPUTABLE, subject, plan.id, "", reason, since))
        return
    for band in plan.protocol.bands:
        if not band.flag:
            continue
        low, high = band.low_mg_h_l, band.high_mg_h_l
        if low is not None and value < low:
            reason = _outside(primary, _seen_beside(value, low), "below", band)
        elif high is not None and value > high:
            reason = _outside(primary, _seen_beside(value, high), "above", band)
        else:
            continue
        since = settled_at(plan) or timeline.enrolled_at
        found.append(Flag(FlagCode.AUC_OUTSIDE_BAND, subject, plan.id, band.id, reason, since))


def _outside(primary: Exposure, value: float, side: str, band: Band) -> Reason:
    """The AUC0-12 and the band; an estimate by a model with its method and 90 % interval."""
    said: dict[str, Param] = {
        "value": value,
        "low": band.low_mg_h_l if band.low_mg_h_l is not None else "",
        "high": band.high_mg_h_l if band.high_mg_h_l is not None else "",
        "band": because(f"band_{band.id}"),
    }
    if primary.interval_90 is None:
        return because(f"flag_auc_{side}_band", **said)
    least, most = (round(limit, 1) for limit in primary.interval_90)
    method = method_said(primary.method, primary.name)
    return because(f"flag_auc_{side}_band_interval", **said, method=method, least=least, most=most)


def _seen_beside(value: float, limit: float) -> float:
    """The value with one decimal, or with as many as show on which side of the limit it lies; a sentence has three."""
    for digits in (1, 2, 3):
        shown = round(value, digits)
        if shown != limit and (shown < limit) == (value < limit):
            return shown
    return limit - 0.001 if value < limit else limit + 0.001
