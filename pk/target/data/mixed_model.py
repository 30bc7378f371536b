"""Each subject's exposure over a span, drawn towards that of all as far as it rests on few occasions.

A summary of the occasions that happened to be measured is biased where others are missing; a model of all subjects is
less so (simulation: 10.1177/2158244014534858).
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.special import xlogy

from pk.values.arrays import Floats

LEAST = 20
"""Subjects from whom on the model is fitted."""

_LARGEST_RATIO = 1e4


def predicted_means(
    occasions: Sequence[Mapping[int, float]], weeks: Sequence[int]
) -> tuple[float | None, ...] | None:
    """Return each subject's predicted mean over the span of these weeks; None for one without an occasion in it.

    AUC = mean of the week + random intercept of the subject + error, by restricted maximum likelihood; predicted is
    the best linear unbiased one (BLUP), the weeks weighted as by the trapezoidal rule.

    Parameters
    ----------
    occasions : sequence of mappings
        The AUCs of each subject by nominal week, mg·h/L.
    weeks : sequence of int
        The weeks of the span, increasing; two or more.

    Returns
    -------
    tuple or None
        None with fewer than 20 subjects, where a week was never measured, or nobody was measured twice.

    Source: Laird N, Ware J. Biometrics 1982;38:963–974.
    """
    rows = [
        (i, weeks.index(week), auc)
        for i, one in enumerate(occasions)
        for week, auc in one.items()
        if week in weeks
    ]
    subjects = sorted({i for i, _, _ in rows})
    if len(subjects) < LEAST or len({w for _, w, _ in rows}) < len(weeks) or len(rows) == len(subjects):
        return None
    place = {subject: i for i, subject in enumerate(subjects)}
    who = np.array([place[i] for i, _, _ in rows])
    design = np.eye(len(weeks))[[w for _, w, _ in rows]]
    values = np.array([auc for _, _, auc in rows])
    means, intercepts = _fitted(who, design, values)
    middle = float(_weights(weeks) @ means)
    predicted = dict(zip(subjects, (middle + intercepts).tolist(), strict=True))
    return tuple(predicted.get(i) for i in range(len(occasions)))


def _weights(weeks: Sequence[int]) -> Floats:
    """The share of each week in a mean by the trapezoidal rule."""
    halves = [(later - one) / 2 for one, later in pairwise(weeks)]
    shares = np.array([0.0, *halves]) + np.array([*halves, 0.0])
    weights: Floats = shares / shares.sum()
    return weights


def _fitted(who: np.ndarray, design: Floats, values: Floats) -> tuple[Floats, Floats]:
    """The means of the weeks and the subjects' intercepts at the best ratio of the two variances."""
    # A quarter of a second to import, and not needed by other commands.
    from scipy.optimize import minimize_scalar

    counts, least = np.bincount(who).astype(np.float64), 1e-12 * (float(values.var()) or 1.0)

    def at(ratio: float) -> tuple[float, Floats, Floats]:
        shrink = ratio / (1 + counts * ratio)
        sums = np.stack([np.bincount(who, weights=column) for column in design.T])
        total = np.bincount(who, weights=values)
        information = design.T @ design - (sums * shrink) @ sums.T
        means = np.linalg.solve(information, design.T @ values - (sums * shrink) @ total)
        residual = values - design @ means
        left = np.bincount(who, weights=residual)
        freedom = values.size - design.shape[1]
        variance = max(least, float(residual @ residual - np.sum(shrink * left**2)) / freedom)
        _, size = np.linalg.slogdet(information)
        height = float(xlogy(freedom, variance)) + float(np.sum(np.log1p(counts * ratio))) + float(size)
        return height, np.asarray(means, dtype=np.float64), shrink * left

    found = minimize_scalar(
        lambda x: at(math.expm1(x))[0], bounds=(0.0, math.log1p(_LARGEST_RATIO)), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    ratio = min((0.0, math.expm1(float(found.x))), key=lambda one: at(one)[0])
    _, means, intercepts = at(ratio)
    return means, intercepts
