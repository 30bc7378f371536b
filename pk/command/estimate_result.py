"""What the methods make of requests, as the JSON objects of `python -m pk estimate`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from pk.command.estimate_request import DRAWS, Method, Models, Request, request
from pk.command.jsonlines import error, reason_object
from pk.estimation.case import Case
from pk.estimation.ensemble import Ensemble, ensembles
from pk.estimation.individual import Individual, individuals
from pk.nca.analysis import Settings, analyse
from pk.nca.blq import Point
from pk.regression.apply import apply
from pk.regression.equation import Equation
from pk.values.estimate import Fit
from pk.values.jsontypes import Json, JsonObject
from pk.values.profile import Occasion, Sample
from pk.values.reading import minutes
from pk.values.reason import Reason

_INTERVALS = ((0.0, 12.0), (0.0, 2.0))

_FIELDS = MappingProxyType(
    {
        "average_none": "model",
        "estimate_not_finite": "model",
        "formulation_not_covered": "regimen.drug",
        "history_not_usable": "regimen.doses",
        "history_without_dose_of_interest": "regimen.doses",
        "interval_differs": "regimen.interval_h",
        "interval_unknown": "regimen.interval_h",
        "model_lag_too_long": "model.theta.tlag",
        "model_not_for_formulation": "regimen.drug",
        "model_steady_state_unknown": "regimen.steady_state",
        "no_usable_sample": "samples",
        "one_sample_only": "samples",
        "steady_state_unknown": "regimen.steady_state",
        "times_repeated": "samples",
        "too_few_points": "samples",
    }
)


def estimated(
    records: Sequence[JsonObject], models: Models, equations: Sequence[Equation]
) -> list[JsonObject]:
    """Return the result of every record, in order; a bad one costs only itself.

    Records that can be computed together are (`pk.estimation.individual`); the numbers of each are the same alone.
    """
    read = [request(record, models) for record in records]
    asked = {i: one for i, one in enumerate(read) if isinstance(one, Request)}
    found: dict[int, JsonObject] = {i: {} for i in asked}
    for method, compute in _METHODS.items():
        those = {i: one for i, one in asked.items() if method in one.methods}
        for i, entry in compute(those, models, equations).items():
            found[i][method.value] = entry
    return [
        _result(one, {name: found[i][name] for name in one.methods})
        if isinstance(one, Request)
        else error(*one)
        for i, one in enumerate(read)
    ]


def _result(asked: Request, entries: dict[str, Json]) -> JsonObject:
    """A line of output: "ok" if any method has an AUC, else "error" with the reasons of all."""
    reasons: list[Json] = []
    for entry in entries.values():
        assert isinstance(entry, dict)
        if entry["auc_0_12_mg_h_l"] is not None:
            return {"id": asked.id, "status": "ok", "methods": entries}
        assert isinstance(entry["reasons"], list)
        reasons += [one for one in entry["reasons"] if one not in reasons]
    return {"id": asked.id, "status": "error", "reasons": reasons, "methods": entries}


def _entry(
    *,
    auc: float | None,
    interval: tuple[float, float] | None = None,
    to_tau: float | None = None,
    to_24: float | None = None,
    per_g: float | None = None,
    fit: Fit | None = None,
    samples: Iterable[Sample] = (),
    reasons: Iterable[Reason] = (),
    warnings: Iterable[Reason] = (),
) -> JsonObject:
    """The fields that every method has; null where it has nothing to say."""
    predicted = {} if fit is None else dict(fit.predictions)
    return {
        "auc_0_12_mg_h_l": auc,
        "interval_90": None if interval is None else list(interval),
        "auc_0_tau_mg_h_l": to_tau,
        "auc_0_24_mg_h_l": to_24,
        "auc_0_24_per_g_mg_h_l": per_g,
        "parameters": None if fit is None else dict(fit.parameters),
        "eta": None if fit is None else dict(fit.eta),
        "objective": None if fit is None else fit.objective,
        "predictions": None if fit is None else [predicted.get(one.timepoint) for one in samples],
        "reasons": [_described(one) for one in reasons],
        "warnings": [_described(one) for one in warnings],
    }


@lru_cache(maxsize=4096)
def _described(reason: Reason) -> JsonObject:
    """A reason with the field of the input that it concerns."""
    named = dict(reason.params).get("timepoint")
    if named is None:
        return reason_object(reason, _FIELDS.get(reason.code))
    return reason_object(reason, str(named) if str(named).startswith("samples[") else "samples")


# --- one population model -------------------------------------------------------------------------------------


def _maps(asked: Mapping[int, Request], models: Models, equations: Sequence[Equation]) -> dict[int, Json]:
    out: dict[int, Json] = {}
    for draws in dict.fromkeys(one.draws for one in asked.values()):
        those = [i for i, one in asked.items() if one.draws == draws]
        cases = [Case(asked[i].model, asked[i].occasion) for i in those]
        for i, found in zip(those, individuals(cases, draws=draws).each, strict=True):
            out[i] = _map(found, asked[i].occasion.samples)
    return out


def _map(found: Individual, samples: Sequence[Sample]) -> JsonObject:
    fit = found.fit
    entry = _entry(
        auc=found.auc_0_12,
        interval=found.interval_90,
        to_tau=found.auc_0_tau,
        to_24=found.auc_0_24,
        per_g=found.per_g,
        fit=fit,
        samples=samples,
        reasons=found.reasons,
        warnings=found.notes,
    )
    return entry | {
        "model": found.model.id,
        "shrinkage": None if fit is None else dict(fit.shrinkage),
        "gradient_norm": None if fit is None else fit.gradient_norm,
        "starts": None if fit is None else fit.starts,
        "starts_agreeing": None if fit is None else fit.starts_agreeing,
    }


# --- the average over the shipped models ----------------------------------------------------------------------


def _averages(asked: Mapping[int, Request], models: Models, equations: Sequence[Equation]) -> dict[int, Json]:
    out: dict[int, Json] = {}
    for draws in dict.fromkeys(one.draws for one in asked.values()):
        those = [i for i, one in asked.items() if one.draws == draws]
        occasions = [asked[i].occasion for i in those]
        found = ensembles(occasions, models.shipped, draws=draws or DRAWS)
        out |= {i: _average(one) for i, one in zip(those, found, strict=True)}
    return out


def _average(found: Ensemble) -> JsonObject:
    average = found.average
    weights = dict(average.weights)
    entry = _entry(
        auc=average.auc_0_12,
        interval=average.interval_90,
        reasons=average.reasons,
        warnings=(*found.suspicions, *average.notes) if average.auc_0_12 is not None else (),
    )
    members: list[Json] = [
        {
            "model": one.model.id,
            "weight": weights.get(one.model.id),
            "auc_0_12_mg_h_l": one.auc_0_12,
            "interval_90": None if one.interval_90 is None else list(one.interval_90),
            "reasons": [_described(reason) for reason in one.reasons],
            "warnings": [_described(note) for note in one.notes],
        }
        for one in found.individuals
    ]
    return entry | {"models": members}


# --- limited-sampling equations -------------------------------------------------------------------------------


def _regressions(
    asked: Mapping[int, Request], models: Models, equations: Sequence[Equation]
) -> dict[int, Json]:
    return {i: _regression(one.occasion, equations) for i, one in asked.items()}


def _regression(occasion: Occasion, equations: Sequence[Equation]) -> JsonObject:
    """The first equation that applies, and what each says."""
    named = _named(occasion, equations)
    found = [apply(one, named) for one in equations]
    first = next((one for one in found if one.value_mg_h_l is not None), None)
    value = None if first is None else first.value_mg_h_l
    dose = occasion.dosing.dose_mg
    entry = _entry(
        auc=value,
        to_24=None if value is None else 2 * value,
        per_g=value / (dose / 1000) if value is not None and dose is not None else None,
        reasons=() if first is not None else dict.fromkeys(reason for one in found for reason in one.reasons),
        warnings=() if first is None else first.notes,
    )
    each: list[Json] = [
        {
            "equation": one.method,
            "auc_0_12_mg_h_l": one.value_mg_h_l,
            "bounds": None if one.low_mg_h_l is None else [one.low_mg_h_l, one.high_mg_h_l],
            "reasons": [_described(reason) for reason in one.reasons],
            "warnings": [_described(note) for note in one.notes],
        }
        for one in found
    ]
    return entry | {"equation": None if first is None else first.method, "equations": each}


def _named(occasion: Occasion, equations: Sequence[Equation]) -> Occasion:
    """The occasion with its samples named as the equations know them: by the nearest nominal time of all."""
    nominal = {term.timepoint: term.nominal_min for equation in equations for term in equation.terms}
    chosen: dict[str, tuple[float, Sample]] = {}
    for sample in occasion.samples:
        away, name = min((abs(minutes(sample.time_h) - at), name) for name, at in nominal.items())
        if name not in chosen or away < chosen[name][0]:
            chosen[name] = away, sample
    return replace(occasion, samples=tuple(replace(one, timepoint=name) for name, (_, one) in chosen.items()))


# --- what was observed ----------------------------------------------------------------------------------------


def _ncas(asked: Mapping[int, Request], models: Models, equations: Sequence[Equation]) -> dict[int, Json]:
    return {i: _nca(one.occasion.samples) for i, one in asked.items()}


def _nca(samples: Sequence[Sample]) -> JsonObject:
    """AUC0-12 and AUC0-2 of the profile, linear up and logarithmic down; see `pk.nca.analysis`."""
    ordered = sorted(samples, key=lambda one: one.time_h)
    found = analyse(
        [Point(one.time_h, one.conc_mg_l, one.lloq_mg_l) for one in ordered], Settings(intervals=_INTERVALS)
    )
    if isinstance(found, tuple):
        return _entry(auc=None, reasons=found) | {"auc_0_2_mg_h_l": None, "auc_last_mg_h_l": None}
    whole, early = found.partial
    warnings = (*found.notes, *whole.notes) if whole.value is not None else found.notes
    entry = _entry(auc=whole.value, reasons=whole.reasons, warnings=warnings)
    return entry | {"auc_0_2_mg_h_l": early.value, "auc_last_mg_h_l": found.auc_last.value}


_METHODS: Mapping[Method, Callable[[Mapping[int, Request], Models, Sequence[Equation]], dict[int, Json]]] = (
    MappingProxyType(
        {
            Method.MAP: _maps,
            Method.REGRESSION: _regressions,
            Method.NCA: _ncas,
            Method.AVERAGE: _averages,
        }
    )
)
