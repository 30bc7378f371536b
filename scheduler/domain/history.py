"""One subject's facts, folded into what holds for each visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from scheduler.domain.facts import (
    Assessed,
    Attended,
    DoseGiven,
    Enrolled,
    Fact,
    FlagAcknowledged,
    Paused,
    Regimen,
    RegimenChanged,
    Resumed,
    SampleDrawn,
    SampleNotDrawn,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    Withdrawn,
    effective,
)
from scheduler.domain.results import CurrentResult, ResultVersion, current_results

__all__ = ["History", "Pause", "RegimenPeriod", "SubjectFacts", "VisitFacts", "fold"]


@dataclass(frozen=True, slots=True)
class History:
    """Everything recorded about one subject."""

    subject: str
    facts: tuple[Fact, ...]
    results: tuple[ResultVersion, ...] = ()


@dataclass(slots=True)
class VisitFacts:
    """What is recorded for one visit."""

    bookings: list[datetime | None] = field(default_factory=list)
    booked_fact: int | None = None
    cancelled: VisitCancelled | None = None
    attended_at: datetime | None = None
    attended_fact: int | None = None
    dose: DoseGiven | None = None
    draws: dict[str, SampleDrawn | SampleNotDrawn] = field(default_factory=dict)
    assessments: dict[str, Assessed] = field(default_factory=dict)
    results: dict[str, CurrentResult] = field(default_factory=dict)
    last_recorded_at: datetime | None = None

    @property
    def evidence_at(self) -> datetime | None:
        """When the subject was there: as recorded, else the first dose, draw or laboratory collection."""
        if self.attended_at is not None:
            return self.attended_at
        moments = [draw.at for draw in self.draws.values() if type(draw) is SampleDrawn]
        if self.dose is not None:
            moments.append(self.dose.at)
        moments += [r.version.collected_at for r in self.results.values() if r.is_final]
        return min(moments, default=None)


@dataclass(frozen=True, slots=True)
class Pause:
    start: datetime
    end: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class RegimenPeriod:
    """A regimen and since when it was unchanged; None when that is not known."""

    regimen: Regimen
    since: date | None
    from_instant: datetime | None


@dataclass(slots=True)
class SubjectFacts:
    """What holds for a subject, before any calendar is applied."""

    enrolled: Enrolled | None = None
    enrolled_fact: int | None = None
    enrolled_at: datetime | None = None
    visits: dict[str, VisitFacts] = field(default_factory=dict)
    pauses: list[Pause] = field(default_factory=list)
    withdrawn: Withdrawn | None = None
    regimens: list[RegimenPeriod] = field(default_factory=list)
    acknowledged: dict[str, Fact] = field(default_factory=dict)

    def visit(self, name: str) -> VisitFacts:
        found = self.visits.get(name)
        if found is None:
            found = self.visits[name] = VisitFacts()
        return found


def fold(history: History) -> SubjectFacts:
    """What the facts and results say together; a function of their set, not of their order of arrival."""
    state = SubjectFacts()
    for fact in effective(history.facts):
        handler = _HANDLERS.get(type(fact.what))
        if handler is not None:
            handler(state, fact, fact.what)
    if history.results:
        for (visit, timepoint), result in current_results(history.results).items():
            state.visit(visit).results[timepoint] = result
    return state


def _enrolled(state: SubjectFacts, fact: Fact, what: Enrolled) -> None:
    state.enrolled, state.enrolled_fact, state.enrolled_at = what, fact.id, fact.recorded_at
    if what.regimen is not None:
        state.regimens.append(RegimenPeriod(what.regimen, what.treatment_start, None))


def _booked(state: SubjectFacts, fact: Fact, what: VisitBooked | VisitMoved) -> None:
    visit = state.visit(what.visit)
    visit.bookings.append(what.local)
    visit.booked_fact, visit.cancelled = fact.id, None


def _cancelled(state: SubjectFacts, fact: Fact, what: VisitCancelled) -> None:
    visit = state.visit(what.visit)
    if visit.bookings:
        visit.bookings.append(None)
    visit.booked_fact, visit.cancelled = fact.id, what


def _attended(state: SubjectFacts, fact: Fact, what: Attended) -> None:
    visit = state.visit(what.visit)
    visit.attended_at, visit.attended_fact, visit.last_recorded_at = what.at, fact.id, fact.recorded_at


def _dose(state: SubjectFacts, fact: Fact, what: DoseGiven) -> None:
    visit = state.visit(what.visit)
    visit.dose, visit.last_recorded_at = what, fact.recorded_at


def _draw(state: SubjectFacts, fact: Fact, what: SampleDrawn | SampleNotDrawn) -> None:
    visit = state.visit(what.visit)
    visit.draws[what.timepoint], visit.last_recorded_at = what, fact.recorded_at


def _assessed(state: SubjectFacts, fact: Fact, what: Assessed) -> None:
    visit = state.visit(what.visit)
    visit.assessments[what.item], visit.last_recorded_at = what, fact.recorded_at


def _regimen(state: SubjectFacts, fact: Fact, what: RegimenChanged) -> None:
    state.regimens.append(RegimenPeriod(what.regimen, None, what.at))


def _paused(state: SubjectFacts, fact: Fact, what: Paused) -> None:
    state.pauses.append(Pause(what.at, None, what.reason))


def _resumed(state: SubjectFacts, fact: Fact, what: Resumed) -> None:
    if state.pauses and state.pauses[-1].end is None:
        last = state.pauses[-1]
        state.pauses[-1] = Pause(last.start, what.at, last.reason)


def _withdrawn(state: SubjectFacts, fact: Fact, what: Withdrawn) -> None:
    state.withdrawn = what


def _acknowledged(state: SubjectFacts, fact: Fact, what: FlagAcknowledged) -> None:
    state.acknowledged[what.flag] = fact


_HANDLERS: dict[type, Callable[[SubjectFacts, Fact, Any], None]] = {
    Enrolled: _enrolled,
    VisitBooked: _booked,
    VisitMoved: _booked,
    VisitCancelled: _cancelled,
    Attended: _attended,
    DoseGiven: _dose,
    SampleDrawn: _draw,
    SampleNotDrawn: _draw,
    Assessed: _assessed,
    RegimenChanged: _regimen,
    Paused: _paused,
    Resumed: _resumed,
    Withdrawn: _withdrawn,
    FlagAcknowledged: _acknowledged,
}
