"""The MAP objective of every subject of a batch: -2 ln posterior of the random effects, up to a constant.

    O(eta) = sum over samples of [(y - f)² / Var + ln Var]  - 2 sum over censored samples of ln P(y < LLOQ)
             + eta' Omega^-1 eta

with the individual parameters exp(log_typical + loading eta). `Problem` holds a batch as the numerics want it:
subjects last; the rest of `pk` has them first.
"""

from dataclasses import dataclass

import numpy as np

from pk.fit.residual import terms
from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.compartments import Course, Elapsed, concentrations
from pk.kinetics.dosing import Schedule, courses, elapsed, individual_parameters, reachable, schedule
from pk.kinetics.structure import PARAMETERS, ErrorKind, ErrorModel, Structure
from pk.values.arrays import Bools, Floats, Indices

CHUNK = 18_432
"""Dose-sample pairs evaluated at once: many enough that the calls cost little, few enough for a core's cache."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A prior and a batch of N subjects, subjects last; `take` makes other batches of it.

    Attributes
    ----------
    structure, n_transit, error
        As of `Prior`.
    log_typical : ndarray, shape (P, N)
    loading : ndarray, shape (P, K)
    rows : ndarray of int, shape (K,), or None
        Which structural parameter each random effect moves, if each moves one, and one to one.
    precision : ndarray, shape (K, K)
        Omega^-1.
    omega : ndarray, shape (K, K)
    timing : Schedule
    fixed : Elapsed or None
        The doses as the samples see them, unless that depends on a random lag.
    conc : ndarray, shape (S, N)
    censored : ndarray of bool, shape (S, N), or None if no sample is.
    used : ndarray of float, shape (S, N), or None if all are
        1 for a sample that counts, 0 for an unused place and for one that no dose can have reached
        where the error is relative (its term is the same for every eta, and infinite).
    """

    structure: Structure
    n_transit: int
    error: ErrorModel
    log_typical: Floats
    loading: Floats
    rows: Indices | None
    precision: Floats
    omega: Floats
    timing: Schedule
    fixed: Elapsed | None
    conc: Floats
    censored: Bools | None
    used: Floats | None

    @property
    def size(self) -> int:
        """Number of subjects, N."""
        return int(self.log_typical.shape[1])

    @property
    def effects(self) -> int:
        """Number of random effects, K."""
        return int(self.loading.shape[1])

    @property
    def chunk(self) -> int:
        """Number of subjects whose evaluation fits the cache."""
        return max(256, CHUNK // int(np.prod(self.timing.gap_h.shape[:2])))

    def take(self, subjects: Indices) -> "Problem":
        """Return the problem of these subjects, in this order; any may occur more than once."""
        fixed = self.fixed
        timing = self.timing.take(subjects)
        if fixed is not None:
            fixed = Elapsed(np.take(fixed.since, subjects, axis=-1), timing.every_h, timing.amount_mg)
        return Problem(
            self.structure,
            self.n_transit,
            self.error,
            np.take(self.log_typical, subjects, axis=-1),
            self.loading,
            self.rows,
            self.precision,
            self.omega,
            timing,
            fixed,
            np.take(self.conc, subjects, axis=-1),
            None if self.censored is None else np.take(self.censored, subjects, axis=-1),
            None if self.used is None else np.take(self.used, subjects, axis=-1),
        )


def problem(prior: Prior, doses: Doses, observations: Observations) -> Problem:
    """Return the batch as the numerics want it; worth keeping for several evaluations."""
    timing = schedule(doses, observations.time_h)
    has_lag = PARAMETERS[prior.structure][-1] == "tlag"
    random_lag = has_lag and bool(prior.loading[-1].any())
    lag = np.exp(prior.log_typical[:, -1]) if has_lag and not random_lag else 0.0
    fixed = None if random_lag else elapsed(timing, lag)[0]
    censored = (observations.censored & observations.present).T
    used = observations.present.T
    if prior.error.kind in (ErrorKind.PROPORTIONAL, ErrorKind.LOG_ADDITIVE):
        used = used & (reachable(timing, lag) | censored)
    return Problem(
        prior.structure,
        prior.n_transit,
        prior.error,
        np.ascontiguousarray(prior.log_typical.T),
        prior.loading,
        _rows(prior.loading),
        np.asarray(np.linalg.inv(prior.omega), dtype=np.float64),
        prior.omega,
        timing,
        fixed,
        np.ascontiguousarray(np.where(used, observations.conc_mg_l.T, 1.0)),
        np.ascontiguousarray(censored) if censored.any() else None,
        None if used.all() else np.ascontiguousarray(used, dtype=np.float64),
    )


def _rows(loading: Floats) -> Indices | None:
    """Return the row of the one entry 1 of each column, if all columns are so and no row has two."""
    rows = np.argmax(loading, axis=0)
    plain = np.zeros_like(loading)
    plain[rows, np.arange(loading.shape[1])] = 1.0
    return rows if np.array_equal(plain, loading) and len(set(rows.tolist())) == rows.size else None


def parameters(batch: Problem, eta: Floats) -> Floats:
    """Return the individual parameters (P, N) for random effects (K, N)."""
    logs = batch.log_typical.copy()
    if batch.rows is not None:
        logs[batch.rows] += eta
    else:
        for row, column in zip(*np.nonzero(batch.loading), strict=True):
            logs[row] += batch.loading[row, column] * eta[column]
    return np.exp(logs, out=logs)


def predicted(batch: Problem, eta: Floats, *, gradient: bool) -> Course:
    """Return the predicted concentrations (S, N), and their derivatives in eta (K, S, N) if wanted."""
    theta = parameters(batch, eta)
    seen = batch.fixed if batch.fixed is not None else elapsed(batch.timing, theta[-1])[0]
    course = concentrations(batch.structure, batch.n_transit, theta, seen, gradient=gradient)
    if course.gradient is None:
        return course
    if batch.rows is not None:
        return Course(course.value, np.take(course.gradient, batch.rows, axis=0))
    by_eta = np.zeros((batch.effects, *course.value.shape))
    for row, column in zip(*np.nonzero(batch.loading), strict=True):
        by_eta[column] += batch.loading[row, column] * course.gradient[row]
    return Course(course.value, by_eta)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The objective (N,), its gradient (K, N), and half-way to its Hessian: the expected one (K, K, N)."""

    value: Floats
    gradient: Floats
    hessian: Floats


def evaluate(batch: Problem, eta: Floats) -> Floats:
    """Return the objective, shape (N,), at random effects (K, N)."""
    with np.errstate(all="ignore"):
        course = predicted(batch, eta, gradient=False)
        found = terms(batch.error, batch.conc, batch.censored, course.value).value
        if batch.used is not None:
            found *= batch.used
        return np.asarray(np.add.reduce(found, axis=0) + _quadratic(batch, eta)[1])


def differentiate(batch: Problem, eta: Floats, *, hessian: bool = True) -> Evaluation:
    """Return the objective, its exact gradient and its expected Hessian at random effects (K, N).

    Without `hessian` the expected Hessian is left empty: shape (0, 0, N).
    """
    with np.errstate(all="ignore"):
        course = predicted(batch, eta, gradient=True)
        assert course.gradient is not None
        found = terms(batch.error, batch.conc, batch.censored, course.value)
        value, slope, curvature = found.value, found.slope, found.curvature
        if batch.used is not None:
            value, slope, curvature = value * batch.used, slope * batch.used, curvature * batch.used
        pull, square = _quadratic(batch, eta)
        gradient = np.add.reduce(course.gradient * slope, axis=1)
        gradient += 2.0 * pull
        bend = np.empty((0, 0, eta.shape[1]))
        if hessian:
            bend = np.add.reduce((course.gradient * curvature)[:, None] * course.gradient[None], axis=2)
            bend += 2.0 * batch.precision[:, :, None]
        return Evaluation(np.add.reduce(value, axis=0) + square, gradient, bend)


def _quadratic(batch: Problem, eta: Floats) -> tuple[Floats, Floats]:
    """Return Omega^-1 eta (K, N) and eta' Omega^-1 eta (N,), summed in one order for any batch."""
    pull = np.add.reduce(batch.precision[:, :, None] * eta[None], axis=1)
    return pull, np.add.reduce(pull * eta, axis=0)


def predictions(prior: Prior, doses: Doses, time_h: Floats, eta: Floats) -> Floats:
    """Return predicted concentrations in mg/L, shape (B, T), at times (B, T) for random effects (B, K)."""
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(courses(prior, doses, time_h, individual_parameters(prior, eta)).value.T)
