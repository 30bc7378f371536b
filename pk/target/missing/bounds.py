"""Outcomes that are missing: what they could at most and at least change, and from where on the finding turns."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pk.target.statistics.exact import rank_sum_p
from pk.target.statistics.resampling import coded, double_ranks
from pk.target.tiers import LARGEST_P
from pk.values.arrays import Bools, Floats, Ints

LEAST_FOR_IMPUTATION = 30
"""Patients with outcome from whom on missing ones are imputed; below, bounds are given."""


class Verdict(StrEnum):
    """Whether any answer of the missing patients makes the association significant as it was expected."""

    NEVER = "never"
    ALWAYS = "always"
    DEPENDS = "depends"


@dataclass(frozen=True, slots=True)
class Extreme:
    """A rank correlation of exposure and response with all outcomes filled in; `p` as far as it can be exact."""

    rho: float
    p: float | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """`best` and `worst` for the direction stated beforehand, of `missing` outcomes.

    tipping: how many of the missing patients must answer otherwise than in the best case before the association is
    no longer significant in that direction; None unless it depends on them.
    """

    missing: int
    best: Extreme
    worst: Extreme
    verdict: Verdict
    tipping: int | None


def bounds(
    exposure: Floats, responder: Bools, without_outcome: Floats, *, higher: bool = True
) -> Bounds | None:
    """Return what the missing outcomes leave open, for patients of both outcomes with two exposures or more.

    The best case has the missing patients with the highest exposures respond (the lowest where lower is better), as
    many as make the correlation greatest; the worst case the reverse. From one to the other patients are turned one
    by one, those farthest from the middle rank first. Returns None without missing outcomes.
    """
    missing = without_outcome.size
    if missing == 0:
        return None
    every = np.concatenate([exposure, without_outcome]) * (1.0 if higher else -1.0)
    values, codes = coded(every)
    ranks = double_ranks(codes[None, :], values.size)[0]
    known, theirs = (
        np.flatnonzero(np.arange(every.size) < exposure.size),
        np.arange(exposure.size, every.size),
    )
    up = theirs[np.argsort(-ranks[theirs], kind="stable")]

    def completed(these: Ints) -> Bools:
        filled = np.zeros(every.size, dtype=bool)
        filled[known] = responder
        filled[these] = True
        return filled

    best = max((completed(up[:k]) for k in range(missing + 1)), key=lambda one: _rho(ranks, one))
    worst = min((completed(up[::-1][:k]) for k in range(missing + 1)), key=lambda one: _rho(ranks, one))
    path = _path(ranks, best, worst)
    significant = [_significant(ranks, one) for one in path]
    verdict = Verdict.DEPENDS if significant[0] else Verdict.NEVER
    if all(significant):
        verdict = Verdict.ALWAYS
    tipping = significant.index(False) if verdict is Verdict.DEPENDS else None
    return Bounds(missing, _extreme(ranks, best, higher), _extreme(ranks, worst, higher), verdict, tipping)


def _path(ranks: Ints, best: Bools, worst: Bools) -> list[Bools]:
    differing = np.flatnonzero(best != worst)
    order = differing[np.argsort(-np.abs(ranks[differing] - (ranks.size + 1)), kind="stable")]
    path = [best]
    for one in order:
        turned = path[-1].copy()
        turned[one] = worst[one]
        path.append(turned)
    return path


def _rho(ranks: Ints, filled: Bools) -> float:
    """The correlation of mid-ranks with response; 0 where everybody answers alike, or all exposures are the same."""
    if filled.all() or not filled.any() or np.ptp(ranks) == 0:
        return 0.0
    return float(np.corrcoef(ranks, filled)[0, 1])


def _extreme(ranks: Ints, filled: Bools, higher: bool) -> Extreme:
    exact = rank_sum_p(ranks, filled)
    return Extreme(_rho(ranks, filled) * (1.0 if higher else -1.0), None if exact is None else exact.p)


def _significant(ranks: Ints, filled: Bools) -> bool:
    exact = rank_sum_p(ranks, filled)
    return exact is not None and exact.p < LARGEST_P and _rho(ranks, filled) > 0
