"""A published population model as a value: parameters, variability, covariate relations, validity."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from pk.kinetics.structure import PARAMETERS, ErrorModel, Structure
from pk.values.arrays import Floats
from pk.values.origin import Population
from pk.values.profile import Formulation
from pk.values.reason import Reason, short
from pk.values.units import MPA_MG_PER_MMF_MG, mpa_dose_mg

LAG = "tlag"
"""The one parameter that may be 0, and that may be left out, which means 0."""

RATES = MappingProxyType({"Q": "k12", "V2": "k21"})
"""The rate constants (1/h) some authors estimate in place of Q and V2: Q = k12 V1, V2 = Q / k21."""


class DoseBasis(StrEnum):
    """What a dose amount counts in a model. Mixing them up is an error of -26 or +35 % in every AUC."""

    MG_MMF = "mg_mmf"
    MG_MPA = "mg_mpa"
    AS_GIVEN = "as_given"


class RangeKind(StrEnum):
    """What is known of the covariate values of the patients a model was derived in."""

    OBSERVED = "observed"
    INTERQUARTILE = "interquartile"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Covariate:
    """What a model knows of one covariate, in the units of `pk.models.catalogue.CATALOGUE`.

    Attributes
    ----------
    name : str
        A name of the catalogue.
    reference : float or None
        The value at which the model's typical values hold; None where the model has none.
    range_kind : RangeKind
        What `low` and `high` are; both are None where the range is unknown.
    codes : tuple of (str, float)
        For a covariate given as a word, the number of each word.
    required : bool
        Whether the model is undefined without it.
    """

    name: str
    reference: float | None = None
    low: float | None = None
    high: float | None = None
    range_kind: RangeKind = RangeKind.UNKNOWN
    codes: tuple[tuple[str, float], ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Power:
    """The parameter times (covariate / reference)^exponent."""

    parameter: str
    covariate: str
    exponent: float

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates of the relation."""
        return (self.covariate,)


@dataclass(frozen=True, slots=True)
class Factor:
    """The parameter times factor^code, so times the factor for the word with the code 1."""

    parameter: str
    covariate: str
    factor: float

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates of the relation."""
        return (self.covariate,)


@dataclass(frozen=True, slots=True)
class Linear:
    """The parameter is intercept + sum of slope times covariate, in place of its typical value."""

    parameter: str
    intercept: float
    slopes: tuple[tuple[str, float], ...]

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates of the relation."""
        return tuple(name for name, _ in self.slopes)


@dataclass(frozen=True, slots=True)
class Decline:
    """The parameter is its typical value + delta exp(-rate t), t the covariate (days) in hours."""

    parameter: str
    covariate: str
    delta: float
    rate_per_h: float

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates of the relation."""
        return (self.covariate,)


Effect: TypeAlias = Power | Factor | Linear | Decline


@dataclass(frozen=True, slots=True)
class PopulationModel:
    """One population model, checked: whatever is in it can be computed with.

    Attributes
    ----------
    id, name : str
        The key, and what people call it.
    structure : Structure
        Which compartments; its parameters are those of `pk.kinetics.structure.PARAMETERS`.
    dose_basis : DoseBasis
        What the model counts as the amount of a dose.
    parameters : tuple of str
        The model's own parameters: those of the structure, in that order, with k12 and k21 in the
        places of Q and V2 where the authors estimated those. P of them.
    typical : tuple of float
        Their typical values in L/h, L, 1/h, h.
    random : tuple of str
        The K own parameters that vary from person to person: theta · exp(eta).
    omega : tuple of tuple of float
        Covariance (K, K) of eta on one occasion: the published inter-individual covariance plus, on
        the diagonal, the inter-occasion variances. One profile is one occasion, so what it can
        show is the sum of both effects, and the sum of two normal effects has the sum of the variances.
    error : ErrorModel
        The residual error.
    n_transit : int
        Transit compartments; 0 unless the structure has them.
    formulations : tuple of Formulation
        What the model's patients took.
    effects, covariates :
        The covariate relations, and what is known of each covariate.
    population : Population or None
        In whom it was derived; None for a model given inline.
    assays : tuple of str, lloq_mg_l : float or None
        How MPA was measured; an unknown limit is None.
    citation : str, choices : tuple of str
        The source, and what the study team decided where the source is silent: words for people.
    is_default : bool
        Whether it is the prior that is used when none is named.
    """

    id: str
    name: str
    structure: Structure
    dose_basis: DoseBasis
    parameters: tuple[str, ...]
    typical: tuple[float, ...]
    random: tuple[str, ...]
    omega: tuple[tuple[float, ...], ...]
    error: ErrorModel
    n_transit: int = 0
    formulations: tuple[Formulation, ...] = tuple(Formulation)
    effects: tuple[Effect, ...] = ()
    covariates: tuple[Covariate, ...] = ()
    population: Population | None = None
    assays: tuple[str, ...] = ()
    lloq_mg_l: float | None = None
    citation: str = ""
    choices: tuple[str, ...] = ()
    is_default: bool = False

    def covariate(self, name: str) -> Covariate:
        """Return what the model knows of one of its covariates."""
        return next(one for one in self.covariates if one.name == name)

    @property
    def lag_h(self) -> float:
        """The typical lag between dose and absorption; 0 where there is none."""
        return dict(zip(self.parameters, self.typical, strict=True)).get(LAG, 0.0)


def own_parameters(structure: Structure, given: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return a model's own parameters: the structure's, with the rate constants that were given.

    >>> own_parameters(Structure.TWO_COMPARTMENT_BOLUS, frozenset({"k12", "k21"}))
    ('CL', 'V1', 'k12', 'k21')
    """
    names = PARAMETERS[structure]
    if "Q" not in names or not given & set(RATES.values()):
        return names
    return tuple(RATES.get(name, name) for name in names)


def structural_logs(parameters: tuple[str, ...], logs: Floats) -> Floats:
    """Return logarithms of the model's own parameters as those of the structure's.

    Parameters
    ----------
    parameters : tuple of str
        The own parameters, in the order of the last axis.
    logs : ndarray, shape (..., P)
        Natural logarithms, or any linear combination of them: ln Q = ln k12 + ln V1 and
        ln V2 = ln Q - ln k21 are linear, so random effects are mapped by the same function.

    Returns
    -------
    ndarray, shape (..., P)
        In the order of `pk.kinetics.structure.PARAMETERS`.
    """
    if RATES["Q"] not in parameters:
        return logs
    at = {name: parameters.index(name) for name in ("V1", *RATES.values())}
    mapped = logs.copy()
    mapped[..., at["k12"]] = logs[..., at["k12"]] + logs[..., at["V1"]]
    mapped[..., at["k21"]] = mapped[..., at["k12"]] - logs[..., at["k21"]]
    return mapped


def loading(model: PopulationModel) -> Floats:
    """Return how the K random effects move the P structural log parameters, shape (P, K)."""
    effects = np.zeros((len(model.random), len(model.parameters)))
    for k, name in enumerate(model.random):
        effects[k, model.parameters.index(name)] = 1.0
    return np.ascontiguousarray(structural_logs(model.parameters, effects).T)


def amount_mg(model: PopulationModel, dose_mg: float, formulation: Formulation) -> float:
    """Return a dose given by its label strength in the model's dose basis, mg.

    A model in mg MMF counts an MMF dose as it is; one in mg MPA converts it at
    `pk.values.units.mpa_dose_mg`, the only place where that is done; `as_given` converts nothing.
    """
    if model.dose_basis is DoseBasis.AS_GIVEN:
        return dose_mg
    if model.dose_basis is DoseBasis.MG_MMF and formulation is Formulation.MMF:
        return dose_mg
    mpa_mg = mpa_dose_mg(dose_mg, formulation)
    return mpa_mg if model.dose_basis is DoseBasis.MG_MPA else mpa_mg / MPA_MG_PER_MMF_MG


def formulation_problem(model: PopulationModel, formulation: Formulation) -> Reason | None:
    """Return why the model does not describe a formulation, None where it does."""
    if formulation in model.formulations:
        return None
    expected = " / ".join(known.label for known in model.formulations)
    return Reason.of(
        "model_not_for_formulation", model=model.name, expected=expected, formulation=formulation.label
    )


def lag_problem(model: PopulationModel, interval_h: float) -> Reason | None:
    """Return why the model's typical lag does not fit between two doses, None where it does."""
    if model.lag_h < interval_h:
        return None
    return Reason.of(
        "model_lag_too_long", model=model.name, lag_h=short(model.lag_h), interval_h=short(interval_h)
    )
