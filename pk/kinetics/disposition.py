"""How a dose in the central compartment is washed out: one or two exponentials, with derivatives.

A two-compartment model with rates k10, k12, k21 behaves like a mixture of two one-compartment models with
rates alpha and beta, weights 1 - w and w, w = (k21 - beta) / (alpha - beta) in [0, 1]. Every sum below has
positive terms only, so nothing cancels, whatever the rates. Source: partial fractions of the transfer
function (s + k21) / ((s + alpha)(s + beta)); Gibaldi & Perrier, Pharmacokinetics, 2nd ed., appendix B.
"""

from dataclasses import dataclass

import numpy as np

from pk.kinetics.structure import PARAMETERS, Structure
from pk.values.arrays import Floats

_TINY = 1e-100


@dataclass(frozen=True, slots=True)
class Mixture:
    """The disposition as a mixture of exponentials, with derivatives in ln k10, ln k12, ln k21.

    `rates` (R, N): alpha, beta, or k10 alone. `weights` (R, N): their shares divided by V1.
    `d_rates`, `d_weights` (3, R, N), or None: derivatives with respect to ln k10, ln k12, ln k21.
    """

    rates: Floats
    weights: Floats
    d_rates: Floats | None
    d_weights: Floats | None


def disposition(structure: Structure, parameters: Floats, *, gradient: bool) -> Mixture:
    """Return how a unit dose in the central compartment is washed out.

    Parameters
    ----------
    structure : Structure
    parameters : ndarray, shape (P, N)
        Structural parameters on their natural scale, in the order of `PARAMETERS`.
    gradient : bool
        Whether derivatives are wanted.
    """
    k10 = parameters[0] / parameters[1]
    per_volume = 1.0 / parameters[1]
    if "Q" not in PARAMETERS[structure]:
        rates = k10[None]
        return Mixture(rates, per_volume[None], rates[None] if gradient else None, None)
    k12, k21 = parameters[2] / parameters[1], parameters[2] / parameters[3]
    total = k10 + k12 + k21
    # alpha - beta as a root of squares and products: no cancellation but the exact one of k10 - k21.
    spread = np.sqrt((k10 - k21) ** 2 + k12 * (k12 + 2.0 * (k10 + k21)))
    np.maximum(spread, _TINY, out=spread)
    alpha = 0.5 * (total + spread)
    beta = k10 * (k21 / alpha)
    lean = k21 - k10 - k12
    # (k21 - beta)(alpha - k21) = k12 k21: the larger factor is a sum, the smaller follows from it.
    large = 0.5 * (np.abs(lean) + spread)
    small = k12 * k21 / np.maximum(large, _TINY)
    positive = lean >= 0
    rates, shares = np.empty((2, *k10.shape)), np.empty((2, *k10.shape))
    rates[0], rates[1] = alpha, beta
    shares[0], shares[1] = np.where(positive, small, large), np.where(positive, large, small)
    shares /= spread
    fast, slow = shares
    weights = shares * per_volume
    if not gradient:
        return Mixture(rates, weights, None, None)
    d_rates = np.empty((3, *rates.shape))
    np.multiply(k10, fast, out=d_rates[0, 0])
    np.multiply(k10, slow, out=d_rates[0, 1])
    d_rates[1] = rates * (k12 / spread)
    np.negative(d_rates[1, 1], out=d_rates[1, 1])
    d_rates[2, 0] = k21 * (alpha - k10) / spread
    d_rates[2, 1] = k21 * (k10 - beta) / spread
    d_weights = np.empty((3, *rates.shape))
    d_slow = d_weights[:, 1]
    d_slow[0] = -2.0 * k10 * slow * fast / spread
    d_slow[1] = k12 * (beta - slow * total) / (spread * spread)
    d_slow[2] = (k21 - d_rates[2, 1] - slow * (d_rates[2, 0] - d_rates[2, 1])) / spread
    d_slow *= per_volume
    np.negative(d_slow, out=d_weights[:, 0])
    return Mixture(rates, weights, d_rates, d_weights)
