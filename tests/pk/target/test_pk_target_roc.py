"""The ROC area, its variance and its bootstrap: over all pairs, or as scipy has them."""

import math

import numpy as np
import pytest
from hypothesis import given
from scipy import stats
from target_cases import (
    FEW,
    Rows,
    cohorts,
    columns,
    delong_variance,
    pairs_area,
    simulated,
)

from pk.target.cut.discrimination import area_test, bootstrap_interval, counted, roc_area


@FEW
@given(cohorts)
def test_the_area_and_its_variance_are_those_of_all_pairs(rows: Rows) -> None:
    exposure, responder = columns(rows)
    found = roc_area(counted(exposure, responder))
    area = pairs_area(exposure.tolist(), responder.tolist())
    assert found.value == pytest.approx(area, rel=1e-12)
    assert found.separated == (area in (0, 1))
    if found.standard_error is not None:
        variance = delong_variance(exposure.tolist(), responder.tolist())
        assert found.standard_error**2 == pytest.approx(variance, rel=1e-9, abs=1e-15)
        assert found.ci_logit_delong is not None
        low, high = found.ci_logit_delong
        assert 0 <= low <= found.value <= high <= 1
        half = 1.959963984540054 * found.standard_error / (area * (1 - area))
        assert math.log(high / (1 - high)) == pytest.approx(math.log(area / (1 - area)) + half, rel=1e-6)


def test_separated_groups_have_no_interval() -> None:
    counts = counted(np.arange(20.0), np.arange(20) >= 10)
    found = roc_area(counts)
    assert (found.value, found.separated, found.ci_delong, found.ci_logit_delong) == (1.0, True, None, None)
    assert bootstrap_interval(counts, 100, 1) is None
    assert area_test(counts).p == pytest.approx(2 / math.comb(20, 10), rel=1e-9)


def test_a_bootstrap_interval_of_the_area_holds_it() -> None:
    exposure, outcome = (np.array(one) for one in simulated(14, 2, shift=8))
    counts = counted(exposure, outcome == 1)
    limits = bootstrap_interval(counts, 400, 1)
    assert limits is not None and 0 <= limits[0] < roc_area(counts).value < limits[1] <= 1


def test_the_bootstrap_of_the_area_is_scipys_bias_corrected_and_accelerated_one() -> None:
    random = np.random.default_rng(4)
    responders, others = random.normal(52, 12, 9), random.normal(40, 15, 31)
    theirs = stats.bootstrap(
        (responders, others),
        lambda x, y, axis: np.mean(x[..., :, None] > y[..., None, :], axis=(-1, -2)),
        method="BCa",
        n_resamples=4000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    counts = counted(np.concatenate([responders, others]), np.arange(40) < 9)
    assert bootstrap_interval(counts, 4000, 1) == pytest.approx((theirs.low, theirs.high), abs=0.02)
