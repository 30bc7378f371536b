"""What another protocol version would change for a subject: its visits, reminders and flags, before and after. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from scheduler.domain.flags import Flag
from scheduler.domain.keys import reminder_key
from scheduler.domain.plan import Desired, is_silent
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.reason import Reason
from scheduler.domain.status import VisitView
from scheduler.domain.timeline import NEVER

__all__ = [
    "FlagChange",
    "ReminderChange",
    "VisitChange",
    "VisitSeen",
    "flag_changes",
    "reminder_changes",
    "visit_changes",
]


@dataclass(frozen=True, slots=True)
class VisitSeen:
    """A visit as a version has it. `overdue` and `missed` are None for never; `booked` is local."""

    version: str
    status: VisitStatus
    reason: Reason
    target: date
    first: date
    last: date
    overdue: datetime | None
    missed: datetime | None
    required: tuple[str, ...]
    booked: datetime | None

    @property
    def booked_outside(self) -> bool:
        """Whether the appointment lies outside the window."""
        return self.booked is not None and not self.first <= self.booked.date() <= self.last


@dataclass(frozen=True, slots=True)
class VisitChange:
    visit: str
    before: VisitSeen | None
    after: VisitSeen | None


@dataclass(frozen=True, slots=True)
class ReminderChange:
    """A reminder that is still to come: when it is due before and after; None where there is none."""

    visit: str
    rule: str
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, slots=True)
class FlagChange:
    """A flag that opens (`before` None), closes (`after` None) or gets another reason."""

    flag: str
    visit: str | None
    before: Reason | None
    after: Reason | None


def visit_changes(before: Desired, after: Desired) -> Iterator[VisitChange]:
    """The visits of which something differs, the version apart, in the order of the later timeline."""
    old = {view.plan.id: _seen(view) for view in before.views}
    new = {view.plan.id: _seen(view) for view in after.views}
    for visit in dict.fromkeys((*new, *old)):
        was, will_be = old.get(visit), new.get(visit)
        if _apart_from_version(was) != _apart_from_version(will_be):
            yield VisitChange(visit, was, will_be)


def _apart_from_version(seen: VisitSeen | None) -> VisitSeen | None:
    return replace(seen, version="") if seen is not None else None


def _seen(view: VisitView) -> VisitSeen | None:
    plan, planned = view.plan, view.plan.planned
    if plan.left_out_by is not None:
        return None
    overdue, missed = (at if at != NEVER else None for at in (planned.overdue_at, plan.missed_at))
    return VisitSeen(
        plan.protocol.version,
        view.status,
        view.reason,
        planned.target,
        planned.first,
        planned.last,
        overdue,
        missed,
        planned.encounter.required,
        plan.booking.local if plan.booking is not None else None,
    )


def reminder_changes(
    before: Desired, after: Desired, decided: Collection[str], subject: str, now: datetime
) -> Iterator[ReminderChange]:
    """The reminders not decided yet and still of use whose instant differs, that are new, or that go."""
    old, new = (_coming(one, decided, subject, now) for one in (before, after))
    for visit, rule in dict.fromkeys((*new, *old)):
        was, will_be = old.get((visit, rule)), new.get((visit, rule))
        if was != will_be:
            yield ReminderChange(visit, rule, was, will_be)


def _coming(
    desired: Desired, decided: Collection[str], subject: str, now: datetime
) -> dict[tuple[str, str], datetime]:
    return {
        (view.plan.id, slot.rule.id): slot.due_at
        for view in desired.views
        if not is_silent(view.status)
        for slot in view.plan.slots
        if slot.valid_until > now
        and reminder_key(subject, view.plan.id, slot.rule.id, slot.target) not in decided
    }


def flag_changes(before: Desired, after: Desired) -> Iterator[FlagChange]:
    """The flags that would open, close, or say something else."""
    old, new = ({flag.key: flag for flag in one.flags} for one in (before, after))
    for key in dict.fromkeys((*new, *old)):
        was, will_be = old.get(key), new.get(key)
        if _said(was) != _said(will_be):
            flag = was or will_be
            assert flag is not None
            yield FlagChange(flag.code.value, flag.visit, _said(was), _said(will_be))


def _said(flag: Flag | None) -> Reason | None:
    return flag.reason if flag is not None else None
