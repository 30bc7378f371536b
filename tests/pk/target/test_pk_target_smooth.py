"""Smoothed cuts and lines: by their definitions written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pk.target.cut.kernel import kernel_cut
from pk.target.statistics.loess import loess


def test_the_smoothed_cut_is_the_best_of_the_smoothed_distributions() -> None:
    random = np.random.default_rng(6)
    responders, others = random.normal(52, 12, 30), random.normal(38, 15, 45)

    def smooth(values: np.ndarray, at: float) -> float:
        quarter, three = np.quantile(values, [0.25, 0.75])
        width = 0.9 * min(values.std(ddof=1), (three - quarter) / 1.34) * len(values) ** -0.2
        return float(np.mean(stats.norm.cdf((at - values) / width)))

    grid = np.linspace(5, 80, 7501)
    best = grid[np.argmax([smooth(others, one) - smooth(responders, one) for one in grid])]
    assert kernel_cut(responders, others) == pytest.approx(best, abs=0.02)
    assert kernel_cut(3 * responders, 3 * others) == pytest.approx(3 * best, abs=0.06)


@pytest.mark.parametrize(
    ("responders", "others"),
    [([50.0, 50.0], [30.0, 40.0]), ([50.0], [30.0, 40.0]), ([10.0, 11.0], [50.0, 52.0])],
    ids=["constant", "one patient", "the other way round"],
)
def test_without_spread_or_order_there_is_no_smoothed_cut(
    responders: list[float], others: list[float]
) -> None:
    assert kernel_cut(np.array(responders), np.array(others)) is None


def test_a_smooth_line_keeps_a_line_and_stands_ties() -> None:
    x = np.linspace(10, 80, 30)
    assert np.allclose(loess(x, 3 - 0.2 * x, x), 3 - 0.2 * x)
    tied = np.repeat([20.0, 60.0], [25, 5])
    assert np.allclose(loess(tied, np.arange(30.0), np.array([20.0])), 12.0)
