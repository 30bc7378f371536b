"""The best optimum of each of many searches so far, and how many starts agree on it."""

from dataclasses import dataclass

import numpy as np

from pk.fit.newton import exact_hessian
from pk.fit.objective import Problem
from pk.fit.optimum import Bounds, Minimum
from pk.fit.starts import Piece
from pk.values.arrays import Bools, Floats, Indices, Ints

SAME = 1e-6
"""Objectives this close are the same optimum, if the effects agree."""


@dataclass(slots=True)
class Best:
    """The best optimum so far of each of N searches, subjects last, and what is known about the others.

    `hessian` (K, K, N) is the exact one where `known` (N,), which a better optimum makes False.
    `lower`, `upper` (N,) are the ends of its piece, `inner_lower`, `inner_upper` whether these are kinks.
    """

    eta: Floats
    value: Floats
    gradient: Floats
    hessian: Floats
    known: Bools
    starts: Ints
    agreeing: Ints
    runner_up: Floats
    lower: Floats
    upper: Floats
    inner_lower: Bools
    inner_upper: Bools

    @classmethod
    def of(cls, found: Minimum, piece: Piece) -> "Best":
        """Return what one start of each search found."""
        size = found.value.size
        ones, never = np.ones(size, np.int64), np.full(size, np.inf)
        lower = -never if piece.bounds is None else piece.bounds.lower.copy()
        upper = never.copy() if piece.bounds is None else piece.bounds.upper.copy()
        effects = found.eta.shape[0]
        return cls(
            found.eta,
            found.value,
            found.gradient,
            np.empty((effects, effects, size)),
            np.zeros(size, np.bool_),
            ones,
            ones.copy(),
            never,
            lower,
            upper,
            piece.inner_lower.copy(),
            piece.inner_upper.copy(),
        )

    def joined(self, searches: Indices, merged: Bools) -> None:
        """Count the starts, (J, n), that came close to what was known of these searches."""
        count = np.add.reduce(merged, axis=0, dtype=np.int64)
        self.starts[searches] += count
        self.agreeing[searches] += count

    def meet(self, searches: Indices, found: Minimum, scale: Floats) -> None:
        """Compare one more start of some searches with what was known, and keep the better."""
        known, value = self.value[searches], found.value
        far = np.max(np.abs(found.eta - self.eta[:, searches]) / scale[:, None], axis=0)
        same = (np.abs(value - known) <= SAME * (1.0 + np.abs(known))) & (far < 1e-2)
        self.starts[searches] += 1
        self.agreeing[searches[same]] += 1
        better = ~same & (value < known)
        self._rival(searches, ~same, value)
        won = np.flatnonzero(better)
        into = searches[won]
        self.agreeing[into] = 1
        self.eta[:, into], self.value[into] = found.eta[:, won], value[won]
        self.gradient[:, into] = found.gradient[:, won]
        self.known[into] = False

    def curvature(self, batch: Problem, lag: int | None) -> Floats:
        """Return the exact Hessians (K, K, N), computed where they are not known."""
        new = np.flatnonzero(~self.known)
        if new.size:
            bounds = None if lag is None else Bounds(lag, self.lower[new], self.upper[new])
            some = batch if new.size == batch.size else batch.take(new)
            self.hessian[:, :, new] = exact_hessian(some, self.eta[:, new], None, bounds)
            self.known[new] = True
        return self.hessian

    def absorb(self, searches: Indices, other: "Best", lag: int) -> None:
        """Compare the best of another piece, and keep the better; its optima inside the piece are rivals."""
        inside = (other.eta[lag] > other.lower) & (other.eta[lag] < other.upper)
        self.starts[searches] += other.starts
        better = other.value < self.value[searches]
        self._rival(searches, inside | better, other.value)
        won = np.flatnonzero(better)
        into = searches[won]
        self.runner_up[into] = np.minimum(self.runner_up[into], other.runner_up[won])
        self.eta[:, into], self.gradient[:, into] = other.eta[:, won], other.gradient[:, won]
        self.hessian[:, :, into] = other.hessian[:, :, won]
        for mine, its in (
            (self.value, other.value),
            (self.known, other.known),
            (self.agreeing, other.agreeing),
            (self.lower, other.lower),
            (self.upper, other.upper),
            (self.inner_lower, other.inner_lower),
            (self.inner_upper, other.inner_upper),
        ):
            mine[into] = its[won]

    def _rival(self, searches: Indices, counts: Bools, value: Floats) -> None:
        """Note how far the next best optimum is once these have been compared."""
        known, after = self.value[searches], self.runner_up[searches]
        gap = value - known
        rival = np.where(gap < 0, np.minimum(-gap, after - gap), np.minimum(gap, after))
        self.runner_up[searches[counts]] = rival[counts]
