"""What one sample adds to the objective, given the prediction: -2 ln of its likelihood without constants.

Measured: (y - f)² / Var + ln Var, or with ln y and ln f where the error is additive on the logarithm.
Below quantification (Beal's M3): -2 ln P(y < LLOQ). Source: Beal, J Pharmacokinet Pharmacodyn 28:481 (2001).
"""

import math
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from scipy.special import erfcx, log_ndtr

from pk.kinetics.structure import ErrorKind, ErrorModel
from pk.values.arrays import Bools, Floats

FLOOR_MG_L = 1e-9
"""Predictions below this count as this: far below any assay, it keeps ln f and y / f finite."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Per sample: the term, its derivative in f, and the expected second derivative (never negative)."""

    value: Floats
    slope: Floats
    curvature: Floats


def terms(error: ErrorModel, conc: Floats, censored: Bools | None, predicted: Floats) -> Terms:
    """Return the terms of all samples.

    Parameters
    ----------
    error : ErrorModel
    conc : ndarray, any shape
        Measured concentrations or, for censored samples, limits of quantification, in mg/L.
    censored : ndarray of bool, or None
        Which samples are below quantification; None if none is.
    predicted : ndarray
        Predicted concentrations, of the same shape.
    """
    f = np.maximum(predicted, FLOOR_MG_L)
    found = _measured(error, conc, f)
    if censored is not None:
        below = _below(error, conc[censored], f[censored])
        for whole, part in zip(_parts(found), _parts(below), strict=True):
            whole[censored] = part
    low = predicted < FLOOR_MG_L
    if low.any():
        found.slope[low] = 0.0
        found.curvature[low] = 0.0
    return found


def _parts(found: Terms) -> tuple[Floats, Floats, Floats]:
    return found.value, found.slope, found.curvature


def _measured(error: ErrorModel, y: Floats, f: Floats) -> Terms:
    match error.kind:
        case ErrorKind.PROPORTIONAL:
            precision = 1.0 / error.prop**2
            inverse = 1.0 / f
            ratio = y * inverse
            off = ratio - 1.0
            value = off * off * precision + 2.0 * np.log(error.prop * f)
            slope = (2.0 - 2.0 * precision * ratio * off) * inverse
            return Terms(value, slope, (2.0 * precision + 4.0) * inverse * inverse)
        case ErrorKind.LOG_ADDITIVE:
            precision = 1.0 / error.sigma**2
            inverse = 1.0 / f
            off = np.log(np.maximum(y, FLOOR_MG_L) * inverse)
            value = off * off * precision + 2.0 * math.log(error.sigma)
            return Terms(value, (-2.0 * precision) * off * inverse, 2.0 * precision * inverse * inverse)
        case ErrorKind.ADDITIVE:
            precision = 1.0 / error.add_mg_l**2
            off = y - f
            value = off * off * precision + 2.0 * math.log(error.add_mg_l)
            return Terms(value, (-2.0 * precision) * off, np.full_like(f, 2.0 * precision))
        case ErrorKind.COMBINED:
            inverse = 1.0 / _variance(error, f)
            relative = 2.0 * error.prop**2 * f * inverse
            off = y - f
            square = off * off * inverse
            slope = relative * (1.0 - square) - 2.0 * off * inverse
            return Terms(square - np.log(inverse), slope, 2.0 * inverse + relative * relative)
        case _:
            assert_never(error.kind)


def _variance(error: ErrorModel, f: Floats) -> Floats:
    return error.add_mg_l**2 + (error.prop * f) ** 2


def _below(error: ErrorModel, limit: Floats, f: Floats) -> Terms:
    """-2 ln Phi(z), by functions that do not underflow however far the prediction lies above the limit."""
    if error.kind is ErrorKind.LOG_ADDITIVE:
        z = np.log(np.maximum(limit, FLOOR_MG_L) / f) / error.sigma
        by_f = -1.0 / (error.sigma * f)
    else:
        variance = _variance(error, f)
        sd = np.sqrt(variance)
        z = (limit - f) / sd
        by_f = -1.0 / sd - z * error.prop**2 * f / variance
    with np.errstate(over="ignore"):
        hazard = math.sqrt(2.0 / math.pi) / erfcx(-z / math.sqrt(2.0))
    bend = np.clip(hazard * (z + hazard), 0.0, 1.0)
    return Terms(-2.0 * log_ndtr(z), -2.0 * hazard * by_f, 2.0 * bend * by_f * by_f)
