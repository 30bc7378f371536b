"""Dose histories: which doses a sample sees, since when, and what they add up to.

Doses superpose, because elimination is linear. A row of equal doses without beginning is at steady state,
exactly; irregular histories, first doses, changes of dose and mixed intervals (1000 mg in the morning and
500 mg in the evening are two rows of one dose every 24 h) are sums of rows and single doses. A lag longer than
the interval needs no special treatment: the sample then sees the dose before the last one.
"""

from dataclasses import dataclass

import numpy as np

from pk.kinetics.batch import Doses, Prior
from pk.kinetics.compartments import Course, Elapsed, areas_to_come, concentrations
from pk.kinetics.exponential import NEVER
from pk.kinetics.structure import PARAMETERS, Structure
from pk.values.arrays import Bools, Floats, Indices


@dataclass(frozen=True, slots=True)
class Schedule:
    """Doses and sample times of N subjects, subjects last.

    Attributes
    ----------
    gap_h : ndarray, shape (D, S, N)
        Sample time minus dose time.
    every_h : ndarray, shape (D, 1, N)
        Interval of a row; `NEVER` for a dose given once.
    amount_mg : ndarray, shape (D, 1, N)
        0 for an unused place.
    """

    gap_h: Floats
    every_h: Floats
    amount_mg: Floats

    def take(self, subjects: Indices) -> "Schedule":
        """Return the schedule of these subjects, in this order; any may occur more than once."""
        return Schedule(
            np.take(self.gap_h, subjects, axis=-1),
            np.take(self.every_h, subjects, axis=-1),
            np.take(self.amount_mg, subjects, axis=-1),
        )


def schedule(doses: Doses, time_h: Floats) -> Schedule:
    """Return doses and sample times, (B, D) and (B, S), as a schedule.

    Examples
    --------
    >>> doses = Doses(np.array([[0.0]]), np.array([[1000.0]]), np.array([[12.0]]))
    >>> schedule(doses, np.array([[-0.25, 0.5, 2.0]])).gap_h[0, :, 0].tolist()
    [-0.25, 0.5, 2.0]
    """
    gap = np.ascontiguousarray(time_h.T[None, :, :] - doses.time_h.T[:, None, :])
    every = np.where(doses.every_h > 0, doses.every_h, NEVER)
    return Schedule(
        gap, np.ascontiguousarray(every.T[:, None, :]), np.ascontiguousarray(doses.amount_mg.T[:, None, :])
    )


def elapsed(timing: Schedule, lag_h: Floats | float) -> tuple[Elapsed, Floats]:
    """Return the hours since each dose was absorbed first, and how many intervals that lies back.

    A sample at the very moment a dose arrives is taken before it: it sees the dose before. A dose given
    once that is still to come is seen as one `NEVER` ago.

    Parameters
    ----------
    timing : Schedule
    lag_h : ndarray, shape (N,), or float
        Hours between intake and arrival in the first compartment.

    Returns
    -------
    Elapsed, and back : ndarray, shape (D, S, N)
        `back` is 0 after the arrival of the dose given, 1 in the interval before, and so on.
    """
    since = timing.gap_h - lag_h
    back = np.where(since > 0, 0.0, np.floor(-since / timing.every_h) + 1.0)
    since += back * timing.every_h
    return Elapsed(since, timing.every_h, timing.amount_mg), back


def lag_of(structure: Structure, parameters: Floats) -> Floats | float:
    """Return the lags, shape (N,), among the parameters (P, N); 0 where the structure has none."""
    return parameters[-1] if PARAMETERS[structure][-1] == "tlag" else 0.0


def individual_parameters(prior: Prior, eta: Floats) -> Floats:
    """Return the structural parameters (B, P) on their natural scale for random effects (B, K).

    A lag of 0 stays 0; a step far outside overflows to infinity without a warning.
    """
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.exp(prior.log_typical + eta @ prior.loading.T), dtype=np.float64)


def courses(
    prior: Prior, doses: Doses, time_h: Floats, parameters: Floats, *, gradient: bool = False
) -> Course:
    """Return predicted concentrations at given times.

    Parameters
    ----------
    prior : Prior
        Only its structure and number of transit compartments are used.
    doses : Doses
    time_h : ndarray, shape (B, T)
    parameters : ndarray, shape (B, P)
        On their natural scale.
    gradient : bool
        Whether derivatives with respect to the log structural parameters are wanted.

    Returns
    -------
    Course
        `value` (T, B) in mg/L and `gradient` (P, T, B) or None: subjects last.
    """
    by_row = np.ascontiguousarray(parameters.T)
    seen, _ = elapsed(schedule(doses, time_h), lag_of(prior.structure, by_row))
    return concentrations(prior.structure, prior.n_transit, by_row, seen, gradient=gradient)


def areas(
    prior: Prior, doses: Doses, start_h: Floats, end_h: Floats, parameters: Floats, *, gradient: bool = False
) -> Course:
    """Return the area under the concentration curve from start to end, in closed form.

    Over a whole interval at steady state it is dose / CL. In general it is the area still to come at the
    start, minus that at the end, plus dose / CL for each dose that arrives between.

    Parameters
    ----------
    prior, doses, parameters, gradient
        As for `courses`.
    start_h, end_h : ndarray, shape (B,)

    Returns
    -------
    Course
        `value` (1, B) in mg·h/L and `gradient` (P, 1, B) or None.
    """
    by_row = np.ascontiguousarray(parameters.T)
    timing = schedule(doses, np.stack((start_h, end_h), axis=1))
    seen, back = elapsed(timing, lag_of(prior.structure, by_row))
    come = areas_to_come(prior.structure, prior.n_transit, by_row, seen, gradient=gradient)
    arrived = np.sum(seen.amount[:, 0] * (back[:, 0] - back[:, 1]), axis=0) / by_row[0]
    value = (come.value[0] - come.value[1] + arrived)[None]
    if come.gradient is None:
        return Course(value, None)
    by_log = come.gradient[:, :1] - come.gradient[:, 1:]
    by_log[0] -= arrived
    return Course(value, by_log)


def reachable(timing: Schedule, lag_h: Floats | float) -> Bools:
    """Whether any dose has arrived before each sample, (S, N): where none has, the concentration is 0."""
    arrived = (timing.gap_h > lag_h) | (timing.every_h < NEVER)
    return np.asarray(np.any(arrived & (timing.amount_mg > 0), axis=0))
