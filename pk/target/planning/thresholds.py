"""Given the data so far: how many patients in all would tell two thresholds apart? By seeded simulation."""

import math
from dataclasses import dataclass

import numpy as np

from pk.target.cut.youden import best_cuts
from pk.target.statistics.binormal import binormal_cuts, fitted_cuts
from pk.target.statistics.resampling import Purpose, stream
from pk.values.arrays import Bools, Floats

LEAST = 4
"""Responders, and others, without whom nothing is simulated."""

ASSURANCE = 0.8
"""Share of simulated studies that must find the cut near enough."""

STUDIES = 400
LARGEST = 3200
_GROWTH = 1.25
_TOGETHER = 50
"""Studies whose patients are sorted at a time: memory for all at once is some 150 MB."""


@dataclass(frozen=True, slots=True)
class PlanPoint:
    """A number of patients in all, and the share of simulated studies whose cut is near enough to the true one."""

    n: int
    empirical: float
    binormal: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How many patients tell `low` from `high`: a cut is near enough within half of what lies between them.

    needed_empirical, needed_binormal: the first number with enough such studies; None where the largest has too few.
    """

    low: float
    high: float
    points: tuple[PlanPoint, ...]
    needed_empirical: int | None
    needed_binormal: int | None


@dataclass(frozen=True, slots=True)
class _Truth:
    """Simulated truths, shapes (studies,): the share of responders, and each group's mean and spread."""

    share: Floats
    mean: tuple[Floats, Floats]
    sd: tuple[Floats, Floats]


def plan(
    exposure: Floats,
    responder: Bools,
    low: float,
    high: float,
    *,
    higher: bool = True,
    studies: int = STUDIES,
    seed: int = 1,
) -> Plan | None:
    """Return how the chance of a near enough cut grows with the number of patients.

    For each study a truth is drawn from what the data leave open (normal exposure in each group, with Jeffreys'
    priors for its mean and variance and for the share of responders), then the patients still to come; those so far
    are kept. The cut of all of them is compared with the cut of that truth. A truth in which responders do not have
    the higher exposure has no cut: such a study counts as one that does not tell.

    Returns None with fewer than 4 responders or 4 others, or where the exposures of a group are all the same.

    >>> plan(np.array([20.0, 60.0]), np.array([False, True]), 35.0, 45.0) is None
    True
    """
    groups = [(1.0 if higher else -1.0) * exposure[responder == one] for one in (False, True)]
    if min(one.size for one in groups) < LEAST or any(np.ptp(one) == 0 for one in groups):
        return None
    random = stream(seed, Purpose.PLANNING)
    truth = _truths(random, groups[0], groups[1], studies)
    true_cut = binormal_cuts(truth.mean[1], truth.sd[1], truth.mean[0], truth.sd[0])
    most = max(LARGEST, exposure.size)
    future, responds = _patients(random, truth, most - exposure.size)
    so_far = np.concatenate(groups), np.repeat([False, True], [one.size for one in groups])
    points = []
    for n in _sizes(exposure.size, most):
        more = n - exposure.size
        values = np.hstack([np.tile(so_far[0], (studies, 1)), future[:, :more]])
        outcome = np.hstack([np.tile(so_far[1], (studies, 1)), responds[:, :more]])
        blocks = [
            _cuts(values[first : first + _TOGETHER], outcome[first : first + _TOGETHER])
            for first in range(0, studies, _TOGETHER)
        ]
        empirical, binormal = (np.concatenate(cuts) for cuts in zip(*blocks, strict=True))
        near = (high - low) / 2
        points.append(PlanPoint(n, _share(empirical, true_cut, near), _share(binormal, true_cut, near)))
    return Plan(
        low,
        high,
        tuple(points),
        next((one.n for one in points if one.empirical >= ASSURANCE), None),
        next((one.n for one in points if one.binormal >= ASSURANCE), None),
    )


def _sizes(now: int, most: int) -> list[int]:
    steps = math.ceil(math.log(most / max(now, 20)) / math.log(_GROWTH)) if most > max(now, 20) else 0
    grown = {min(most, max(now, 10 * round(max(now, 20) * _GROWTH**step / 10))) for step in range(steps + 1)}
    return sorted(grown)


def _truths(random: np.random.Generator, others: Floats, responders: Floats, studies: int) -> _Truth:
    """Draws from the posterior: variance (n − 1)s²/χ²(n − 1), mean N(x̄, σ²/n), share Beta(n₁ + ½, n₀ + ½)."""
    share = random.beta(responders.size + 0.5, others.size + 0.5, studies)
    means, spreads = [], []
    for group in (others, responders):
        freedom = group.size - 1
        spread = np.sqrt(freedom * group.var(ddof=1) / random.chisquare(freedom, studies))
        means.append(group.mean() + spread / math.sqrt(group.size) * random.standard_normal(studies))
        spreads.append(spread)
    return _Truth(share, (means[0], means[1]), (spreads[0], spreads[1]))


def _patients(random: np.random.Generator, truth: _Truth, count: int) -> tuple[Floats, Bools]:
    """Patients still to come of each study; shapes (studies, count)."""
    responds = random.random((truth.share.size, count)) < truth.share[:, None]
    noise = random.standard_normal((truth.share.size, count))
    mean = np.where(responds, truth.mean[1][:, None], truth.mean[0][:, None])
    spread = np.where(responds, truth.sd[1][:, None], truth.sd[0][:, None])
    return mean + spread * noise, responds


def _cuts(values: Floats, outcome: Bools) -> tuple[Floats, Floats]:
    """Youden's and the binormal cut of each row."""
    order = np.argsort(values, axis=1, kind="stable")
    ordered, ones = np.take_along_axis(values, order, axis=1), np.take_along_axis(outcome, order, axis=1)
    responders = ones.astype(np.int64)
    # Equal exposures among the data so far are taken one by one, which moves a cut no further than their value.
    empirical = best_cuts(ordered, responders, 1 - responders).value
    return empirical, fitted_cuts(ordered, responders, 1 - responders)


def _share(found: Floats, true: Floats, near: float) -> float:
    return float(np.mean(np.abs(found - true) <= near))
