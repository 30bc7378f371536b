"""Exposures predicted by a model of all subjects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pk.target.data.mixed_model import predicted_means


def _year(subjects: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    found: np.ndarray = 40 + random.normal(0, 10, (subjects, 1)) + random.normal(0, 6, (subjects, 3))
    return found


def test_of_whole_rows_the_prediction_is_that_of_the_analysis_of_variance() -> None:
    values = _year(30, 7)
    mean, week = values.mean(axis=1), values.mean(axis=0)
    error = ((values - mean[:, None] - week + values.mean()) ** 2).sum() / (29 * 2)
    between = (3 * mean.var(ddof=1) - error) / 3
    share = 3 * between / (3 * between + error)
    expected = week @ [0.15, 0.5, 0.35] + share * (mean - values.mean())
    rows: list[dict[int, float]] = [dict(zip((6, 12, 26), one, strict=True)) for one in values.tolist()]
    assert predicted_means(rows, (6, 12, 26)) == pytest.approx(expected.tolist(), rel=1e-6)


def test_a_subject_with_one_occasion_is_drawn_further_to_the_others() -> None:
    values = _year(40, 8)
    rows: list[dict[int, float]] = [dict(zip((6, 12, 26), one, strict=True)) for one in values.tolist()]
    whole = predicted_means(rows, (6, 12, 26))
    highest = int(np.argmax(values.mean(axis=1)))
    rows[highest] = {12: float(values[highest].mean())}
    fewer = predicted_means([*rows, {}, {52: 40.0}], (6, 12, 26))
    assert whole is not None and fewer is not None
    assert (fewer[-2], fewer[-1]) == (None, None)
    one, other = fewer[highest], whole[highest]
    assert one is not None and other is not None and values.mean() < one < other


@pytest.mark.parametrize(
    "rows",
    [
        [{6: 40.0, 12: 41.0, 26: 39.0}] * 19,
        [{6: 40.0, 12: 41.0}] * 30,
        [{(6, 12, 26)[i % 3]: 40.0 + i} for i in range(30)],
    ],
    ids=["too few", "a week never measured", "nobody twice"],
)
def test_without_enough_to_tell_them_apart_nothing_is_predicted(rows: list[dict[int, Any]]) -> None:
    assert predicted_means(rows, (6, 12, 26)) is None
