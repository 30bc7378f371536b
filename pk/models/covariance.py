"""Covariance matrices of random effects: from what was printed, and whether they can be used."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

Matrix = tuple[tuple[float, ...], ...]


class Reading(StrEnum):
    """How a printed variability becomes a variance of eta, with theta · exp(eta).

    A coefficient of variation CV gives ln(1 + CV²), a standard deviation its square; both are
    printed in percent. `omega2` is the variance itself.
    """

    CV = "cv"
    SD = "sd"
    OMEGA2 = "omega2"


@dataclass(frozen=True, slots=True)
class Spread:
    """A variability as printed, how it is read, and the largest variance that is believed."""

    printed: float
    reading: Reading
    cap_omega2: float = math.inf

    @property
    def variance(self) -> float:
        """The variance of eta, at most the cap.

        >>> round(Spread(32.23, Reading.CV).variance, 5), Spread(50.0, Reading.SD).variance
        (0.09883, 0.25)
        >>> Spread(490.0, Reading.CV, cap_omega2=1.0).variance
        1.0
        """
        fraction = self.printed / 100
        found = {
            Reading.CV: math.log1p(fraction * fraction),
            Reading.SD: fraction * fraction,
            Reading.OMEGA2: self.printed,
        }[self.reading]
        return min(found, self.cap_omega2)


class Flaw(StrEnum):
    """Why a matrix is not the covariance of random effects."""

    NOT_SYMMETRIC = "not_symmetric"
    NOT_POSITIVE_DEFINITE = "not_positive_definite"


def flaw(matrix: Sequence[Sequence[float]]) -> Flaw | None:
    """Return why a square matrix of finite numbers is no covariance matrix, None where it is one.

    Symmetric means equal but for rounding (relative 1e-9); positive definite that its correlation
    matrix has no eigenvalue of 1e-12 or less.
    """
    square = np.array(matrix, dtype=np.float64)
    if not np.allclose(square, square.T, rtol=1e-9, atol=0.0):
        return Flaw.NOT_SYMMETRIC
    spread = np.sqrt(np.clip(np.diagonal(square), 0.0, None))
    if not np.all(spread > 0):
        return Flaw.NOT_POSITIVE_DEFINITE
    with np.errstate(over="ignore"):
        correlation = square / spread / spread[:, np.newaxis]
    sound = bool(np.all(np.abs(correlation) < 1 + 1e-9)) and np.linalg.eigvalsh(correlation)[0] > 1e-12
    return None if sound else Flaw.NOT_POSITIVE_DEFINITE


def combined(
    between: Sequence[float], correlations: Sequence[tuple[int, int, float]], within: Sequence[float]
) -> Matrix:
    """Return the covariance of the sum of two independent effects, K by K.

    Parameters
    ----------
    between : sequence of float, length K
        Variances between individuals.
    correlations : sequence of (int, int, float)
        Of the effects between individuals; what is not named is 0.
    within : sequence of float, length K
        Variances between the occasions of one individual, independent of each other.

    Examples
    --------
    >>> combined([4.0, 9.0], [(0, 1, 0.5)], [1.0, 0.0])
    ((5.0, 3.0), (3.0, 9.0))
    """
    matrix = [[0.0] * len(between) for _ in between]
    for i, (one, other) in enumerate(zip(between, within, strict=True)):
        matrix[i][i] = one + other
    for i, j, correlation in correlations:
        matrix[i][j] = matrix[j][i] = correlation * math.sqrt(between[i] * between[j])
    return tuple(tuple(row) for row in matrix)
