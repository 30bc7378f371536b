"""What was given and what was measured on one occasion, as plain values.

Nothing is checked here: a doubtful sample is data, and the method that meets it says what is
wrong with it (`pk.values.reading`, `pk.regression.apply`).
"""

from dataclasses import dataclass
from enum import StrEnum


class Formulation(StrEnum):
    """What the subject takes."""

    MMF = "mmf"
    EC_MPS = "ec_mps"

    @property
    def label(self) -> str:
        """The formulation's name in a sentence."""
        return {"mmf": "MMF", "ec_mps": "EC-MPS"}[self.value]


@dataclass(frozen=True, slots=True)
class Sample:
    """One blood sample and its result.

    Attributes
    ----------
    timepoint : str
        The protocol's name of the sample ("H0", "H30", "H2"), unique within an occasion.
    time_h : float
        The actual time after the dose in hours; 0 or negative before the dose.
    conc_mg_l : float or None
        Total plasma MPA in mg/L, None when the laboratory gave no number.
    below_lloq, above_uloq : bool
        The laboratory's word that the result is outside its quantification limits.
    lloq_mg_l : float or None
        The lower quantification limit in mg/L, where known.
    """

    timepoint: str
    time_h: float
    conc_mg_l: float | None
    below_lloq: bool = False
    above_uloq: bool = False
    lloq_mg_l: float | None = None


@dataclass(frozen=True, slots=True)
class DoseTaken:
    """A dose of a history: hours relative to the dose of interest, label strength in mg.

    With `every_h` it is the last of an endless row of equal doses that far apart, so that a history
    may begin at steady state; without, it was taken once.
    """

    time_h: float
    dose_mg: float
    every_h: float | None = None


@dataclass(frozen=True, slots=True)
class Dosing:
    """The treatment at the time of the samples; None where it is not known.

    Attributes
    ----------
    formulation : Formulation
    dose_mg : float or None
        Label strength of one dose in mg.
    interval_h : float or None
        Hours between two doses.
    days_unchanged : float or None
        Days since dose, interval and formulation were last changed.
    history : tuple of DoseTaken
        Every dose that can still be felt, the dose of interest (at 0 h) included. Where it is given it
        says what was taken, and no steady state is assumed.
    """

    formulation: Formulation
    dose_mg: float | None = None
    interval_h: float | None = None
    days_unchanged: float | None = None
    history: tuple[DoseTaken, ...] = ()


@dataclass(frozen=True, slots=True)
class Occasion:
    """The samples around one dose, the treatment, the assay that measured them, and covariates.

    `covariates` are pairs of a name of `pk.models.catalogue.CATALOGUE` and a value; what is unknown is left out.

    >>> Occasion((Sample("H0", -0.1, 2.0),), Dosing(Formulation.MMF)).named("H0")[0].conc_mg_l
    2.0
    """

    samples: tuple[Sample, ...]
    dosing: Dosing
    assay: str | None = None
    covariates: tuple[tuple[str, float | str], ...] = ()

    def named(self, timepoint: str) -> tuple[Sample, ...]:
        """Return the samples of that timepoint; a sound occasion has at most one."""
        return tuple(sample for sample in self.samples if sample.timepoint == timepoint)
