"""What the search for minima is told and what it returns: bounds, minima, and minima known before."""

from dataclasses import dataclass

import numpy as np

from pk.values.arrays import Bools, Floats, Indices

_BOWL = 1.0
"""How far above a known minimum, in units of the objective, its bowl is trusted."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds on one random effect: its index, and lower and upper ends, each shape (N,)."""

    index: int
    lower: Floats
    upper: Floats

    def take(self, columns: Indices) -> "Bounds":
        """Return the bounds of these columns."""
        return Bounds(self.index, self.lower[columns], self.upper[columns])


@dataclass(frozen=True, slots=True)
class Minimum:
    """Where each column ended.

    Attributes
    ----------
    eta : ndarray, shape (K, N)
    value : ndarray, shape (N,)
    gradient : ndarray, shape (K, N)
        The lag's is 0 at a bound that it presses against.
    merged : ndarray of bool, shape (N,)
        Whether the column stopped because it came close to its reference.
    """

    eta: Floats
    value: Floats
    gradient: Floats
    merged: Bools

    def take(self, columns: Indices) -> "Minimum":
        """Return these columns."""
        return Minimum(
            self.eta[:, columns],
            self.value[columns],
            self.gradient[:, columns],
            self.merged[columns],
        )

    @classmethod
    def joined(cls, parts: "list[Minimum]") -> "Minimum":
        """Return the columns of all parts, in order."""
        return cls(
            np.concatenate([part.eta for part in parts], axis=1),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.gradient for part in parts], axis=1),
            np.concatenate([part.merged for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Reference:
    """A minimum known for each column: eta (K, N), value (N,), Hessian (K, K, N); value NaN if there is none."""

    eta: Floats
    value: Floats
    hessian: Floats

    def take(self, columns: Indices, valid: Bools | None = None) -> "Reference":
        """Return the references of these columns; without one where `valid` is False."""
        value = self.value[columns]
        return Reference(
            np.take(self.eta, columns, axis=-1),
            value if valid is None else np.where(valid, value, np.nan),
            np.take(self.hessian, columns, axis=-1),
        )

    def reached(self, eta: Floats, value: Floats, gradient: Floats) -> Bools:
        """Whether eta lies in the bowl of the reference: near it, and as high and steep as its curvature says."""
        away = eta - self.eta
        pull = np.add.reduce(self.hessian * away, axis=1)
        rise = 0.5 * np.add.reduce(pull * away, axis=0)
        excess = np.abs(value - self.value - rise)
        turn = np.add.reduce(np.abs((gradient - pull) * away), axis=0)
        near = (rise >= 0) & (rise < _BOWL)
        return np.asarray(near & (excess < 0.1 * rise + 1e-7) & (turn < 0.4 * rise + 1e-7), dtype=np.bool_)
