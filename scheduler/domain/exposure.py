"""The exposures of one visit as values, and when a sampling day is ready to give one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pk import exposure as pk_exposure
from pk.exposure import AVERAGE, Disagreement, map_method
from pk.nca.partial import PARTIAL_AUC
from pk.values.estimate import Estimate, Fit
from scheduler.domain.reason import Reason, because
from scheduler.domain.results import ResultStatus
from scheduler.domain.timeline import Draw, VisitPlan

__all__ = [
    "AUC",
    "FEWER_SAMPLES",
    "HELD",
    "WITHDRAWN",
    "Bounds",
    "Exposure",
    "Shown",
    "VisitExposures",
    "disagreement",
    "fewer_samples",
    "method_said",
    "set_is_settled",
    "settled_at",
]

AUC = "AUC0-12"
WITHDRAWN = "withdrawn"
"""The method of the row that says that the estimates of a visit no longer stand."""

HELD = "held"
"""The method of the row that says why the samples of a visit are not used together."""

FEWER_SAMPLES = "auc_fewer_samples"
"""The code of the remark on an estimate from fewer samples than the protocol foresees."""

_MAP = map_method("")


class Bounds(StrEnum):
    """What the limits of an exposure are."""

    INTERVAL_90 = "interval_90"
    """Of its 90 % credible interval."""
    BELOW_LLOQ = "below_lloq"
    """The values with a sample below quantification counted as 0 and as the limit."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one method gives for one visit: a value with its unit, or the reasons why there is none.

    `low` and `high` are what `bounds` says. `name` is the author's name of an equation or model, `daily` the AUC of a
    day and `per_g` that per gram of drug of a day (mg·h/L), `weights` those of the models in an average.
    """

    method: str
    quantity: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    interval_h: tuple[float, float]
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    bounds: Bounds | None = None
    name: str | None = None
    daily: float | None = None
    per_g: float | None = None
    fit: Fit | None = None
    weights: tuple[tuple[str, float], ...] = ()

    @property
    def interval_90(self) -> tuple[float, float] | None:
        """The limits of the 90 % interval, where there is one."""
        if self.bounds is not Bounds.INTERVAL_90 or self.low is None or self.high is None:
            return None
        return self.low, self.high


class Shown(NamedTuple):
    """What people see of an AUC0-12: its method, and value and limits rounded as they are shown."""

    method: str
    value: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, method: str, value: float, low: float | None, high: float | None) -> Shown:
        """What is shown of these numbers, in mg·h/L."""
        limits = [round(limit, 1) if limit is not None else None for limit in (low, high)]
        return cls(method, round(value, 1), *limits)


@dataclass(frozen=True, slots=True)
class VisitExposures:
    """All methods on one sample set, in the order of the protocol."""

    inputs_hash: str
    exposures: tuple[Exposure, ...]
    inputs: str

    PRIMARY = AUC

    @property
    def primary(self) -> Exposure | None:
        """The first AUC0-12 with a value, else the first that was refused."""
        refused = None
        for one in self.exposures:
            if one.quantity == self.PRIMARY:
                if one.value is not None:
                    return one
                refused = refused or one
        return refused

    @property
    def shown(self) -> Shown | None:
        """What people see of the AUC0-12; None while there is no value."""
        one = self.primary
        return Shown.of(one.method, one.value, one.low, one.high) if one and one.value is not None else None


def method_said(method: str, name: str | None) -> Reason:
    """A method in words. Without the `name` of its equation or model, which old rows do not have, its id stands in."""
    if method == AVERAGE:
        return because("method_average")
    if method == PARTIAL_AUC:
        return because("method_partial")
    if method == HELD:
        return because("method_held")
    if method == WITHDRAWN:
        return because("method_withdrawn")
    plain = name or method.removeprefix(_MAP).replace("_", " ")
    if method.startswith(_MAP):
        return because("method_map", model=plain)
    return because("method_regression", equation=plain)


def fewer_samples(used: Iterable[str], expected: int) -> tuple[Reason, ...]:
    """The remark on an estimate by a model that had fewer samples than the protocol foresees."""
    points = list(used)
    if not 0 < len(points) < expected:
        return ()
    return (because(FEWER_SAMPLES, count=len(points), expected=expected, points=", ".join(points)),)


def disagreement(found: Iterable[tuple[str, str, float | None]]) -> Disagreement | None:
    """How far the AUC0-12 of the methods lie apart, from method, quantity and value of each in their order."""
    return pk_exposure.disagreement(
        [
            Estimate(method=method, quantity=quantity, interval_h=(0.0, 12.0), value_mg_h_l=value)
            for method, quantity, value in found
            if value is not None
        ]
    )


def set_is_settled(plan: VisitPlan) -> bool:
    """Whether nothing more is expected for the sampling day: every draw has its final result, or never will."""
    return plan.dose is not None and bool(plan.draws) and all(_settled(draw) for draw in plan.draws)


def settled_at(plan: VisitPlan) -> datetime | None:
    """When the last piece of the set was recorded."""
    recorded = [d.result.version.recorded_at for d in plan.draws if d.result is not None]
    last = plan.facts.last_recorded_at
    return max(recorded + ([last] if last is not None else []), default=None)


def _settled(draw: Draw) -> bool:
    if draw.not_drawn is not None:
        return True
    if draw.result is None:
        return False
    return draw.result.is_final or draw.result.version.status is ResultStatus.NOT_OBTAINED
