"""The concentration over one dosing interval, as the value of a picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pk.pictures.amounts import amounts


@dataclass(frozen=True, slots=True)
class DrawnSample:
    """One sample at its actual time.

    Attributes
    ----------
    label : str
        The protocol's name of the sample ("H30").
    time_h : float
        Actual hours after the dose, negative before it.
    conc_mg_l : float or None
        The concentration in mg/L; None when the result is below the limit.
    limit_mg_l : float or None
        The quantification limit of a sample without a concentration, in mg/L.

    Raises
    ------
    ValueError
        If neither or both of concentration and limit are given, or a number is not finite or negative.
    """

    label: str
    time_h: float
    conc_mg_l: float | None
    limit_mg_l: float | None = None

    def __post_init__(self) -> None:
        if (self.conc_mg_l is None) == (self.limit_mg_l is None):
            raise ValueError("a sample has either a concentration or the limit that it is below")
        if not math.isfinite(self.time_h) or not amounts([self.height_mg_l]):
            raise ValueError("a sample's time is a finite number, its concentration one of 0 or more")

    @property
    def height_mg_l(self) -> float:
        """Where it is drawn: the concentration, else the limit, in mg/L."""
        return self.conc_mg_l if self.conc_mg_l is not None else self.limit_mg_l or 0.0


@dataclass(frozen=True, slots=True)
class NominalWindow:
    """When a sample was to be drawn, in hours after the dose. Raises ValueError when it ends before it starts."""

    label: str
    start_h: float
    end_h: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_h) and math.isfinite(self.end_h) and self.start_h <= self.end_h):
            raise ValueError("a window ends after its start")


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveWords:
    """What stands around a curve, in the reader's language.

    `title` may have several lines. `limit` is the legend of a sample below its quantification limit; `beyond`
    says that an interval leaves the picture and has the field {value}, its highest value. `decimal` is the
    decimal sign.
    """

    title: str
    time: str
    concentration: str
    individual: str
    band: str
    population: str
    sample: str
    limit: str
    window: str
    dose: str
    beyond: str
    remark: str = ""
    decimal: str = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentrationCurve:
    """The concentration over one dosing interval, estimated and measured.

    Attributes
    ----------
    times_h : sequence of float, shape (n,)
        Increasing hours after the dose; n is 2 or more.
    individual_mg_l : sequence of float, shape (n,)
        The subject's curve (median), mg/L.
    band_mg_l : pair of sequences of float, each of shape (n,), or None
        Lower and upper limits of its interval, mg/L.
    population_mg_l : sequence of float, shape (n,), or None
        What the model foresees without the samples, mg/L.
    samples : tuple of DrawnSample
        Measured values at their actual times.
    windows : tuple of NominalWindow
        When the samples were to be drawn.
    interval_h : float
        Hours to the next dose.
    words : CurveWords
        The words around it.

    Raises
    ------
    ValueError
        If lengths differ, times do not increase, a number is not finite or negative, or the lower limit
        of the band lies above the upper.

    Examples
    --------
    >>> from pk.pictures.curve import CurveWords
    >>> words = CurveWords(title="", time="", concentration="", individual="", band="", population="",
    ...                    sample="", limit="", window="", dose="", beyond="")
    >>> ConcentrationCurve(times_h=(0.0, 12.0), individual_mg_l=(2.0, 1.0), interval_h=12.0, words=words).highest_mg_l
    2.0
    """

    times_h: Sequence[float]
    individual_mg_l: Sequence[float]
    interval_h: float
    words: CurveWords
    band_mg_l: tuple[Sequence[float], Sequence[float]] | None = None
    population_mg_l: Sequence[float] | None = None
    samples: tuple[DrawnSample, ...] = ()
    windows: tuple[NominalWindow, ...] = ()

    def __post_init__(self) -> None:
        times, lines = list(self.times_h), [self.individual_mg_l, *(self.band_mg_l or ())]
        if self.population_mg_l is not None:
            lines.append(self.population_mg_l)
        if len(times) < 2 or any(len(line) != len(times) for line in lines):
            raise ValueError("a curve needs two times or more, and every line a value for each of them")
        if not all(map(math.isfinite, times)) or any(b <= a for a, b in pairwise(times)):
            raise ValueError("the times of a curve are finite and increase")
        if not all(amounts(line) for line in lines):
            raise ValueError("the concentrations of a curve are finite numbers of 0 or more")
        if self.band_mg_l is not None and any(low > high for low, high in zip(*self.band_mg_l, strict=True)):
            raise ValueError("the lower limit of the band lies above the upper")
        if not (math.isfinite(self.interval_h) and self.interval_h > 0):
            raise ValueError("the dosing interval is a number of hours above 0")

    @property
    def highest_mg_l(self) -> float:
        """The highest of the subject's own curve and samples, mg/L."""
        return max(*self.individual_mg_l, *(sample.height_mg_l for sample in self.samples), 0.0)
