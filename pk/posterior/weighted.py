"""Quantiles and effective size of weighted draws."""

from dataclasses import dataclass

import numpy as np

from pk.values.arrays import Floats, Indices


@dataclass(frozen=True, slots=True)
class Summary:
    """A distribution in four numbers, arrays of one shape: equal-tailed interval, median and mean."""

    low: Floats
    median: Floats
    high: Floats
    mean: Floats


def normalised(log_weight: Floats) -> tuple[Floats, Floats]:
    """Return weights that sum to 1, and the logarithm of the mean of the unnormalised ones.

    Parameters
    ----------
    log_weight : ndarray, shape (..., M)
        A draw that is not a finite number or +inf off counts as impossible.

    Returns
    -------
    weight : ndarray, shape (..., M), log_mean : ndarray, shape (...)
        If every draw is impossible, equal weights and -inf.

    Examples
    --------
    >>> weight, log_mean = normalised(np.log([3.0, 1.0]))
    >>> weight.round(6).tolist(), round(float(np.exp(log_mean)), 6)
    ([0.75, 0.25], 2.0)
    """
    usable = np.where(np.isfinite(log_weight), log_weight, -np.inf)
    most = usable.max(axis=-1, keepdims=True)
    nothing = most == -np.inf
    weight = np.exp(np.where(nothing, 0.0, usable - np.where(nothing, 0.0, most)))
    total = weight.sum(axis=-1, keepdims=True)
    log_mean = np.where(nothing, -np.inf, most + np.log(total / weight.shape[-1]))
    return weight / total, log_mean[..., 0]


def effective_size(weight: Floats) -> Floats:
    """Return how many equal draws weights (..., M) that sum to 1 are worth: 1 / sum of squares.

    Source: Kish, Survey Sampling (1965).
    """
    return np.asarray(1.0 / np.sum(weight * weight, axis=-1))


def quantiles(value: Floats, weight: Floats, levels: tuple[float, ...]) -> Floats:
    """Return weighted quantiles along the last axis, linear between the middles of the draws' weights.

    Parameters
    ----------
    value, weight : ndarray, shape (N, M)
        Values are 0 or more, weights sum to 1. A value that is not finite counts as the largest there
        is; one of weight 0 counts for nothing.
    levels : tuple of float

    Returns
    -------
    ndarray, shape (len(levels), N)

    Examples
    --------
    >>> quantiles(np.array([[4.0, 2.0]]), np.array([[0.5, 0.5]]), (0.25, 0.5)).tolist()
    [[2.0], [3.0]]
    """
    usable = (weight > 0) & np.isfinite(value)
    largest = np.max(value, axis=-1, keepdims=True, where=usable, initial=0.0)
    filled = np.where(usable, value, largest)
    order = np.argsort(filled, axis=-1)
    sorted_value = np.take_along_axis(filled, order, axis=-1)
    share = np.take_along_axis(weight, order, axis=-1)
    middle = np.cumsum(share, axis=-1) - 0.5 * share
    out = np.empty((len(levels), value.shape[0]))
    for row, level in zip(out, levels, strict=True):
        after = np.clip(np.sum(middle < level, axis=-1, keepdims=True), 1, value.shape[1] - 1)
        low, high = (np.take_along_axis(middle, at, axis=-1)[:, 0] for at in (after - 1, after))
        first, second = (np.take_along_axis(sorted_value, at, axis=-1)[:, 0] for at in (after - 1, after))
        gap = high - low
        part = np.clip((level - low) / np.where(gap > 0, gap, 1.0), 0.0, 1.0)
        row[:] = first + part * (second - first)
    return out


def summarise(value: Floats, weight: Floats, level: float) -> Summary:
    """Return the equal-tailed interval at that level, median and mean of draws (N, M), each shape (N,)."""
    tail = 0.5 * (1.0 - level)
    low, median, high = quantiles(value, weight, (tail, 0.5, 1.0 - tail))
    return Summary(low, median, high, np.sum(np.where(weight > 0, value * weight, 0.0), axis=-1))


def resampled(order: Floats, weight: Floats, count: int) -> Indices:
    """Return the indices of `count` equal draws that stand for weighted ones (M,), in the order of `order`.

    Systematic resampling along a sorted quantity keeps that quantity's distribution to 1 / count.

    >>> resampled(np.array([3.0, 1.0, 2.0]), np.array([0.5, 0.5, 0.0]), 4).tolist()
    [1, 1, 0, 0]
    """
    sorted_by = np.argsort(order)
    total = np.cumsum(weight[sorted_by])
    marks = (np.arange(count) + 0.5) / count * total[-1]
    picked = sorted_by[np.searchsorted(total, marks)]
    return np.asarray(picked, dtype=np.intp)
