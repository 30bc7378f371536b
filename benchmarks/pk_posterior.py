"""Milliseconds per subject for the 90 % interval of the AUC: van Hest 2007, three samples, 4 random effects.

Run with `python -m benchmarks.pk_posterior`. Batched, single, and the same for the other shipped models; the MAP
estimate that the sampling starts from is timed apart. The best of several rounds of each group of 50, so that other
programs on the machine do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.pk_honesty import INTERVAL_H, TIMES_H, prior_and_doses, simulate
from pk.fit.map import MapResult, estimate
from pk.kinetics.batch import Doses, Observations, Prior
from pk.models.shipped import shipped_models
from pk.posterior.sampling import auc_posterior, doses_of, prior_of

__all__ = ["measure"]

MODEL = "van_hest_2007"
_GROUP = 50
GOAL_SINGLE_MS = 10.0
GOAL_BATCHED_MS = 1.0


def measure(subjects: int = 1000, rounds: int = 5) -> dict[str, Any]:
    """Milliseconds per subject by model; effective draws and rounds say what they bought."""
    models = {
        one.id: _measured(one.id, subjects if one.id == MODEL else subjects // 10, rounds)
        for one in shipped_models()
    }
    return {"goal_single_ms": GOAL_SINGLE_MS, "goal_batched_ms": GOAL_BATCHED_MS, "models": models}


def _measured(model: str, subjects: int, rounds: int) -> dict[str, float]:
    prior, doses, samples = _case(model, subjects)
    here = np.arange(subjects)
    found = estimate(prior, doses, samples)

    def interval(some: slice) -> Callable[[], Any]:
        who = here[some]
        one, given = prior_of(prior, who), doses_of(doses, who)
        seen, mode = _samples_of(samples, some), _modes_of(found, some)
        start = np.zeros(who.size)
        return lambda: auc_posterior(one, given, seen, mode, start, start + INTERVAL_H)

    result = interval(slice(None))()
    groups = [interval(slice(i, i + _GROUP)) for i in range(0, subjects, _GROUP)]
    singles = [_best(interval(slice(i, i + 1)), rounds) for i in range(20)]
    first = slice(0, 1)
    alone = prior_of(prior, here[first]), doses_of(doses, here[first]), _samples_of(samples, first)
    return {
        "batched_ms": 1e3 * sum(_best(group, rounds) for group in groups) / subjects,
        "single_median_ms": 1e3 * float(np.median(singles)),
        "single_worst_ms": 1e3 * max(singles),
        "map_batched_ms": 1e3 * _best(lambda: estimate(prior, doses, samples), rounds) / subjects,
        "map_single_ms": 1e3 * _best(lambda: estimate(*alone), rounds),
        "effective_draws_least": float(result.effective.min()),
        "effective_draws_median": float(np.median(result.effective)),
        "more_rounds_percent": 100.0 * float(np.mean(result.rounds > 1)),
    }


def _case(model: str, subjects: int) -> tuple[Prior, Doses, Observations]:
    some = simulate(model, subjects, seed=1)
    prior, doses = prior_and_doses(model, subjects)
    time_h = np.tile(TIMES_H, (subjects, 1))
    return prior, doses, Observations(time_h, some.conc_mg_l, some.below, np.ones(time_h.shape, np.bool_))


def _samples_of(samples: Observations, some: slice) -> Observations:
    return Observations(
        samples.time_h[some], samples.conc_mg_l[some], samples.censored[some], samples.present[some]
    )


def _modes_of(found: MapResult, some: slice) -> MapResult:
    return MapResult(*(getattr(found, name)[some] for name in MapResult.__slots__))


def _best(step: Callable[[], Any], rounds: int) -> float:
    """Seconds of the shortest of several runs."""
    shortest = float("inf")
    for _ in range(rounds):
        start = perf_counter()
        step()
        shortest = min(shortest, perf_counter() - start)
    return shortest


if __name__ == "__main__":
    found = measure()
    for name, figures in found["models"].items():
        print(name, {key: round(value, 3) for key, value in figures.items()})
