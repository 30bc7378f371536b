"""From a settled sampling day to its exposures: the bridge between instants and hours after the dose."""

from __future__ import annotations

import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from pk import exposure as pk_exposure
from pk.exposure import AVERAGE, PK_VERSION, map_method
from pk.models.population import PopulationModel
from pk.regression.equation import Equation
from pk.values.estimate import UNIT_AUC, Estimate
from pk.values.profile import Dosing, Formulation, Occasion, Sample
from pk.values.reason import Reason as PkReason
from scheduler.domain.exposure import (
    AUC,
    HELD,
    Bounds,
    Exposure,
    VisitExposures,
    fewer_samples,
    set_is_settled,
)
from scheduler.domain.flag_rules import holds_of
from scheduler.domain.protocol import Protocol
from scheduler.domain.reason import Param, Reason, to_json
from scheduler.domain.timeline import Draw, Timeline, VisitPlan

__all__ = ["Exposer", "SamplingDay", "Sought", "Stored", "occasion_from", "occasion_of"]

Stored = Callable[[str], VisitExposures | None]
"""The newest estimates on record for a visit."""

_MOST_KNOWN = 1_000  # about 35 kB each; an installation with more visits reads them from the database again
_NOTHING = Occasion((), Dosing(Formulation.MMF))


@dataclass(frozen=True, slots=True)
class SamplingDay:
    """What the estimates of a visit follow from; equal days have equal estimates.

    `versions` are the numbers of the results used, `order` the methods in the order of the protocol, `points` how
    many samples it foresees.
    """

    occasion: Occasion
    versions: tuple[tuple[str, int], ...]
    order: tuple[str, ...]
    points: int


@dataclass(frozen=True, slots=True)
class Sought:
    """What is known of a subject's exposures, by visit, and the settled days that are still to be estimated."""

    known: dict[str, VisitExposures]
    missing: dict[str, SamplingDay]


class Exposer:
    """Gives the exposures of settled sampling days. What is on record with the same inputs is never estimated again."""

    def __init__(self, equations: tuple[Equation, ...], models: tuple[PopulationModel, ...]) -> None:
        self.equations, self.models = equations, models
        self._names = {one.id: one.name for one in equations}
        self._names |= {map_method(one.id): one.name for one in models}
        self._default = (*(one.id for one in equations), AVERAGE, *(map_method(one.id) for one in models))
        self._known: OrderedDict[SamplingDay, VisitExposures] = OrderedDict()

    @property
    def methods(self) -> tuple[str, ...]:
        """The ids of all methods that give an AUC0-12, in the order that holds where a protocol has none."""
        return self._default

    def order(self, protocol: Protocol) -> tuple[str, ...]:
        """All methods, those that the protocol names first."""
        return (*protocol.primary, *(one for one in self._default if one not in protocol.primary))

    def fingerprint(self, protocols: Iterable[Protocol]) -> str:
        """Changes when, for equal samples, any estimate or the primary method may."""
        orders = sorted({self.order(one) for one in protocols})
        return _hash([self.inputs_hash(_NOTHING, order) for order in orders])

    def inputs_hash(self, occasion: Occasion, order: tuple[str, ...]) -> str:
        """SHA-256 of everything that the exposures of an occasion follow from, the primary method included."""
        return _hash([pk_exposure.inputs_hash(occasion, self.equations, self.models), *order])

    def seek(self, timeline: Timeline, stored: Stored) -> Sought:
        """What is remembered or on record for the settled days of a subject, and what is not."""
        known, missing = {}, {}
        for plan in timeline.visits:
            if plan.attended_at is None or not set_is_settled(plan):
                continue
            day = _day(plan, self.order(plan.protocol))
            held = holds_of(timeline, plan)
            if held:
                known[plan.id] = self._held(day, held)
                continue
            found = self._remembered(day) or self._recorded(day, stored(plan.id))
            if found is None:
                missing[plan.id] = day
            else:
                known[plan.id] = found
        return Sought(known, missing)

    def complete(self, sought: Sought) -> dict[str, VisitExposures]:
        """The exposures that are known and those that were missing."""
        found = zip(sought.missing, self.estimate(tuple(sought.missing.values())), strict=True)
        return {**sought.known, **dict(found)}

    def estimate(self, days: Sequence[SamplingDay]) -> tuple[VisitExposures, ...]:
        """The exposures of these days, estimated together, which takes a fraction of one after the other."""
        unknown: defaultdict[tuple[str, ...], list[SamplingDay]] = defaultdict(list)
        found = {day: one for day in days if (one := self._remembered(day)) is not None}
        for day in dict.fromkeys(days):
            if day not in found:
                unknown[day.order].append(day)
        for order, some in unknown.items():
            occasions = [day.occasion for day in some]
            estimated = pk_exposure.estimates_of(occasions, self.equations, self.models, order)
            for day, several in zip(some, estimated, strict=True):
                found[day] = self._remember(day, self._made(day, several))
        return tuple(found[day] for day in days)

    def _made(self, day: SamplingDay, estimates: tuple[Estimate, ...]) -> VisitExposures:
        used = {name for one in estimates if one.fit is not None for name, _ in one.fit.predictions}
        points = [one.timepoint for one in day.occasion.samples if one.timepoint in used]
        remark = fewer_samples(points, day.points)
        exposures = tuple(_exposure(one, self._names.get(one.method), remark) for one in estimates)
        return VisitExposures(self.inputs_hash(day.occasion, day.order), exposures, _inputs(day))

    def _held(self, day: SamplingDay, why: tuple[Reason, ...]) -> VisitExposures:
        """No estimate, and the reasons why the samples are not used together."""
        said = [json.dumps(to_json(one), sort_keys=True) for one in why]
        refused = Exposure(HELD, AUC, None, None, None, UNIT_AUC, (0.0, 12.0), why, ())
        key = _hash([self.inputs_hash(day.occasion, day.order), HELD, *said])
        return VisitExposures(key, (refused,), _inputs(day))

    def _recorded(self, day: SamplingDay, on_record: VisitExposures | None) -> VisitExposures | None:
        if on_record is None or on_record.inputs_hash != self.inputs_hash(day.occasion, day.order):
            return None
        return self._remember(day, on_record)

    def _remembered(self, day: SamplingDay) -> VisitExposures | None:
        found = self._known.get(day)
        if found is not None:
            self._known.move_to_end(day)
        return found

    def _remember(self, day: SamplingDay, found: VisitExposures) -> VisitExposures:
        self._known[day] = found
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return found


def _hash(parts: Sequence[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


def _day(plan: VisitPlan, order: tuple[str, ...]) -> SamplingDay:
    versions = tuple((d.point.id, d.result.version.id) for d in plan.draws if d.result is not None)
    return SamplingDay(occasion_of(plan), versions, order, len(plan.draws))


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


def _exposure(estimate: Estimate, name: str | None, remark: tuple[Reason, ...]) -> Exposure:
    low, high, bounds = estimate.low_mg_h_l, estimate.high_mg_h_l, None
    if low is not None:
        bounds = Bounds.BELOW_LLOQ
    elif estimate.interval_90 is not None:
        (low, high), bounds = estimate.interval_90, Bounds.INTERVAL_90
    by_models = (
        estimate.value_mg_h_l is not None and estimate.quantity == AUC and bounds is Bounds.INTERVAL_90
    )
    return Exposure(
        method=estimate.method,
        quantity=estimate.quantity,
        value=estimate.value_mg_h_l,
        low=low,
        high=high,
        unit=estimate.unit,
        interval_h=estimate.interval_h,
        reasons=tuple(_reason(one) for one in estimate.reasons),
        notes=(*(remark if by_models else ()), *(_reason(one) for one in estimate.notes)),
        bounds=bounds,
        name=name,
        daily=estimate.auc_0_24_mg_h_l,
        per_g=estimate.per_g_mg_h_l,
        fit=estimate.fit,
        weights=estimate.weights,
    )


def _reason(reason: PkReason) -> Reason:
    """The reason; a covariate by its name alone, not by its place in what `pk` reads."""
    params = ((name, _named(value) if name == "field" else value) for name, value in reason.params)
    return Reason(reason.code, tuple(params))


def _named(field: Param) -> Param:
    return field.removeprefix("covariates.") if isinstance(field, str) else field


_OF_SAMPLE = ("timepoint", "time_h", "conc_mg_l", "below_lloq", "above_uloq", "lloq_mg_l")


def _inputs(day: SamplingDay) -> str:
    """What the estimates were made from, for whoever checks them later or draws them (`occasion_from`)."""
    occasion, versions = day.occasion, dict(day.versions)
    dosing = occasion.dosing
    samples = [
        {name: getattr(one, name) for name in _OF_SAMPLE} | {"result_version": versions.get(one.timepoint)}
        for one in occasion.samples
    ]
    return json.dumps(
        {
            "samples": samples,
            "dose_mg": dosing.dose_mg,
            "formulation": dosing.formulation.value,
            "interval_h": dosing.interval_h,
            "days_unchanged": dosing.days_unchanged,
            "assay": occasion.assay,
            "methods": list(day.order),
            "pk_version": PK_VERSION,
        },
        sort_keys=True,
    )


def occasion_from(inputs: str) -> Occasion:
    """The occasion that estimates on record were made from. Raises KeyError for those of version 0.1."""
    found: dict[str, Any] = json.loads(inputs)
    samples = tuple(Sample(**{name: one[name] for name in _OF_SAMPLE}) for one in found["samples"])
    formulation = Formulation(found["formulation"])
    dosing = Dosing(formulation, found["dose_mg"], found["interval_h"], found["days_unchanged"])
    return Occasion(samples, dosing, found["assay"])
