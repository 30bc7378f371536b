"""Firth's regression: by hand for two-by-two tables, else against a search that knows nothing of scores."""

import math

import numpy as np
import pytest
from scipy import optimize, stats
from target_cases import (
    penalised_log_likelihood,
)

from pk.target.statistics.firth import firth


@pytest.mark.parametrize("table", [(7, 3, 2, 8), (5, 0, 0, 6), (1, 4, 4, 1)])
def test_firth_of_a_two_by_two_table_adds_a_half_to_every_cell(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    column = np.array([1.0] * (a + b) + [0.0] * (c + d))[:, None]
    responder = np.array([True] * a + [False] * b + [True] * c + [False] * d)
    found = firth(column, responder)
    assert found is not None
    expected = math.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))
    assert found.coefficients[0].value == pytest.approx(expected, abs=1e-8)
    assert found.intercept == pytest.approx(math.log((c + 0.5) / (d + 0.5)), abs=1e-7)


@pytest.mark.parametrize("separated", [False, True])
def test_firth_is_the_maximum_and_its_limits_are_where_the_profile_falls(separated: bool) -> None:
    random = np.random.default_rng(8)
    columns = np.column_stack([random.normal(40, 15, 24), random.normal(20, 5, 24)])
    responder = columns[:, 0] > 40 if separated else random.random(24) < 0.5
    found = firth(columns, responder)
    assert found is not None
    design = np.column_stack([np.ones(24), columns])
    best = np.array([found.intercept, *(one.value for one in found.coefficients)])
    top = penalised_log_likelihood(best, design, responder)
    assert found.penalised_log_likelihood == pytest.approx(top, abs=1e-7)

    def highest(value: float) -> float:
        """The profile of the second coefficient, by a search that knows nothing of scores."""
        free = optimize.minimize(
            lambda b: -penalised_log_likelihood(np.array([b[0], b[1], value]), design, responder),
            best[:2],
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000},
        )
        return -float(free.fun)

    assert highest(best[2]) == pytest.approx(top, abs=1e-7)
    second = found.coefficients[1]
    assert second.ci is not None
    for limit in second.ci:
        assert 2 * (top - highest(limit)) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=2e-3)
    assert second.p == pytest.approx(stats.chi2.sf(2 * (top - highest(0.0)), 1), abs=1e-3)


def test_firth_needs_columns_that_differ_and_patients() -> None:
    responder = np.array([True, False, True, False])
    assert firth(np.ones((4, 1)), responder) is None
    assert firth(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [5.0, 10.0]]), responder) is None
    assert firth(np.array([[1.0], [2.0]]), np.array([True, False])) is None
