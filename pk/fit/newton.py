"""A safeguarded Newton method for many small minimisations at once; those that are done leave the batch.

Each column is a subject from one starting point. The first steps use the expected Hessian (Fisher scoring),
the later ones the exact one, from differences of the exact gradient; a step that does not lower the objective is
tried again with more damping (Levenberg-Marquardt). One coordinate, the lag's, may have bounds, so that each
smooth piece of an objective with kinks is minimised by itself. Source: Nocedal & Wright, Numerical
Optimization, 2nd ed., chapters 3, 10 and 16.
"""

from dataclasses import dataclass

import numpy as np

from pk.fit.objective import Evaluation, Problem, differentiate
from pk.fit.optimum import Bounds, Minimum, Reference
from pk.fit.smallsystems import damped, downhill, solve
from pk.values.arrays import Bools, Floats, Indices

_SCORING_STEPS = 3
_RENEW = 4
_MAX_STEPS = 200
_TOLERANCE = 1e-8
_STATIONARY = 3e-7
_STALLED = 1e-15
_ROUNDING = 1e-14
_DIFFERENCE = 2e-6
_MAX_LENGTH = 4.0
"""The longest step in units of the prior's standard deviations, on the way to a better region."""


@dataclass(slots=True)
class _State:
    """The columns still under way; `columns` says which of all they are."""

    batch: Problem
    columns: Indices
    bounds: Bounds | None
    reference: Reference | None
    eta: Floats
    at: Evaluation
    exact: Floats
    damping: Floats

    def keep(self, going: Bools) -> None:
        """Forget the columns that are done."""
        some = np.flatnonzero(going)
        self.batch = self.batch.take(some)
        self.columns = self.columns[some]
        self.bounds = None if self.bounds is None else self.bounds.take(some)
        self.reference = None if self.reference is None else self.reference.take(some)
        self.eta, self.damping = np.take(self.eta, some, axis=-1), self.damping[some]
        self.at = Evaluation(
            self.at.value[some],
            np.take(self.at.gradient, some, axis=-1),
            np.take(self.at.hessian, some, axis=-1),
        )
        self.exact = np.take(self.exact, some, axis=-1)


def minimise(
    batch: Problem, eta: Floats, bounds: Bounds | None, reference: Reference | None = None
) -> Minimum:
    """Return the minimum near each starting point.

    Parameters
    ----------
    batch : Problem
        N columns.
    eta : ndarray, shape (K, N)
        Starting points, within the bounds.
    bounds : Bounds or None
    reference : Reference or None
        Minima already known: a column that comes close to its own stops there.
    """
    k, n = eta.shape
    done = Minimum(eta.copy(), np.full(n, np.inf), np.full((k, n), np.inf), np.zeros(n, np.bool_))
    at = differentiate(batch, eta)
    state = _State(batch, np.arange(n), bounds, reference, eta, at, at.hessian, np.full(n, 1e-3))
    for step in range(_MAX_STEPS + 1):
        held, gradient, finished = _standing(state)
        if state.reference is not None:
            done.merged[state.columns] = state.reference.reached(state.eta, state.at.value, state.at.gradient)
            finished |= done.merged[state.columns]
        if step == _MAX_STEPS:
            finished[:] = True
        exact = step >= _SCORING_STEPS
        if finished.any():
            _store(done, state, gradient, np.flatnonzero(finished))
            if finished.all():
                break
            state.keep(~finished)
            held, gradient, _ = _standing(state)
        if step == _SCORING_STEPS or step >= _SCORING_STEPS + _RENEW:
            state.exact = exact_hessian(state.batch, state.eta, state.at.gradient, state.bounds)
        move, stalled = _move(state, gradient, held, exact=exact)
        if exact and stalled.any():
            _store(done, state, gradient, np.flatnonzero(stalled))
            if stalled.all():
                break
            state.keep(~stalled)
            move = np.ascontiguousarray(move[:, ~stalled])
        _try(state, move, exact=exact)
    return done


def _standing(state: _State) -> tuple[Bools | None, Floats, Bools]:
    """Return which coordinates are held, the gradient of the others, and whether that is nothing."""
    held = _held(state)
    gradient = state.at.gradient if held is None else np.where(held, 0.0, state.at.gradient)
    return held, gradient, np.max(np.abs(gradient), axis=0) < _TOLERANCE


def _store(done: Minimum, state: _State, gradient: Floats, some: Indices) -> None:
    into = state.columns[some]
    done.eta[:, into] = state.eta[:, some]
    done.value[into] = state.at.value[some]
    done.gradient[:, into] = gradient[:, some]


def _held(state: _State) -> Bools | None:
    """Whether a coordinate stays at its bound, (K, N): the objective falls outwards there."""
    if state.bounds is None:
        return None
    held = np.zeros(state.eta.shape, np.bool_)
    b, bounds = state.bounds.index, state.bounds
    slope = state.at.gradient[b]
    held[b] = ((state.eta[b] <= bounds.lower) & (slope > 0)) | ((state.eta[b] >= bounds.upper) & (slope < 0))
    return held


def _move(state: _State, gradient: Floats, held: Bools | None, *, exact: bool) -> tuple[Floats, Bools]:
    """Return the damped step of each column, and whether it promises nothing beyond rounding."""
    expected = state.at.hessian
    scale = np.einsum("kkn->kn", expected)
    hessian = damped(state.exact if exact else expected, state.damping * scale, held)
    with np.errstate(all="ignore"):
        move, sound = solve(hessian, gradient)
        if not sound.all():
            poor = np.flatnonzero(~sound)
            move[:, poor] = downhill(hessian[:, :, poor], scale[:, poor], gradient[:, poor])
        np.negative(move, out=move)
        promised = -np.add.reduce(move * gradient, axis=0)
        noise = np.maximum(_STATIONARY, _ROUNDING * scale)
        stalled = np.all(np.abs(gradient) < noise, axis=0) & sound
        stalled &= promised <= _STALLED * (1.0 + np.abs(state.at.value))
        if state.bounds is not None:
            _stay_inside(state, hessian, gradient, move)
    length = np.sqrt(np.max(move * move / np.diagonal(state.batch.omega)[:, None], axis=0))
    move *= np.where(length > _MAX_LENGTH, _MAX_LENGTH / np.maximum(length, _MAX_LENGTH), 1.0)
    return move, stalled


def _stay_inside(state: _State, hessian: Floats, gradient: Floats, move: Floats) -> None:
    """Shorten steps that cross a bound to reach it, and let the other coordinates follow."""
    assert state.bounds is not None
    b = state.bounds.index
    here = state.eta[b]
    reach = np.clip(here + move[b], state.bounds.lower, state.bounds.upper) - here
    some = np.flatnonzero(reach != move[b])
    if some.size == 0:
        return
    fixed = np.zeros((move.shape[0], some.size), np.bool_)
    fixed[b] = True
    pull = gradient[:, some] + hessian[:, b, some] * reach[some]
    pull[b] = 0.0
    others = damped(hessian[:, :, some], np.zeros_like(pull), fixed)
    rest, sound = solve(others, pull)
    poor = np.flatnonzero(~sound)
    if poor.size:
        scale = np.einsum("kkn->kn", state.at.hessian)[:, some[poor]]
        rest[:, poor] = downhill(others[:, :, poor], scale, pull[:, poor])
    move[:, some] = -rest
    move[b, some] = reach[some]


def _try(state: _State, move: Floats, *, exact: bool) -> None:
    """Take the steps that lower the objective; damp less after a good one, more after a bad one."""
    eta = state.eta + move
    if state.bounds is not None:
        b = state.bounds.index
        np.clip(eta[b], state.bounds.lower, state.bounds.upper, out=eta[b])
    new, old = differentiate(state.batch, eta), state.at
    better = new.value <= old.value + 2e-13 * (1.0 + np.abs(old.value))
    better &= np.isfinite(np.add.reduce(new.gradient, axis=0))
    better &= np.isfinite(np.add.reduce(new.hessian, axis=(0, 1)))
    # The objective of a quadratic falls by half of what its slope promises.
    promised = -np.add.reduce(move * old.gradient, axis=0)
    fell = (old.value - new.value) / np.maximum(promised, 1e-12)
    calm = np.where((fell > 0.35) | (promised < 1e-9), 0.1, np.where(fell > 0.1, 1.0, 3.0))
    state.damping = np.where(better, calm, 8.0) * state.damping + np.where(better, 0.0, 1e-3)
    if exact:
        _learn(state, eta - state.eta, new.gradient - old.gradient)
    if better.all():
        state.eta, state.at = eta, new
        return
    state.eta = np.where(better, eta, state.eta)
    state.at = Evaluation(
        np.where(better, new.value, old.value),
        np.where(better, new.gradient, old.gradient),
        np.where(better, new.hessian, old.hessian),
    )


def _learn(state: _State, move: Floats, change: Floats) -> None:
    """Correct the Hessian by what the gradient did along a step: symmetric rank one."""
    miss = change - np.add.reduce(state.exact * move, axis=1)
    along = np.add.reduce(miss * move, axis=0)
    size = np.sqrt(np.add.reduce(miss * miss, axis=0) * np.add.reduce(move * move, axis=0))
    useful = np.abs(along) > 1e-8 * size
    inverse = np.where(useful, 1.0, 0.0) / np.where(useful, along, 1.0)
    state.exact = state.exact + miss[:, None] * (miss * inverse)


def exact_hessian(batch: Problem, eta: Floats, gradient: Floats | None, bounds: Bounds | None) -> Floats:
    """Return the Hessian (K, K, N) from differences of the exact gradient, on the inner side of a bound."""
    k, n = eta.shape
    if gradient is None:
        gradient = differentiate(batch, eta, hessian=False).gradient
    sign = np.full((k, n), _DIFFERENCE)
    if bounds is not None:
        sign[bounds.index, eta[bounds.index] + _DIFFERENCE > bounds.upper] *= -1.0
    together = max(1, min(k, batch.chunk // n))
    out = np.empty((k, k, n))
    for first in range(0, k, together):
        effects = range(first, min(first + together, k))
        moved = np.concatenate([eta] * len(effects), axis=1)
        for place, effect in enumerate(effects):
            moved[effect, place * n : (place + 1) * n] += sign[effect]
        wide = batch if len(effects) == 1 else batch.take(np.tile(np.arange(n), len(effects)))
        found = differentiate(wide, moved, hessian=False).gradient.reshape(k, len(effects), n)
        out[:, first : first + len(effects)] = found - gradient[:, None]
    out /= sign[None]
    return 0.5 * (out + out.swapaxes(0, 1))
