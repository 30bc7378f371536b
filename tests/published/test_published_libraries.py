"""Other libraries on the same data as ours: firthmodels, statsmodels and scikit-learn. `make published` runs this."""

from __future__ import annotations

import numpy as np
import pytest
from firthmodels import FirthLogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from statsmodels.api import OLS, add_constant
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from target_cases import simulated
from test_published_data_sets import data_set, sex2

from pk.target.association.correlation import linear_slope
from pk.target.cut.discrimination import counted, roc_area
from pk.target.cut.youden import empirical_cut
from pk.target.statistics.firth import firth
from pk.target.statistics.multiplicity import benjamini_hochberg, holm
from pk.target.statistics.proportions import newcombe, proportion, wilson


def test_firth_is_that_of_firthmodels() -> None:
    columns, case = sex2()
    ours, theirs = firth(columns, case), FirthLogisticRegression(backend="numpy").fit(columns, case)
    theirs.lrt()
    assert ours is not None
    assert [one.value for one in ours.coefficients] == pytest.approx(theirs.coef_.tolist(), abs=1e-4)
    limits = theirs.conf_int(method="pl")[:-1]
    assert [one.ci for one in ours.coefficients] == [pytest.approx(tuple(one), abs=1e-3) for one in limits]
    assert [one.p for one in ours.coefficients] == pytest.approx(theirs.lrt_pvalues_[:-1].tolist(), abs=1e-5)


@pytest.mark.parametrize("marker", ["ndka", "s100b"])
def test_area_and_cut_are_those_of_scikit_learn(marker: str) -> None:
    data = data_set("pROC", marker)
    values, poor = np.array(data[marker]), np.array(data["outcome"]) == "Poor"
    counts = counted(values, poor)
    assert roc_area(counts).value == pytest.approx(roc_auc_score(poor, values), abs=1e-14)
    false, true, thresholds = roc_curve(poor, values)
    best = float(thresholds[np.argmax(true - false)])  # the observed value above the cut; ours lies midway
    cut = empirical_cut(counts).value
    assert max(values[values < best]) < cut < best or cut == pytest.approx(best)


def test_slopes_are_those_of_statsmodels() -> None:
    data = data_set("pROC", "ndka")
    x, z, y = (np.array(data[name], dtype=float) for name in ("ndka", "age", "s100b"))
    ours = linear_slope(x, y, z)
    theirs = OLS(y, add_constant(np.column_stack([x, z]))).fit()
    assert ours is not None and ours[0].ci_per_10 is not None
    assert (ours[0].per_10, ours[1]) == pytest.approx((10 * theirs.params[1], theirs.pvalues[1]), rel=1e-8)
    assert ours[0].ci_per_10 == pytest.approx(tuple(10 * theirs.conf_int()[1]), rel=1e-8)


def test_proportions_and_several_tests_are_those_of_statsmodels() -> None:
    for k, n in ((0, 2), (3, 11), (41, 113)):
        assert proportion(k, n).ci == pytest.approx(proportion_confint(k, n, method="beta"), abs=1e-9)
        assert wilson(k, n) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)
    found = newcombe(56, 70, 48, 80)
    assert found is not None
    assert found[1] == pytest.approx(
        confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff"), abs=1e-9
    )
    p, _ = simulated(30, 1)
    p = [one / 200 for one in p]
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist())
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1].tolist())
