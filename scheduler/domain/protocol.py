"""A protocol as values: encounters and their timings, sampling points, reminder rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

from scheduler.domain.civil import Period
from scheduler.domain.trial.settings import EndpointSettings

__all__ = [
    "Activity",
    "AnchorBasis",
    "Band",
    "Encounter",
    "Event",
    "IfAnchorMissed",
    "Limits",
    "Notice",
    "Protocol",
    "ReminderRule",
    "SamplePoint",
    "Shift",
    "Timing",
    "TimingType",
    "Trigger",
    "VisitStatus",
]

Words = dict[str, str]


class TimingType(StrEnum):
    FIXED = "fixed"
    AFTER = "after"
    BEFORE = "before"


class AnchorBasis(StrEnum):
    PLANNED = "planned"
    ACTUAL = "actual"


class IfAnchorMissed(StrEnum):
    USE_TARGET = "use_target"
    BLOCK = "block"


class Shift(StrEnum):
    NONE = "none"
    NEAREST_OPEN_DAY = "nearest_open_day"
    NEXT_OPEN_DAY = "next_open_day"


class VisitStatus(StrEnum):
    """Where a visit stands."""

    PLANNED = "planned"
    WINDOW_OPEN = "window_open"
    BOOKED = "booked"
    UNCONFIRMED = "unconfirmed"
    OVERDUE = "overdue"
    MISSED = "missed"
    ATTENDED = "attended"
    AWAITING_RESULTS = "awaiting_results"
    INCOMPLETE = "incomplete"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    NOT_APPLICABLE = "not_applicable"


class Trigger(StrEnum):
    """What a reminder's instant is reckoned from; a sampling point's id is a trigger too."""

    WINDOW_OPEN = "window_open"
    TARGET = "target"
    WINDOW_CLOSE = "window_close"
    BOOKING = "booking"
    OVERDUE = "overdue"
    MISSED = "missed"
    ATTENDED = "attended"
    DRAWS = "draws"


class Event(StrEnum):
    """What calls for a mail at once."""

    VISIT_BOOKED = "visit_booked"
    VISIT_MOVED = "visit_moved"
    VISIT_CANCELLED = "visit_cancelled"
    VISIT_REPLANNED = "visit_replanned"
    AUC_AVAILABLE = "auc_available"
    AUC_AMENDED = "auc_amended"
    AUC_WITHDRAWN = "auc_withdrawn"
    FILE_QUARANTINED = "file_quarantined"
    ROWS_HELD = "rows_held"
    MAIL_FAILED = "mail_failed"
    EXPOSURE_MONTH = "exposure_month"


NOT_DRAWN = "not_drawn"
RESULTS_OVERDUE = "results_overdue"
RECORDS_MISSING = "records_missing"


@dataclass(frozen=True, slots=True)
class Timing:
    type: TimingType
    value: Period
    relative_to: str | None
    window_lower: Period
    window_upper: Period
    anchor_basis: AnchorBasis
    if_anchor_missed: IfAnchorMissed
    shift: Shift
    grace: Period
    expires_after: Period

    @property
    def sign(self) -> int:
        return -1 if self.type is TimingType.BEFORE else 1


@dataclass(frozen=True, slots=True)
class Encounter:
    id: str
    code: str
    label: Words
    timing: Timing
    sampling: bool
    required: tuple[str, ...]
    optional: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SamplePoint:
    """A draw, in minutes after the dose (negative before it)."""

    id: str
    nominal_min: int
    earliest_min: int
    latest_min: int


@dataclass(frozen=True, slots=True)
class Activity:
    id: str
    label: Words
    unit: str
    minimum: float
    maximum: float
    integer: bool
    sites: tuple[str, ...] = ()
    site_maximum: int = 3
    measured_in: tuple[str, ...] = ()
    predicted: bool = False
    hb_correction: bool = False


@dataclass(frozen=True, slots=True)
class ReminderRule:
    id: str
    template: str
    roles: tuple[str, ...]
    trigger: str
    sign: int
    value: Period
    at: time | None
    while_: frozenset[str]
    valid_for: Period


@dataclass(frozen=True, slots=True)
class Notice:
    event: Event
    template: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    attendance_within: Period
    complete_within: Period
    results_within: Period


@dataclass(frozen=True, slots=True)
class Band:
    id: str
    label: Words
    low_mg_h_l: float | None
    high_mg_h_l: float | None
    source: str
    flag: bool


@dataclass(frozen=True, slots=True)
class Protocol:
    """One version of one protocol, checked."""

    id: str
    version: str
    title: Words
    acronym: str
    registry_id: str
    sponsor_id: str
    study_id: str
    subject_pattern: str
    subject_check: str
    encounters: tuple[Encounter, ...]
    points: tuple[SamplePoint, ...]
    activities: tuple[Activity, ...]
    limits: Limits
    bands: tuple[Band, ...]
    reminders: tuple[ReminderRule, ...]
    notices: tuple[Notice, ...]
    digest_at: time
    digest_roles: tuple[str, ...]
    primary: tuple[str, ...] = ()
    endpoints: EndpointSettings = field(default_factory=EndpointSettings)
    key: str = field(default="")

    def __hash__(self) -> int:
        return hash(self.key)

    def encounter(self, name: str) -> Encounter | None:
        """The encounter with this id or code, whatever the case."""
        wanted = name.strip().upper()
        return next((e for e in self.encounters if wanted in (e.id.upper(), e.code.upper())), None)

    def activity(self, name: str) -> Activity | None:
        """The assessment with this id, whatever the case."""
        wanted = name.strip().upper()
        return next((a for a in self.activities if a.id.upper() == wanted), None)

    def point(self, name: str) -> SamplePoint | None:
        """The sampling point with this id, whatever the case."""
        wanted = name.strip().upper()
        return next((p for p in self.points if p.id.upper() == wanted), None)
