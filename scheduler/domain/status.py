"""What is true of a visit at an instant: its status, what is missing, until when that holds."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from scheduler.domain.facts import Withdrawal
from scheduler.domain.planned import AttendedDay, PlannedVisit, Slot
from scheduler.domain.protocol import Trigger, VisitStatus
from scheduler.domain.reason import Param, Reason, because
from scheduler.domain.results import ResultStatus
from scheduler.domain.timeline import NEVER, Draw, Timeline, VisitPlan

__all__ = ["Missing", "MissingKind", "VisitView", "view_visit"]


class MissingKind(StrEnum):
    """What kind of record a visit lacks."""

    DOSE = "dose"
    DRAW = "draw"
    RESULT = "result"
    ASSESSMENT = "assessment"


class Missing(NamedTuple):
    """One record that a visit lacks, and by when it is expected; `lost` when it can never come."""

    kind: MissingKind
    item: str
    lost: bool
    expected_by: datetime | None = None
    why: str = ""
    lost_at: datetime | None = None

    @property
    def reason(self) -> Reason:
        suffix = "_lost" if self.lost else ""
        return because(f"missing_{self.kind}{suffix}", item=self.item, why=self.why)


class VisitView(NamedTuple):
    """A visit at an instant. `until` is the first later instant at which it can differ."""

    plan: VisitPlan
    status: VisitStatus
    reason: Reason
    missing: tuple[Missing, ...]
    since: datetime | None
    results_overdue: bool
    until: datetime


def view_visit(timeline: Timeline, plan: VisitPlan, now: datetime) -> VisitView:
    """The status of a visit at `now`, its reason, and until when both hold."""
    if plan.attended_at is not None:
        return _after_attendance(plan, now)
    return _before_attendance(timeline, plan, now)


def _before_attendance(timeline: Timeline, plan: VisitPlan, now: datetime) -> VisitView:
    planned = plan.planned
    ended = _ended(timeline, plan)
    if ended is not None:
        status, reason, since = ended
        return VisitView(plan, status, reason, (), since, False, NEVER)
    until = _next(planned.instants, now)
    booking = plan.booking
    if booking is not None and now < booking.unconfirmed_at:
        until = min(until, booking.unconfirmed_at)
        reason = because("status_booked", at=booking.starts_at)
        return VisitView(plan, VisitStatus.BOOKED, reason, (), None, False, until)
    if now >= plan.missed_at:
        reason = because("status_missed", closed=planned.last, missed=plan.missed_at)
        return VisitView(plan, VisitStatus.MISSED, reason, (), plan.missed_at, False, until)
    until = min(until, plan.missed_at)
    if now >= planned.overdue_at and plan.late_booking is None:
        reason = because("status_overdue", closed=planned.last, due_at=plan.missed_at, **_raised(planned))
        return VisitView(plan, VisitStatus.OVERDUE, reason, (), planned.overdue_at, False, until)
    if booking is not None:
        due_at = planned.overdue_at if plan.late_booking is None else plan.missed_at
        reason = because("status_unconfirmed", at=booking.starts_at, due_at=due_at)
        return VisitView(plan, VisitStatus.UNCONFIRMED, reason, (), booking.unconfirmed_at, False, until)
    if planned.derivation.blocked:
        reason = because("status_blocked", anchor=planned.derivation.anchor or "")
        return VisitView(plan, VisitStatus.PLANNED, reason, (), None, False, until)
    if now >= planned.opens_at:
        reason = because("status_window_open", first=planned.first, last=planned.last)
        return VisitView(plan, VisitStatus.WINDOW_OPEN, reason, (), planned.opens_at, False, until)
    reason = because("status_planned", target=planned.target, first=planned.first)
    return VisitView(plan, VisitStatus.PLANNED, reason, (), None, False, until)


def _raised(planned: PlannedVisit) -> dict[str, Param]:
    """When others than at first are told that a visit is overdue, if the protocol has it so."""
    told = sorted((slot for slot in planned.slots if slot.rule.trigger == Trigger.OVERDUE), key=_due_at)
    later = [slot for slot in told if not set(slot.rule.roles) <= set(told[0].rule.roles)]
    return {"raised_at": later[0].due_at} if later else {}


def _due_at(slot: Slot) -> datetime:
    return slot.due_at


def _ended(timeline: Timeline, plan: VisitPlan) -> tuple[VisitStatus, Reason, datetime | None] | None:
    """Why an unattended visit will not take place, or not while participation is on hold."""
    withdrawn_at = timeline.withdrawn_at
    cancelled = plan.facts.cancelled
    if cancelled is not None and cancelled.final:
        return VisitStatus.CANCELLED, because("status_cancelled", why=cancelled.reason), None
    if plan.left_out_by is not None:
        return VisitStatus.NOT_APPLICABLE, because("status_left_out", version=plan.left_out_by), None
    if withdrawn_at is not None and withdrawn_at < plan.missed_at:
        withdrawn = timeline.facts.withdrawn
        cause = withdrawn.cause if withdrawn is not None else Withdrawal.OTHER
        reason = because("status_withdrawn", on=withdrawn_at, cause=because(f"withdrawal_{cause}"))
        return VisitStatus.NOT_APPLICABLE, reason, withdrawn_at
    if not timeline.pauses:
        return None
    late = plan.late_booking
    expected_by = plan.planned.overdue_at if late is None else late.unconfirmed_at
    for pause in timeline.pauses:
        if pause.start > expected_by:
            continue
        if pause.end is None:
            return VisitStatus.PLANNED, because("status_on_hold", since=pause.start), pause.start
        if expected_by <= pause.end:
            reason = because("status_paused", since=pause.start, until=pause.end)
            return VisitStatus.NOT_APPLICABLE, reason, pause.start
    return None


def _next(instants: tuple[datetime, ...], now: datetime) -> datetime:
    index = bisect_right(instants, now)
    return instants[index] if index < len(instants) else NEVER


def _after_attendance(plan: VisitPlan, now: datetime) -> VisitView:
    missing = _missing(plan)
    if not missing:
        return VisitView(plan, VisitStatus.COMPLETE, _COMPLETE, (), None, False, NEVER)
    late = [one for one in missing if one.expected_by is not None and now >= one.expected_by]
    until = min(
        [one.expected_by for one in missing if one.expected_by is not None and now < one.expected_by],
        default=NEVER,
    )
    if late or any(one.lost for one in missing):
        due: dict[str, Param] = {"due_at": until} if until < NEVER else {}
        reason = because("status_incomplete", missing=tuple([one.reason for one in missing]), **due)
        moments = [one.expected_by for one in late] + [one.lost_at for one in missing]
        since = min([at for at in moments if at is not None], default=None)
        results_overdue = any(one.kind is MissingKind.RESULT for one in late)
        return VisitView(plan, VisitStatus.INCOMPLETE, reason, missing, since, results_overdue, until)
    reason = because("status_attended", at=plan.attended_at or now)
    if all(one.kind is MissingKind.RESULT for one in missing):
        reason = because("status_incomplete", missing=tuple([one.reason for one in missing]))
        return VisitView(plan, VisitStatus.AWAITING_RESULTS, reason, missing, None, False, until)
    return VisitView(plan, VisitStatus.ATTENDED, reason, missing, plan.attended_at, False, until)


_COMPLETE = because("status_complete")


def _missing(plan: VisitPlan) -> tuple[Missing, ...]:
    """Every record that the visit lacks, in the order of the day."""
    day, facts, encounter = plan.attended_day, plan.facts, plan.planned.encounter
    assert day is not None
    missing = []
    if encounter.sampling and facts.dose is None:
        missing.append(Missing(MissingKind.DOSE, "DOSE", False, day.records_by))
    begun = any(draw.result is not None for draw in plan.draws)
    for draw in plan.draws:
        _, _, drawn, _, result, _ = draw
        if drawn is None or result is None or not result.is_final:
            missing.append(_missing_of_draw(draw, day, begun))
    for item in encounter.required:
        if item not in facts.assessments:
            missing.append(Missing(MissingKind.ASSESSMENT, item, False, day.records_by))  # noqa: PERF401
    return tuple(missing)


def _missing_of_draw(draw: Draw, day: AttendedDay, begun: bool) -> Missing:
    """What keeps a draw from being complete: lost, or still expected.

    One result that does not come with the others of its day (`begun`) is asked for as early as a missing record.
    """
    name, result = draw.point.id, draw.result
    if draw.not_drawn is not None:
        return Missing(MissingKind.DRAW, name, True, None, draw.not_drawn.reason, draw.not_drawn.at)
    if result is not None and result.version.status is ResultStatus.NOT_OBTAINED:
        version = result.version
        return Missing(MissingKind.RESULT, name, True, None, version.blocking or "", version.recorded_at)
    if draw.drawn is None:
        return Missing(MissingKind.DRAW, name, False, day.records_by)
    expected_by = min(day.records_by, day.results_by) if begun and result is None else day.results_by
    return Missing(MissingKind.RESULT, name, False, expected_by)
