"""Priors, doses and simulated samples for the tests of the posterior and of what stands on it."""

from typing import Any

import numpy as np

from pk.fit.map import estimate
from pk.fit.objective import predictions
from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.structure import PARAMETERS, ErrorKind, ErrorModel, Structure
from pk.models.covariates import prior_for
from pk.models.population import amount_mg
from pk.models.shipped import shipped_models
from pk.posterior.sampling import AucPosterior, auc_posterior
from pk.values.arrays import Floats
from pk.values.profile import Formulation

MODELS = {model.id: model for model in shipped_models()}
TIMES_H = (-0.1, 0.5, 2.0)
LEVELS = (0.05, 0.5, 0.95)


def shipped_prior(model: str, size: int, **covariates: object) -> Prior:
    return prior_for(MODELS[model], [covariates] * size).prior


def made_prior(
    structure: Structure,
    typical: dict[str, float],
    variance: dict[str, float],
    error: ErrorModel,
    *,
    size: int = 1,
) -> Prior:
    """A prior of our own: typical values and variances by parameter, independent effects."""
    names = PARAMETERS[structure]
    with np.errstate(divide="ignore"):
        logs = np.log([typical.get(name, 0.0) for name in names])
    loading = np.zeros((len(names), len(variance)))
    for k, name in enumerate(variance):
        loading[names.index(name), k] = 1.0
    return Prior(structure, np.tile(logs, (size, 1)), loading, np.diag(list(variance.values())), error)


def steady(size: int, dose_mg: float = 1000.0, every_h: float = 12.0) -> Doses:
    return Doses(np.zeros((size, 1)), np.full((size, 1), dose_mg), np.full((size, 1), every_h))


def steady_for(model: str, size: int, dose_mg: float = 1000.0) -> Doses:
    """Doses of MMF in the basis of the model."""
    return steady(size, amount_mg(MODELS[model], dose_mg, Formulation.MMF))


def observed(time_h: Any, conc_mg_l: Any, *, censored: Any = None, present: Any = None) -> Observations:
    conc = np.atleast_2d(np.asarray(conc_mg_l, dtype=np.float64))
    time = np.broadcast_to(np.asarray(time_h, dtype=np.float64), conc.shape)
    below = np.zeros(conc.shape, np.bool_) if censored is None else np.atleast_2d(censored)
    there = np.ones(conc.shape, np.bool_) if present is None else np.atleast_2d(present)
    return Observations(time, conc, below, there)


def with_error(error: ErrorModel, expected: Floats, noise: Floats) -> Floats:
    if error.kind is ErrorKind.LOG_ADDITIVE:
        return expected * np.exp(error.sigma * noise)
    return expected + np.sqrt(error.add_mg_l**2 + (error.prop * expected) ** 2) * noise


def simulated(
    prior: Prior, doses: Doses, seed: int, time_h: Any = TIMES_H, lloq_mg_l: float = 0.1
) -> tuple[Floats, Observations]:
    """Random effects (B, K) from the prior, and samples with residual error, censored below the limit."""
    random = np.random.default_rng(seed)
    size, effects = prior.log_typical.shape[0], prior.omega.shape[0]
    eta = random.standard_normal((size, effects)) @ np.linalg.cholesky(prior.omega).T
    time = np.broadcast_to(np.asarray(time_h, dtype=np.float64), (size, len(time_h)))
    expected = predictions(prior, doses, time, eta)
    conc = with_error(prior.error, expected, random.standard_normal(expected.shape))
    below = conc < lloq_mg_l
    return eta, observed(time, np.where(below, lloq_mg_l, conc), censored=below)


def true_auc(prior: Prior, doses: Doses, eta: Floats) -> Floats:
    """Dose / CL: the AUC over the interval at steady state."""
    clearance = np.exp(prior.log_typical[:, 0] + eta @ prior.loading[0])
    return np.asarray(doses.amount_mg[:, 0] / clearance)


def whole_interval(size: int) -> tuple[Floats, Floats]:
    return np.zeros(size), np.full(size, 12.0)


def weighted_quantile(value: Floats, weight: Floats, level: float) -> float:
    order = np.argsort(value)
    total = np.cumsum(weight[order])
    return float(np.interp(level * total[-1], total - 0.5 * weight[order], value[order]))


def posterior_of(prior: Prior, doses: Doses, observations: Observations) -> AucPosterior:
    size = prior.log_typical.shape[0]
    found = estimate(prior, doses, observations)
    return auc_posterior(prior, doses, observations, found, *whole_interval(size))


def three(found: AucPosterior, subject: int = 0) -> list[float]:
    return [float(one[subject]) for one in (found.auc.low, found.auc.median, found.auc.high)]
