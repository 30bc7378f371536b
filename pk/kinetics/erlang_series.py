"""A dose behind a chain of equal compartments, for any rates and times, element by element; see `pk.kinetics.erlang`.

    M_m(u) = (ktr u)^m e^(-ktr u) / m! * 1F1(1; m + 1; (ktr - r) u)
has no pole at r = ktr; the series and recurrences below sum it without loss of digits for every r, ktr and u.
Source: DLMF 8.7.1 and 13.2.
"""

import math
from functools import cache

import numpy as np

from pk.kinetics import exponential
from pk.kinetics.exponential import NEVER
from pk.values.arrays import Floats

_FORGOTTEN = 75.0
"""After this many mean times of half the chain's rate, nothing is in the chain: e^-75 of the dose."""

MOST_REMEMBERED = 100
"""A chain slower than that many intervals (far outside every published prior) is cut off there."""

_UNDERFLOW = 700.0


def row(rate: Floats, ktr: Floats, passed: Floats, tau: Floats, stages: int, *, bends: bool) -> Floats:
    """Return the sum over a row of unit doses of M_m, M_(m+1), M_m' and with `bends` M_m'', M_(m+1)': (3 or 5, n).

    Derivatives are with respect to the rate. The last doses of a row are summed until the chain has forgotten
    the earlier ones; those have left one exponential behind, which sums in closed form.

    Parameters
    ----------
    rate, ktr, passed, tau : ndarray, shape (n,)
        In 1/h and h; tau is `NEVER` for one dose.
    stages : int
        The m compartments.
    bends : bool
    """
    out = _one_dose(rate, ktr, passed, stages, bends)
    last = remembered(ktr, tau)
    for k in range(1, int(last.max(initial=1.0))):
        some = np.flatnonzero(last > k)
        out[:, some] += _one_dose(rate[some], ktr[some], passed[some] + k * tau[some], stages, bends)
    slow = np.flatnonzero((rate < 0.5 * ktr) & (tau < NEVER))
    if slow.size:
        since = passed[slow] + last[slow] * tau[slow]
        out[:, slow] += _forgotten(rate[slow], ktr[slow], since, tau[slow], stages, bends)
    return out


def remembered(ktr: Floats, tau: Floats) -> Floats:
    """Return how many of the last doses of a row may still be in the chain, element by element."""
    return np.asarray(np.fmin(np.ceil(2.0 * _FORGOTTEN / (ktr * tau)), float(MOST_REMEMBERED)))


def _one_dose(rate: Floats, ktr: Floats, passed: Floats, m: int, bends: bool) -> Floats:
    """The same of one dose, by dM_m/dr = -u M_m + (m / ktr) M_(m+1)."""
    behind = _behind(rate, ktr, passed, m, m + 1 + bends)
    out = np.empty((5 if bends else 3, rate.size))
    out[:2] = behind[:2]
    onward = (m / ktr) * behind[1]
    out[2] = onward - passed * behind[0]
    if bends:
        later = ((m + 1) / ktr) * behind[2]
        out[3] = passed * (passed * behind[0] - 2.0 * onward) + (m / ktr) * later
        out[4] = later - passed * behind[1]
    return out


def _forgotten(rate: Floats, ktr: Floats, passed: Floats, tau: Floats, m: int, bends: bool) -> Floats:
    """The same for all doses of a row that have left the chain, the last of them `passed` hours ago."""
    apart = 1.0 / (ktr - rate)
    left, first, second = exponential.repeated(rate, passed, tau)
    out = np.empty((5 if bends else 3, rate.size))
    out[0] = left
    out[1] = left * (ktr * apart)
    out[2] = m * apart * left + first
    if bends:
        further = (m + 1) * apart * left
        out[3] = m * apart * (further + 2.0 * first) + second
        out[4] = (ktr * apart) * (further + first)
    out *= (ktr * apart) ** m
    return out


def _behind(rate: Floats, ktr: Floats, passed: Floats, lowest: int, highest: int) -> Floats:
    """Return M_lowest ... M_highest of one dose: the highest directly, the others by recurrence."""
    y, share = ktr * passed, (ktr - rate) / ktr
    log_y = np.log(y)
    enters = np.exp(highest * log_y - y - math.lgamma(highest + 1))
    out = np.empty((highest - lowest + 1, rate.size))
    out[-1] = _highest(rate * passed, y, enters, share * y, highest)
    for m in range(highest - 1, lowest - 1, -1):
        enters = enters * ((m + 1) / y)
        out[m - lowest] = out[m + 1 - lowest] * share + enters
    return out


def _highest(decay: Floats, y: Floats, enters: Floats, x: Floats, m: int) -> Floats:
    """Return M_m by the form that loses no digits: power series, or a recurrence on either side of it."""
    out = enters.copy()
    near = np.flatnonzero(np.abs(x) <= m)
    out[near] *= rise(x[near], m)
    below = np.flatnonzero(x < -m)
    if below.size:
        out[below] *= _negative(-x[below], m)
    above = np.flatnonzero(x > m)
    if above.size:
        high = np.minimum(x[above], _UNDERFLOW)
        head = np.ones_like(high)
        for j in range(m - 1, 0, -1):
            head *= high / j
            head += 1.0
        out[above] = (y[above] / x[above]) ** m * np.exp(-decay[above]) * (1.0 - np.exp(-high) * head)
    return out


def rise(x: Floats, m: int) -> Floats:
    """Return 1F1(1; m + 1; x) for |x| <= m by its power series."""
    terms = np.multiply.outer(_steps(m), x)
    np.multiply.accumulate(terms, axis=0, out=terms)
    # Accumulated, not reduced: a reduction of a single column adds in another order than one of many.
    np.add.accumulate(terms, axis=0, out=terms)
    return np.asarray(1.0 + terms[-1])


@cache
def _steps(m: int) -> Floats:
    """Return what each term of the series is of the term before, divided by x, to the first below 1e-17."""
    count, size = 0, 1.0
    while size > 1e-17:
        count += 1
        size *= m / (m + count)
    return 1.0 / np.arange(m + 1.0, m + count + 1.0)


def _negative(x: Floats, m: int) -> Floats:
    """1F1(1; m + 1; -x) for x > m by F_j = (j / x)(1 - F_(j-1)), F_0 = e^-x, which is stable there."""
    value = np.exp(-x)
    for j in range(1, m + 1):
        value = (j / x) * (1.0 - value)
    return value
