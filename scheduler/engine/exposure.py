"""From a settled sampling day to its exposures: the bridge between instants and hours after the dose."""

from __future__ import annotations

import json
from datetime import datetime

from pk import exposure as pk_exposure
from pk.equation import Equation
from pk.profile import Dosing, Formulation, Occasion, Sample
from pk.result import Estimate
from pk.result import Reason as PkReason
from scheduler.domain.exposure import Exposure, VisitExposures, set_is_settled
from scheduler.domain.reason import Reason
from scheduler.domain.timeline import Draw, Timeline, VisitPlan

__all__ = ["Exposer", "occasion_of"]

Versions = tuple[tuple[str, int], ...]
_MOST_KNOWN = 20_000


class Exposer:
    """Gives the exposures of settled sampling days by the equations of the study; the same inputs are worked once."""

    def __init__(self, equations: tuple[Equation, ...]) -> None:
        self.equations = equations
        self._known: dict[tuple[Occasion, Versions], VisitExposures] = {}

    def exposures_of(self, timeline: Timeline) -> dict[str, VisitExposures]:
        """The exposures of every visit whose sampling day is settled, by visit."""
        return {
            plan.id: self._of(plan)
            for plan in timeline.visits
            if plan.attended_at is not None and set_is_settled(plan)
        }

    def _of(self, plan: VisitPlan) -> VisitExposures:
        occasion = occasion_of(plan)
        versions = tuple((d.point.id, d.result.version.id) for d in plan.draws if d.result is not None)
        found = self._known.get((occasion, versions))
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[(occasion, versions)] = VisitExposures(
                pk_exposure.inputs_hash(occasion, self.equations),
                tuple(_exposure(one) for one in pk_exposure.estimates(occasion, self.equations)),
                _inputs(occasion, dict(versions)),
            )
        return found


def occasion_of(plan: VisitPlan) -> Occasion:
    """A settled sampling day in hours after the dose and mg/L."""
    assert plan.dose is not None
    given = plan.dose.given
    dosing = Dosing(
        Formulation(given.formulation.value), given.dose_mg, given.interval_h, plan.dose.days_unchanged
    )
    samples = tuple(sample for draw in plan.draws if (sample := _sample(draw, given.at)) is not None)
    methods = {d.result.version.method for d in plan.draws if d.result is not None and d.result.is_final}
    return Occasion(samples, dosing, methods.pop() if len(methods) == 1 else None)


def _sample(draw: Draw, dose_at: datetime) -> Sample | None:
    """The sample of a draw; None when it was never drawn or never measured."""
    result, taken_at = draw.result, draw.taken_at
    if result is None or not result.is_final or taken_at is None or draw.not_drawn is not None:
        return None
    version = result.version
    if version.blocking is not None:
        return None
    return Sample(
        timepoint=draw.point.id,
        time_h=(taken_at - dose_at).total_seconds() / 3600,
        conc_mg_l=float(version.conc_mg_l) if version.conc_mg_l is not None else None,
        below_lloq=version.below_lloq,
        above_uloq=version.above_uloq,
        lloq_mg_l=float(version.lloq_mg_l) if version.lloq_mg_l is not None else None,
    )


def _exposure(estimate: Estimate) -> Exposure:
    return Exposure(
        method=estimate.method,
        quantity=estimate.quantity,
        value=estimate.value_mg_h_l,
        low=estimate.low_mg_h_l,
        high=estimate.high_mg_h_l,
        unit=estimate.unit,
        interval_h=estimate.interval_h,
        reasons=tuple(_reason(one) for one in estimate.reasons),
        notes=tuple(_reason(one) for one in estimate.notes),
    )


def _reason(reason: PkReason) -> Reason:
    return Reason(reason.code, reason.params)


def _inputs(occasion: Occasion, versions: dict[str, int]) -> str:
    """What the estimate was made from, for whoever checks it later."""
    samples = [
        {
            "timepoint": sample.timepoint,
            "time_h": round(sample.time_h, 6),
            "conc_mg_l": sample.conc_mg_l,
            "below_lloq": sample.below_lloq,
            "lloq_mg_l": sample.lloq_mg_l,
            "result_version": versions.get(sample.timepoint),
        }
        for sample in occasion.samples
    ]
    dosing = occasion.dosing
    return json.dumps(
        {
            "samples": samples,
            "dose_mg": dosing.dose_mg,
            "formulation": dosing.formulation.value,
            "interval_h": dosing.interval_h,
            "days_unchanged": dosing.days_unchanged,
            "assay": occasion.assay,
        },
        sort_keys=True,
    )
