"""What is left of doses that pass a chain of equal compartments before they wash out at one rate.

A dose passes m compartments, each left at the rate ktr (Erlang-distributed delay), and then one left at the
rate r, in which
    M_m(u) = (ktr / (ktr - r))^m e^(-r u) P(m, (ktr - r) u),    P the regularised incomplete gamma function,
is left after u hours. With x = (ktr - r) u, y = ktr u and H_m(x) = 1 + x + ... + x^(m-1) / (m-1)! this is
    M_m(u) = (ktr / (ktr - r))^m (e^(-r u) - e^(-y) H_m(x)),
where e^(-y), the only part that does not sum in closed form over a row of doses, is soon nothing. Where x is small
the difference loses digits and a series replaces it; where r is not well below ktr,
`pk.kinetics.erlang_series` does the whole.
Source: Savic et al., J Pharmacokinet Pharmacodyn 34:711 (2007) for the chain; DLMF 8.4.10 for the finite sum.
"""

import math
from dataclasses import dataclass

import numpy as np

from pk.kinetics import erlang_series
from pk.kinetics.exponential import NEVER, Derivatives
from pk.values.arrays import Bools, Floats, Indices

_FORGOTTEN = 75.0
"""After this many of the chain's mean times per compartment nothing is in the chain: e^-75 of the dose."""

_UNDERFLOW = 700.0
_LONG = 1e6


@dataclass(frozen=True, slots=True)
class Chained:
    """Sums over all doses, each (R, S, N): `left` behind m and `longer` behind m + 1 compartments; `slope` is the
    derivative of `left` with respect to the rate. That with respect to ln ktr is m (left - longer).
    """

    left: Floats
    longer: Floats
    slope: Floats


def washout(rates: Floats, ktr: Floats, stages: int, since: Floats, every: Floats, amount: Floats) -> Chained:
    """Return the amount left of all doses at each rate behind `stages` compartments.

    Parameters as for `exponential.washout`; `ktr` has shape (N,).
    """
    given = since < NEVER
    passed = since if given.all() else np.where(given, since, 1.0)
    mg = amount if passed is since else np.where(given, amount, 0.0)
    rate = rates[:, None, None, :]
    share = 1.0 - rate / ktr
    slow = share * np.minimum(1.0, ktr * np.add(passed, every) * (0.2 / (stages + 1))) > 0.1
    left, longer, slope = _rows(rate, ktr, np.maximum(share, 0.1), stages, passed, every)
    if not slow.all():
        hard = given & ~slow
        which, dose, sample, subject = np.nonzero(hard)
        left[hard], longer[hard], slope[hard] = erlang_series.row(
            rates[which, subject],
            ktr[subject],
            passed[dose, sample, subject],
            every[dose, 0, subject],
            stages,
            bends=False,
        )
    for part in (left, longer, slope):
        np.multiply(part, mg, out=part)
    if since.shape[0] == 1:
        return Chained(left[:, 0], longer[:, 0], slope[:, 0])
    return Chained(left.sum(axis=1), longer.sum(axis=1), slope.sum(axis=1))


def _rows(
    rate: Floats, ktr: Floats, share: Floats, stages: int, passed: Floats, every: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return `left`, `longer` and `slope` of each dose or row of unit doses, (R, D, S, N), where no digits cancel."""
    y = np.minimum(ktr * passed, _UNDERFLOW)
    gone = np.exp(-y)
    enters = _power(y, stages) * gone
    x = share * y
    decay = np.exp(-rate * passed)
    # What one dose leaves is decay - head * gone; what a row leaves is that and its earlier doses.
    longer = _head(x, stages + 1)
    longer *= gone
    np.subtract(decay, longer, out=longer)
    few = x < 0.5 * (stages + 1)
    if few.any():
        near = np.broadcast_to(gone, x.shape)[few]
        longer[few] = near * _power(x[few], stages + 1) * erlang_series.rise(x[few], stages + 1)
    again = 1.0 / np.expm1(np.minimum(rate * every, _UNDERFLOW))
    decay *= again
    longer += decay
    late = _late(share, ktr, stages, passed, every, (enters, longer))
    ratio = 1.0 / share
    size = _raised(ratio, stages)
    longer *= size * ratio
    left = longer * share
    left += enters
    # Each dose's slope is -u M_m + (m / ktr) M_(m+1); the earlier doses of the row have longer to go.
    slope = longer * (stages / ktr)
    slope -= passed * left
    decay *= size * (1.0 + again) * np.minimum(every, _LONG)
    slope -= decay
    if late is not None:
        slope += size * late
    return left, longer, slope


def _late(
    share: Floats,
    ktr: Floats,
    stages: int,
    passed: Floats,
    every: Floats,
    into: tuple[Floats, Floats],
) -> Floats | None:
    """Put the earlier doses that are still in the chain into `enters` and `longer`; return what they add to the slope.

    Only chains nearly as slow as the interval remember any.
    """
    enters, longer = into
    first = ktr * (passed + every)
    if not np.any(first < _FORGOTTEN):
        return None
    slope = np.zeros(longer.shape)
    for k in range(1, erlang_series.MOST_REMEMBERED):
        dose, sample, subject = np.nonzero(ktr * (passed + k * every) < _FORGOTTEN)
        if subject.size == 0:
            break
        back = k * every[dose, 0, subject]
        y = ktr[subject] * (passed[dose, sample, subject] + back)
        gone = np.exp(-y)
        here = share[:, 0, 0, subject] * y if share.shape[1] == 1 else share[:, dose, 0, subject] * y
        head, most = _head(here, stages), _power(here, stages)
        enters[dose, sample, subject] += _power(y, stages) * gone
        longer[:, dose, sample, subject] -= gone * (head + most)
        slope[:, dose, sample, subject] += back * gone * head
    return slope


def _head(x: Floats, count: int) -> Floats:
    """Return the first `count` terms of the exponential series."""
    total = np.ones_like(x)
    for j in range(count - 1, 0, -1):
        total *= x
        total *= 1.0 / j
        total += 1.0
    return total


def _power(x: Floats, m: int) -> Floats:
    """Return x^m / m!."""
    return _raised(x, m) * (1.0 / math.factorial(m))


def _raised(x: Floats, m: int) -> Floats:
    """Return x^m by squaring, for m >= 1: several times faster than the power function."""
    out, square = None, x
    while m:
        if m & 1:
            out = square if out is None else out * square
        square = square * square
        m >>= 1
    assert out is not None
    return out


def washout_derivatives(
    ktr: Floats, stages: int, since: Floats, every: Floats, amount: Floats
) -> Derivatives:
    """Return the function that gives derivatives of `left` (two) and `longer` (one) of `washout` at chosen places."""

    def at(rate: Floats, sample: Indices, subject: Indices) -> Floats:
        passed = since[:, sample, subject]
        given = passed < NEVER
        mg = np.where(given, amount[:, 0, subject], 0.0)
        flat = (np.where(given, passed, 1.0), rate, ktr[subject], every[:, 0, subject])
        since_each, rate_each, ktr_each, tau_each = (part.ravel() for part in np.broadcast_arrays(*flat))
        found = erlang_series.row(rate_each, ktr_each, since_each, tau_each, stages, bends=True)
        return np.asarray(np.add.reduce(found[2:].reshape(3, *passed.shape) * mg, axis=1))

    return at


def in_chain(ktr: Floats, stages: int, since: Floats, every: Floats, amount: Floats) -> tuple[Floats, Floats]:
    """Return what all doses have in the chain, and its derivative with respect to ln ktr: each (S, N)."""
    given: Bools = since < NEVER
    passed, mg = np.where(given, since, 1.0), np.where(given, amount, 0.0)
    inside, by_log = np.zeros_like(passed), np.zeros_like(passed)
    last = erlang_series.remembered(ktr, every)
    for k in range(int(last.max(initial=1.0))):
        weight = np.where(last > k, mg, 0.0)
        y = ktr * (passed + k * np.where(last > k, every, 0.0))
        gone = np.exp(-y)
        inside += weight * gone * _head(y, stages)
        by_log -= weight * gone * stages * _power(y, stages)
    return inside.sum(axis=0), by_log.sum(axis=0)
