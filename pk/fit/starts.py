"""Where the search for the MAP estimate starts, and into which smooth pieces a random lag cuts it.

With a random lag the objective has a kink wherever the lag lets a dose arrive at the very moment of a sample.
Between kinks it is smooth; each such piece is searched by itself, its ends included.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import hadamard

from pk.fit.objective import Problem
from pk.fit.optimum import Bounds
from pk.kinetics.exponential import NEVER
from pk.kinetics.structure import PARAMETERS, ErrorKind
from pk.values.arrays import Bools, Floats, Indices

_INSET = 1e-9
"""How far from a kink a piece ends, in ln lag: enough to be on one side of it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One smooth piece for each subject: `exists` (N,), and bounds on the lag's effect, if it is random.

    `inner_lower`, `inner_upper` (N,) say whether an end is a kink, with another piece beyond.
    """

    exists: Bools
    bounds: Bounds | None
    inner_lower: Bools
    inner_upper: Bools

    def take(self, subjects: Indices) -> "Piece":
        """Return the piece of these subjects."""
        bounds = None if self.bounds is None else self.bounds.take(subjects)
        return Piece(self.exists[subjects], bounds, self.inner_lower[subjects], self.inner_upper[subjects])


def pieces(batch: Problem) -> list[Piece]:
    """Return the smooth pieces, that of the typical lag first, then by distance from it.

    Raises
    ------
    ValueError
        If the lag is moved by more than one random effect, or by one that moves another parameter too.
    """
    everywhere = np.ones(batch.size, np.bool_)
    nowhere = np.zeros(batch.size, np.bool_)
    effect = lag_effect(batch)
    if effect is None:
        return [Piece(everywhere, None, nowhere, nowhere)]
    with np.errstate(divide="ignore", invalid="ignore"):
        kinks, cap = _kinks(batch)
    home = np.minimum(0.0, cap - 1e-6)
    below = np.sum(kinks < home, axis=0)
    ends = np.concatenate((np.full((1, batch.size), -np.inf), kinks, np.full((1, batch.size), np.inf)))
    found = []
    for offset in sorted(range(-kinks.shape[0], kinks.shape[0] + 1), key=abs):
        place = below + offset
        inside = np.clip(place, 0, kinks.shape[0])[None]
        lower = np.take_along_axis(ends, inside, axis=0)[0]
        upper = np.take_along_axis(ends, inside + 1, axis=0)[0]
        inner_upper = upper < cap
        lower, upper = lower + _INSET, np.minimum(upper, cap) - _INSET
        exists = (place >= 0) & (place <= kinks.shape[0]) & (upper > lower + 1e-7)
        if offset == 0 or exists.any():
            found.append(Piece(exists, Bounds(effect, lower, upper), lower > -np.inf, inner_upper))
    return found


def lag_effect(batch: Problem) -> int | None:
    """Return the index of the random effect that moves the lag; None if the lag is not random."""
    if PARAMETERS[batch.structure][-1] != "tlag" or not batch.loading[-1].any():
        return None
    moving = np.flatnonzero(batch.loading[-1])
    if moving.size != 1 or np.flatnonzero(batch.loading[:, moving[0]]).size != 1:
        raise ValueError("the lag must have a random effect of its own")
    if batch.loading[-1, moving[0]] != 1.0:
        raise ValueError("the random effect of the lag must have the loading 1")
    return int(moving[0])


def _kinks(batch: Problem) -> tuple[Floats, Floats]:
    """Return the lag effects (D S, N) at which a dose arrives with a sample, ascending, and the largest (N,)."""
    timing = batch.timing
    given = timing.amount_mg > 0
    row = timing.every_h < NEVER
    typical = batch.log_typical[-1]
    lag = np.where(row, np.mod(timing.gap_h, timing.every_h), timing.gap_h)
    used = True if batch.used is None else batch.used > 0
    at = np.where(given & (lag > 0) & used, np.log(lag) - typical, np.inf)
    kinks = np.sort(at.reshape(-1, batch.size), axis=0)
    shortest = np.min(np.where(row & given, timing.every_h, np.inf), axis=(0, 1))
    cap = np.log(shortest) - typical
    return np.where(kinks < cap, kinks, np.inf), cap


def first_round(batch: Problem) -> Floats:
    """Return the starting points besides 0, (J, K): each effect at -2 and 2 SD, the others as correlated, and corners.

    Where several effects are wide, an optimum may lie where two of them are off at once: the axes then all lead to
    another one, and agree.
    """
    return np.concatenate((_along(batch, (2.0,)), _corners(batch)))


def _corners(batch: Problem) -> Floats:
    """Return points with every effect off the typical value, each pair of effects in all four combinations of signs.

    They are the rows of a Hadamard matrix (the two-level design of Plackett and Burman, Biometrika 33:305, 1946) and
    their opposites.
    """
    count = 1 << batch.effects.bit_length()
    rows = hadamard(count)[:, 1 : batch.effects + 1]
    signs = np.concatenate((rows, -rows))
    return np.asarray(_CORNER_SD * signs @ np.linalg.cholesky(batch.omega).T)


def second_round(batch: Problem) -> Floats:
    """Return more starting points, (J, K), for subjects who have several optima: nearer, farther, in pairs."""
    sd = np.sqrt(np.diagonal(batch.omega))
    effects = batch.effects
    pairs = []
    for i in range(effects):
        for j in range(i):
            for one, other in ((2.0, 2.0), (2.0, -2.0), (-2.0, 2.0), (-2.0, -2.0)):
                point = np.zeros(effects)
                point[i], point[j] = one * sd[i], other * sd[j]
                pairs.append(point)
    return np.concatenate((_along(batch, (1.0, 3.0)), np.reshape(pairs, (-1, effects))))


_CORNER_SD = 1.3
"""How far off each effect is at a corner, in SD."""


def _along(batch: Problem, sizes: tuple[float, ...]) -> Floats:
    ways = batch.omega / np.sqrt(np.diagonal(batch.omega))
    return np.concatenate([sign * size * ways.T for size in sizes for sign in (1.0, -1.0)])


def spread(points: Floats, piece: Piece, subjects: Indices) -> Floats:
    """Return each of the points (J, K) for each of n subjects, within the piece: (K, J n)."""
    bounds = None if piece.bounds is None else piece.bounds.take(np.tile(subjects, len(points)))
    return inside(bounds, np.repeat(points.T, subjects.size, axis=1))


_EDGES = (0.003, 0.03, 0.15)
"""How far below the upper end of a piece, in ln lag, further searches start."""


def edged(batch: Problem, piece: Piece, best: Floats) -> Indices:
    """Return the subjects whose piece ends below a kink near which the prior allows better than the best value (N,)."""
    if piece.bounds is None:
        return np.arange(0)
    lag = piece.bounds.index
    nearest = np.maximum(np.abs(piece.bounds.upper) - _EDGES[-1], 0.0)
    allowed = nearest * nearest / batch.omega[lag, lag] <= best - least_possible(batch)
    return np.flatnonzero(piece.inner_upper & allowed)


def edges(batch: Problem, piece: Piece, subjects: Indices, best: Floats) -> Floats:
    """Return starting points close below the kink at the upper end of the piece, (K, J n), for n subjects.

    There a dose has arrived just before a sample: the prediction climbs from the trough within minutes, and an
    optimum may be far narrower than the rest of the piece. The other effects are typical, or the best known
    (K, n), or those of fast absorption into a small volume.
    """
    assert piece.bounds is not None
    names = PARAMETERS[batch.structure]
    steep = np.sign(batch.loading[names.index("ka")] - batch.loading[names.index("V1")])
    steep *= np.sqrt(np.diagonal(batch.omega))
    lower, upper = piece.bounds.lower[subjects], piece.bounds.upper[subjects]
    middle = 0.5 * (np.maximum(lower, upper - 1.0) + upper)
    parts = []
    for below in _EDGES:
        for other in (np.zeros_like(best), best.copy(), np.repeat(steep[:, None], subjects.size, axis=1)):
            other[piece.bounds.index] = np.maximum(upper - below, middle)
            parts.append(other)
    return np.concatenate(parts, axis=1)


def inside(bounds: Bounds | None, eta: Floats) -> Floats:
    """Return the starting points (K, N) with the lag's effect moved into its piece, off its ends."""
    if bounds is None:
        return eta
    margin = np.minimum(0.1, 0.25 * (bounds.upper - bounds.lower))
    out = eta.copy()
    out[bounds.index] = np.clip(eta[bounds.index], bounds.lower + margin, bounds.upper - margin)
    return out


def least_possible(batch: Problem) -> Floats:
    """Return a value below every objective of a subject, (N,), from the samples alone: eta' Omega^-1 eta >= 0."""
    y, error = batch.conc, batch.error
    match error.kind:
        case ErrorKind.LOG_ADDITIVE:
            least = np.full_like(y, 2.0 * np.log(error.sigma))
        case ErrorKind.PROPORTIONAL:
            ratio = 0.5 + np.sqrt(0.25 + error.prop**2)
            least = ((ratio - 1.0) / error.prop) ** 2 + 2.0 * np.log(error.prop * y / ratio)
        case _:
            least = np.full_like(y, 2.0 * np.log(error.add_mg_l))
    if batch.censored is not None:
        least = np.where(batch.censored, 0.0, least)
    if batch.used is not None:
        least = least * batch.used
    return np.asarray(np.add.reduce(least, axis=0))
