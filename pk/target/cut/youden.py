"""The exposure that separates best by Youden's index, for many samples at once.

The rule is: response is expected at exposure ≥ T. T lies midway between two neighbouring exposures of the sample;
J(T) = sensitivity + specificity − 1. For "lower is better" the caller turns the sign of exposures and cuts.

Source: Youden W. Cancer 1950;3:32–35.
"""

from dataclasses import dataclass

import numpy as np

from pk.target.cut.discrimination import Counts
from pk.values.arrays import Floats, Ints


@dataclass(frozen=True, slots=True)
class Cuts:
    """Every cut of one sample, in increasing order, with its sensitivity and specificity; shapes (K−1,)."""

    values: Floats
    sensitivity: Floats
    specificity: Floats


@dataclass(frozen=True, slots=True)
class Best:
    """The best cut of each row, NaN where a row has one exposure only, with its sensitivity and specificity."""

    value: Floats
    sensitivity: Floats
    specificity: Floats


@dataclass(frozen=True, slots=True)
class EmpiricalCut:
    """The cut of the greatest J. Equally good ones are all in `ties`; the median one is `value`."""

    value: float
    sensitivity: float
    specificity: float
    ties: tuple[float, ...]


def cuts_of(counts: Counts) -> Cuts:
    """Return every cut of a sample with patients on both sides of the outcome."""
    above = counts.responders.sum() - np.cumsum(counts.responders)[:-1]
    below = np.cumsum(counts.others)[:-1]
    middle = (counts.values[:-1] + counts.values[1:]) / 2
    return Cuts(middle, above / counts.responders.sum(), below / counts.others.sum())


def best_cuts(values: Floats, responders: Ints, others: Ints, *, upper: bool = False) -> Best:
    """Return the best cut of each row of counts.

    Parameters
    ----------
    values : array, shape (K,) or (R, K)
        Distinct exposures in increasing order, common to all rows or of each row.
    responders, others : array of int, shape (R, K)
        How many patients of each row have that exposure; no row is without responders or without others.
    upper : bool
        Of an even number of equally good cuts, whether the upper of the middle two is taken.
    """
    n1, n0 = responders.sum(axis=1, keepdims=True), others.sum(axis=1, keepdims=True)
    above = (n1 - np.cumsum(responders, axis=1))[:, :-1]
    below = np.cumsum(others, axis=1)[:, :-1]
    present = responders + others > 0
    places = np.where(present, np.arange(present.shape[1]), -1)
    neighbour = np.maximum.accumulate(places, axis=1)[:, :-1]
    possible = present[:, 1:] & (neighbour >= 0)
    index = np.where(possible, above * n0 + below * n1, -1)  # J in whole numbers, so that ties are exact
    tied = (index == index.max(axis=1, keepdims=True)) & possible
    chosen = _middle(tied, upper)
    usable = possible.any(axis=1)
    rows = np.arange(usable.size)
    table = np.broadcast_to(values, present.shape)
    cut = (table[rows, neighbour[rows, chosen]] + table[rows, chosen + 1]) / 2
    return Best(
        np.where(usable, cut, np.nan),
        np.where(usable, above[rows, chosen] / n1[:, 0], np.nan),
        np.where(usable, below[rows, chosen] / n0[:, 0], np.nan),
    )


def empirical_cut(counts: Counts, *, upper: bool = False) -> EmpiricalCut:
    """Return the best cut of a sample with at least two distinct exposures.

    >>> counts = Counts(np.array([20.0, 30.0, 40.0]), np.array([0, 1, 1]), np.array([1, 1, 0]))
    >>> empirical_cut(counts).ties
    (25.0, 35.0)
    """
    best = best_cuts(counts.values, counts.responders[None, :], counts.others[None, :], upper=upper)
    n1, n0 = int(counts.responders.sum()), int(counts.others.sum())
    above = (n1 - np.cumsum(counts.responders))[:-1]
    index = above * n0 + np.cumsum(counts.others)[:-1] * n1
    middle = (counts.values[:-1] + counts.values[1:]) / 2
    ties = tuple(middle[index == index.max()].tolist())
    return EmpiricalCut(float(best.value[0]), float(best.sensitivity[0]), float(best.specificity[0]), ties)


def closest_topleft(counts: Counts, *, upper: bool = False) -> float:
    """Return the cut whose point on the ROC curve is nearest to sensitivity 1, specificity 1.

    Shown beside Youden's, never instead: it is not the cut with the fewest misclassified.
    Source: Perkins N, Schisterman E. Am J Epidemiol 2006;163:670–675.
    """
    cuts = cuts_of(counts)
    distance = (1 - cuts.sensitivity) ** 2 + (1 - cuts.specificity) ** 2
    nearest = np.isclose(distance, distance.min(), rtol=0, atol=1e-12)
    return float(cuts.values[_middle(nearest[None, :], upper)[0]])


def at_cuts(counts: Counts, cuts: Floats) -> tuple[Floats, Floats]:
    """Return sensitivity and specificity of a sample at any cuts, shapes as the cuts."""
    place = np.searchsorted(counts.values, cuts, side="left")
    up_to_1 = np.concatenate([[0], np.cumsum(counts.responders)])
    up_to_0 = np.concatenate([[0], np.cumsum(counts.others)])
    return 1 - up_to_1[place] / up_to_1[-1], up_to_0[place] / up_to_0[-1]


def _middle(tied: np.ndarray, upper: bool) -> Ints:
    """The place of the middle one of those marked in each row."""
    order = np.cumsum(tied, axis=1)
    wanted = order[:, -1:] // 2 + 1 if upper else (order[:, -1:] + 1) // 2
    place: Ints = np.argmax(order == wanted, axis=1)
    return place
