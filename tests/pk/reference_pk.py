"""Plain references for the tests of the numeric core: an ODE solution, one objective in scalars, a long search.

Nothing here shares code with `pk`'s closed forms.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.linalg import expm
from scipy.optimize import minimize
from scipy.stats import norm

from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.structure import ErrorKind, ErrorModel, Structure
from pk.values.arrays import Floats


def rate_matrix(structure: Structure, theta: Sequence[float], n_transit: int) -> tuple[Floats, int]:
    """The matrix of the linear system with an area accumulator last, and the index of the central compartment."""
    two = structure.value.startswith("two")
    cl, v1 = theta[0], theta[1]
    stages: list[float] = []
    if "transit" in structure.value:
        stages = [(n_transit + 1) / theta[5]] * (n_transit + 1) + [theta[4]]
    elif "lag" in structure.value:
        stages = [theta[4] if two else theta[2]]
    centre = len(stages)
    size = centre + (2 if two else 1) + 1
    a = np.zeros((size, size))
    for i, rate in enumerate(stages):
        a[i, i] -= rate
        a[i + 1, i] += rate
    a[centre, centre] -= cl / v1
    if two:
        k12, k21 = theta[2] / v1, theta[2] / theta[3]
        a[centre, centre] -= k12
        a[centre + 1, centre] += k12
        a[centre, centre + 1] += k21
        a[centre + 1, centre + 1] -= k21
    a[size - 1, centre] = 1.0 / v1
    return a, centre


def _exponential(a: Floats) -> Floats:
    """The exponential of a matrix of 3 rows or more; a triangular one is seen from other axes.

    For triangular ones, and for those of 2 rows, scipy has a short cut that loses digits where rates nearly agree.
    """
    if np.triu(a, 1).any():
        return np.asarray(expm(a))
    turned = np.eye(len(a)) - 2.0 / len(a)
    return np.asarray(turned @ expm(turned @ a @ turned) @ turned)


def _lag(structure: Structure, theta: Sequence[float]) -> float:
    return float(theta[-1]) if structure.value.endswith("lag") else 0.0


def curve(
    structure: Structure,
    theta: Sequence[float],
    n_transit: int,
    doses: Sequence[tuple[float, float, float]],
    time: float,
    *,
    area: bool = False,
) -> float:
    """Concentration at a time (or area from minus infinity), by matrix exponentials; rows as exact steady states."""
    a, centre = rate_matrix(structure, theta, n_transit)
    total = 0.0
    for when, amount, every in doses:
        since = time - when - _lag(structure, theta)
        start = np.zeros(a.shape[0])
        start[0] = amount
        if every > 0:
            if since <= 0:
                since += every * (math.floor(-since / every) + 1)
            start[:-1] = np.linalg.solve(np.eye(len(a) - 1) - _exponential(a * every)[:-1, :-1], start[:-1])
        elif since <= 0:
            continue
        state = _exponential(a * since) @ start
        total += state[-1] if area else state[centre] / theta[1]
    return float(total)


def objective(prior: Prior, doses: Doses, observations: Observations, i: int, eta: Floats) -> float:
    """The objective of subject i, one sample at a time, with the matrix exponential."""
    theta = np.exp(prior.log_typical[i] + prior.loading @ eta)
    rows = list(zip(doses.time_h[i], doses.amount_mg[i], doses.every_h[i], strict=True))
    total = float(eta @ np.linalg.solve(prior.omega, eta))
    for s in np.flatnonzero(observations.present[i]):
        f = curve(prior.structure, theta.tolist(), prior.n_transit, rows, float(observations.time_h[i, s]))
        total += _term(prior.error, float(observations.conc_mg_l[i, s]), bool(observations.censored[i, s]), f)
    return total


def _term(error: ErrorModel, y: float, censored: bool, f: float) -> float:
    if f <= 0 and error.kind in (ErrorKind.LOG_ADDITIVE, ErrorKind.PROPORTIONAL):
        return 0.0 if censored else math.inf
    if error.kind is ErrorKind.LOG_ADDITIVE:
        off, sd = math.log(y) - math.log(f), error.sigma
    else:
        off, sd = y - f, math.hypot(error.add_mg_l, error.prop * f)
    if censored:
        return float(-2.0 * norm.logcdf(off / sd))
    return (off / sd) ** 2 + 2.0 * math.log(sd)


def long_search(
    value: Callable[[Floats], float],
    gradient: Callable[[Floats], tuple[float, Floats]],
    omega: Floats,
    starts: int,
    seed: int,
) -> tuple[float, Floats]:
    """The best of many BFGS searches from random points, polished by Nelder-Mead (which does not mind kinks)."""
    rng = np.random.default_rng(seed)
    spread = np.linalg.cholesky(omega)
    best: Any = None
    for start in range(starts):
        begin = np.zeros(len(omega))
        if start:
            begin = spread @ rng.standard_normal(len(omega)) * rng.choice([0.7, 1.5, 2.5])
        found = minimize(gradient, begin, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 200})
        if best is None or found.fun < best.fun:
            best = found
    polished = minimize(
        value, best.x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 2000}
    )
    return (polished.fun, polished.x) if polished.fun < best.fun else (float(best.fun), best.x)
