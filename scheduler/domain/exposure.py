"""The exposures of one visit as values, and when a sampling day is ready to give one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.reason import Reason
from scheduler.domain.results import ResultStatus
from scheduler.domain.timeline import Draw, VisitPlan

__all__ = ["Exposure", "VisitExposures", "set_is_settled", "settled_at"]


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one method gives for one visit: a value with its unit, or the reasons why there is none."""

    method: str
    quantity: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    interval_h: tuple[float, float]
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class VisitExposures:
    """All methods on one sample set. The first that gives a value of `primary_quantity` is shown first."""

    inputs_hash: str
    exposures: tuple[Exposure, ...]
    inputs: str

    PRIMARY = "AUC0-12"

    @property
    def primary(self) -> Exposure | None:
        """The AUC0-12 with a value, else the first AUC0-12 that was refused."""
        refused = None
        for one in self.exposures:
            if one.quantity == self.PRIMARY:
                if one.value is not None:
                    return one
                refused = refused or one
        return refused


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
