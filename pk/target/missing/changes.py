"""Missing outcomes that are numbers: the correlations that they leave open, or imputed with what that assumes."""

import math
from dataclasses import dataclass

import numpy as np

from pk.target.association.correlation import rank_test
from pk.target.missing.bounds import Extreme, Verdict
from pk.target.missing.imputation import IMPUTATIONS, Pooled, pooled, usable
from pk.target.statistics.proportions import Interval
from pk.target.statistics.resampling import Purpose, coded, double_ranks, stream
from pk.target.tiers import LARGEST_P
from pk.values.arrays import Floats, Ints

SHIFTS = (-1.0, -0.5, 0.5, 1.0)
"""By how many standard deviations of the known outcomes the imputed ones are shifted."""

FARTHEST = 3.0
"""Standard deviations up to which a tipping point is looked for, in steps of a tenth."""


@dataclass(frozen=True, slots=True)
class RankBounds:
    """The lowest and the highest rank correlation that any values of the `missing` outcomes allow, without new ties.

    verdict: whether the association would be significant, on either side, whatever they are.
    """

    missing: int
    lowest: Extreme
    highest: Extreme
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Shifted:
    """The slope per unit of exposure if every imputed outcome were larger by `shift`, in its own unit."""

    shift: float
    value: float
    ci: Interval
    p: float


@dataclass(frozen=True, slots=True)
class ImputedSlope:
    """`missing` outcomes drawn `imputations` times; `slope` is per unit of exposure, `known` that without them.

    shifts: what another mean of the missing outcomes than the model expects would do. tipping: the smallest shift at
    which p crosses 0.05, None up to `searched`.
    """

    missing: int
    imputations: int
    slope: Pooled
    known: float
    shifts: tuple[Shifted, ...]
    tipping: float | None
    searched: float


def rank_bounds(
    exposure: Floats, outcome: Floats, without: Floats, permutations: int, seed: int
) -> RankBounds | None:
    """Return what the missing outcomes leave open; None without any, or where all exposures are the same.

    A missing outcome may lie anywhere in the order of the known ones. The order with the largest Σ rank · rank is
    found exactly, place by place: among the missing it is that of their exposures.
    """
    every = np.concatenate([exposure, without])
    if without.size == 0 or np.ptp(every) == 0:
        return None
    values, codes = coded(every)
    ranks = double_ranks(codes[None, :], values.size)[0]
    found = [_extreme(ranks, outcome, sign, permutations, seed) for sign in (-1, 1)]
    lowest, highest = found
    significant = [one.p is not None and one.p < LARGEST_P for one in found]
    if not any(significant):
        verdict = Verdict.NEVER
    else:
        verdict = Verdict.ALWAYS if all(significant) and lowest.rho * highest.rho > 0 else Verdict.DEPENDS
    return RankBounds(without.size, lowest, highest, verdict)


def _extreme(ranks: Ints, outcome: Floats, sign: int, permutations: int, seed: int) -> Extreme:
    filled = _best_order(sign * ranks, outcome)
    centred = [one - one.mean() for one in (ranks, filled)]
    scale = math.sqrt(float(np.sum(centred[0] ** 2) * np.sum(centred[1] ** 2)))
    rho = float(np.sum(centred[0] * centred[1])) / scale if scale > 0 else 0.0
    return Extreme(rho, rank_test(ranks, filled, permutations, seed)[0])


def _best_order(ranks: Ints, outcome: Floats) -> Ints:
    """Twice the ranks of all outcomes, known ones first, that go best with these ranks of exposure."""
    known = outcome.size
    distinct, codes = coded(outcome)
    sizes = np.bincount(codes, minlength=distinct.size)
    weights = np.bincount(codes, weights=ranks[:known], minlength=distinct.size)
    order = known + np.argsort(ranks[known:], kind="stable")
    before = np.concatenate([[0], np.cumsum(sizes)])
    blocks, missing = distinct.size, order.size
    best = np.full((blocks + 1, missing + 1), -np.inf)
    from_block = np.zeros(best.shape, dtype=bool)
    best[0, 0] = 0.0
    for i in range(blocks + 1):
        for j in range(missing + 1):
            if i > 0:
                midrank = 2 * (before[i - 1] + j) + sizes[i - 1] + 1
                reached = best[i - 1, j] + weights[i - 1] * midrank
                best[i, j], from_block[i, j] = reached, True
            if j > 0:
                reached = best[i, j - 1] + ranks[order[j - 1]] * 2 * (before[i] + j)
                if reached > best[i, j]:
                    best[i, j], from_block[i, j] = reached, False
    filled, i, j = np.zeros(ranks.size, dtype=np.int64), blocks, missing
    while i or j:
        if from_block[i, j]:
            i -= 1
            filled[:known][codes == i] = 2 * (before[i] + j) + sizes[i] + 1
        else:
            filled[order[j - 1]] = 2 * (before[i] + j)
            j -= 1
    return filled


def imputed_slope(
    exposure: Floats,
    outcome: Floats,
    without: Floats,
    others: tuple[Floats, Floats],
    seed: int,
    imputations: int = IMPUTATIONS,
) -> ImputedSlope | None:
    """Return the least-squares slope with missing outcomes imputed; None where the model fits exactly or not at all.

    The model of the known outcomes is linear in exposure and the other columns, with normal errors; its variance and
    coefficients are drawn from their posterior under the usual flat prior, then the outcomes. Put together by Rubin's
    rules with the degrees of freedom of Barnard and Rubin. That assumes that whether an outcome is missing depends on
    these columns only; `shifts` and `tipping` say what follows if it does not.

    Parameters
    ----------
    exposure, outcome : arrays, shape (n,)
    without : array, shape (q,)
        Exposure of those whose outcome is missing, q ≥ 1.
    others : arrays of shapes (n, k) and (q, k)
        Further columns of both; one that is constant, incomplete or follows from the others is left out.

    Source: Rubin D. Multiple imputation for nonresponse in surveys. Wiley 1987, chapters 3, 5 and 6.
    """
    columns, theirs = usable(np.column_stack([exposure, others[0]]), np.column_stack([without, others[1]]))
    drawn = _draws(columns, theirs, outcome, seed, imputations)
    if drawn is None:
        return None
    every = np.concatenate([exposure, without])
    known = np.tile(outcome, (imputations, 1))
    deviation = float(outcome.std(ddof=1))

    def shifted(by: float) -> Pooled:
        return _pooled_slope(every, np.hstack([known, drawn + by]))

    plain = shifted(0.0)
    steps = [0.1 * deviation * k * sign for k in range(1, round(10 * FARTHEST) + 1) for sign in (1, -1)]
    turned = (by for by in steps if (shifted(by).p < LARGEST_P) != (plain.p < LARGEST_P))
    shifts = []
    for times in SHIFTS:
        one = shifted(times * deviation)
        shifts.append(Shifted(times * deviation, one.value, one.ci, one.p))
    centred = exposure - exposure.mean()
    alone = float(centred @ outcome / (centred @ centred))
    return ImputedSlope(
        without.size, imputations, plain, alone, tuple(shifts), next(turned, None), FARTHEST * deviation
    )


def _draws(columns: Floats, theirs: Floats, outcome: Floats, seed: int, count: int) -> Floats | None:
    """Outcomes of those without one, shape (count, q)."""
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    design, their_design = (
        np.column_stack([np.ones(one.shape[0]), (one - centre) / scale]) for one in (columns, theirs)
    )
    freedom = outcome.size - design.shape[1]
    if freedom < 1 or columns.shape[1] == 0:
        return None
    fitted, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    left = float(np.sum((outcome - design @ fitted) ** 2))
    if left <= 1e-20 * float(np.sum(outcome**2)):
        return None
    random = stream(seed, Purpose.CHANGE_IMPUTATION)
    sigma = np.sqrt(left / random.chisquare(freedom, count))
    root = np.linalg.cholesky(np.linalg.inv(design.T @ design))
    beta = fitted + sigma[:, None] * (random.standard_normal((count, fitted.size)) @ root.T)
    noise = random.standard_normal((count, theirs.shape[0]))
    drawn: Floats = beta @ their_design.T + sigma[:, None] * noise
    return drawn


def _pooled_slope(exposure: Floats, outcomes: Floats) -> Pooled:
    """The slopes of completed sets, shape (m, N), as one."""
    centred, freedom = exposure - exposure.mean(), exposure.size - 2
    size = float(centred @ centred)
    slopes = outcomes @ centred / size
    spread = np.sum((outcomes - outcomes.mean(axis=1, keepdims=True)) ** 2, axis=1) - slopes**2 * size
    variances = np.maximum(spread, 0.0) / freedom / size
    return pooled(list(zip(slopes.tolist(), variances.tolist(), strict=True)), complete=freedom)
