"""Why every date and status is what it is: anchor, offset, window, shift, rule, facts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from scheduler.domain.keys import reminder_key
from scheduler.domain.plan import DueReminder
from scheduler.domain.protocol import Shift
from scheduler.domain.speech import Speaker
from scheduler.domain.status import VisitView
from scheduler.domain.timeline import NEVER, Slot, Timeline
from scheduler.engine.reconcile import standing
from scheduler.engine.study import Study
from scheduler.store.recorded import load_recorded
from scheduler.store.tables import SubjectRow

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One visit: its status in a sentence, and the steps that led to it."""

    visit: str
    label: str
    status: str
    reason: str
    steps: tuple[str, ...]
    reminders: tuple[str, ...]


def explain(
    session: Session, study: Study, subject: SubjectRow, visit: str | None, speaker: Speaker, now: datetime
) -> list[Explanation]:
    """The derivation of every visit of a subject, or of one."""
    found = standing(session, study, subject, now)
    decided = load_recorded(session, subject.code).reminder_keys
    due = {one.key: one for one in found.desired.reminders}
    return [
        Explanation(
            view.plan.id,
            speaker.name(view.plan.id),
            view.status.value,
            speaker.say(view.reason),
            (_version(found.timeline, view, speaker), *_steps(view, speaker)),
            tuple(_reminder(subject.code, view, slot, due, decided, speaker) for slot in view.plan.slots),
        )
        for view in found.desired.views
        if visit is None or view.plan.id == visit
    ]


def _version(timeline: Timeline, view: VisitView, speaker: Speaker) -> str:
    """Which protocol version the dates of a visit come from, and which record says so."""
    plan = view.plan
    if plan.left_out_by is not None:
        words = "protocol version {version} has no such visit; below, the days of version {before}"
        return speaker.text(words, version=plan.left_out_by, before=plan.protocol.version)
    holding = [one for one in timeline.versions if one.plan.protocol.key == plan.protocol.key]
    if not holding or holding[-1].on is None:
        return speaker.text(
            "protocol version {version}, that of the enrolment", version=plan.protocol.version
        )
    words = "protocol version {version}, followed from {on} (record {number})"
    number = str(holding[-1].fact_id)
    return speaker.text(words, version=plan.protocol.version, on=holding[-1].on, number=number)


def _steps(view: VisitView, speaker: Speaker) -> list[str]:
    plan = view.plan
    planned, derivation = plan.planned, plan.planned.derivation
    timing = planned.encounter.timing
    steps = []
    if derivation.anchor is None:
        steps.append(
            speaker.text("anchor: the inclusion date given at enrolment, {on}", on=derivation.anchor_date)
        )
    else:
        words = (
            "anchor: {anchor}, attended on {on}"
            if derivation.anchor_is_actual
            else "anchor: {anchor}, planned for {on}"
        )
        steps.append(speaker.text(words, anchor=derivation.anchor, on=derivation.anchor_date))
        words = (
            "{period} after the anchor gives {on}"
            if timing.sign > 0
            else "{period} before the anchor gives {on}"
        )
        steps.append(speaker.text(words, period=speaker.period(timing.value), on=derivation.unshifted))
    if derivation.no_open_day:
        steps.append(speaker.text("no working day in the window: the target stays"))
    elif planned.target != derivation.unshifted:
        rule = speaker.status(derivation.shift.value)
        words = "shifted to {on} ({rule}): the site is closed that day"
        steps.append(speaker.text(words, on=planned.target, rule=rule))
    elif derivation.shift is not Shift.NONE:
        steps.append(speaker.text("no shift: it is a working day of the site"))
    words = "window: {first} to {last} ({lower} before, {upper} after)"
    lower, upper = speaker.period(timing.window_lower), speaker.period(timing.window_upper)
    steps.append(speaker.text(words, first=planned.first, last=planned.last, lower=lower, upper=upper))
    if planned.overdue_at != NEVER:
        words = "overdue from {overdue}, missed from {missed} if nothing is recorded"
        steps.append(speaker.text(words, overdue=planned.overdue_at, missed=planned.missed_at))
    if plan.booking is not None:
        words = "booked for {at} (record {number})"
        steps.append(speaker.text(words, at=plan.booking.starts_at, number=str(plan.booking.fact_id)))
    if plan.attended_at is not None:
        source = "record {number}" if plan.facts.attended_fact else "first dose, draw or result"
        source = speaker.text(source, number=str(plan.facts.attended_fact))
        steps.append(speaker.text("attended on {at} ({source})", at=plan.attended_at, source=source))
    for draw in plan.draws:
        if draw.window is not None:
            words = "{point}: window {start} to {end}"
            start, end = speaker.clock(draw.window[0]), speaker.clock(draw.window[1])
            line = speaker.text(words, point=draw.point.id, start=start, end=end)
            if draw.taken_at is not None:
                line += ", " + speaker.text("drawn at {at}", at=speaker.clock(draw.taken_at))
            steps.append(line)
    return steps


def _reminder(
    subject: str,
    view: VisitView,
    slot: Slot,
    due: dict[str, DueReminder],
    decided: Collection[str],
    speaker: Speaker,
) -> str:
    key = reminder_key(subject, view.plan.id, slot.rule.id, slot.target)
    if key in decided:
        state = "sent or handed over"
    elif key in due:
        state = "due now"
    else:
        state = "while {statuses}"
    statuses = ", ".join(speaker.status(one) for one in sorted(slot.rule.while_))
    return f"{slot.rule.id}: {speaker.moment(slot.due_at)} ({speaker.text(state, statuses=statuses)})"
