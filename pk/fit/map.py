"""Maximum a posteriori estimates of the random effects, for a whole batch of subjects at once.

Every subject is searched from eta = 0 first, then from points spread over the prior, and with a random lag in
each smooth piece between the kinks of its objective (`pk.fit.starts`). A start that comes close to the optimum
found first counts as agreeing and stops; where optima differ, more starts follow. All starts are fixed in
advance, and no subject's result depends on its companions.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pk.fit import starts
from pk.fit.best import Best
from pk.fit.newton import minimise
from pk.fit.objective import Problem, parameters, problem
from pk.fit.optimum import Bounds, Minimum, Reference
from pk.fit.smallsystems import damped, solve
from pk.fit.starts import Piece
from pk.kinetics.batch import Doses, Observations, Prior
from pk.values.arrays import Bools, Floats, Indices, Ints

TIE = 0.1
"""Two different optima whose objectives are closer than this are tied: the data do not choose."""

_STATIONARY = 1e-6
_SUBJECTS = 2_048


class MapWarning(StrEnum):
    """What a user should know about an estimate."""

    NOT_CONVERGED = "map_not_converged"
    AT_KINK = "map_at_kink"
    TIED = "map_tied_optima"
    LAG_AT_BOUND = "map_lag_at_bound"


@dataclass(frozen=True, slots=True)
class MapResult:
    """The MAP estimates of B subjects.

    Attributes
    ----------
    eta : ndarray, shape (B, K)
    parameters : ndarray, shape (B, P)
        Individual structural parameters, in the order of `pk.kinetics.structure.PARAMETERS`.
    objective : ndarray, shape (B,)
    gradient_norm : ndarray, shape (B,)
        Largest absolute derivative of the objective; at a kink or bound, of the effects that are free.
    hessian : ndarray, shape (B, K, K)
        Of the objective at eta; 2 * its inverse is the covariance of the normal approximation.
    shrinkage : ndarray, shape (B, K)
        Variance left after the samples / variance before, per effect: 1 says that the samples told
        nothing, 0 that they told all (or that the lag is held at a kink). Source: Combes et al.,
        Pharm Res 30:2355 (2013), for single subjects.
    starts, agreeing : ndarray of int, shape (B,)
        Starting points used, and how many of them led to this optimum.
    runner_up : ndarray, shape (B,)
        How much larger the objective is at the next best optimum that was seen; inf if there was none.
    converged, at_kink, tied, lag_at_bound : ndarray of bool, shape (B,)
    """

    eta: Floats
    parameters: Floats
    objective: Floats
    gradient_norm: Floats
    hessian: Floats
    shrinkage: Floats
    starts: Ints
    agreeing: Ints
    runner_up: Floats
    converged: Bools
    at_kink: Bools
    tied: Bools
    lag_at_bound: Bools

    def warnings(self, subject: int) -> tuple[MapWarning, ...]:
        """Return the warnings about one subject's estimate."""
        flags = (
            (MapWarning.NOT_CONVERGED, not self.converged[subject]),
            (MapWarning.AT_KINK, self.at_kink[subject]),
            (MapWarning.TIED, self.tied[subject]),
            (MapWarning.LAG_AT_BOUND, self.lag_at_bound[subject]),
        )
        return tuple(code for code, raised in flags if raised)


def estimate(prior: Prior, doses: Doses, observations: Observations, *, multistart: bool = True) -> MapResult:
    """Return the MAP estimate of every subject.

    Parameters
    ----------
    prior : Prior
        An effect on the lag must be the lag's own, with loading 1. A random lag stays below the shortest
        interval of a row of doses.
    doses : Doses
    observations : Observations
        Checked before: finite numbers, concentrations and limits above 0.
    multistart : bool
        False: from eta = 0 only, in the piece of the typical lag. Fast, and nearly always the same where
        the lag is fixed.

    Raises
    ------
    ValueError
        If a random lag shares its effect.
    """
    whole = problem(prior, doses, observations)
    starts.lag_effect(whole)
    parts = [
        _estimate(whole.take(np.arange(first, min(first + _SUBJECTS, whole.size))), multistart)
        for first in range(0, whole.size, _SUBJECTS)
    ]
    fields = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return MapResult(*fields)


def _estimate(batch: Problem, multistart: bool) -> tuple[NDArray[np.generic], ...]:
    """Return the fields of `MapResult` for one chunk of subjects."""
    first, *others = starts.pieces(batch)
    best = _search(batch, first, multistart=multistart)
    lag = starts.lag_effect(batch)
    if multistart and lag is not None:
        least = starts.least_possible(batch)
        for piece in others:
            here = np.flatnonzero(piece.exists & (_toll(batch, piece, lag) <= best.value - least))
            if here.size:
                best.absorb(here, _search(batch.take(here), piece.take(here), multistart=True), lag)
    return _summary(batch, best, lag)


def _search(batch: Problem, piece: Piece, *, multistart: bool) -> Best:
    """Return the best optimum of each subject in its piece."""
    everyone = np.arange(batch.size)
    begin = starts.inside(piece.bounds, np.zeros((batch.effects, batch.size)))
    best = Best.of(_in_chunks(batch, everyone, begin, piece.bounds, None), piece)
    if multistart:
        _spread(batch, piece, best, everyone, starts.spread(starts.first_round(batch), piece, everyone))
        edged = starts.edged(batch, piece, best.value)
        if edged.size:
            _spread(batch, piece, best, edged, starts.edges(batch, piece, edged, best.eta[:, edged]))
        doubtful = np.union1d(edged, np.flatnonzero((best.runner_up < np.inf) | (best.agreeing < 2)))
        if doubtful.size:
            _spread(batch, piece, best, doubtful, starts.spread(starts.second_round(batch), piece, doubtful))
    return best


def _spread(batch: Problem, piece: Piece, best: Best, subjects: Indices, eta: Floats) -> None:
    """Search the piece from starting points, (K, J n): J for each of the n subjects."""
    scale = np.sqrt(np.diagonal(batch.omega))
    count = eta.shape[1] // subjects.size
    columns = np.tile(subjects, count)
    bounds = None if piece.bounds is None else piece.bounds.take(columns)
    hessian = best.curvature(batch, None if piece.bounds is None else piece.bounds.index)
    known = Reference(best.eta, best.value, hessian).take(columns)
    done = _in_chunks(batch, columns, eta, bounds, known)
    merged = done.merged.reshape(count, subjects.size)
    best.joined(subjects, merged)
    for start in np.flatnonzero(~merged.all(axis=1)):
        others = np.flatnonzero(~merged[start])
        best.meet(subjects[others], done.take(start * subjects.size + others), scale)


def _toll(batch: Problem, piece: Piece, lag: int) -> Floats:
    """Return the least that the prior charges for a lag in this piece, (N,)."""
    assert piece.bounds is not None
    nearest = np.clip(0.0, piece.bounds.lower, piece.bounds.upper)
    return np.asarray(nearest * nearest / batch.omega[lag, lag])


def _in_chunks(
    batch: Problem, columns: Indices, eta: Floats, bounds: Bounds | None, known: Reference | None
) -> Minimum:
    """Minimise in chunks that fit the cache."""
    parts = []
    for first in range(0, columns.size, batch.chunk):
        part = np.arange(first, min(first + batch.chunk, columns.size))
        here = None if bounds is None else bounds.take(part)
        start = np.take(eta, part, axis=-1)
        parts.append(
            minimise(batch.take(columns[part]), start, here, None if known is None else known.take(part))
        )
    return Minimum.joined(parts)


def _summary(batch: Problem, best: Best, lag: int | None) -> tuple[NDArray[np.generic], ...]:
    """Return the fields of `MapResult`."""
    hessian = best.curvature(batch, lag)
    held = np.zeros(best.eta.shape, np.bool_)
    at_kink, at_bound = np.zeros(batch.size, np.bool_), np.zeros(batch.size, np.bool_)
    if lag is not None:
        low, high = best.eta[lag] <= best.lower, best.eta[lag] >= best.upper
        at_kink = (low & best.inner_lower) | (high & best.inner_upper)
        at_bound = high & ~best.inner_upper
        held[lag] = low | high
    steep = np.max(np.abs(best.gradient), axis=0)
    shrinkage = _shrinkage(batch, hessian, held)
    return (
        np.ascontiguousarray(best.eta.T),
        np.ascontiguousarray(parameters(batch, best.eta).T),
        best.value,
        steep,
        np.ascontiguousarray(np.moveaxis(hessian, -1, 0)),
        np.ascontiguousarray(shrinkage.T),
        best.starts,
        best.agreeing,
        best.runner_up,
        _stationary(best.gradient, hessian),
        at_kink,
        best.runner_up < TIE,
        at_bound,
    )


def _stationary(gradient: Floats, hessian: Floats) -> Bools:
    """Whether every derivative is 0, to 1e-6 or to what rounding leaves where the objective is very steep."""
    rounding = 1e-13 * np.abs(np.einsum("kkn->kn", hessian))
    return np.asarray(np.all(np.abs(gradient) < np.maximum(_STATIONARY, rounding), axis=0))


def _shrinkage(batch: Problem, hessian: Floats, held: Bools) -> Floats:
    """Return the variance left / variance before of each effect, (K, N), within [0, 1]."""
    free = damped(hessian, np.zeros(held.shape), held)
    unit = np.repeat(2.0 * np.eye(batch.effects)[:, :, None], batch.size, axis=2)
    with np.errstate(all="ignore"):
        covariance, sound = solve(free, unit)
        left = np.einsum("kkn->kn", covariance) / np.diagonal(batch.omega)[:, None]
    out = np.where(sound, left, 1.0)
    out[held] = 0.0
    return np.clip(out, 0.0, 1.0)
