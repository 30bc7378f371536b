"""Samples below the limit of quantification: what each counts as, by where in the profile it lies."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from pk.values.reason import Reason, short


class Blq(StrEnum):
    """What a sample below quantification counts as, unless it is a number of mg/L."""

    KEEP = "keep"
    """Counts as 0."""
    DROP = "drop"
    """Left out."""


Treatment: TypeAlias = Blq | float


@dataclass(frozen=True, slots=True)
class ByPosition:
    """Treatment before the first measurable sample, between measurable samples, after the last.

    The defaults are those of PKNCA (`conc.blq`). Without any measurable sample all are `first`.
    """

    first: Treatment = Blq.KEEP
    middle: Treatment = Blq.DROP
    last: Treatment = Blq.KEEP


@dataclass(frozen=True, slots=True)
class ByTmax:
    """Treatment before and after the maximum. Without any measurable sample all are before it."""

    before_tmax: Treatment = Blq.KEEP
    after_tmax: Treatment = Blq.KEEP


BlqRules: TypeAlias = ByPosition | ByTmax


@dataclass(frozen=True, slots=True)
class Point:
    """One sample of a profile: hours after the dose, and what the laboratory found.

    A concentration of 0, one below the limit, and none beside a known limit are below quantification;
    no concentration and no limit is a missing result.

    Raises
    ------
    ValueError
        If the limit is not a positive number.
    """

    time_h: float
    conc_mg_l: float | None
    lloq_mg_l: float | None = None

    def __post_init__(self) -> None:
        if self.lloq_mg_l is not None and not 0.0 < self.lloq_mg_l < math.inf:
            raise ValueError("a quantification limit is a positive number")

    @property
    def missing(self) -> bool:
        """Whether there is no result at all."""
        return self.conc_mg_l is None and self.lloq_mg_l is None

    @property
    def measured_mg_l(self) -> float | None:
        """The concentration, None below quantification.

        >>> Point(1.0, 0.3, lloq_mg_l=0.4).measured_mg_l is None
        True
        """
        if self.conc_mg_l is None or self.conc_mg_l == 0.0:
            return None
        return None if self.lloq_mg_l is not None and self.conc_mg_l < self.lloq_mg_l else self.conc_mg_l


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile without gaps: what is integrated, and which of it was measured.

    Attributes
    ----------
    times, concs : tuple of float, length n
        Hours, and mg/L with every sample below quantification treated.
    measured : tuple of bool, length n
        False where the concentration stands for one below quantification.
    notes : tuple of Reason
        What was done to samples below quantification.
    """

    times: tuple[float, ...]
    concs: tuple[float, ...]
    measured: tuple[bool, ...]
    notes: tuple[Reason, ...] = ()


def treat(points: Sequence[Point], rules: BlqRules) -> Profile | Reason:
    """Return the profile with every sample below quantification treated, or why that cannot be.

    Parameters
    ----------
    points : sequence of Point
        In order of time, none missing.
    rules : ByPosition or ByTmax
        A number of mg/L may not exceed the sample's limit nor the lowest measured concentration.

    Examples
    --------
    >>> points = [Point(0, 0.0), Point(1, 2.0), Point(2, 0.0), Point(3, 1.0), Point(4, 0.0)]
    >>> treat(points, ByPosition()).concs
    (0.0, 2.0, 1.0, 0.0)
    """
    found = [point.measured_mg_l for point in points]
    lowest = min((conc for conc in found if conc is not None), default=math.inf)
    treatments = _treatments(found, rules)
    kept: list[tuple[float, float, bool]] = []
    counts = dict.fromkeys(("dropped", "zero", "number"), 0)
    for point, conc, treatment in zip(points, found, treatments, strict=True):
        if conc is not None:
            kept.append((point.time_h, conc, True))
        elif treatment is Blq.DROP:
            counts["dropped"] += 1
        elif treatment is Blq.KEEP:
            counts["zero"] += 1
            kept.append((point.time_h, 0.0, False))
        else:
            limit = min(lowest, point.lloq_mg_l if point.lloq_mg_l is not None else math.inf)
            if treatment > limit:
                numbers = {"number_mg_l": short(treatment), "limit_mg_l": short(limit)}
                return Reason.of("blq_number_too_high", **numbers)
            counts["number"] += 1
            kept.append((point.time_h, treatment, False))
    notes = (Reason.of("blq_handled", **counts),) if any(counts.values()) else ()
    return Profile(
        tuple(time for time, _, _ in kept),
        tuple(conc for _, conc, _ in kept),
        tuple(measured for _, _, measured in kept),
        notes,
    )


def _treatments(found: Sequence[float | None], rules: BlqRules) -> Iterable[Treatment]:
    """One treatment per sample; those of measured samples mean nothing."""
    measured = [i for i, conc in enumerate(found) if conc is not None]
    if isinstance(rules, ByTmax):
        highest = max((conc for conc in found if conc is not None), default=None)
        peak = found.index(highest) if highest is not None else len(found)
        return [rules.before_tmax if i < peak else rules.after_tmax for i in range(len(found))]
    if not measured:
        return [rules.first] * len(found)
    return [
        rules.first if i < measured[0] else rules.last if i > measured[-1] else rules.middle
        for i in range(len(found))
    ]
