"""Logistic regression with Firth's penalty: finite where the groups are separated, less biased where they are small.

The penalised log-likelihood is ln L(β) + ½ ln det I(β). Limits and p values come from it by profiling, with the
penalty of the full model also where a coefficient is held (the convention of the R package logistf).

Source: Firth D. Biometrika 1993;80:27–38. Heinze G, Schemper M. Stat Med 2002;21:2409–2419.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri, expit, log_expit

from pk.target.statistics.proportions import Interval
from pk.values.arrays import Bools, Floats

_MOST_STEPS = 60
_LARGEST_STEP = 2.0
_SMALL = 1e-9
_DIFFERENCE = 1e-5
_FARTHEST = 30


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A log odds ratio per unit, its profile limits and the p of the penalised likelihood ratio test.

    Limits are None where the profile is so flat that it is not followed to its fall.
    """

    value: float
    ci: Interval | None
    p: float


@dataclass(frozen=True, slots=True)
class FirthFit:
    """The intercept, one coefficient per column, and the penalised log-likelihood at the maximum."""

    intercept: float
    coefficients: tuple[Coefficient, ...]
    penalised_log_likelihood: float


@dataclass(frozen=True, slots=True)
class _Point:
    beta: Floats
    value: float


def firth(columns: Floats, responder: np.ndarray, level: float = 0.95) -> FirthFit | None:
    """Return the penalised fit of a 0/1 outcome to columns of numbers.

    Parameters
    ----------
    columns : array, shape (n, k)
    responder : array of bool, shape (n,)

    Returns
    -------
    FirthFit or None
        None where a column is constant or follows from the others, where there are no more patients than
        coefficients, or where a search does not end at a maximum.
    """
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    n, k = columns.shape
    if n <= k + 1 or (scale == 0).any():
        return None
    design = np.column_stack([np.ones(n), (columns - centre) / scale])
    if np.linalg.matrix_rank(design) < k + 1:
        return None
    outcome = responder.astype(np.float64)
    best = _maximum(design, outcome)
    if best is None:
        return None
    found = [_coefficient(design, outcome, best, i, float(scale[i - 1]), level) for i in range(1, k + 1)]
    slopes = tuple(one for one in found if one is not None)
    if len(slopes) < k:
        return None
    intercept = float(best.beta[0] - np.sum(best.beta[1:] * centre / scale))
    # ½ ln det I is smaller by ln(scale) for each standardised column than it is for the column as given.
    value = best.value + float(np.sum(np.log(scale)))
    return FirthFit(intercept, slopes, value)


def curved(columns: Floats, responder: np.ndarray) -> tuple[Floats, Floats] | None:
    """Return the coefficients of the penalised fit, intercept first, and their covariance, the inverse information.

    None where `firth` would have none. For draws and pooling; limits of one fit come from its profile (`firth`).
    """
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    n, k = columns.shape
    if n <= k + 1 or (scale == 0).any():
        return None
    design = np.column_stack([np.ones(n), (columns - centre) / scale])
    best = _maximum(design, responder.astype(np.float64)) if np.linalg.matrix_rank(design) == k + 1 else None
    if best is None:
        return None
    back = np.eye(k + 1)
    back[0, 1:] = -centre / scale
    back[1:, 1:] = np.diag(1 / scale)
    _, information = _score(design, responder.astype(np.float64), best.beta)
    return back @ best.beta, back @ np.linalg.inv(information) @ back.T


def _coefficient(
    design: Floats, outcome: Floats, best: _Point, index: int, scale: float, level: float
) -> Coefficient | None:
    drop = float(chdtri(1, 1 - level)) / 2
    low = _limit(design, outcome, index, best, drop, -1.0)
    high = _limit(design, outcome, index, best, drop, 1.0)
    at_zero = _maximum(design, outcome, (index, 0.0))
    if at_zero is None:
        return None
    ci = None if low is None or high is None else (low / scale, high / scale)
    p = float(chdtrc(1, max(0.0, 2 * (best.value - at_zero.value))))
    return Coefficient(float(best.beta[index]) / scale, ci, p)


def _limit(
    design: Floats, outcome: Floats, index: int, best: _Point, drop: float, direction: float
) -> float | None:
    """Where the profile has fallen by `drop` on one side of the maximum; None if that is not found."""
    from scipy.optimize import brentq  # a quarter of a second to import, and not needed by other commands

    near = best

    def above(value: float) -> float:
        nonlocal near
        point = _maximum(design, outcome, (index, value), _along(design, near.beta, index, value))
        near = point or near
        return math.nan if point is None else point.value - best.value + drop

    inner, step = float(best.beta[index]), 0.5
    for _ in range(_FARTHEST):
        outer = inner + direction * step
        height = above(outer)
        if math.isnan(height):
            step /= 2
            continue
        if height < 0:
            try:
                return float(brentq(above, min(inner, outer), max(inner, outer), xtol=1e-8, rtol=1e-10))
            except ValueError:  # on a nearly flat ridge two searches may end at different heights
                return None
        inner, step = outer, 1.5 * step
    return None


def _along(design: Floats, beta: Floats, index: int, value: float) -> Floats:
    """Where to begin with a coefficient moved: along the ridge from the maximum last found, which is long and narrow
    where groups separate."""
    chance = expit(design @ beta)
    information = design.T @ (design * (chance * (1 - chance))[:, None])
    free = np.arange(beta.size) != index
    moved = beta.copy()
    moved[index] = value
    slope, *_ = np.linalg.lstsq(information[np.ix_(free, free)], information[free, index], rcond=None)
    moved[free] -= (value - beta[index]) * slope
    return moved


def _maximum(
    design: Floats, outcome: Floats, held: tuple[int, float] | None = None, start: Floats | None = None
) -> _Point | None:
    """The maximum of the penalised likelihood, one coefficient held at a value if asked; None if none is found.

    Newton steps on the modified score, halved until the likelihood rises; where the curvature is not that of a
    maximum, steps of Fisher scoring.
    """
    beta = np.zeros(design.shape[1]) if start is None else start.copy()
    free = np.ones(beta.size, dtype=bool)
    if held is not None:
        beta[held[0]] = held[1]
        free[held[0]] = False
    value = _penalised(design, outcome, beta)
    for _ in range(_MOST_STEPS):
        try:
            step = _step(design, outcome, beta, free)
        except np.linalg.LinAlgError:
            return None
        step *= min(1.0, _LARGEST_STEP / float(np.max(np.abs(step), initial=_SMALL)))
        for _ in range(40):
            tried = beta.copy()
            tried[free] += step
            reached = _penalised(design, outcome, tried)
            if reached >= value - 1e-12:
                break
            step /= 2
        beta, value = tried, reached
        if float(np.max(np.abs(step), initial=0.0)) < _SMALL:
            return _Point(beta, value) if math.isfinite(value) else None
    return None


def _step(design: Floats, outcome: Floats, beta: Floats, free: Bools) -> Floats:
    """The next step of the free coefficients. The curvature is the difference quotient of the score: that of the
    penalty outweighs the information where groups separate, and Fisher scoring would take hundreds of steps."""
    places = np.flatnonzero(free)
    score, information = _score(design, outcome, beta)
    curvature = np.empty((places.size, places.size))
    for column, place in enumerate(places):
        moved = np.zeros(beta.size)
        moved[place] = _DIFFERENCE
        ahead, behind = (_score(design, outcome, beta + sign * moved)[0] for sign in (1.0, -1.0))
        curvature[column] = (behind - ahead)[places] / (2 * _DIFFERENCE)
    curvature = (curvature + curvature.T) / 2
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
        curvature = information[np.ix_(places, places)]
    return np.linalg.solve(curvature, score[places]).astype(np.float64)


def _score(design: Floats, outcome: Floats, beta: Floats) -> tuple[Floats, Floats]:
    """The modified score Σ x(y − π + h(½ − π)), h the leverages, and the information."""
    chance = expit(design @ beta)
    root = design * np.sqrt(chance * (1 - chance))[:, None]
    information = root.T @ root
    leverage = np.sum(root * np.linalg.solve(information, root.T).T, axis=1)
    return design.T @ (outcome - chance + leverage * (0.5 - chance)), information


def _penalised(design: Floats, outcome: Floats, beta: Floats) -> float:
    linear = design @ beta
    chance = expit(linear)
    sign, log_determinant = np.linalg.slogdet(design.T @ (design * (chance * (1 - chance))[:, None]))
    if sign <= 0:
        return -math.inf
    likelihood = float(np.sum(np.where(outcome == 1, log_expit(linear), log_expit(-linear))))
    return likelihood + 0.5 * float(log_determinant)
