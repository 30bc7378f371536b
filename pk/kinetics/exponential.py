"""What is left of doses that wash out at one rate: sums of exponentials over any dose history, and the quotients
of two of them that first-order absorption needs.

A dose given once leaves e^(-r u) after u hours. A dose that ends an endless row, one every tau hours, leaves
e^(-r u) (1 + e^(-r tau) + e^(-2 r tau) + ...) = e^(-r u) / (1 - e^(-r tau)): steady state, exactly.
A dose given once is the same with tau = `NEVER`.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from pk.values.arrays import Floats, Indices

NEVER = 1e30
"""An interval, in h, after which nothing of any dose is left: the interval of a dose given once."""

_NEAR = 2e-3
"""Below this |difference of rates| x time, the difference quotient loses digits; the mean derivative replaces it."""

_SMOOTH = 0.3
"""The mean derivative is exact to 1e-12 while |difference of rates| x the longest time is below this."""

_NODES, _WEIGHTS = (0.5 * a for a in np.polynomial.legendre.leggauss(4))

Derivatives: TypeAlias = Callable[[Floats, Indices, Indices], Floats]
"""(rates (n,), sample indices (n,), subject indices (n,)) -> first two derivatives in the rate, (2, n)."""


def washout(rates: Floats, since: Floats, every: Floats, amount: Floats) -> tuple[Floats, Floats]:
    """Return the amount left of all doses at each rate, and its derivative with respect to the rate.

    Parameters
    ----------
    rates : ndarray, shape (R, N)
        In 1/h.
    since : ndarray, shape (D, S, N)
        Hours since each dose, in (0, every] for the doses of a row, `NEVER` for a dose still to come.
    every : ndarray, shape (D, 1, N)
        Hours between the doses of a row, `NEVER` for a dose given once.
    amount : ndarray, shape (D, 1, N)
        In mg.

    Returns
    -------
    left, slope : ndarray, shape (R, S, N)
        In mg, and mg·h.
    """
    rates = rates[:, None, None, :]
    whole = rates * every
    np.negative(whole, out=whole)
    np.expm1(whole, out=whole)
    np.divide(-1.0, whole, out=whole)
    left = rates * since
    np.negative(left, out=left)
    np.exp(left, out=left)
    left *= whole * amount
    slope = since + every * (whole - 1.0)
    slope *= left
    if left.shape[1] == 1:
        left, slope = left[:, 0], slope[:, 0]
    else:
        left, slope = left.sum(axis=1), slope.sum(axis=1)
    return left, np.negative(slope, out=slope)


def repeated(rate: Floats, passed: Floats, tau: Floats) -> tuple[Floats, Floats, Floats]:
    """Return e^(-r u) / (1 - e^(-r tau)) and its first two derivatives with respect to r, element by element.

    With b = 1 / (e^(r tau) - 1) and c = u + tau b, g = e^(-r u) (1 + b) has g' = -c g.
    """
    whole = -1.0 / np.expm1(-rate * tau)
    b = whole - 1.0
    left = whole * np.exp(-rate * passed)
    c = passed + tau * b
    return left, -c * left, (c * c + tau * tau * b * whole) * left


def washout_derivatives(since: Floats, every: Floats, amount: Floats) -> Derivatives:
    """Return the function that gives two derivatives of what `washout` returns, at chosen places."""

    def at(rate: Floats, sample: Indices, subject: Indices) -> Floats:
        passed = since[:, sample, subject]
        given = passed < NEVER
        mg = np.where(given, amount[:, 0, subject], 0.0)
        _, first, second = repeated(rate, np.where(given, passed, 0.0), every[:, 0, subject])
        return np.asarray(np.add.reduce(np.stack((first, second)) * mg, axis=1))

    return at


def quotient(
    left: Floats,
    slope: Floats,
    rates: Floats,
    derivatives: Derivatives,
    times: tuple[Floats, Floats],
    longer: Floats | None = None,
) -> tuple[Floats, Floats, Floats, Floats | None]:
    """Return (left(r) - left(k)) / (k - r) and its derivatives in r and in k, for k the last of the rates.

    Equal and nearly equal rates are no special case for the caller.

    Parameters
    ----------
    left, slope : ndarray, shape (R + 1, S, N)
        The amounts at the rates, and their derivatives in the rate (negative).
    rates : ndarray, shape (R + 1, N)
        In 1/h.
    derivatives : callable
        As of `washout_derivatives`; used where two rates nearly agree. With `longer` its third row is the
        first derivative of that.
    times : tuple of ndarray
        `since` (D, S, N) and `every` (D, 1, N), as of `washout`.
    longer : ndarray, shape (R + 1, S, N), or None
        Other amounts whose quotient is wanted too.

    Returns
    -------
    value, by_rate, by_last : ndarray, shape (R, S, N)
    value_longer : ndarray, shape (R, S, N), or None
    """
    gap = (rates[-1] - rates[:-1])[:, None, :]
    close = np.abs(gap) * slope[:-1] > -_NEAR * left[:-1]
    inverse = 1.0 / np.where(np.abs(gap) < 1e-12 * rates[-1], 1.0, gap)
    value = left[:-1] - left[-1]
    value *= inverse
    by_rate = slope[:-1] + value
    by_rate *= inverse
    by_last = slope[-1] + value
    by_last *= inverse
    np.negative(by_last, out=by_last)
    value_longer = None if longer is None else (longer[:-1] - longer[-1]) * inverse
    if close.any():
        which, sample, subject = np.nonzero(close)
        apart = np.abs(gap[which, 0, subject]) * _longest(*times, sample, subject)
        some = apart < _SMOOTH
        places = (which[some], sample[some], subject[some])
        _mend(places, rates, derivatives, (value, by_rate, by_last, value_longer))
    return value, by_rate, by_last, value_longer


def _longest(since: Floats, every: Floats, sample: Indices, subject: Indices) -> Floats:
    """Return the longest time, in h, with which a rate enters what is left: from a dose, or from the one before."""
    passed, tau = since[:, sample, subject], every[:, 0, subject]
    return np.asarray(np.max(np.where(passed < NEVER, passed + np.where(tau < NEVER, tau, 0.0), 0.0), axis=0))


def _mend(
    places: tuple[Indices, Indices, Indices],
    rates: Floats,
    derivatives: Derivatives,
    into: tuple[Floats, Floats, Floats, Floats | None],
) -> None:
    """Put the mean derivative between both rates, by Gauss's rule, where they nearly agree."""
    which, sample, subject = places
    low, high = rates[which, subject], rates[-1, subject]
    nodes = 0.5 * (low + high) + _NODES[:, None] * (high - low)
    found = derivatives(nodes.ravel(), np.tile(sample, nodes.shape[0]), np.tile(subject, nodes.shape[0]))
    first, bend, *longer = -found.reshape(found.shape[0], *nodes.shape)
    value, by_rate, by_last, value_longer = into
    value[places] = _mean(_WEIGHTS, first)
    by_rate[places] = _mean(_WEIGHTS * (0.5 - _NODES), bend)
    by_last[places] = _mean(_WEIGHTS * (0.5 + _NODES), bend)
    if value_longer is not None:
        value_longer[places] = _mean(_WEIGHTS, longer[0])


def _mean(weights: Floats, parts: Floats) -> Floats:
    """Return the weighted sum over the nodes, in the same order for one place as for many."""
    return np.asarray(np.add.reduce(weights[:, None] * parts, axis=0))
