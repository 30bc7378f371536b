"""p values adjusted for how many there are."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p values adjusted so that the chance of any false claim keeps its level; order as given.

    Source: Holm S. Scand J Stat 1979;6:65–70.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * np.arange(given.size, 0, -1))
    return _restored(stepped, order)


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the q values: adjusted so that the expected share of false claims keeps its level; order as given.

    Source: Benjamini Y, Hochberg Y. J R Stat Soc B 1995;57:289–300.

    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    (0.03, 0.04, 0.04)
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    scaled = given[order] * (given.size / np.arange(1, given.size + 1))
    return _restored(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _restored(ordered: np.ndarray, order: np.ndarray) -> tuple[float, ...]:
    adjusted = np.empty(order.size)
    adjusted[order] = np.minimum(ordered, 1.0)
    return tuple(adjusted.tolist())
