"""What was observed or decided. Facts are only added; a correction is a new fact that names the old one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

__all__ = [
    "KINDS",
    "Answer",
    "Assessed",
    "Attended",
    "Corrected",
    "DoseGiven",
    "EligibilityAssessed",
    "Enrolled",
    "Fact",
    "FlagAcknowledged",
    "Formulation",
    "Intercurrent",
    "Occurred",
    "Paused",
    "ProtocolApplied",
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
]


class Formulation(StrEnum):
    MMF = "mmf"
    EC_MPS = "ec_mps"


class Source(StrEnum):
    """By which door a fact came in."""

    CLI = "cli"
    CONSOLE = "console"
    LAB = "lab"
    REHEARSAL = "rehearsal"


class Withdrawal(StrEnum):
    CONSENT = "consent"
    DEATH = "death"
    LOST = "lost"
    OTHER = "other"


class Answer(StrEnum):
    """What is known of an item; unknown is never taken for no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Occurred(StrEnum):
    """What may happen between inclusion and the endpoint, so that the endpoint does not mean what was planned."""

    ORGAN_FAILURE = "organ_failure"
    RESCUE_TREATMENT = "rescue_treatment"
    MMF_STOPPED = "mmf_stopped"


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
    """An assessment at a visit.

    `value` is None when it is the sum of `sites` of which one is missing. `measured` is what a percentage of the
    predicted value was made of (litres, mL/min/mmHg), `equation` the name of the prediction equation.
    """

    kind: ClassVar[str] = "assessed"
    visit: str
    item: str
    at: datetime
    value: float | None
    unit: str
    sites: tuple[tuple[str, int], ...] = ()
    assessor: str | None = None
    measured: float | None = None
    measured_unit: str | None = None
    equation: str | None = None
    hb_corrected: bool | None = None


@dataclass(frozen=True, slots=True)
class EligibilityAssessed:
    """What was known of a subject's eligibility on a day: answers, age in years, no date of birth.

    `first_sign` is the first clinical sign other than Raynaud's as far as it is known: 2024, 2024-05 or 2024-05-17.
    What follows from the answers is derived by `scheduler.domain.trial.eligibility`.
    """

    kind: ClassVar[str] = "eligibility_assessed"
    on: date
    age_years: int | None = None
    thickening_spares_fingers: Answer = Answer.UNKNOWN
    better_explained_otherwise: Answer = Answer.UNKNOWN
    thickening_proximal_to_mcp: Answer = Answer.UNKNOWN
    puffy_fingers: Answer = Answer.UNKNOWN
    sclerodactyly: Answer = Answer.UNKNOWN
    digital_tip_ulcers: Answer = Answer.UNKNOWN
    pitting_scars: Answer = Answer.UNKNOWN
    telangiectasia: Answer = Answer.UNKNOWN
    abnormal_nailfold_capillaries: Answer = Answer.UNKNOWN
    pulmonary_arterial_hypertension: Answer = Answer.UNKNOWN
    interstitial_lung_disease: Answer = Answer.UNKNOWN
    raynaud: Answer = Answer.UNKNOWN
    anti_centromere: Answer = Answer.UNKNOWN
    anti_topoisomerase_i: Answer = Answer.UNKNOWN
    anti_rna_polymerase_iii: Answer = Answer.UNKNOWN
    diffuse_skin: Answer = Answer.UNKNOWN
    first_sign: str | None = None
    other_immunosuppressant: Answer = Answer.UNKNOWN
    ild_on_imaging: Answer = Answer.UNKNOWN
    mmf_first_line: Answer = Answer.UNKNOWN
    mmf_after_cyclophosphamide: Answer = Answer.UNKNOWN
    biologic_last_6_months: Answer = Answer.UNKNOWN


@dataclass(frozen=True, slots=True)
class Intercurrent:
    """Something that changes what the endpoint at one year means; death is recorded as a withdrawal."""

    kind: ClassVar[str] = "intercurrent"
    at: datetime
    event: Occurred
    reason: str


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
class ProtocolApplied:
    """From this day of the site on, the subject is followed under another protocol version, whose text has the hash."""

    kind: ClassVar[str] = "protocol_applied"
    on: date
    version: str
    sha256: str
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
    | EligibilityAssessed
    | Intercurrent
    | RegimenChanged
    | Paused
    | Resumed
    | Withdrawn
    | ProtocolApplied
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
