"""Missing responses drawn from a model of the known ones, many times, and the estimates put together."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, stdtr, stdtrit

from pk.target.statistics.firth import curved
from pk.target.statistics.proportions import Interval
from pk.target.statistics.resampling import Purpose, stream
from pk.target.tiers import LARGEST_P
from pk.values.arrays import Bools, Floats

IMPUTATIONS = 20

SHIFTS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
"""Log odds by which missing responses are made likelier, and less likely, than the model expects."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """Several estimates as one: their mean, its limits and p; `from_missing` is the share of variance between them."""

    value: float
    ci: Interval
    p: float
    from_missing: float


@dataclass(frozen=True, slots=True)
class Imputed:
    """`missing` responses drawn `imputations` times; `odds` is the log odds ratio per unit of exposure.

    known: the same estimate (Firth, limits by its curvature) of the patients with outcome alone. tipping: the smallest
    shift of the missing patients' log odds at which p crosses 0.05, None up to the largest of `SHIFTS`.
    """

    missing: int
    imputations: int
    odds: Pooled
    known: float
    tipping: float | None


def imputed(
    known: tuple[Floats, Bools],
    without_outcome: Floats,
    others: tuple[Floats, Floats],
    seed: int,
    imputations: int = IMPUTATIONS,
) -> Imputed | None:
    """Return Firth's coefficient of exposure with the missing responses imputed; None where a model has no maximum.

    The model of the known responses has exposure and the other columns; coefficients are drawn from the normal
    distribution at its maximum, then the responses. A column that is constant, incomplete or follows from those
    before it is left out.

    Parameters
    ----------
    known : (array of shape (n,), array of bool of shape (n,))
        Exposure and response.
    without_outcome : array, shape (q,)
        Exposure of those whose response is missing, q ≥ 1.
    others : arrays of shapes (n, k) and (q, k)
        Further columns of both.

    Source: Rubin D. Multiple imputation for nonresponse in surveys. Wiley 1987, chapters 3 and 5.
    """
    exposure, responder = known
    columns, theirs = usable(
        np.column_stack([exposure, others[0]]), np.column_stack([without_outcome, others[1]])
    )
    model, alone = curved(columns, responder), curved(exposure[:, None], responder)
    if model is None or alone is None:
        return None
    random = stream(seed, Purpose.IMPUTATION)
    design = np.column_stack([np.ones(theirs.shape[0]), theirs])
    every = np.concatenate([exposure, without_outcome])
    betas = random.multivariate_normal(*model, size=imputations, method="cholesky")
    luck = random.random((imputations, theirs.shape[0]))

    def shifted(by: float) -> Pooled | None:
        """The estimate if the missing patients' log odds were larger by that much, with the same luck."""
        found = []
        for beta, chance in zip(betas, luck, strict=True):
            drawn = chance < expit(design @ beta + by)
            fitted = curved(every[:, None], np.concatenate([responder, drawn]))
            if fitted is None:
                return None
            found.append((float(fitted[0][1]), float(fitted[1][1, 1])))
        return pooled(found)

    plain = shifted(0.0)
    if plain is None:
        return None
    tried = ((by, shifted(by)) for size in SHIFTS for by in (size, -size))
    turned = (by for by, one in tried if one is not None and (one.p < LARGEST_P) != (plain.p < LARGEST_P))
    return Imputed(without_outcome.size, imputations, plain, float(alone[0][1]), next(turned, None))


def pooled(found: list[tuple[float, float]], level: float = 0.95, complete: float | None = None) -> Pooled:
    """Return m ≥ 2 estimates with their variances as one, by Rubin's rules.

    T = U + (1 + 1/m)B with U the mean variance and B that between estimates; Student limits with
    ν = (m − 1)(1 + U/((1 + 1/m)B))². With the degrees of freedom that complete data would have, ν is that of
    Barnard and Rubin (Biometrika 1999;86:948–955), which never exceeds them.

    >>> one = pooled([(1.0, 0.04), (1.2, 0.04)])
    >>> round(one.value, 2), round(one.from_missing, 3)
    (1.1, 0.429)
    """
    values, variances = (np.array(one) for one in zip(*found, strict=True))
    m, mean = len(found), float(values.mean())
    between, within = (1 + 1 / m) * float(values.var(ddof=1)), float(variances.mean())
    error = math.sqrt(within + between)
    freedom = (m - 1) * (1 + within / between) ** 2 if between > 1e-12 * within else 1e12
    if complete is not None:
        share = between / (within + between)
        observed = (complete + 1) / (complete + 3) * complete * (1 - share)
        freedom = 1 / (1 / freedom + 1 / observed)
    half = error * float(stdtrit(freedom, (1 + level) / 2))
    p = 2 * float(stdtr(freedom, -abs(mean) / error))
    return Pooled(mean, (mean - half, mean + half), p, between / (within + between))


def usable(columns: Floats, theirs: Floats) -> tuple[Floats, Floats]:
    """Return the columns of both that can serve: complete, not constant, not following from those before them."""
    kept: list[int] = []
    for i in range(columns.shape[1]):
        if not (np.isfinite(columns[:, i]).all() and np.isfinite(theirs[:, i]).all()):
            continue
        tried = columns[:, [*kept, i]]
        spread = tried.std(axis=0)
        if (spread > 0).all() and np.linalg.matrix_rank((tried - tried.mean(axis=0)) / spread) == len(
            kept
        ) + 1:
            kept.append(i)
    return columns[:, kept], theirs[:, kept]
