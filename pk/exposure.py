"""Samples of one occasion to the exposures every method gives, with reasons for the others."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pk.nca.partial import partial_auc_0_2
from pk.regression.apply import apply
from pk.regression.equation import Equation
from pk.values.estimate import Estimate
from pk.values.profile import Occasion

if TYPE_CHECKING:  # numpy is loaded by the first estimate from a model, not by this module
    from pk.estimation.ensemble import Averaged, Ensemble
    from pk.estimation.individual import Individual
    from pk.models.population import PopulationModel

PK_VERSION = "2"
"""Raised whenever the same inputs may give another estimate; part of every inputs hash."""

AVERAGE = "average"
"""The method that averages over the models given."""

DRAWS = 1024
"""Draws from each posterior."""

_AUC = "AUC0-12"
_INTERVAL_H = (0.0, 12.0)
_EQUATION_WORDS = ("precision", "source")
_MODEL_WORDS = ("citation", "choices")


def map_method(model_id: str) -> str:
    """Return the method id of the estimate by a model.

    >>> map_method("mizaki_2023")
    'map_mizaki_2023'
    """
    return f"map_{model_id}"


def estimates(
    occasion: Occasion,
    equations: Sequence[Equation],
    models: "Sequence[PopulationModel]" = (),
    primary: Sequence[str] = (),
) -> tuple[Estimate, ...]:
    """Return what every method gives for one occasion; see `estimates_of`.

    >>> from pk.values.profile import Dosing, Formulation, Sample
    >>> drawn = (Sample("H0", 0.0, 2.0), Sample("H30", 0.5, 10.0), Sample("H2", 2.0, 10.0))
    >>> [e.value_mg_h_l for e in estimates(Occasion(drawn, Dosing(Formulation.MMF)), ())]
    [18.0]
    """
    return estimates_of((occasion,), equations, models, primary)[0]


def estimates_of(
    occasions: Sequence[Occasion],
    equations: Sequence[Equation],
    models: "Sequence[PopulationModel]" = (),
    primary: Sequence[str] = (),
) -> tuple[tuple[Estimate, ...], ...]:
    """Return one estimate per method for each occasion, the primary methods first.

    Parameters
    ----------
    occasions : sequence of Occasion
    equations : sequence of Equation
        Limited-sampling equations; each needs all its samples, in their windows.
    models : sequence of PopulationModel
        Each gives a most probable individual (method `map_` + its id) from whatever samples there are, at
        their actual times, and all together the average.
    primary : sequence of str
        Method ids in the order in which they are to stand first. The others follow: equations,
        models, average, and the observed partial area.

    Returns
    -------
    tuple of tuple of Estimate
        In mg·h/L. A method that does not apply gives its reasons; nothing is raised for data.
    """
    from_models: Sequence[tuple[Estimate, ...]] = [()] * len(occasions)
    if models:
        from pk.estimation.ensemble import ensembles

        from_models = [_modelled(one) for one in ensembles(occasions, models, draws=DRAWS)]
    return tuple(
        _ordered((*_regressed(occasion, equations), *modelled, partial_auc_0_2(occasion)), primary)
        for occasion, modelled in zip(occasions, from_models, strict=True)
    )


def _regressed(occasion: Occasion, equations: Sequence[Equation]) -> tuple[Estimate, ...]:
    """The equations with the areas of a day: twice the interval of 12 h that they hold for."""
    dose = occasion.dosing.dose_mg
    found = []
    for equation in equations:
        one = apply(equation, occasion)
        if one.value_mg_h_l is not None and one.quantity == _AUC:
            per_g = one.value_mg_h_l / (dose / 1000) if dose is not None and dose > 0 else None
            one = replace(one, auc_0_24_mg_h_l=2 * one.value_mg_h_l, per_g_mg_h_l=per_g)
        found.append(one)
    return tuple(found)


def _modelled(found: "Ensemble") -> tuple[Estimate, ...]:
    each = tuple(_individual(one) for one in found.individuals)
    average = _average(found.average)
    if not average.reasons:
        average = replace(average, notes=(*found.suspicions, *average.notes))
    return (*each, average)


def _individual(one: "Individual") -> Estimate:
    return Estimate(
        method=map_method(one.model.id),
        quantity=_AUC,
        interval_h=_INTERVAL_H,
        value_mg_h_l=one.auc_0_12,
        reasons=one.reasons,
        notes=one.notes,
        interval_90=one.interval_90,
        auc_0_24_mg_h_l=one.auc_0_24,
        per_g_mg_h_l=one.per_g,
        fit=one.fit,
    )


def _average(one: "Averaged") -> Estimate:
    return Estimate(
        method=AVERAGE,
        quantity=_AUC,
        interval_h=_INTERVAL_H,
        value_mg_h_l=one.auc_0_12,
        reasons=one.reasons,
        notes=one.notes,
        interval_90=one.interval_90,
        weights=one.weights,
    )


def _ordered(found: tuple[Estimate, ...], primary: Sequence[str]) -> tuple[Estimate, ...]:
    places = {method: i for i, method in enumerate(primary)}
    return tuple(sorted(found, key=lambda one: places.get(one.method, len(places))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """How far the AUC0-12 of different methods lie apart.

    Attributes
    ----------
    lowest, highest : str
        The methods with the lowest and the highest value; the average, which lies between, is neither.
    lowest_mg_h_l, highest_mg_h_l : float
    ratio : float
        Highest / lowest.
    primary : str
        The first method with a value.
    primary_over_average_percent : float or None
        100 (primary / average - 1); None where there is no average or it is the primary method.
    """

    lowest: str
    lowest_mg_h_l: float
    highest: str
    highest_mg_h_l: float
    ratio: float
    primary: str
    primary_over_average_percent: float | None


def disagreement(found: Sequence[Estimate]) -> Disagreement | None:
    """Return how far the AUC0-12 values of `estimates` lie apart; None where fewer than two are above 0.

    >>> two = [Estimate(method=m, quantity="AUC0-12", interval_h=(0.0, 12.0), value_mg_h_l=v)
    ...        for m, v in (("a", 40.0), ("b", 50.0), ("average", 32.0))]
    >>> apart = disagreement(two)
    >>> apart.lowest, apart.highest, apart.ratio, apart.primary_over_average_percent
    ('a', 'b', 1.25, 25.0)
    """
    values = {
        one.method: one.value_mg_h_l
        for one in found
        if one.quantity == _AUC and one.value_mg_h_l is not None and one.value_mg_h_l > 0
    }
    single = {method: value for method, value in values.items() if method != AVERAGE}
    if len(single) < 2:
        return None
    lowest, highest = min(single, key=single.__getitem__), max(single, key=single.__getitem__)
    first, average = next(iter(values)), values.get(AVERAGE)
    compared = average is not None and first != AVERAGE
    return Disagreement(
        lowest=lowest,
        lowest_mg_h_l=single[lowest],
        highest=highest,
        highest_mg_h_l=single[highest],
        ratio=single[highest] / single[lowest],
        primary=first,
        primary_over_average_percent=100 * (values[first] / average - 1) if compared and average else None,
    )


def inputs_hash(
    occasion: Occasion, equations: Sequence[Equation], models: "Sequence[PopulationModel]" = ()
) -> str:
    """Return the SHA-256 (hex) of everything the estimates depend on.

    The order of samples, covariates, equations and models does not matter, nor whether a number is written
    12 or 12.0. Of an equation everything counts except `precision` and `source`, of a model everything
    except `citation` and `choices`: words for people. `PK_VERSION` stands for the code.

    >>> from pk.values.profile import Dosing, Formulation
    >>> len(inputs_hash(Occasion((), Dosing(Formulation.MMF)), ()))
    64
    """
    described = _canonical(asdict(occasion))
    for unordered in ("samples", "covariates"):
        described[unordered] = sorted(described[unordered], key=_json)
    content = (PK_VERSION, _json(described), _catalogue(tuple(equations), tuple(models)))
    return hashlib.sha256(_json(content).encode()).hexdigest()


@lru_cache(maxsize=8)
def _catalogue(equations: tuple[Equation, ...], models: "tuple[PopulationModel, ...]") -> str:
    """What counts of the methods; the same for every occasion of a study."""
    described = [
        sorted(_json(_without(_canonical(asdict(one)), words)) for one in catalogue)
        for catalogue, words in ((equations, _EQUATION_WORDS), (models, _MODEL_WORDS))
    ]
    return _json(described)


def _without(described: dict[str, Any], words: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in described.items() if key not in words}


def _canonical(value: Any) -> Any:
    """The value with numbers as floats (no negative zero), so that equal inputs are written alike."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) + 0.0
    return value


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
