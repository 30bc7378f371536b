"""What was observed or decided. Facts are only added; a correction is a new fact that names the old one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import ClassVar

__all__ = [
    "KINDS",
    "Assessed",
    "Attended",
    "Corrected",
    "DoseGiven",
    "Enrolled",
    "Fact",
    "FlagAcknowledged",
    "Formulation",
    "Paused",
    "Regimen",
    "RegimenChanged",
    "Resumed",
    "SampleDrawn",
    "SampleNotDrawn",
    "Source",
    "VisitBooked",
    "VisitCancelled",
    "VisitMoved",
    "What",
    "Withdrawal",
    "Withdrawn",
    "effective",
    "in_order",
]


class Formulation(StrEnum):
    MMF = "mmf"
    EC_MPS = "ec_mps"


class Source(StrEnum):
    """By which door a fact came in."""

    CLI = "cli"
    LAB = "lab"
    REHEARSAL = "rehearsal"


class Withdrawal(StrEnum):
    CONSENT = "consent"
    DEATH = "death"
    LOST = "lost"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Regimen:
    """How the drug is taken; EC-MPS doses are label milligrams."""

    formulation: Formulation
    dose_mg: float
    interval_h: float


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A subject joined; `baseline` is the planned day of the anchor visit."""

    kind: ClassVar[str] = "enrolled"
    baseline: date
    treatment_start: date | None = None
    regimen: Regimen | None = None


@dataclass(frozen=True, slots=True)
class VisitBooked:
    """An appointment, as intended: a local time at the site, without zone."""

    kind: ClassVar[str] = "visit_booked"
    visit: str
    local: datetime


@dataclass(frozen=True, slots=True)
class VisitMoved:
    kind: ClassVar[str] = "visit_moved"
    visit: str
    local: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class VisitCancelled:
    """The appointment is off; `final` when the visit will not take place at all."""

    kind: ClassVar[str] = "visit_cancelled"
    visit: str
    reason: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Attended:
    kind: ClassVar[str] = "attended"
    visit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DoseGiven:
    """The study dose of a sampling day."""

    kind: ClassVar[str] = "dose_given"
    visit: str
    at: datetime
    dose_mg: float
    formulation: Formulation
    interval_h: float


@dataclass(frozen=True, slots=True)
class SampleDrawn:
    kind: ClassVar[str] = "sample_drawn"
    visit: str
    timepoint: str
    at: datetime
    tube: str


@dataclass(frozen=True, slots=True)
class SampleNotDrawn:
    kind: ClassVar[str] = "sample_not_drawn"
    visit: str
    timepoint: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Assessed:
    kind: ClassVar[str] = "assessed"
    visit: str
    item: str
    at: datetime
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class RegimenChanged:
    kind: ClassVar[str] = "regimen_changed"
    at: datetime
    regimen: Regimen
    reason: str


@dataclass(frozen=True, slots=True)
class Paused:
    kind: ClassVar[str] = "paused"
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Resumed:
    kind: ClassVar[str] = "resumed"
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    kind: ClassVar[str] = "withdrawn"
    at: datetime
    cause: Withdrawal
    reason: str


@dataclass(frozen=True, slots=True)
class FlagAcknowledged:
    """A person has seen a flag and decided that nothing more can be done."""

    kind: ClassVar[str] = "flag_acknowledged"
    flag: str
    reason: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """An earlier fact was wrong: what holds instead, or nothing when it never happened."""

    kind: ClassVar[str] = "corrected"
    fact_id: int
    instead: What | None
    reason: str


What = (
    Enrolled
    | VisitBooked
    | VisitMoved
    | VisitCancelled
    | Attended
    | DoseGiven
    | SampleDrawn
    | SampleNotDrawn
    | Assessed
    | RegimenChanged
    | Paused
    | Resumed
    | Withdrawn
    | FlagAcknowledged
    | Corrected
)

KINDS: dict[str, type[What]] = {one.kind: one for one in What.__args__}


@dataclass(frozen=True, slots=True)
class Fact:
    """A recorded observation: what, when it was recorded, by whom, by which door."""

    id: int
    what: What
    recorded_at: datetime
    recorded_by: str
    source: Source


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """The facts in the order of recording, however they arrived."""
    return sorted(facts, key=attrgetter("id"))


def effective(facts: Iterable[Fact]) -> list[Fact]:
    """The facts that hold, in the order of recording, after all corrections; their order of arrival is irrelevant."""
    ordered = in_order(facts)
    if not [fact for fact in ordered if type(fact.what) is Corrected]:
        return ordered
    holding: dict[int, Fact] = {}
    for fact in ordered:
        what = fact.what
        if type(what) is not Corrected:
            holding[fact.id] = fact
        elif what.instead is None:
            holding.pop(what.fact_id, None)
        else:
            holding[what.fact_id] = Fact(
                what.fact_id, what.instead, fact.recorded_at, fact.recorded_by, fact.source
            )
    return [holding[key] for key in sorted(holding)]
