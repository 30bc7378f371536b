"""What synthetic people do and when: the script of a rehearsal, made of the same records that real people make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from scheduler.domain.civil import at_local
from scheduler.domain.facts import (
    Attended,
    DoseGiven,
    Enrolled,
    Formulation,
    Regimen,
    SampleDrawn,
    SampleNotDrawn,
    VisitBooked,
    What,
)
from scheduler.domain.timeline import PlannedVisit, StudyPlan
from scheduler.runtime.rehearsal.clinic import assessment, eligibility
from scheduler.runtime.rehearsal.labfile import LabRow, lab_file, line_of

__all__ = ["Action", "Correct", "Drop", "Enrol", "Patient", "Say", "Step", "lab_file_name", "round_to_minute"]


@dataclass(frozen=True, slots=True)
class Enrol:
    code: str
    what: Enrolled


@dataclass(frozen=True, slots=True)
class Say:
    code: str
    what: What


@dataclass(frozen=True, slots=True)
class Correct:
    """Change the newest record of a kind for a visit."""

    code: str
    kind: str
    visit: str
    fields: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """The laboratory puts a file into the folder."""

    name: str
    content: bytes


Action = Enrol | Say | Correct | Drop


@dataclass(frozen=True, slots=True)
class Step:
    at: datetime
    action: Action


@dataclass
class Patient:
    """One synthetic subject; its methods write the script of what happens to it.

    With `daily`, the laboratory's results go there, as lines of the file of the day on which they were validated;
    else each visit has a file of its own.
    """

    plan: StudyPlan
    code: str
    baseline: date
    rng: Random
    regimen: Regimen = field(default_factory=lambda: Regimen(Formulation.MMF, 1000.0, 12.0))
    steps: list[Step] = field(default_factory=list)
    tubes: dict[tuple[str, str], str] = field(default_factory=dict)
    drawn: dict[tuple[str, str], datetime] = field(default_factory=dict)
    measured: dict[tuple[str, str], float] = field(default_factory=dict)
    assessed: dict[str, float] = field(default_factory=dict)
    daily: dict[date, list[str]] | None = None

    def planned(self, visit: str) -> PlannedVisit:
        encounter = self.plan.protocol.encounter(visit)
        assert encounter is not None
        fixed = encounter.timing.relative_to is None
        return self.plan.planned(encounter, self.baseline, not fixed, False)

    def local(self, day: date, hour: int, minute: int = 0) -> datetime:
        return at_local(day, time(hour, minute), self.plan.calendar.zone)

    def do(self, at: datetime, action: Action) -> None:
        self.steps.append(Step(at.astimezone(UTC), action))

    def say(self, at: datetime, what: What) -> None:
        self.do(at, Say(self.code, what))

    def enrol(self, days_before: int = 3) -> None:
        """Enrolled a few days before the inclusion visit, which is booked at once."""
        start = self.baseline - timedelta(days=self.rng.randint(30, 200))
        at = self.local(self.baseline - timedelta(days=days_before), 10, self.rng.randint(0, 59))
        self.do(at, Enrol(self.code, Enrolled(self.baseline, start, self.regimen)))
        self.say(at + timedelta(minutes=2), self.booking("INCLUSION", self.baseline))
        answers = eligibility(int(self.code.split("-")[1]), at.date())
        if answers is not None:
            self.say(at + timedelta(minutes=2), answers)

    def booking(self, visit: str, day: date, hour: int = 8, minute: int = 30) -> VisitBooked:
        return VisitBooked(visit, datetime.combine(day, time(hour, minute)))

    def book(self, visit: str, day: date | None = None, days_before: int = 15) -> date:
        """The appointment is made some days before; returns its day."""
        chosen = day or self.planned(visit).target
        at = self.local(chosen - timedelta(days=days_before), 11, self.rng.randint(0, 59))
        self.say(at, self.booking(visit, chosen))
        return chosen

    def attend(
        self,
        visit: str,
        day: date,
        *,
        not_drawn: str | None = None,
        minutes: Mapping[str, int] | None = None,
        assess: bool = True,
    ) -> datetime:
        """The sampling day as it happens: arrival, H0, dose, H30, H2, assessments. Returns the dose time."""
        arrival = self.local(day, 8, self.rng.randint(20, 40))
        dose_at = arrival + timedelta(minutes=self.rng.randint(10, 20))
        self.say(arrival, Attended(visit, arrival))
        at = {
            "H0": -self.rng.randint(2, 8),
            "H30": 30 + self.rng.randint(-3, 4),
            "H2": 120 + self.rng.randint(-4, 6),
        }
        at |= minutes or {}
        regimen = self.regimen
        self.say(
            dose_at + timedelta(minutes=1),
            DoseGiven(visit, dose_at, regimen.dose_mg, regimen.formulation, regimen.interval_h),
        )
        for point, minute in at.items():
            moment = dose_at + timedelta(minutes=minute)
            recorded = moment + timedelta(minutes=1)
            if point == not_drawn:
                self.say(recorded, SampleNotDrawn(visit, point, moment, "veine non accessible"))
                continue
            tube = self._tube(visit, point, day)
            self.drawn[(visit, point)] = moment
            self.say(recorded, SampleDrawn(visit, point, moment, tube))
        if assess:
            self._assess(visit, dose_at + timedelta(hours=3))
        return dose_at

    def _tube(self, visit: str, point: str, day: date) -> str:
        order = [p.id for p in self.plan.protocol.points].index(point) + 1
        encounter = self.plan.protocol.encounter(visit)
        assert encounter is not None
        tube = f"{day:%y%j}-{self.code.split('-')[1]}{encounter.code[-1]}-{order}"
        self.tubes[(visit, point)] = tube
        return tube

    def _assess(self, visit: str, at: datetime) -> None:
        encounter = self.plan.protocol.encounter(visit)
        assert encounter is not None
        for item in encounter.required:
            activity = self.plan.protocol.activity(item)
            assert activity is not None
            found = assessment(visit, activity, at, self.assessed.get(item), self.rng)
            if found.value is not None:
                self.assessed.setdefault(item, found.value)
            self.say(at, found)

    def concentration(self, visit: str, point: str) -> float:
        """A plausible concentration in mg/L; only its order of magnitude is meant."""
        middle = {"H0": 2.2, "H30": 11.0, "H2": 7.0}[point]
        found = round(middle * self.rng.lognormvariate(0, 0.3), 2)
        self.measured[(visit, point)] = found
        return found

    def rows(self, visit: str, reported_at: datetime, **changes: str) -> list[LabRow]:
        """The laboratory's rows for what was drawn at a visit."""
        encounter = self.plan.protocol.encounter(visit)
        assert encounter is not None
        return [
            LabRow(
                study=self.plan.protocol.study_id,
                subject=self.code,
                visit=encounter.code,
                timepoint=point,
                specimen=tube,
                collected_at=self.drawn[(visit, point)],
                reported_at=reported_at,
                value=f"{self.measured.get((visit, point)) or self.concentration(visit, point):.2f}",
                result_id=f"R-{tube}-1",
                **changes,
            )
            for (name, point), tube in self.tubes.items()
            if name == visit
        ]

    def laboratory(self, visit: str, dose_at: datetime, days: int = 2, **changes: str) -> None:
        """The laboratory sends its results some days after the visit."""
        at = round_to_minute(dose_at) + timedelta(days=days, hours=5)
        rows, zone = self.rows(visit, at - timedelta(minutes=20), **changes), self.plan.calendar.zone
        if self.daily is None:
            self.drop(at, rows, f"{self.code}_{visit}")
        else:
            lines = self.daily.setdefault(at.astimezone(zone).date(), [])
            lines += [line_of(row, zone) for row in rows]

    def drop(self, at: datetime, rows: list[LabRow], name: str) -> None:
        self.do(at, Drop(lab_file_name(name), lab_file(rows, self.plan.calendar.zone)))

    def usual(self, visit: str, day: date | None = None) -> datetime:
        """Booked, attended, measured, as foreseen. Returns the dose time."""
        chosen = self.book(visit, day)
        dose_at = self.attend(visit, chosen)
        self.laboratory(visit, dose_at)
        return dose_at

    def inclusion(self) -> datetime:
        """Enrolled and included as foreseen."""
        self.enrol()
        dose_at = self.attend("INCLUSION", self.baseline)
        self.laboratory("INCLUSION", dose_at)
        return dose_at


def lab_file_name(about: str) -> str:
    return f"MPA-AUC_CCH-PHARMACO_{about}.csv"


def round_to_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
