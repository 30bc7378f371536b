"""Importance sampling of a posterior: one round for a whole batch, and more rounds for a subject that needs them.

Everything happens on the scale z = L^-1 eta with Omega = L L', where the prior is standard normal. The proposal
of the first round is a mixture of a Student distribution around the mode, as wide as the Hessian says, and of the
prior itself; the prior's share bounds every weight, so no region that the prior allows can be missed without
trace. Where the effective number of draws stays low (kinks, several modes, banana shapes), later rounds put
Student kernels where the weights of the round before lie, tempered so that many draws speak.
Sources: Geweke, Econometrica 57:1317 (1989), importance sampling of posteriors; Hesterberg, Technometrics
37:185 (1995), defensive mixtures; Cappé et al., J Comput Graph Stat 13:907 (2004), population Monte Carlo.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from pk.fit.objective import Problem, evaluate
from pk.kinetics.batch import Prior
from pk.posterior.quasirandom import FREEDOM, standard
from pk.posterior.weighted import effective_size, normalised, resampled
from pk.values.arrays import Floats

_PRIOR_SHARE = 0.2
"""Share of the draws that comes from the prior."""

_WIDEST = 0.5
"""The least curvature a direction is given, in units of the prior's: no wider than 1.4 of its deviations."""

ENOUGH = 0.25
"""Share of the draws that must be effective, or more rounds follow."""

_MORE = 4
"""Times as many draws in each further round."""

_TOGETHER = 2048
"""Draws evaluated at once: few enough for a core's cache, many enough to outweigh the calls."""

_KERNELS = 64
_MODE_SHARE = 0.15
_TEMPERED = 0.1
_ROUNDS = 7


def prior_root(prior: Prior) -> Floats:
    """Return L, the lower Cholesky factor of Omega, shape (K, K)."""
    return np.asarray(np.linalg.cholesky(prior.omega), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Normal:
    """Normal approximations of N subjects' posteriors on the scale of z.

    Attributes
    ----------
    centre : ndarray, shape (N, K)
    spread, inverse : ndarray, shape (N, K, K)
        A root of the covariance, and the inverse of that root.
    log_volume : ndarray, shape (N,)
        Logarithm of the determinant of the root.
    """

    centre: Floats
    spread: Floats
    inverse: Floats
    log_volume: Floats


def approximation(root: Floats, eta: Floats, hessian: Floats) -> Normal:
    """Return the normal approximation at the modes.

    Parameters
    ----------
    root : ndarray, shape (K, K)
        L of `prior_root`.
    eta : ndarray, shape (N, K)
    hessian : ndarray, shape (N, K, K)
        Of the objective; at a kink it may be anything, so its curvatures are bounded from below.
    """
    curvature, axes = np.linalg.eigh(0.5 * (root.T @ hessian @ root))
    curvature = np.maximum(curvature, _WIDEST)
    scale = 1.0 / np.sqrt(curvature)
    return Normal(
        np.asarray(np.linalg.solve(root, eta.T).T, dtype=np.float64),
        axes * scale[:, None, :],
        np.swapaxes(axes, 1, 2) / scale[:, :, None],
        np.sum(np.log(scale), axis=-1),
    )


@dataclass(frozen=True, slots=True)
class Weighted:
    """Weighted draws of N subjects.

    Attributes
    ----------
    z : ndarray, shape (N, K, M)
    log_weight : ndarray, shape (N, M)
        Logarithm of exp(-objective / 2) / proposal density at z.
    """

    z: Floats
    log_weight: Floats


def first_round(batch: Problem, root: Floats, around: Normal, count: int, seed: int) -> Weighted:
    """Return `count` weighted draws of each of N subjects."""
    draws = standard(count, batch.effects, seed)
    near = count - round(_PRIOR_SHARE * count)
    student = around.centre[:, :, None] + around.spread @ draws.student[:, :near]
    prior = np.broadcast_to(draws.normal[:, near:], (batch.size, batch.effects, count - near))
    z = np.concatenate((student, prior), axis=2)
    density = near / count * np.exp(_student(around, z)) + (1.0 - near / count) * np.exp(_standard_normal(z))
    return Weighted(z, _log_target(batch, root, z) - np.log(density))


def _log_target(batch: Problem, root: Floats, z: Floats) -> Floats:
    """Return -objective / 2 of draws z (N, K, M), shape (N, M)."""
    subjects, effects, count = z.shape
    eta = np.swapaxes(root @ z, 0, 1).reshape(effects, -1)
    each = np.repeat(np.arange(subjects), count)
    out = np.empty(subjects * count)
    for start in range(0, out.size, _TOGETHER):
        here = slice(start, start + _TOGETHER)
        out[here] = evaluate(batch.take(each[here]), eta[:, here])
    return -0.5 * out.reshape(subjects, count)


def _student(around: Normal, z: Floats) -> Floats:
    """Return the log density of the Student distribution around each mode, (N, M)."""
    away = around.inverse @ (z - around.centre[:, :, None])
    return _log_student(np.sum(away * away, axis=1), z.shape[1]) - around.log_volume[:, None]


def _log_student(square: Floats, effects: int) -> Floats:
    """Return the log density of t(0, I) at squared distances from 0."""
    half = 0.5 * (FREEDOM + effects)
    constant = float(gammaln(half) - gammaln(0.5 * FREEDOM)) - 0.5 * effects * math.log(FREEDOM * math.pi)
    return np.asarray(constant - half * np.log1p(square / FREEDOM))


def _standard_normal(z: Floats) -> Floats:
    """Return the log density of N(0, I) along axis -2."""
    square = np.sum(z * z, axis=-2)
    return np.asarray(-0.5 * square - 0.5 * z.shape[-2] * math.log(2.0 * math.pi))


@dataclass(frozen=True, slots=True)
class _Kernels:
    """Student kernels of one shape at several places: places (K, C), a root of the shape, and its inverse."""

    places: Floats
    spread: Floats
    inverse: Floats

    def density(self, z: Floats) -> Floats:
        """Return the density of the equal mixture at z (K, M), shape (M,)."""
        effects, count = self.places.shape
        at, centre = self.inverse @ z, self.inverse @ self.places
        square = np.zeros((count, z.shape[1]))
        for row, middle in zip(at, centre, strict=True):
            square += (row[None, :] - middle[:, None]) ** 2
        each = np.exp(_log_student(square, effects))
        return np.asarray(abs(np.linalg.det(self.inverse)) * np.mean(each, axis=0))


@dataclass(frozen=True, slots=True)
class Resampled:
    """What more rounds made of one subject: M equal draws z (K, M), and their figures."""

    z: Floats
    effective: float
    log_mean: float
    rounds: int


def sampled_again(
    batch: Problem, root: Floats, around: Normal, begun: Weighted, i: int, count: int, seed: int
) -> Resampled:
    """Return what more rounds make of subject `i` of a batch, reduced to `count` equal draws.

    Parameters
    ----------
    batch, root, around, begun
        Of the whole batch; `begun` is its first round.
    count : int
        M; each further round has four times as many draws.
    """
    only = slice(i, i + 1)
    alone = Normal(around.centre[only], around.spread[only], around.inverse[only], around.log_volume[only])
    first = Weighted(begun.z[only], begun.log_weight[only])
    one = batch.take(np.array([i]))
    more = _MORE * count
    best, made = _more_rounds(one, root, alone, first, more, 0.5 * ENOUGH * more, seed)
    weight, log_mean = normalised(best.log_weight)
    # In the order of the clearance, because the area over an interval at steady state is dose / CL.
    order = batch.loading[0] @ root @ best.z[0]
    picked = resampled(order, weight[0], count)
    return Resampled(best.z[0][:, picked], float(effective_size(weight)[0]), float(log_mean[0]), 1 + made)


def _more_rounds(
    batch: Problem, root: Floats, around: Normal, begun: Weighted, count: int, enough: float, seed: int
) -> tuple[Weighted, int]:
    """Return the best of several rounds of `count` draws for one subject, and how many were made.

    Parameters
    ----------
    batch : Problem
        One subject.
    around : Normal
    begun : Weighted
        The first round.
    enough : float
        Effective number of draws at which to stop.
    """
    best, size = begun, _size(begun)
    for number in range(1, _ROUNDS + 1):
        kernels = _kernels(best)
        found = _round(batch, root, around, kernels, count, seed + number)
        if _size(found) > size or best is begun:
            best, size = found, _size(found)
        if size >= enough:
            return best, number
    return best, _ROUNDS


def _size(draws: Weighted) -> float:
    return float(effective_size(normalised(draws.log_weight)[0])[0])


def _kernels(draws: Weighted) -> _Kernels:
    """Return kernels at draws picked by their tempered weights, with their covariance times h²."""
    z, (effects, count) = draws.z[0], draws.z.shape[1:]
    weight = _tempered(draws.log_weight[0], _TEMPERED * count)
    middle = np.sum(z * weight, axis=1, keepdims=True)
    covariance = ((z - middle) * weight) @ (z - middle).T + 1e-9 * np.eye(effects)
    width = (4.0 / (_KERNELS * (effects + 2.0))) ** (1.0 / (effects + 4.0))
    spread = width * np.linalg.cholesky(covariance)
    picked = resampled(np.arange(count, dtype=np.float64), weight, _KERNELS)
    return _Kernels(z[:, picked], spread, np.linalg.inv(spread))


def _tempered(log_weight: Floats, wanted: float) -> Floats:
    """Return the weights to the largest power up to 1 that leaves `wanted` effective draws."""
    low, high, power = 0.0, 1.0, 1.0
    for _ in range(20):
        weight, _ = normalised(power * log_weight)
        if effective_size(weight) >= wanted:
            low = power
        else:
            high = power
        power = 0.5 * (low + high)
    return normalised(low * log_weight)[0] if low > 0 else normalised(log_weight)[0]


def _round(
    batch: Problem, root: Floats, around: Normal, kernels: _Kernels, count: int, seed: int
) -> Weighted:
    """Return a round from kernels, the Student distribution around the mode, and the prior."""
    draws = standard(count, batch.effects, seed)
    mode = round(_MODE_SHARE * count)
    prior = round(_PRIOR_SHARE * count)
    inner = count - mode - prior
    # Runs of consecutive Halton points are even by themselves; every 64th point is not.
    own = np.arange(inner) * _KERNELS // inner
    z = np.concatenate(
        (
            kernels.places[:, own] + kernels.spread @ draws.student[:, :inner],
            around.centre[0][:, None] + around.spread[0] @ draws.student[:, inner : inner + mode],
            draws.normal[:, inner + mode :],
        ),
        axis=1,
    )[None]
    density = inner / count * kernels.density(z[0])[None]
    density = (
        density + mode / count * np.exp(_student(around, z)) + prior / count * np.exp(_standard_normal(z))
    )
    return Weighted(z, _log_target(batch, root, z) - np.log(density))
