"""The prior of each subject, as it follows from a model and the subject's covariates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import numpy as np

from pk.kinetics.batch import Prior
from pk.models.catalogue import CATALOGUE, Choice, covariate_problem, field_of
from pk.models.population import (
    Covariate,
    Decline,
    Effect,
    Factor,
    Linear,
    PopulationModel,
    Power,
    RangeKind,
    loading,
    structural_logs,
)
from pk.values.reason import Reason, short
from pk.values.toml_table import finite

Given: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SubjectPriors:
    """The prior of B subjects under one model.

    Attributes
    ----------
    prior : Prior
        A subject with reasons has the model's typical values, so that the batch can be computed
        with; that row means nothing.
    reasons : tuple of tuple of Reason, length B
        Why a subject has no prior; empty for a sound one.
    notes : tuple of tuple of Reason, length B
        Which values were assumed, and which lie outside what the model has seen.
    """

    prior: Prior
    reasons: tuple[tuple[Reason, ...], ...]
    notes: tuple[tuple[Reason, ...], ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """One set of covariates: the model's own parameters at them, or reasons."""

    values: tuple[float, ...]
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]


def prior_for(model: PopulationModel, covariates: Sequence[Given]) -> SubjectPriors:
    """Return the model's prior for every subject.

    Parameters
    ----------
    model : PopulationModel
        Checked, so every relation can be computed at plausible covariates.
    covariates : sequence of mapping, length B
        Covariate by name of `CATALOGUE`, in its clinical unit; None counts as not given. A covariate
        the model has no relation to plays no part.

    Returns
    -------
    SubjectPriors
        A covariate that is not given is replaced by the model's reference, and one outside what is
        known of the model's patients is used, each with a note; an unknown name, a value that cannot
        be or a missing one without which the model is undefined is a reason.
    """
    places: dict[object, int] = {}
    placed: list[_Placed] = []
    index = np.empty(len(covariates), dtype=np.intp)
    for i, given in enumerate(covariates):
        key = _key(given)
        at = places.get(key)
        if at is None:
            at = places[key] = len(placed)
            placed.append(_place(model, given))
        index[i] = at
    logs = np.array([[_log(value) for value in one.values] for one in placed], dtype=np.float64)
    table = structural_logs(model.parameters, logs.reshape(len(placed), len(model.parameters)))
    prior = Prior(
        structure=model.structure,
        log_typical=table[index],
        loading=loading(model),
        omega=np.array(model.omega, dtype=np.float64),
        error=model.error,
        n_transit=model.n_transit,
    )
    return SubjectPriors(
        prior,
        tuple(placed[at].reasons for at in index),
        tuple(placed[at].notes for at in index),
    )


def _key(given: Given) -> object:
    """What two equal sets of covariates share; True and 1 are not equal here."""
    try:
        key = frozenset((name, type(value), value) for name, value in given.items())
        hash(key)
    except TypeError:
        return object()
    return key


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _place(model: PopulationModel, given: Given) -> _Placed:
    reasons = [_unknown(name) for name in given if name not in CATALOGUE]
    notes: list[Reason] = []
    values: dict[str, float] = {}
    for covariate in model.covariates:
        raw = given.get(covariate.name)
        read = None if raw is None else _read(covariate, raw)
        if isinstance(read, Reason):
            reasons.append(read)
        elif read is not None:
            values[covariate.name] = read
            notes += _range_note(model, covariate, read)
        elif covariate.required:
            reasons.append(Reason.of("covariate_required", model=model.name, field=field_of(covariate.name)))
    own: dict[str, float] = dict(zip(model.parameters, model.typical, strict=True))
    if not reasons:
        notes += _missing_notes(model, values)
        own |= _at(model, values)
        reasons += _impossible(model, own)
    if reasons:
        return _Placed(model.typical, tuple(reasons), ())
    return _Placed(tuple(own[name] for name in model.parameters), (), tuple(notes))


def _unknown(name: object) -> Reason:
    return Reason.of("field_unknown", field=field_of(str(name)), known=", ".join(CATALOGUE))


def _read(covariate: Covariate, raw: object) -> float | Reason:
    """The covariate as a number, in the clinical unit or by the model's code."""
    problem = covariate_problem(covariate.name, raw)
    if problem is not None:
        return problem
    return dict(covariate.codes)[raw] if isinstance(raw, str) else finite(raw) or 0.0


def _range_note(model: PopulationModel, covariate: Covariate, value: float) -> tuple[Reason, ...]:
    kind = CATALOGUE[covariate.name]
    if isinstance(kind, Choice):
        return ()
    said = {"field": field_of(covariate.name), "value": short(value), "unit": kind.unit, "model": model.name}
    if covariate.low is None or covariate.high is None:
        return (Reason.of("covariate_range_unknown", **said),)
    if covariate.low <= value <= covariate.high:
        return ()
    outside = {
        RangeKind.OBSERVED: "covariate_outside_range",
        RangeKind.INTERQUARTILE: "covariate_outside_quartiles",
    }[covariate.range_kind]
    return (Reason.of(outside, **said, low=short(covariate.low), high=short(covariate.high)),)


def _missing_notes(model: PopulationModel, values: Mapping[str, float]) -> list[Reason]:
    """What was assumed for each covariate that is not given."""
    notes = [
        _missing_note(model, effect, name, values)
        for effect in model.effects
        for name in effect.covariates
        if name not in values
    ]
    return list(dict.fromkeys(notes))


def _missing_note(model: PopulationModel, effect: Effect, name: str, values: Mapping[str, float]) -> Reason:
    covariate, kind = model.covariate(name), CATALOGUE[name]
    said = {"field": field_of(name), "model": model.name}
    whole = isinstance(effect, Linear | Decline) and not values.keys() & set(effect.covariates)
    if whole or covariate.reference is None:
        typical = dict(zip(model.parameters, model.typical, strict=True))[effect.parameter]
        return Reason.of("covariate_at_typical", **said, parameter=effect.parameter, value=short(typical))
    if isinstance(kind, Choice):
        word = next(word for word, code in covariate.codes if code == covariate.reference)
        return Reason.of("covariate_as_for", **said, reference=word)
    return Reason.of("covariate_at_reference", **said, reference=short(covariate.reference), unit=kind.unit)


def _at(model: PopulationModel, values: Mapping[str, float]) -> dict[str, float]:
    """The model's own parameters at the covariates given: sums first, then factors."""
    own = dict(zip(model.parameters, model.typical, strict=True))
    references = {one.name: one.reference for one in model.covariates if one.reference is not None}
    for effect in sorted(model.effects, key=lambda one: isinstance(one, Power | Factor)):
        if values.keys() & set(effect.covariates):
            try:
                own[effect.parameter] = _moved(
                    effect, own[effect.parameter], {**references, **values}, references
                )
            except OverflowError:
                own[effect.parameter] = math.inf
    return own


def _moved(effect: Effect, value: float, at: Mapping[str, float], references: Mapping[str, float]) -> float:
    """One parameter, moved by one relation."""
    match effect:
        case Power(covariate=name, exponent=exponent):
            return value * math.pow(at[name] / references[name], exponent)
        case Factor(covariate=name, factor=factor):
            return value * math.pow(factor, at[name])
        case Linear(intercept=intercept, slopes=slopes):
            return intercept + sum(slope * at[name] for name, slope in slopes)
        case Decline(covariate=name, delta=delta, rate_per_h=rate):
            return value + delta * math.exp(-rate * 24.0 * at[name])
        case _:
            assert_never(effect)


def _impossible(model: PopulationModel, own: Mapping[str, float]) -> list[Reason]:
    moved = dict.fromkeys(effect.parameter for effect in model.effects)
    return [
        Reason.of("covariate_effect_impossible", parameter=name, model=model.name, value=short(own[name]))
        for name in moved
        if not (math.isfinite(own[name]) and own[name] > 0)
    ]
