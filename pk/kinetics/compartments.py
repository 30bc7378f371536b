"""Closed-form concentrations and areas of one- and two-compartment models, for a whole batch at once.

Arrays have the subjects last: D doses, S samples, N subjects (or subject-draw pairs), P parameters, in the
order of `pk.kinetics.structure.PARAMETERS`. Each dose fraction in the central compartment leaves at the rates of
`pk.kinetics.disposition`; what enters it comes at once (bolus), from a depot (rate ka), or from a depot at the end of a
chain of transit compartments.
"""

from dataclasses import dataclass

import numpy as np

from pk.kinetics import erlang, exponential
from pk.kinetics.disposition import Mixture, disposition
from pk.kinetics.structure import PARAMETERS, Structure
from pk.values.arrays import Floats


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The doses as seen from the samples; see `pk.kinetics.dosing.elapsed`.

    Attributes
    ----------
    since : ndarray, shape (D, S, N)
        Hours since the dose (or the last of its row) reached the first compartment, above 0;
        `exponential.NEVER` for a dose still to come.
    every : ndarray, shape (D, 1, N)
        Hours between the doses of a row; `exponential.NEVER` for a dose given once.
    amount : ndarray, shape (D, 1, N)
        In mg, in the dose basis of the model.
    """

    since: Floats
    every: Floats
    amount: Floats


@dataclass(frozen=True, slots=True)
class Course:
    """Predicted values and their derivatives.

    Attributes
    ----------
    value : ndarray, shape (S, N)
        Concentration in mg/L, or area still to come in mg·h/L.
    gradient : ndarray, shape (P, S, N), or None
        Derivatives with respect to the logarithms of the structural parameters.
    """

    value: Floats
    gradient: Floats | None


@dataclass(frozen=True, slots=True)
class _Central:
    """Amounts that pass through the central compartment, one row per rate of the disposition.

    `amount` (R, S, N) in mg; `by_rate` its derivative with respect to that row's rate; `by_input` (I, R, S, N)
    those with respect to the logarithms of the input's parameters (ka, tlag or ka, MTT); `waiting` (S, N) what
    is absorbed but not yet in the central compartment, `by_waiting` (I, S, N) its derivatives.
    """

    amount: Floats
    by_rate: Floats
    by_input: Floats | None
    waiting: Floats | None
    by_waiting: Floats | None


def concentrations(
    structure: Structure, n_transit: int, parameters: Floats, doses: Elapsed, *, gradient: bool
) -> Course:
    """Return the concentrations in the central compartment, and their derivatives if wanted.

    Parameters
    ----------
    structure : Structure
    n_transit : int
        Transit compartments between the dose compartment and the depot.
    parameters : ndarray, shape (P, N)
        On their natural scale.
    doses : Elapsed
        The doses; the lag, if any, is already in them.
    gradient : bool
        Whether derivatives are wanted.

    Examples
    --------
    >>> dose = Elapsed(np.full((1, 1, 1), 2.0), np.full((1, 1, 1), exponential.NEVER), np.full((1, 1, 1), 100.0))
    >>> bolus = Structure.ONE_COMPARTMENT_BOLUS
    >>> course = concentrations(bolus, 0, np.array([[5.0], [50.0]]), dose, gradient=False)
    >>> bool(np.isclose(course.value[0, 0], 2.0 * np.exp(-0.2)))
    True
    """
    mixture = disposition(structure, parameters, gradient=gradient)
    central = _central(structure, n_transit, parameters, mixture, doses, waiting=False)
    return _mixed(mixture, central.amount, central.by_rate, central.by_input if gradient else None, gradient)


def areas_to_come(
    structure: Structure, n_transit: int, parameters: Floats, doses: Elapsed, *, gradient: bool
) -> Course:
    """Return the area under the curve from each time to infinity that the doses given so far leave.

    Parameters and result as for `concentrations`; mass balance gives the area of a mixture's part as
    (amount in it + amount on its way into it) / rate.
    """
    mixture = disposition(structure, parameters, gradient=gradient)
    central = _central(structure, n_transit, parameters, mixture, doses, waiting=True)
    rates = mixture.rates[:, None, :]
    total = central.amount if central.waiting is None else central.amount + central.waiting
    by_input = central.by_input
    if by_input is not None and central.by_waiting is not None:
        by_input = (by_input + central.by_waiting[:, None]) / rates
    area = total / rates
    return _mixed(mixture, area, (central.by_rate - area) / rates, by_input, gradient)


def _mixed(
    mixture: Mixture, part: Floats, by_rate: Floats, by_input: Floats | None, gradient: bool
) -> Course:
    """Put the parts of the mixture together: the value, and the derivatives in all log parameters."""
    weights = mixture.weights[:, None, :]
    value = np.add.reduce(weights * part, axis=0)
    if not gradient or mixture.d_rates is None:
        return Course(value, None)
    steep = weights * by_rate
    inputs = 0 if by_input is None else by_input.shape[0]
    if part.shape[0] == 1:
        out = np.empty((2 + inputs, *value.shape))
        np.multiply(mixture.d_rates[0, 0], steep[0], out=out[0])
        np.add(out[0], value, out=out[1])
        np.negative(out[1], out=out[1])
    else:
        out = np.empty((4 + inputs, *value.shape))
        _disposition_gradient(mixture, part, steep, value, out)
    if by_input is not None:
        np.add.reduce(weights * by_input, axis=1, out=out[-inputs:])
    return Course(value, out)


def _disposition_gradient(mixture: Mixture, part: Floats, steep: Floats, value: Floats, out: Floats) -> None:
    """Write the derivatives in ln CL, ln V1, ln Q, ln V2 to the first four rows of `out`.

    k10 = CL/V1, k12 = Q/V1, k21 = Q/V2, and the weights carry 1/V1.
    """
    assert mixture.d_rates is not None and mixture.d_weights is not None
    by_k = mixture.d_rates[:, 0, None, :] * steep[0]
    by_k += mixture.d_rates[:, 1, None, :] * steep[1]
    by_k += mixture.d_weights[:, 1, None, :] * (part[1] - part[0])
    out[0] = by_k[0]
    np.add(by_k[0], by_k[1], out=out[1])
    out[1] += value
    np.negative(out[1], out=out[1])
    np.add(by_k[1], by_k[2], out=out[2])
    np.negative(by_k[2], out=out[3])


def _central(
    structure: Structure,
    n_transit: int,
    parameters: Floats,
    mixture: Mixture,
    doses: Elapsed,
    *,
    waiting: bool,
) -> _Central:
    """Return what the doses put through the central compartment, and if wanted what waits before it."""
    names = PARAMETERS[structure]
    if "ka" not in names:
        left, slope = exponential.washout(mixture.rates, doses.since, doses.every, doses.amount)
        return _Central(left, slope, None, None, None)
    ka = parameters[names.index("ka")]
    rates = np.concatenate((mixture.rates, ka[None]))
    if "MTT" in names:
        return _after_transit(rates, (n_transit + 1) / parameters[-1], n_transit + 1, doses, waiting=waiting)
    left, slope = exponential.washout(rates, doses.since, doses.every, doses.amount)
    derivatives = exponential.washout_derivatives(doses.since, doses.every, doses.amount)
    amount, by_rate, by_ka, _ = exponential.quotient(
        left, slope, rates, derivatives, (doses.since, doses.every)
    )
    by_ka *= ka
    by_ka += amount
    by_ka *= ka
    amount *= ka
    by_rate *= ka
    # A dose given a little later: d/dt of a part is - rate * part + ka * depot.
    lag = parameters[-1]
    by_lag = rates[:-1, None, :] * amount
    by_lag -= ka * left[-1]
    by_lag *= lag
    by_input = np.array((by_ka, by_lag))
    if not waiting:
        return _Central(amount, by_rate, by_input, None, None)
    return _Central(amount, by_rate, by_input, left[-1], np.stack((ka * slope[-1], ka * lag * left[-1])))


def _after_transit(rates: Floats, ktr: Floats, stages: int, doses: Elapsed, *, waiting: bool) -> _Central:
    """The same behind a chain of `stages` compartments, each left at the rate ktr."""
    given = (doses.since, doses.every, doses.amount)
    chain = erlang.washout(rates, ktr, stages, *given)
    derivatives = erlang.washout_derivatives(ktr, stages, *given)
    amount, by_rate, by_ka, longer = exponential.quotient(
        chain.left, chain.slope, rates, derivatives, given[:2], chain.longer
    )
    assert longer is not None
    ka = rates[-1]
    by_ka = ka * (amount + ka * by_ka)
    by_mtt = -ka * stages * (amount - longer)
    amount, by_rate, by_input = ka * amount, ka * by_rate, np.array((by_ka, by_mtt))
    if not waiting:
        return _Central(amount, by_rate, by_input, None, None)
    inside, inside_by_log_ktr = erlang.in_chain(ktr, stages, *given)
    still = chain.left[-1] + inside
    left_by_log_ktr = stages * (chain.left[-1] - chain.longer[-1])
    by_waiting = np.stack((ka * chain.slope[-1], -(left_by_log_ktr + inside_by_log_ktr)))
    return _Central(amount, by_rate, by_input, still, by_waiting)
