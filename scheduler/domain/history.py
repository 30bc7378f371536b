"""One subject's facts, folded into what holds for each visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from scheduler.domain.corrections import effective, in_order
from scheduler.domain.facts import (
    Assessed,
    Attended,
    Corrected,
    DoseGiven,
    EligibilityAssessed,
    Enrolled,
    Fact,
    FlagAcknowledged,
    Intercurrent,
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
    Withdrawn,
)
from scheduler.domain.results import CurrentResult, Question, ResultVersion, current_results

__all__ = ["History", "Pause", "RegimenPeriod", "SubjectFacts", "VisitFacts", "fold"]


@dataclass(frozen=True, slots=True)
class History:
    """Everything recorded about one subject."""

    subject: str
    facts: tuple[Fact, ...]
    results: tuple[ResultVersion, ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(slots=True)
class VisitFacts:
    """What is recorded for one visit. `rebookings` counts the changes of its first appointment, however they came."""

    booked_local: datetime | None = None
    was_booked: bool = False
    rebookings: int = 0
    booked_fact: int | None = None
    cancelled: VisitCancelled | None = None
    attended_at: datetime | None = None
    attended_fact: int | None = None
    dose: DoseGiven | None = None
    draws: dict[str, SampleDrawn | SampleNotDrawn] = field(default_factory=dict)
    assessments: dict[str, Assessed] = field(default_factory=dict)
    results: dict[str, CurrentResult] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    last_recorded_at: datetime | None = None

    @property
    def evidence_at(self) -> datetime | None:
        """When the subject was there: as the site recorded it, else the first collection that the laboratory names."""
        if self.attended_at is not None:
            return self.attended_at
        seen_at = self.seen_at
        if seen_at is not None or not self.results:
            return seen_at
        return min([r.version.collected_at for r in self.results.values() if r.is_final], default=None)

    @property
    def seen_at(self) -> datetime | None:
        """When the site saw the subject: the attendance, else the first dose or draw."""
        if self.attended_at is not None:
            return self.attended_at
        moments = [draw.at for draw in self.draws.values() if type(draw) is SampleDrawn]
        if self.dose is not None:
            moments.append(self.dose.at)
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
    enrolled_at: datetime | None = None
    visits: defaultdict[str, VisitFacts] = field(default_factory=lambda: defaultdict(VisitFacts))
    turns: list[Paused | Resumed] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    withdrawn: Withdrawn | None = None
    regimens: list[RegimenPeriod] = field(default_factory=list)
    acknowledged: dict[str, Fact] = field(default_factory=dict)
    eligibility: EligibilityAssessed | None = None
    intercurrent: list[Intercurrent] = field(default_factory=list)
    amendments: list[tuple[ProtocolApplied, int]] = field(default_factory=list)


def fold(history: History) -> SubjectFacts:
    """What the facts and results say together; a function of their set, not of their order of arrival."""
    state = SubjectFacts()
    facts = effective(history.facts)
    for fact in facts:
        what = fact.what
        handler = _HANDLERS.get(type(what))
        if handler is not None:
            handler(state, fact, what)
    if state.turns:
        state.pauses = _pauses(state.turns)
    if len(state.regimens) > 1:
        state.regimens.sort(key=_start_of)
    if len(state.amendments) > 1:
        state.amendments.sort(key=lambda one: (one[0].on, one[1]))
    if len(facts) < len(history.facts) or state.withdrawn is not None:
        for visit, changes in _appointment_changes(history.facts).items():
            state.visits[visit].rebookings = changes - 1
    for visit, results in current_results(history.results).items():
        state.visits[visit].results = results
    for question in history.questions:
        state.visits[question.visit].questions.setdefault(question.timepoint, question)
    return state


def _pauses(turns: list[Paused | Resumed]) -> list[Pause]:
    """The pauses in the order of time, at most the last one open; a turn that changes nothing is passed over."""
    pauses: list[Pause] = []
    for what in sorted(turns, key=lambda turn: turn.at):
        running = pauses[-1] if pauses and pauses[-1].end is None else None
        if isinstance(what, Paused) and running is None:
            pauses.append(Pause(what.at, None, what.reason))
        elif isinstance(what, Resumed) and running is not None:
            pauses[-1] = Pause(running.start, what.at, running.reason)
    return pauses


def _start_of(period: RegimenPeriod) -> tuple[bool, float]:
    """A regimen that was there from the beginning comes first."""
    start = period.from_instant
    return (False, 0.0) if start is None else (True, start.timestamp())


_ABOUT_APPOINTMENTS = frozenset({VisitBooked, VisitMoved, VisitCancelled, Withdrawn, Corrected})


def _appointment_changes(facts: tuple[Fact, ...]) -> dict[str, int]:
    """How often each visit's appointment changed as the facts came in, corrections and a withdrawal included.

    It grows with every change that may have been announced, so that no two announcements share a number.
    """
    entries: dict[int, tuple[str, datetime | None]] = {}
    withdrawals: set[int] = set()
    current: dict[str, datetime | None] = {}
    changes: dict[str, int] = {}
    for fact in in_order([fact for fact in facts if type(fact.what) in _ABOUT_APPOINTMENTS]):
        correction = fact.what if isinstance(fact.what, Corrected) else None
        number = correction.fact_id if correction is not None else fact.id
        what = correction.instead if correction is not None else fact.what
        if correction is not None:
            entries.pop(number, None)
            withdrawals.discard(number)
        if isinstance(what, VisitBooked | VisitMoved):
            entries[number] = (what.visit, what.local)
        elif isinstance(what, VisitCancelled):
            entries[number] = (what.visit, None)
        elif isinstance(what, Withdrawn):
            withdrawals.add(number)
        latest = {} if withdrawals else {visit: local for _, (visit, local) in sorted(entries.items())}
        for visit in {**current, **latest}:
            if latest.get(visit) != current.get(visit):
                changes[visit] = changes.get(visit, 0) + 1
        current = latest
    return changes


def _enrolled(state: SubjectFacts, fact: Fact, what: Enrolled) -> None:
    state.enrolled, state.enrolled_at = what, fact.recorded_at
    if what.regimen is not None:
        state.regimens.append(RegimenPeriod(what.regimen, what.treatment_start, None))


def _booked(state: SubjectFacts, fact: Fact, what: VisitBooked | VisitMoved) -> None:
    visit = state.visits[what.visit]
    if visit.was_booked and visit.booked_local != what.local:
        visit.rebookings += 1
    visit.booked_local, visit.was_booked = what.local, True
    visit.booked_fact, visit.cancelled = fact.id, None


def _cancelled(state: SubjectFacts, fact: Fact, what: VisitCancelled) -> None:
    visit = state.visits[what.visit]
    if visit.booked_local is not None:
        visit.booked_local = None
        visit.rebookings += 1
    visit.booked_fact, visit.cancelled = fact.id, what


def _attended(state: SubjectFacts, fact: Fact, what: Attended) -> None:
    visit = state.visits[what.visit]
    visit.attended_at, visit.attended_fact, visit.last_recorded_at = what.at, fact.id, fact.recorded_at


def _dose(state: SubjectFacts, fact: Fact, what: DoseGiven) -> None:
    visit = state.visits[what.visit]
    visit.dose, visit.last_recorded_at = what, fact.recorded_at


def _draw(state: SubjectFacts, fact: Fact, what: SampleDrawn | SampleNotDrawn) -> None:
    visit = state.visits[what.visit]
    visit.draws[what.timepoint], visit.last_recorded_at = what, fact.recorded_at


def _assessed(state: SubjectFacts, fact: Fact, what: Assessed) -> None:
    visit = state.visits[what.visit]
    visit.assessments[what.item], visit.last_recorded_at = what, fact.recorded_at


def _regimen(state: SubjectFacts, fact: Fact, what: RegimenChanged) -> None:
    state.regimens.append(RegimenPeriod(what.regimen, None, what.at))


def _turn(state: SubjectFacts, fact: Fact, what: Paused | Resumed) -> None:
    state.turns.append(what)


def _withdrawn(state: SubjectFacts, fact: Fact, what: Withdrawn) -> None:
    state.withdrawn = what


def _acknowledged(state: SubjectFacts, fact: Fact, what: FlagAcknowledged) -> None:
    state.acknowledged[what.flag] = fact


def _eligibility(state: SubjectFacts, fact: Fact, what: EligibilityAssessed) -> None:
    state.eligibility = what


def _intercurrent(state: SubjectFacts, fact: Fact, what: Intercurrent) -> None:
    state.intercurrent.append(what)


def _amended(state: SubjectFacts, fact: Fact, what: ProtocolApplied) -> None:
    state.amendments.append((what, fact.id))


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
    Paused: _turn,
    Resumed: _turn,
    Withdrawn: _withdrawn,
    FlagAcknowledged: _acknowledged,
    EligibilityAssessed: _eligibility,
    Intercurrent: _intercurrent,
    ProtocolApplied: _amended,
}
