"""How certain a data-driven cut is, and how much better it looks than it is: stratified bootstrap."""

from dataclasses import dataclass

import numpy as np

from pk.target.cut.discrimination import Counts
from pk.target.cut.youden import at_cuts, best_cuts
from pk.target.statistics.binormal import fitted_cuts
from pk.target.statistics.proportions import Interval
from pk.target.statistics.resampling import Purpose, blocks, percentile_interval, resampled_counts, stream
from pk.values.arrays import Floats

WITHIN = 5.0
"""mg·h/L: half of what lies between the literature's thresholds 35 and 45."""


@dataclass(frozen=True, slots=True)
class CutBootstrap:
    """What samples drawn with replacement, within responders and within the others, say about the cut.

    cuts: the empirical cut of each sample. ci, ci_binormal: percentile intervals. within_5: share of samples whose
    cut is within 5 mg·h/L of the one found. optimism_*: how much better sensitivity, specificity and
    predictive values are in the sample in which the cut was found than in the original one, on average.
    """

    cuts: Floats
    ci: Interval
    ci_binormal: Interval | None
    within_5: float
    optimism_sensitivity: float
    optimism_specificity: float
    optimism_positive: float
    optimism_negative: float


def bootstrap_cut(counts: Counts, found: float, rows: int, seed: int, *, upper: bool = False) -> CutBootstrap:
    """Return the bootstrap of Youden's cut of a sample with at least two distinct exposures.

    The optimism is Harrell's: the mean over samples of (performance in the sample − performance of the same cut in
    the original data). It helps and does not remove the bias.

    Source: Harrell F, Lee K, Mark D. Stat Med 1996;15:361–387.
    """
    random, distinct = stream(seed, Purpose.CUT_BOOTSTRAP), counts.values.size
    codes_1 = np.repeat(np.arange(distinct), counts.responders)
    codes_0 = np.repeat(np.arange(distinct), counts.others)
    cuts, binormal, gain = [], [], []
    for size in blocks(rows, codes_1.size + codes_0.size):
        drawn_1 = resampled_counts(random, codes_1, distinct, size)
        drawn_0 = resampled_counts(random, codes_0, distinct, size)
        best = best_cuts(counts.values, drawn_1, drawn_0, upper=upper)
        usable = np.isfinite(best.value)
        here = _performance(best.sensitivity[usable], best.specificity[usable], codes_1.size, codes_0.size)
        there = _performance(*at_cuts(counts, best.value[usable]), codes_1.size, codes_0.size)
        gain.append(here - there)
        cuts.append(best.value[usable])
        binormal.append(fitted_cuts(counts.values, drawn_1, drawn_0))
    every, fitted = np.concatenate(cuts), np.concatenate(binormal)
    optimism = _mean_known(np.concatenate(gain, axis=1))
    known = fitted[np.isfinite(fitted)]
    return CutBootstrap(
        every,
        percentile_interval(every),
        percentile_interval(known) if known.size > fitted.size / 2 else None,
        float(np.mean(np.abs(every - found) <= WITHIN)),
        *optimism,
    )


def _performance(sensitivity: Floats, specificity: Floats, responders: int, others: int) -> Floats:
    """Sensitivity, specificity and the two predictive values; shape (4, samples). NaN where a side is empty."""
    tp, tn = sensitivity * responders, specificity * others
    on_side, off_side = tp + others - tn, tn + responders - tp
    positive, negative = np.full(tp.size, np.nan), np.full(tp.size, np.nan)
    np.divide(tp, on_side, out=positive, where=on_side > 0)
    np.divide(tn, off_side, out=negative, where=off_side > 0)
    return np.stack([sensitivity, specificity, positive, negative])


def _mean_known(rows: Floats) -> tuple[float, float, float, float]:
    """The mean of what is not NaN in each row; 0 where nothing is."""
    known = np.isfinite(rows)
    means = np.where(known, rows, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    first, second, third, fourth = means.tolist()
    return first, second, third, fourth
