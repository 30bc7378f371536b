"""How honest and how fast the analysis of exposure and outcome is, by simulation.

Run with `python -m benchmarks.target [RUNS]`; docs/target-methods.md quotes what it printed. Exposures of
non-responders are N(40, 15), 40 % respond; under no effect responders have the same exposures, else theirs are
shifted to the stated ROC area. Bootstrap and permutations are fewer than the program's own, to keep the time down.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.special import expit, ndtri

from pk.target.analysis import analyse
from pk.target.association.correlation import linear_slope, pearson, spearman
from pk.target.cut.discrimination import Counts, bootstrap_interval, counted, roc_area
from pk.target.cut.interval import bootstrap_cut
from pk.target.cut.youden import empirical_cut
from pk.target.findings import Conclusion, Settings
from pk.target.missing.bounds import LEAST_FOR_IMPUTATION
from pk.target.missing.changes import imputed_slope
from pk.target.statistics.firth import firth
from pk.target.statistics.proportions import Interval, newcombe, proportion
from pk.target.tiers import LEAST_FOR_DELONG

__all__ = ["measure"]

SIZES = (10, 20, 50, 100, 200)
SD = 15.0
SHARE = 0.4
AREA = 0.75
CORRELATION = 0.3
SMALL = ((4, 10, 0.75), (6, 12, 0.75), (5, 40, 0.75), (5, 40, 0.90), (6, 100, 0.75))
"""Responders, patients and ROC area where the smaller group is too small for DeLong."""
QUICK = Settings(bootstrap=200, permutations=499, cuts=())


def measure(runs: int = 2000, seed: int = 20221123) -> dict[str, Any]:
    """Type I error and claims without effect, coverage of intervals, seconds; shares in %."""
    return {
        "runs": runs,
        "no effect, % of runs": {f"n = {n}": claims(n, runs, seed + n) for n in SIZES},
        "coverage of 95 % intervals, %": {f"n = {n}": coverage(n, runs, seed + n) for n in SIZES},
        "small groups, coverage of the ROC area, %": {
            f"{few} of {n}, {area}": small_groups(few, n, area, runs, seed + n) for few, n, area in SMALL
        },
        "seconds of processor": {f"n = {n}": seconds(n) for n in (200, 5000)},
    }


def cohort(random: np.random.Generator, n: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Exposures and who responded; exactly 40 % respond."""
    responder = np.arange(n) < round(SHARE * n)
    return random.normal(40.0, SD, n) + shift * responder, responder


def claims(n: int, runs: int, seed: int) -> dict[str, float]:
    """How often, without any effect, tests are significant, gates open and conclusions drawn."""
    random, found = np.random.default_rng(seed), defaultdict(float)
    for run in range(runs):
        exposure, responder = cohort(random, n)
        settings = Settings(bootstrap=QUICK.bootstrap, permutations=QUICK.permutations, cuts=(), seed=run)
        said = analyse(
            np.maximum(exposure, 0.0).tolist(), responder.astype(float).tolist(), settings=settings
        )
        if said.association is not None:
            found["permutation p < 0.05"] += said.association.spearman.p < 0.05
        if said.max_selected is not None:
            found["maximally selected, approximate p < 0.05"] += said.max_selected.p_approx < 0.05
        if said.shape is not None:
            found["curvature of the spline, p < 0.05"] += said.shape.p < 0.05
        if said.cutpoint is not None:
            for gate in said.gates:
                if not gate.name.startswith("tier_"):
                    found[f"gate open: {gate.name}"] += gate.passed
        found[Conclusion.NO_USABLE_CUT.value] += said.conclusion is Conclusion.NO_USABLE_CUT
        called = said.conclusion in (Conclusion.EXPLORATORY, Conclusion.CANDIDATE)
        found["exploratory cut or candidate target"] += called
    return {name: 100.0 * count / runs for name, count in found.items()}


def coverage(n: int, runs: int, seed: int) -> dict[str, float]:
    """How often each interval holds the truth, of the runs in which there is one; and how often there is none."""
    random, held, made = np.random.default_rng(seed), defaultdict(float), defaultdict(int)
    for run in range(runs):
        for name, (interval, truth) in _intervals(random, n, run):
            held[name] += interval is not None and interval[0] <= truth <= interval[1]
            made[name] += interval is not None
    shares = {name: 100.0 * held[name] / made[name] for name in made if made[name] > 0}
    absent = {
        f"{name}: none given": 100.0 * (1 - count / runs) for name, count in made.items() if count < runs
    }
    return shares | absent


def small_groups(few: int, n: int, area: float, runs: int, seed: int) -> dict[str, float]:
    """How often two intervals of the area hold it; separated groups, which have none, are left out."""
    random, held, made = np.random.default_rng(seed), defaultdict(float), 0
    shift, responder = SD * math.sqrt(2.0) * float(ndtri(area)), np.arange(n) < few
    for run in range(runs):
        counts = counted(random.normal(40.0, SD, n) + shift * responder, responder)
        limits = {
            "bootstrap, BCa": bootstrap_interval(counts, 2 * QUICK.bootstrap, run),
            "DeLong on the logit scale": roc_area(counts).ci_logit_delong,
        }
        made += limits["bootstrap, BCa"] is not None
        for name, one in limits.items():
            held[name] += one is not None and one[0] <= area <= one[1]
    return {name: 100.0 * count / max(made, 1) for name, count in held.items()}


def _intervals(
    random: np.random.Generator, n: int, run: int
) -> Iterator[tuple[str, tuple[Interval | None, float]]]:
    shift = SD * math.sqrt(2.0) * float(ndtri(AREA))
    exposure, responder = cohort(random, n, shift)
    counts = counted(exposure, responder)
    area = roc_area(counts)
    yield "ROC area, DeLong", (area.ci_delong, AREA)
    yield "ROC area, DeLong on the logit scale", (area.ci_logit_delong, AREA)
    if min(responder.sum(), n - responder.sum()) < LEAST_FOR_DELONG:
        yield "ROC area, bootstrap (BCa)", (bootstrap_interval(counts, QUICK.bootstrap, run), AREA)
    yield from _cut_intervals(counts, 40.0 + shift / 2, run)
    # With equal spreads the log odds are linear in exposure: slope shift / SD².
    fitted = firth(exposure[:, None], responder)
    yield "Firth, profile", (None if fitted is None else fitted.coefficients[0].ci, shift / SD**2)
    yield from _correlation_intervals(random, n, run)
    yield from _imputed_intervals(random, n, run)
    successes = int(random.binomial(n, 0.3))
    yield "proportion 0.3, Clopper-Pearson", (proportion(successes, n).ci, 0.3)
    half = n // 2
    difference = newcombe(int(random.binomial(half, 0.6)), half, int(random.binomial(half, 0.3)), half)
    yield "difference 0.3, Newcombe", (None if difference is None else difference[1], 0.3)


def _cut_intervals(
    counts: Counts, truth: float, run: int
) -> Iterator[tuple[str, tuple[Interval | None, float]]]:
    found = bootstrap_cut(counts, empirical_cut(counts).value, QUICK.bootstrap, run)
    yield "Youden's cut, bootstrap", (found.ci, truth)
    yield "binormal cut, bootstrap", (found.ci_binormal, truth)


def _correlation_intervals(
    random: np.random.Generator, n: int, run: int
) -> Iterator[tuple[str, tuple[Interval | None, float]]]:
    x = random.standard_normal(n)
    y = CORRELATION * x + math.sqrt(1 - CORRELATION**2) * random.standard_normal(n)
    rank = spearman(x, y, permutations=99, bootstrap=QUICK.bootstrap, seed=run)
    linear = pearson(x, y)
    of_ranks = 6 / math.pi * math.asin(CORRELATION / 2)  # of two normal variables
    yield "Spearman, bootstrap", (None if rank is None else rank.ci, of_ranks)
    yield "Pearson, Fisher's z", (None if linear is None else linear.ci, CORRELATION)


def _imputed_intervals(
    random: np.random.Generator, n: int, run: int
) -> Iterator[tuple[str, tuple[Interval | None, float]]]:
    """Slopes of a change whose values are missing the more often the higher the baseline, which exposure follows."""
    baseline = random.normal(20.0, 6.0, n)
    exposure = 40.0 + baseline - 20.0 + random.normal(0.0, SD, n)
    change = -0.1 * exposure - 0.4 * baseline + random.normal(0.0, 4.0, n)
    gone = random.random(n) < expit((baseline - 24.0) / 2.0)
    known = ~gone
    if known.sum() < LEAST_FOR_IMPUTATION or not gone.any():
        return
    truth = -0.1 - 0.4 * 36.0 / (36.0 + SD**2)  # of exposure alone
    others = (baseline[known][:, None], baseline[gone][:, None])
    found = imputed_slope(exposure[known], change[known], exposure[gone], others, run)
    yield "slope, missing changes imputed", (None if found is None else found.slope.ci, truth)
    alone = linear_slope(exposure[known], change[known])
    limits = None if alone is None or alone[0].ci_per_10 is None else alone[0].ci_per_10
    yield (
        "slope, known changes alone",
        (None if limits is None else (limits[0] / 10, limits[1] / 10), truth),
    )


def seconds(n: int) -> dict[str, float]:
    """The whole analysis with 2,000 bootstrap samples and 9,999 permutations, for both kinds of outcome."""
    random = np.random.default_rng(n)
    exposure, responder = cohort(random, n, 15.0)
    given = np.maximum(exposure, 0.0).tolist()
    change = (expit(exposure / 40.0) * 10.0 + random.normal(0.0, 3.0, n)).tolist()
    return {
        "responders": _timed(lambda: analyse(given, responder.astype(float).tolist())),
        "continuous outcome": _timed(lambda: analyse(given, change)),
    }


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    print(json.dumps(measure(*(int(word) for word in sys.argv[1:])), indent=1))
