"""The best cut if exposure is normal among responders and among the others, each with its own spread.

Smoother than the empirical cut and narrower in its interval, as long as the assumption holds.
"""

import numpy as np

from pk.values.arrays import Floats, Ints


def binormal_cuts(mean_1: Floats, sd_1: Floats, mean_0: Floats, sd_0: Floats) -> Floats:
    """Return Youden's cut of two normal distributions, row by row; NaN where there is none.

    With a = μ₁ − μ₀ > 0 and b = σ₁/σ₀: (μ₀(b² − 1) − a + b√(a² + (b² − 1)σ₀² ln b²)) / (b² − 1), and the middle of
    the means for b = 1. There is none where the responders' mean is not above, or a spread is 0.

    Source: Fluss R, Faraggi D, Reiser B. Biom J 2005;47:458–472.

    >>> one = np.ones(1)
    >>> round(float(binormal_cuts(46.5 * one, 16.3 * one, 26.8 * one, 13.6 * one)[0]), 1)
    37.8
    """
    gap = mean_1 - mean_0
    usable = (gap > 0) & (sd_1 > 0) & (sd_0 > 0)
    a, s0 = np.where(usable, gap, 1.0), np.where(usable, sd_0, 1.0)
    ratio = np.where(usable, sd_1, 1.0) / s0
    square = ratio**2 - 1
    near = np.abs(square) < 1e-6
    divisor = np.where(near, 1.0, square)
    root = np.sqrt(np.maximum(0.0, a**2 + square * s0**2 * 2 * np.log(ratio)))
    cut = np.where(near, mean_0 + a / 2, mean_0 + (ratio * root - a) / divisor)
    return np.where(usable, cut, np.nan)


def fitted_cuts(values: Floats, responders: Ints, others: Ints) -> Floats:
    """Return the binormal cut of each row of counts, with the sample means and variances; NaN where there is none.

    Parameters
    ----------
    values : array, shape (K,) or (R, K)
    responders, others : array of int, shape (R, K)
    """
    mean_1, sd_1 = _moments(values, responders)
    mean_0, sd_0 = _moments(values, others)
    return binormal_cuts(mean_1, sd_1, mean_0, sd_0)


def _moments(values: Floats, counts: Ints) -> tuple[Floats, Floats]:
    """Mean and standard deviation (n − 1) of each row of counts; the latter 0 for a single patient."""
    total = counts.sum(axis=1)
    mean = np.sum(values * counts, axis=1) / total
    squares = np.sum(counts * (values - mean[:, None]) ** 2, axis=1)
    return mean, np.sqrt(squares / np.maximum(total - 1, 1))
