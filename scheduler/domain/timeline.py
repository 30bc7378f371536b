"""The planned year of one subject: for every visit its dates, its appointment, its draws. It knows no "now".

Values of which dozens are made at every look at a subject are named tuples: as immutable as the frozen dataclasses
elsewhere, and made in a third of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scheduler.domain.civil import DayCalendar, local_date
from scheduler.domain.history import History, Pause, SubjectFacts, VisitFacts, fold
from scheduler.domain.planned import NEVER, Derivation, PlannedVisit, Slot, StudyPlan
from scheduler.domain.protocol import AnchorBasis, Encounter, IfAnchorMissed, Protocol
from scheduler.domain.versions import InForce, followed, in_force, order_of_visits, versions_named
from scheduler.domain.visit_plan import Booking, Dose, Draw, VisitPlan, untouched, visit_plan

__all__ = [
    "NEVER",
    "Booking",
    "Derivation",
    "Dose",
    "Draw",
    "PlannedVisit",
    "Slot",
    "StudyPlan",
    "Timeline",
    "VisitPlan",
    "build_timeline",
]


class Timeline(NamedTuple):
    """A subject's year. `protocol` is the last version in force: it holds for what belongs to no visit."""

    subject: str
    site: str
    protocol: Protocol
    zone_calendar: DayCalendar
    enrolled_at: datetime
    visits: tuple[VisitPlan, ...]
    pauses: tuple[Pause, ...]
    withdrawn_at: datetime | None
    facts: SubjectFacts
    versions: tuple[InForce, ...]

    def visit(self, name: str) -> VisitPlan | None:
        return next((v for v in self.visits if v.id == name), None)


def build_timeline(
    plan: StudyPlan, history: History, amended: Mapping[str, StudyPlan] = MappingProxyType({})
) -> Timeline | None:
    """The subject's year as the facts and the calendar give it; None when nobody was enrolled.

    `plan` is the version of the enrolment, `amended` has every other one that a record names, by hash.
    """
    facts = fold(history)
    if facts.enrolled is None or facts.enrolled_at is None:
        return None
    attended = _attended(facts.visits, plan.calendar.zone)
    versions = in_force(plan, facts.amendments, amended)
    named = versions_named(history.facts) if amended else ()
    if named:
        visits = _amended_visits(versions, [amended[one] for one in named], facts, attended)
    else:
        visits = [
            visit_plan(plan, facts, one, attended) for one in _days(plan, facts.enrolled.baseline, attended)
        ]
    return Timeline(
        history.subject,
        plan.site,
        versions[-1].plan.protocol,
        plan.calendar,
        facts.enrolled_at,
        tuple(visits),
        tuple(facts.pauses),
        facts.withdrawn.at if facts.withdrawn else None,
        facts,
        versions,
    )


def _amended_visits(
    versions: tuple[InForce, ...],
    named: list[StudyPlan],
    facts: SubjectFacts,
    attended: Mapping[str, tuple[datetime, date]],
) -> list[VisitPlan]:
    """Every visit that any version has or had, each under the version that it follows."""
    assert facts.enrolled is not None
    plans = [one.plan for one in versions]
    plans = [*(one for one in named if one not in plans), *plans]
    years = [{one.id: one for one in _days(plan, facts.enrolled.baseline, attended)} for plan in plans]
    first = len(plans) - len(versions)
    visits = []
    for name in order_of_visits(plans):
        under = [year[name].planned if name in year else None for year in years[first:]]
        visit = facts.visits.get(name)
        day = attended[name][1] if name in attended else None
        booked = visit.booked_local.date() if visit is not None and visit.booked_local is not None else None
        index = first
        if any(under):
            index += followed(versions, under, day or booked, took_place=day is not None)
        left_out_by = None if name in years[index] else plans[index].protocol.version
        if left_out_by is not None:  # shown as the version before had it
            known = [i for i, year in enumerate(years) if name in year]
            index = max([i for i in known if i < index], default=known[0])
        key = plans[index].protocol.key if plans[index] is not plans[first] else None
        made = visit_plan(plans[index], facts, years[index][name], attended)
        visits.append(made._replace(amended_by=key, left_out_by=left_out_by))
    return visits


def _days(
    plan: StudyPlan, baseline: date, attended: Mapping[str, tuple[datetime, date]]
) -> tuple[VisitPlan, ...]:
    """The calendar of a version for the days on which its anchors took place."""
    anchors = tuple([attended[name][1] if name in attended else None for name in plan.anchors])
    return _calendar(plan, baseline, anchors)


def _attended(visits: Mapping[str, VisitFacts], zone: ZoneInfo) -> dict[str, tuple[datetime, date]]:
    """When, and on which day of the site, the subject was there: by visit."""
    moments = [(name, visit.evidence_at) for name, visit in visits.items()]
    return {name: (at, local_date(at, zone)) for name, at in moments if at is not None}


@lru_cache(maxsize=4096)
def _calendar(plan: StudyPlan, baseline: date, attended: tuple[date | None, ...]) -> tuple[VisitPlan, ...]:
    """The visits before anything is recorded of them; `attended` are the days of the plan's anchors.

    Shared by all subjects with the same days.
    """
    days = dict(zip(plan.anchors, attended, strict=True))
    anchors: dict[str, tuple[date, date | None]] = {}
    visits = []
    for encounter in plan.protocol.encounters:
        planned = _planned(plan, encounter, baseline, anchors)
        anchors[encounter.id] = (planned.derivation.unshifted, days.get(encounter.id))
        visits.append(untouched(plan, encounter.id, planned))
    return tuple(visits)


def _planned(
    plan: StudyPlan, encounter: Encounter, baseline: date, anchors: dict[str, tuple[date, date | None]]
) -> PlannedVisit:
    timing = encounter.timing
    if timing.relative_to is None:
        return plan.planned(encounter, baseline, False, False)
    target, attended_on = anchors[timing.relative_to]
    if timing.anchor_basis is AnchorBasis.PLANNED:
        return plan.planned(encounter, target, False, False)
    if attended_on is not None:
        return plan.planned(encounter, attended_on, True, False)
    return plan.planned(encounter, target, False, timing.if_anchor_missed is IfAnchorMissed.BLOCK)
