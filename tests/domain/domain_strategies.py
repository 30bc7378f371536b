"""Hypothesis strategies: subjects' histories as they arrive, and the instants that matter to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import domain_cases as cases
from hypothesis import strategies as st

from scheduler.domain.civil import at_local
from scheduler.domain.facts import (
    Answer,
    Assessed,
    Attended,
    Corrected,
    DoseGiven,
    EligibilityAssessed,
    Enrolled,
    Fact,
    FlagAcknowledged,
    Formulation,
    Intercurrent,
    Occurred,
    Paused,
    ProtocolApplied,
    Regimen,
    RegimenChanged,
    Resumed,
    SampleDrawn,
    SampleNotDrawn,
    Source,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.history import History
from scheduler.domain.protocol import Protocol
from scheduler.domain.results import ResultStatus, ResultVersion
from scheduler.domain.timeline import StudyPlan, Timeline

__all__ = ["Arrival", "baselines", "instants_near", "plans", "records"]

# Month ends, leap days, and days whose visits meet the changes of clocks (30 March and 26 October 2025 in Paris).
AWKWARD_BASELINES = [
    date(2023, 8, 31),
    date(2024, 2, 29),
    date(2023, 11, 30),
    date(2024, 12, 31),
    date(2025, 2, 16),  # six weeks before the change to summer time
    date(2025, 9, 14),  # six weeks before the change to winter time
    date(2025, 1, 6),
    date(2025, 9, 1),
]


def baselines() -> st.SearchStrategy[date]:
    return st.sampled_from(AWKWARD_BASELINES) | st.dates(date(2023, 1, 1), date(2026, 12, 31))


def _variants() -> list[StudyPlan]:
    chained = cases.document()
    for one in chained["encounters"]:
        if one["id"] == "W12":
            one["timing"] |= {"relative_to": "W6", "value": "P6W", "if_anchor_missed": "block"}
        if one["id"] == "M6":
            one["timing"] |= {"anchor_basis": "planned", "grace": "P3D", "shift": "next_open_day"}
        if one["id"] == "Y1":
            one["sampling"] = False
    three_days = cases.calendar(open_weekdays=(1, 3, 7), closed=())
    rarely_open = cases.calendar(open_weekdays=(), closed=())
    return [
        cases.shipped_plan(),
        cases.study_plan(cases.protocol_from(chained, "chained")),
        cases.study_plan(where=cases.calendar(ZoneInfo("Asia/Beirut"), (1, 2, 3, 4, 5), ())),
        cases.study_plan(cases.protocol_from(chained, "chained"), three_days),
        cases.study_plan(where=rarely_open),
    ]


PLANS = _variants()


def _amendments() -> dict[str, Protocol]:
    """Later versions: other days and visits; then the visits of the first again, W6 two weeks later."""
    third = cases.document()
    third["study"]["version"] = "3"
    third["encounters"][1]["timing"] |= {"value": "P8W", "grace": "P2D"}
    return {
        "second": cases.protocol_from(cases.amended_document(), "second"),
        "third": cases.protocol_from(third, "third"),
    }


AMENDED_PLANS = {
    plan: {key: StudyPlan(protocol, plan.site, plan.calendar) for key, protocol in _amendments().items()}
    for plan in PLANS
}
VISITS = ("INCLUSION", "W6", "W12", "M6", "M9", "Y1")


def plans() -> st.SearchStrategy[StudyPlan]:
    return st.sampled_from(PLANS)


@dataclass(frozen=True)
class Arrival:
    """A subject's facts and results, each with the instant at which it was recorded."""

    plan: StudyPlan = field(repr=False)
    facts: tuple[Fact, ...]
    results: tuple[ResultVersion, ...]

    @property
    def amended(self) -> dict[str, StudyPlan]:
        """Every version that a record may name."""
        return AMENDED_PLANS[self.plan]

    @property
    def whole(self) -> History:
        return History(cases.CODE, self.facts, self.results)

    def until(self, now: datetime) -> History:
        """What was on record at `now`."""
        return History(
            cases.CODE,
            tuple(one for one in self.facts if one.recorded_at <= now),
            tuple(one for one in self.results if one.recorded_at <= now),
        )

    @property
    def moments(self) -> list[datetime]:
        return sorted({one.recorded_at for one in (*self.facts, *self.results)})


def _what(draw: st.DrawFn, protocol: Protocol, day: date, zone: ZoneInfo, kind: type[What]) -> What:
    """One observation of a kind, on or near a day."""
    visit = draw(st.sampled_from(VISITS))
    at = at_local(day, time(draw(st.integers(0, 23)), draw(st.sampled_from([0, 20, 30, 45]))), zone)
    point = draw(st.sampled_from([one.id for one in protocol.points]))
    text = draw(st.sampled_from(["a", "b"]))
    clock = time(draw(st.sampled_from([0, 2, 9, 17, 23])), draw(st.sampled_from([0, 30])))
    appointment = datetime.combine(day + timedelta(days=draw(st.integers(-3, 45))), clock)
    regimen = Regimen(Formulation.MMF, draw(st.sampled_from([500.0, 1000.0])), 12.0)
    made: dict[type[What], What] = {
        Enrolled: Enrolled(day, None, regimen),
        VisitBooked: VisitBooked(visit, appointment),
        VisitMoved: VisitMoved(visit, appointment, text),
        VisitCancelled: VisitCancelled(visit, text, draw(st.booleans())),
        Attended: Attended(visit, at),
        DoseGiven: DoseGiven(visit, at, regimen.dose_mg, regimen.formulation, 12.0),
        SampleDrawn: SampleDrawn(visit, point, at, f"T{draw(st.integers(1, 99))}"),
        SampleNotDrawn: SampleNotDrawn(visit, point, at, text),
        Assessed: Assessed(visit, draw(st.sampled_from(["mrss", "fvc", "dlco"])), at, 12.0, "points"),
        EligibilityAssessed: EligibilityAssessed(day, 40, raynaud=Answer.YES),
        Intercurrent: Intercurrent(at, draw(st.sampled_from(list(Occurred))), text),
        RegimenChanged: RegimenChanged(at, regimen, text),
        Paused: Paused(at, text),
        Resumed: Resumed(at, text),
        Withdrawn: Withdrawn(at, draw(st.sampled_from(list(Withdrawal))), text),
        ProtocolApplied: _applied(draw, day, text),
        FlagAcknowledged: FlagAcknowledged("some|flag", text),
    }
    return made[kind]


def _applied(draw: st.DrawFn, day: date, text: str) -> ProtocolApplied:
    key = draw(st.sampled_from(["second", "third"]))
    return ProtocolApplied(day + timedelta(days=draw(st.integers(-60, 90))), key, key, text)


_KINDS: list[type[What]] = [
    *[VisitBooked] * 4,
    *[VisitMoved] * 2,
    VisitCancelled,
    *[Attended] * 3,
    *[DoseGiven] * 2,
    *[SampleDrawn] * 3,
    SampleNotDrawn,
    *[Assessed] * 2,
    EligibilityAssessed,
    Intercurrent,
    RegimenChanged,
    Paused,
    Resumed,
    Withdrawn,
    *[ProtocolApplied] * 2,
    FlagAcknowledged,
    *[Corrected] * 4,
]


@st.composite
def _sampling_day(draw: st.DrawFn, visit: str, day: date, zone: ZoneInfo) -> list[What]:
    """A day on which most of what should happen does."""
    dose_at = at_local(day, time(9), zone)
    facts: list[What] = [Attended(visit, dose_at), DoseGiven(visit, dose_at, 1000.0, Formulation.MMF, 12.0)]
    for point, minutes in cases.POINT_MINUTES.items():
        at = dose_at + timedelta(minutes=minutes + draw(st.sampled_from([0, 0, 0, 12])))
        if draw(st.integers(0, 5)):
            facts.append(SampleDrawn(visit, point, at, f"{visit}-{point}"))
        else:
            facts.append(SampleNotDrawn(visit, point, at, "no vein"))
    return facts


@st.composite
def records(draw: st.DrawFn, max_facts: int = 14) -> Arrival:
    """A history: sensible, contradictory or corrected; the domain must give an answer to each."""
    plan = draw(plans())
    protocol, zone = plan.protocol, plan.calendar.zone
    baseline = draw(baselines())
    enrolled_at = at_local(baseline, time(8), zone)
    moments: list[tuple[datetime, What]] = []
    for visit, weeks in (("INCLUSION", 0), ("W6", 6), ("W12", 12), ("M6", 26), ("Y1", 52)):
        if draw(st.integers(0, 2)) == 0:
            day = baseline + timedelta(days=7 * weeks + draw(st.integers(-12, 40)))
            whats = draw(_sampling_day(visit, day, zone))
            moments += [(at_local(day, time(18), zone), what) for what in whats]
    for kind in draw(st.lists(st.sampled_from(_KINDS), max_size=max_facts)):
        day = baseline + timedelta(days=draw(st.integers(-2, 70) | st.integers(-2, 460)))
        delay = timedelta(hours=draw(st.sampled_from([0, 0, 7, 24, 24 * 20])))
        at = at_local(day, time(draw(st.sampled_from([0, 6, 8, 12])), 0), zone) + delay
        if kind is Corrected:
            moments.append((at, Corrected(draw(st.integers(1, max_facts)), None, "wrong")))
        else:
            moments.append((at, _what(draw, protocol, day, zone, kind)))
    moments.sort(key=lambda one: one[0])
    facts: list[Fact] = [Fact(1, Enrolled(baseline), enrolled_at, "a", Source.CLI)]
    for number, (at, what) in enumerate(moments, 2):
        recorded = max(at, facts[-1].recorded_at)
        facts.append(Fact(number, _settle(draw, facts, what, protocol, zone), recorded, "a", Source.CLI))
    return Arrival(plan, tuple(facts), tuple(draw(_results(baseline, zone))))


def _settle(draw: st.DrawFn, before: list[Fact], what: What, protocol: Protocol, zone: ZoneInfo) -> What:
    """A correction made to name an earlier fact that is no correction; the enrolment is never taken back."""
    if not isinstance(what, Corrected):
        return what
    target = draw(st.sampled_from([fact for fact in before if not isinstance(fact.what, Corrected)]))
    if not isinstance(target.what, Enrolled) and draw(st.booleans()):
        return Corrected(target.id, None, "never happened")
    day = target.recorded_at.date() + timedelta(days=draw(st.integers(-4, 4)))
    instead = _what(draw, protocol, day, zone, type(target.what))
    if hasattr(instead, "visit") and draw(st.integers(0, 3)):
        instead = _with_visit(instead, target.what.visit)  # type: ignore[union-attr]
    return Corrected(target.id, instead, "mistaken")


def _with_visit(what: What, visit: str) -> What:
    return replace(what, visit=visit)  # type: ignore[call-arg]


@st.composite
def _results(draw: st.DrawFn, baseline: date, zone: ZoneInfo) -> list[ResultVersion]:
    found: list[ResultVersion] = []
    for visit, weeks in (("W6", 6), ("W12", 12), ("M6", 26)):
        if draw(st.integers(0, 2)):
            continue
        day = baseline + timedelta(days=7 * weeks + draw(st.integers(-5, 5)))
        for point in draw(st.sampled_from([("H0",), ("H0", "H30", "H2"), ("H0", "H30", "H2", "H2", "H0")])):
            reported = at_local(day, time(15), zone) + timedelta(
                days=draw(st.integers(0, 12)), minutes=len(found)
            )
            found.append(
                cases.result(
                    visit,
                    point,
                    draw(st.sampled_from([*ResultStatus, *[ResultStatus.FINAL] * 4])),
                    number=len(found) + 1,
                    day=day,
                    reported_at=reported,
                    recorded_at=reported + timedelta(hours=draw(st.sampled_from([0, 1, 72]))),
                    conc_mg_l=draw(st.sampled_from([None, Decimal("1.5"), Decimal(9)])),
                )
            )
    return found


def instants_near(line: Timeline) -> st.SearchStrategy[datetime]:
    """Instants at, just before and just after those that mean something to a timeline, and any other."""
    found: set[datetime] = {line.enrolled_at}
    for plan in line.visits:
        found |= set(plan.planned.instants) | {slot.due_at for slot in plan.slots}
        found |= {slot.valid_until for slot in plan.slots if slot.valid_until.year < 9000}
        if plan.booking is not None:
            found |= {plan.booking.starts_at, plan.booking.unconfirmed_at}
        if plan.attended_at is not None:
            found |= {plan.attended_at + timedelta(days=days) for days in range(8)}
        for one in plan.draws:
            found |= set(one.window or ())
    found |= {at for pause in line.pauses for at in (pause.start, pause.end) if at is not None}
    ordered = sorted(found)
    shift = st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(microseconds=1)])
    near = st.builds(lambda at, by: at + by, st.sampled_from(ordered), shift)
    anywhere = st.integers(-60, 700).map(lambda days: ordered[0] + timedelta(days=days, hours=7))
    return near | anywhere
