"""Doses superpose; a row of doses is the limit of many; areas are those of the curve."""

import itertools
import math

import numpy as np
import pytest
from agreement import MATRIX, Agreement, Method, reference
from hypothesis import given, settings
from hypothesis import strategies as st
from pk_cases import one_record
from pk_models import LAGGED, TRANSIT, prior
from reference_pk import curve
from scipy.integrate import quad

from pk.kinetics.batch import Doses
from pk.kinetics.dosing import areas, courses
from pk.kinetics.structure import Structure

THETA = {
    Structure.ONE_COMPARTMENT_BOLUS: [16.0, 60.0],
    Structure.ONE_COMPARTMENT_FIRST_ORDER_LAG: [16.0, 60.0, 1.5, 0.4],
    Structure.TWO_COMPARTMENT_BOLUS: [16.0, 40.0, 22.0, 200.0],
    LAGGED: [16.0, 40.0, 22.0, 200.0, 2.1, 0.35],
    TRANSIT: [13.15, 22.95, 26.44, 336.03, 2.98, 0.8],
}
history = st.lists(
    st.tuples(st.floats(-40.0, 6.0), st.floats(100.0, 1500.0), st.sampled_from([0.0, 8.0, 12.0, 24.0])),
    min_size=1,
    max_size=5,
)
structures = st.sampled_from(list(Structure))


def given_as(rows: list[tuple[float, float, float]]) -> Doses:
    table = np.array(rows, float)
    return Doses(table[None, :, 0], table[None, :, 1], table[None, :, 2])


def conc(structure: Structure, rows: list[tuple[float, float, float]], time: float) -> float:
    return float(
        courses(prior(structure), given_as(rows), np.array([[time]]), np.array([THETA[structure]])).value[
            0, 0
        ]
    )


def area(structure: Structure, rows: list[tuple[float, float, float]], start: float, end: float) -> float:
    found = areas(
        prior(structure), given_as(rows), np.array([start]), np.array([end]), np.array([THETA[structure]])
    )
    return float(found.value[0, 0])


@pytest.mark.parametrize("structure", list(Structure))
def test_steady_state_is_the_limit_of_many_doses(structure: Structure) -> None:
    many = [(-12.0 * k, 1000.0, 0.0) for k in range(400)]
    for time in (0.1, 0.9, 5.0, 11.9):
        assert conc(structure, [(0.0, 1000.0, 12.0)], time) == pytest.approx(
            conc(structure, many, time), rel=1e-10
        )


@settings(max_examples=60, deadline=None)
@given(structures, history, st.floats(-1.0, 12.0))
def test_doses_superpose(structure: Structure, rows: list[tuple[float, float, float]], time: float) -> None:
    apart = sum(conc(structure, [row], time) for row in rows)
    assert conc(structure, rows, time) == pytest.approx(apart, rel=1e-12, abs=1e-15)


@settings(max_examples=40, deadline=None)
@given(structures, history, st.floats(-1.0, 12.0), st.floats(0.1, 10.0))
def test_concentrations_are_proportional_to_the_doses(
    structure: Structure, rows: list[tuple[float, float, float]], time: float, factor: float
) -> None:
    scaled = [(when, amount * factor, every) for when, amount, every in rows]
    assert conc(structure, scaled, time) == pytest.approx(factor * conc(structure, rows, time), rel=1e-12)


@reference(Method.COURSES, "each structure, random histories of doses: concentrations", MATRIX)
@settings(one_record, max_examples=60, deadline=None)
@given(structures, history, st.floats(-1.0, 12.0))
def test_any_history_agrees_with_the_matrix_exponential(
    agreement: Agreement, structure: Structure, rows: list[tuple[float, float, float]], time: float
) -> None:
    want = curve(structure, THETA[structure], 6, rows, time)
    agreement(conc(structure, rows, time), want, rel=1e-9, within=1e-10, unit="mg/L")


@reference(Method.COURSES, "each structure: AUC of an interval at steady state", "dose / clearance")
@pytest.mark.parametrize("structure", list(Structure))
@pytest.mark.parametrize("every", [6.0, 8.0, 12.0, 24.0])
@pytest.mark.parametrize("start", [0.0, -3.7, 0.2])
def test_the_area_over_an_interval_at_steady_state_is_dose_over_clearance(
    structure: Structure, every: float, start: float, agreement: Agreement
) -> None:
    # While the row lasts: the interval that begins with its last dose ends when the next would arrive.
    begin = min(start, 0.0)
    got = area(structure, [(0.0, 750.0, every)], begin, begin + every)
    agreement(got, 750.0 / THETA[structure][0], rel=4e-15)


def test_unequal_doses_morning_and_evening_are_two_rows() -> None:
    rows = [(0.0, 1000.0, 24.0), (-12.0, 500.0, 24.0)]
    many = [(-24.0 * k, 1000.0, 0.0) for k in range(200)] + [
        (-12.0 - 24.0 * k, 500.0, 0.0) for k in range(200)
    ]
    assert conc(LAGGED, rows, 3.0) == pytest.approx(conc(LAGGED, many, 3.0), rel=1e-10)
    assert area(LAGGED, rows, -12.0, 12.0) == pytest.approx(1500.0 / 16.0, rel=1e-14)


@reference(
    Method.COURSES,
    "each structure, random histories of doses: AUC of any interval",
    "adaptive quadrature of the curve (scipy.integrate.quad)",
)
@settings(one_record, max_examples=40, deadline=None)
@given(structures, history, st.floats(-2.0, 8.0), st.floats(0.5, 12.0))
def test_the_area_is_the_integral_of_the_curve(
    agreement: Agreement,
    structure: Structure,
    rows: list[tuple[float, float, float]],
    start: float,
    length: float,
) -> None:
    end = start + length
    lag = THETA[structure][-1] if structure.value.endswith("lag") else 0.0
    breaks = {start, end}
    for when, _, every in rows:
        earliest = (
            when + lag if every == 0 else when + lag - every * math.ceil((when + lag - start) / every + 1)
        )
        for k in range(12):
            arrives = earliest + k * (every or 1e9)
            if start < arrives < end and arrives <= when + lag + 1e-9:
                breaks.add(arrives)
    cuts = sorted(breaks)
    whole = sum(
        quad(lambda t: conc(structure, rows, t), a, b, epsabs=1e-11, epsrel=1e-11)[0]
        for a, b in itertools.pairwise(cuts)
        if b - a > 1e-12  # else an arrival that is the start, but for rounding
    )
    agreement(area(structure, rows, start, end), whole, rel=1e-8, within=1e-8, unit="mg·h/L")


@settings(max_examples=30, deadline=None)
@given(structures, history, st.floats(-2.0, 4.0), st.floats(0.0, 6.0), st.floats(0.0, 6.0))
def test_areas_of_neighbouring_intervals_add_up(
    structure: Structure, rows: list[tuple[float, float, float]], start: float, one: float, two: float
) -> None:
    parts = area(structure, rows, start, start + one) + area(structure, rows, start + one, start + one + two)
    assert area(structure, rows, start, start + one + two) == pytest.approx(parts, rel=1e-10, abs=1e-10)


def test_a_lag_longer_than_the_interval_shows_the_dose_before() -> None:
    theta = np.array([[16.0, 40.0, 22.0, 200.0, 2.1, 0.35]])
    longer = theta + np.array([0, 0, 0, 0, 0, 12.0])
    times = np.array([[0.1, 0.5, 4.0]])
    rows = given_as([(0.0, 1000.0, 12.0)])
    assert np.allclose(
        courses(prior(LAGGED), rows, times, theta).value,
        courses(prior(LAGGED), rows, times, longer).value,
        rtol=1e-12,
    )


def test_before_the_first_dose_there_is_nothing() -> None:
    for structure in Structure:
        assert conc(structure, [(0.0, 1000.0, 0.0)], -0.5) == 0.0
        assert conc(structure, [(0.0, 1000.0, 0.0)], 0.0) == 0.0
        assert area(structure, [(0.0, 1000.0, 0.0)], -5.0, 0.0) == 0.0


def test_a_sample_at_the_time_of_a_bolus_is_taken_before_it() -> None:
    rows = [(0.0, 1000.0, 12.0)]
    structure = Structure.ONE_COMPARTMENT_BOLUS
    assert conc(structure, rows, 0.0) == pytest.approx(conc(structure, rows, 12.0), rel=1e-12)
    assert conc(structure, rows, 1e-9) > 2.0 * conc(structure, rows, 0.0)


def test_unused_places_change_nothing() -> None:
    rows = [(0.0, 1000.0, 12.0)]
    assert conc(LAGGED, [*rows, (0.0, 0.0, 0.0), (3.0, 0.0, 12.0)], 5.0) == conc(LAGGED, rows, 5.0)
