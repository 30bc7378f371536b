"""Batched MAP estimation beside what a user would write: BFGS on a closed form, and an ODE solver under a minimiser.

One core: threads of linear algebra are set to one. `python -m benchmarks.pk_map` prints the figures,
`python -m benchmarks.pk_map --hard` runs the accuracy campaign against searches from 150
starts: every model and design of the tests, about a quarter of an hour.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import resource  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from scipy.integrate import solve_ivp  # noqa: E402
from scipy.optimize import minimize  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "pk"))

from pk_models import DESIGNS, MODELS, VAN_HEST, subjects, virtual  # noqa: E402
from reference_pk import long_search, objective  # noqa: E402

from pk.fit.map import estimate  # noqa: E402
from pk.fit.newton import minimise  # noqa: E402
from pk.fit.objective import Problem, differentiate, problem  # noqa: E402
from pk.kinetics.batch import Doses, Observations, Prior  # noqa: E402
from pk.values.arrays import Floats  # noqa: E402

BATCH, MANY, SINGLES, SCIPY_FITS, ODE_FITS = 20_000, 100_000, 60, 30, 3
TAU_H, SIGMA = 12.0, VAN_HEST.error.sigma
SAME = 1e-6
"""Objectives this close are the same."""


def measure() -> dict[str, float]:
    """Fits per second from one start and from many, latency of one fit, peak memory, and both baselines."""
    prior, doses, observations, _ = virtual(VAN_HEST, BATCH, 1)
    found = {
        "one_start_per_s": BATCH
        / _best_of(3, lambda: estimate(prior, doses, observations, multistart=False)),
        "multistart_per_s": BATCH / _best_of(3, lambda: estimate(prior, doses, observations)),
        "single_ms": 1e3 * _single(prior, doses, observations),
        "peak_mb_100000": _peak_mb(),
    }
    ours = estimate(*subjects(prior, doses, observations, slice(0, SCIPY_FITS)))
    for name, curve, fits in (("bfgs", _closed_form, SCIPY_FITS), ("ode", _ode, ODE_FITS)):
        seconds, worse = _baseline(prior, doses, observations, curve, fits, ours.objective)
        found[f"{name}_ms"] = 1e3 * seconds
        found[f"{name}_objective_above_ours"] = worse
        found[f"{name}_over_batched"] = seconds * found["multistart_per_s"]
        found[f"{name}_over_single"] = 1e3 * seconds / found["single_ms"]
    return found


def _best_of(times: int, run: Callable[[], object]) -> float:
    """The least processor time of several runs: the machine is shared."""
    spent = []
    for _ in range(times):
        begin = time.process_time()
        run()
        spent.append(time.process_time() - begin)
    return min(spent)


def _single(prior: Prior, doses: Doses, observations: Observations) -> float:
    """Median seconds of one multi-start fit."""
    spent = []
    for i in range(SINGLES):
        one = subjects(prior, doses, observations, slice(i, i + 1))
        begin = time.process_time()
        estimate(*one)
        spent.append(time.process_time() - begin)
    return float(np.median(spent))


def _peak_mb() -> float:
    """Peak resident memory of a process of its own that fits 100,000 subjects."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pk_map", "--peak"], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _closed_form(theta: Floats, dose: float, times: Floats) -> Floats:
    """The textbook sum of three exponentials at steady state, as a user writes it."""
    cl, v1, q, v2, ka, lag = theta
    k10, k12, k21 = cl / v1, q / v1, q / v2
    total = k10 + k12 + k21
    alpha = (total + np.sqrt(total**2 - 4 * k10 * k21)) / 2
    beta = k10 * k21 / alpha
    a = ka / v1 * (k21 - alpha) / ((ka - alpha) * (beta - alpha))
    b = ka / v1 * (k21 - beta) / ((ka - beta) * (alpha - beta))
    since = (times - lag) % TAU_H
    out = np.zeros_like(since)
    for size, rate in ((a, alpha), (b, beta), (-(a + b), ka)):
        out += dose * size * np.exp(-rate * since) / (1 - np.exp(-rate * TAU_H))
    return out


def _ode(theta: Floats, dose: float, times: Floats) -> Floats:
    """Thirty doses integrated one after the other; samples in the last interval but one (before its dose: its end)."""
    cl, v1, q, v2, ka, lag = theta

    def slope(_: float, y: Floats) -> list[float]:
        depot, centre, far = y
        return [
            -ka * depot,
            ka * depot - (cl + q) / v1 * centre + q / v2 * far,
            q / v1 * centre - q / v2 * far,
        ]

    state = np.zeros(3)
    since = (times - lag) % TAU_H
    for k in range(30):
        state[0] += dose
        last = k == 29
        solved = solve_ivp(
            slope, (0.0, TAU_H), state, method="LSODA", rtol=1e-7, atol=1e-9,
            t_eval=np.sort(since) if last else None,
        )  # fmt: skip
        state = solved.y[:, -1].copy()
    return np.asarray(solved.y[1][np.argsort(np.argsort(since))] / v1)


def _baseline(
    prior: Prior,
    doses: Doses,
    observations: Observations,
    curve: Callable[[Floats, float, Floats], Floats],
    fits: int,
    ours: Floats,
) -> tuple[float, float]:
    """Seconds per fit from eta = 0, and the largest objective above ours."""
    inverse = np.linalg.inv(prior.omega)
    worst, begin = -np.inf, time.process_time()
    for i in range(fits):

        def of_subject(eta: Floats, i: int = i) -> float:
            theta = np.exp(prior.log_typical[i] + prior.loading @ eta)
            f = np.maximum(curve(theta, doses.amount_mg[i, 0], observations.time_h[i]), 1e-12)
            off = np.log(observations.conc_mg_l[i]) - np.log(f)
            return float(np.sum(off**2 / SIGMA**2 + 2 * np.log(SIGMA)) + eta @ inverse @ eta)

        with np.errstate(all="ignore"):
            found = minimize(of_subject, np.zeros(len(prior.omega)), method="BFGS")
        worst = max(worst, float(found.fun - ours[i]))
    return (time.process_time() - begin) / fits, worst


def hard(searched: int = 4, wide: int = 200, searches: int = 150, seed: int = 31) -> int:
    """Compare with searches from 150 starts on every model and design; return how often ours was worse.

    `wide` subjects of each are searched by our own minimiser from random points, the first `searched` of them by
    scipy too, and the first with an objective that shares nothing with ours.
    """
    totals = np.zeros(4, np.int64)
    for model_name, model in MODELS.items():
        for design_name, design in DESIGNS.items():
            prior, doses, observations, _ = virtual(model, wide, seed, design)
            ours = estimate(prior, doses, observations)
            batch = problem(prior, doses, observations)
            by_scipy = [_searched(batch, i, searches) for i in range(searched)]
            alone = subjects(prior, doses, observations, slice(0, 1))
            # Kinks defeat a smooth minimiser: it then takes all its steps, so fewer subjects are worth the time.
            some = np.arange(wide if batch.fixed is not None else wide // 5)
            scattered = _scattered(batch.take(some), searches, seed)
            misses = [
                int(np.sum(ours.objective[some] - scattered > SAME)),
                int(np.sum(ours.objective[:searched] - by_scipy > SAME)),
                int(ours.objective[0] - _independent(*alone, ours.eta[0]) > SAME),
                int(np.sum(~ours.converged)),
            ]
            totals += misses
            print(
                f"{model_name:16} {design_name:36} worse than a scattered search {misses[0]} of {some.size}, "
                f"than scipy {misses[1]} of {searched}, than an independent one {misses[2]} of 1, "
                f"not converged {misses[3]} of {wide}, at a kink {int(np.sum(ours.at_kink))}",
                flush=True,
            )
    print("in all", totals.tolist())
    return int(totals.sum())


def _scattered(batch: Problem, searches: int, seed: int) -> Floats:
    """The best of our own minimisations from random points, without pieces or merging, (N,)."""
    rng = np.random.default_rng(seed)
    spread = np.linalg.cholesky(batch.omega)
    best = np.full(batch.size, np.inf)
    for _ in range(searches):
        size = rng.choice([0.7, 1.5, 2.5])
        found = minimise(batch, size * spread @ rng.standard_normal((batch.effects, batch.size)), None)
        best = np.fmin(best, found.value)
    return best


def _searched(batch: Problem, i: int, searches: int) -> float:
    alone = batch.take(np.array([i]))

    def gradient(eta: Floats) -> tuple[float, Floats]:
        found = differentiate(alone, eta[:, None], hessian=False)
        ok = np.isfinite(found.value[0]) and np.all(np.isfinite(found.gradient))
        return (float(found.value[0]), found.gradient[:, 0]) if ok else (1e30, np.zeros(eta.size))

    with np.errstate(all="ignore"):
        best, _ = long_search(lambda eta: gradient(eta)[0], gradient, batch.omega, searches, i)
    return best


def _independent(prior: Prior, doses: Doses, observations: Observations, eta: Floats) -> float:
    """The best that a simplex finds from our estimate and from 0 on the objective by matrix exponentials."""

    def definition(at: Floats) -> float:
        found = objective(prior, doses, observations, 0, at)
        return found if np.isfinite(found) else 1e30

    with np.errstate(all="ignore"):
        return min(
            float(minimize(definition, begin, method="Nelder-Mead", options={"maxfev": 250}).fun)
            for begin in (eta, 0.0 * eta)
        )


if __name__ == "__main__":
    if "--peak" in sys.argv:
        estimate(*virtual(VAN_HEST, MANY, 1)[:3])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    elif "--hard" in sys.argv:
        sys.exit(1 if hard() else 0)
    else:
        for figure, number in measure().items():
            print(f"{figure:28} {number:,.3f}")
