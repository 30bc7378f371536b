"""The closed forms agree with the differential equations, at golden values, and where roots coincide."""

from typing import Any

import numpy as np
import pytest
from agreement import MATRIX, Agreement, Method, reference
from hypothesis import given, settings
from hypothesis import strategies as st
from pk_cases import one_record
from pk_models import LAGGED, TRANSIT, one_row, prior
from reference_pk import curve, rate_matrix
from scipy.integrate import solve_ivp

from pk.kinetics.dosing import areas, courses
from pk.kinetics.structure import PARAMETERS, Structure

MPA = 0.739


# Typical values of the published models, 1000 mg MMF every 12 h at steady state; calculated apart from this program.
GOLDEN: list[Any] = [
    ("Mizaki 2023", TRANSIT, (13.15, 22.95, 26.44, 336.03, 2.98, 0.45), 1.0, (3.8034, 11.7724, 10.6805, 76.0456)),
    ("de Winter 2008", LAGGED, (16, 40, 22, 518, 4.1, 0.30), MPA, (2.0981, 11.3764, 6.9738, 46.1875)),
    (
        "Yu 2017", LAGGED, (18.3, 27.9, 0.915 * 27.9, 0.915 * 27.9 / 0.059, 1.89, 0.0), 1.0,
        (2.3888, 16.6744, 7.0936, 54.6448),
    ),
    ("van Hest 2007", LAGGED, (20, 111, 49, 388, 3.6, 0.24), 1.0, (2.7272, 7.6809, 6.4737, 50.0)),
    ("van Hest 2005", LAGGED, (32.5, 91, 35, 237, 4.1, 0.21), 1.0, (1.0806, 7.7874, 4.8310, 30.7692)),
    ("Quintairos 2021", LAGGED, (11.8, 106, 37.1, 800, 1.79, 0.243), 0.73896, (3.9429, 6.3305, 7.6790, 62.6237)),
]  # fmt: skip


@reference(Method.COURSES, "the published models, typical patient at steady state: C0, C0.5, C2", MATRIX)
@pytest.mark.parametrize(
    ("structure", "theta", "basis", "expected"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN]
)
def test_published_models_give_their_golden_values(
    structure: Structure,
    theta: tuple[float, ...],
    basis: float,
    expected: tuple[float, ...],
    agreement: Agreement,
) -> None:
    parameters, doses = np.array([theta], float), one_row(1000.0 * basis)
    concs = courses(prior(structure), doses, np.array([[0.0, 0.5, 2.0]]), parameters).value[:, 0]
    area = areas(prior(structure), doses, np.zeros(1), np.full(1, 12.0), parameters).value[0, 0]
    # Printed with four decimals; the same numbers by matrix exponential, to more digits, follow below.
    assert np.allclose([*concs, area], expected, rtol=0, atol=7e-5)
    rows = [(0.0, 1000.0 * basis, 12.0)]
    exact = [curve(structure, theta, 6, rows, t) for t in (0.0, 0.5, 2.0)]
    agreement(concs, exact, rel=1e-10)
    assert area == pytest.approx(1000.0 * basis / theta[0], rel=1e-14)


def rate(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(np.log(low), np.log(high)).map(lambda x: float(np.exp(x)))


@st.composite
def any_parameters(draw: st.DrawFn, structure: Structure) -> list[float]:
    spans = {
        "CL": (1, 80), "V1": (3, 300), "Q": (0.5, 120), "V2": (10, 900), "ka": (0.2, 12), "tlag": (0.02, 3),
        "MTT": (0.1, 4),
    }  # fmt: skip
    return [draw(rate(*spans[name])) for name in PARAMETERS[structure]]


@reference(
    Method.COURSES,
    "each structure, random parameters: concentrations after one dose and at steady state",
    MATRIX,
)
@pytest.mark.parametrize("structure", list(Structure))
@settings(one_record, max_examples=40, deadline=None)
@given(data=st.data())
def test_closed_forms_agree_with_the_matrix_exponential(
    structure: Structure, data: st.DataObject, agreement: Agreement
) -> None:
    theta = data.draw(any_parameters(structure))
    every = data.draw(st.sampled_from([0.0, 8.0, 12.0, 24.0]))
    time = data.draw(st.floats(0.3, 11.5))
    doses = one_row(1000.0, every)
    got = courses(prior(structure), doses, np.array([[time]]), np.array([theta])).value[0, 0]
    want = curve(structure, theta, 6, [(0.0, 1000.0, every)], time)
    # A matrix exponential is good to about 1e-15 of its largest state.
    agreement(got, want, rel=1e-9, within=1e-11, unit="mg/L")


@pytest.mark.parametrize("apart", [0.0, 1e-15, 1e-12, 1e-9])
def test_elimination_nearly_as_fast_as_absorption_is_no_special_case(apart: float) -> None:
    """Both 1/h: by hand a dose leaves t e^-t, a row of them 8 e^-8 / (1 - e^-8)²; the reference must agree."""
    structure, theta = Structure.ONE_COMPARTMENT_FIRST_ORDER_LAG, [3.0 * (1.0 + apart), 3.0, 1.0, 1.0]
    gone = np.exp(-8.0)
    by_hand = 1000.0 / 3.0 * 8.0 * gone / (1.0 - gone) ** 2
    got = courses(prior(structure), one_row(1000.0, 8.0), np.array([[1.0]]), np.array([theta])).value[0, 0]
    want = curve(structure, theta, 6, [(0.0, 1000.0, 8.0)], 1.0)
    assert (got, want) == (pytest.approx(by_hand, rel=1e-8), pytest.approx(got, rel=1e-12))


@reference(
    Method.COURSES,
    "each structure, random parameters: concentrations and areas after one dose",
    "numerical solution of the rate equations (scipy.integrate.solve_ivp, DOP853)",
)
@pytest.mark.parametrize("structure", list(Structure))
def test_closed_forms_agree_with_a_tight_ode_solution(structure: Structure, agreement: Agreement) -> None:
    rng = np.random.default_rng(11)
    for _ in range(4):
        theta = [
            {"CL": 16, "V1": 40, "Q": 22, "V2": 300, "ka": 2.5, "tlag": 0.3, "MTT": 0.6}[name]
            * float(np.exp(0.5 * rng.standard_normal()))
            for name in PARAMETERS[structure]
        ]
        matrix, centre = rate_matrix(structure, theta, 6)
        start = np.zeros(matrix.shape[0])
        start[0] = 1000.0
        lag = theta[-1] if structure.value.endswith("lag") else 0.0
        times = np.array([0.7, 2.0, 6.0, 11.0])
        solved = solve_ivp(
            lambda _, y, m=matrix: m @ y,
            (0.0, 12.0),
            start,
            method="DOP853",
            rtol=1e-12,
            atol=1e-12,
            t_eval=np.maximum(times - lag, 0.0),
        )
        got = courses(prior(structure), one_row(1000.0, 0.0), times[None], np.array([theta])).value[:, 0]
        agreement(got, solved.y[centre] / theta[1], rel=1e-9, within=1e-9, unit="mg/L")
        got_area = areas(
            prior(structure),
            one_row(1000.0, 0.0),
            np.full(1, times[0]),
            np.full(1, times[-1]),
            np.array([theta]),
        ).value[0, 0]
        agreement(got_area, solved.y[-1, -1] - solved.y[-1, 0], rel=1e-9)


def _roots(theta: list[float]) -> tuple[float, float]:
    cl, v1, q, v2 = theta[:4]
    k10, k12, k21 = cl / v1, q / v1, q / v2
    total = k10 + k12 + k21
    alpha = (total + np.sqrt(total**2 - 4 * k10 * k21)) / 2
    return float(alpha), float(k10 * k21 / alpha)


@reference(Method.COURSES, "absorption as fast, or nearly as fast, as a phase of the decline", MATRIX)
@pytest.mark.parametrize("structure", [LAGGED, TRANSIT])
@pytest.mark.parametrize("root", [0, 1])
@pytest.mark.parametrize("apart", [0.0, 1e-14, 1e-10, 1e-7, 1e-5, 1e-4, 5e-4, 1e-3, 3e-3, 1e-2, -1e-4, -1e-3])
@pytest.mark.parametrize("every", [0.0, 12.0])
def test_equal_and_nearly_equal_roots_lose_no_digits(
    structure: Structure, root: int, apart: float, every: float, agreement: Agreement
) -> None:
    theta = [16.0, 40.0, 22.0, 200.0, 1.0, 0.5]
    theta[4] = _roots(theta)[root] * (1.0 + apart)
    times = np.array([[0.8, 2.0, 7.0, 11.9]])
    course = courses(prior(structure), one_row(1000.0, every), times, np.array([theta]), gradient=True)
    want = [curve(structure, theta, 6, [(0.0, 1000.0, every)], t) for t in times[0]]
    agreement(course.value[:, 0], want, rel=1e-9)
    assert course.gradient is not None
    step = 1e-3
    sides = [
        [curve(structure, [*theta[:4], theta[4] * np.exp(h), theta[5]], 6, [(0.0, 1000.0, every)], t) for t in times[0]]
        for h in (-2 * step, -step, step, 2 * step)
    ]  # fmt: skip
    slope = (
        (np.array(sides[0]) - 8 * np.array(sides[1]) + 8 * np.array(sides[2]) - np.array(sides[3]))
        / 12
        / step
    )
    assert np.allclose(course.gradient[4, :, 0], slope, rtol=1e-7, atol=1e-8)


@reference(Method.COURSES, "nearly equal rates soon after a dose, at steady state", MATRIX)
@pytest.mark.parametrize("structure", [LAGGED, TRANSIT])
@pytest.mark.parametrize("every", [12.0, 24.0])
@pytest.mark.parametrize("apart", [1e-4, 3e-3, 1e-2, 3e-2, 0.1, 0.3])
def test_nearly_equal_rates_soon_after_a_dose_remember_the_doses_before(
    structure: Structure, every: float, apart: float, agreement: Agreement
) -> None:
    """The last dose has hardly begun to wash out, so the small rest of the earlier ones decides the slope."""
    theta = [63.0, 173.0, 0.9, 50.4, 1.0, 0.2]
    theta[4] = _roots(theta)[0] * (1.0 - apart)
    if structure is LAGGED:
        theta[5] = 0.0
    times = np.array([[0.02, 0.1836]])
    got = courses(prior(structure), one_row(1000.0, every), times, np.array([theta])).value[:, 0]
    want = [curve(structure, theta, 6, [(0.0, 1000.0, every)], t) for t in times[0]]
    agreement(got, want, rel=1e-9)


def test_one_exponential_disposition_is_a_two_compartment_one_whose_roots_coincide() -> None:
    """k12 = 0 and k10 = k21: alpha = beta, 0 / 0 in the usual formulas."""
    theta = np.array([[10.0, 50.0, 1e-14, 1e-14 * 5.0, 1.3, 0.2]])
    times = np.array([[0.5, 2.0, 8.0]])
    two = courses(prior(LAGGED), one_row(), times, theta).value
    one = courses(
        prior(Structure.ONE_COMPARTMENT_FIRST_ORDER_LAG), one_row(), times, theta[:, [0, 1, 4, 5]]
    ).value
    assert np.allclose(two, one, rtol=1e-12)


@reference(Method.COURSES, "a transit chain faster than, slower than or as fast as every other rate", MATRIX)
@pytest.mark.parametrize("ratio", [0.15, 0.3, 0.999999, 1.0, 1.0001, 3.0, 40.0])
@pytest.mark.parametrize("every", [0.0, 12.0])
def test_the_chain_may_be_faster_slower_or_as_fast_as_every_other_rate(
    ratio: float, every: float, agreement: Agreement
) -> None:
    theta = [16.0, 40.0, 22.0, 200.0, 1.7, 0.5]
    for other in (*_roots(theta), theta[4]):
        theta[5] = 7.0 / (ratio * other)
        if theta[5] > 30.0:
            continue
        times = np.array([[0.5, 2.0, 7.0, 11.9]])
        got = courses(prior(TRANSIT), one_row(1000.0, every), times, np.array([theta])).value[:, 0]
        want = [curve(TRANSIT, theta, 6, [(0.0, 1000.0, every)], t) for t in times[0]]
        agreement(got, want, rel=1e-9, within=1e-13, unit="mg/L")


@reference(Method.COURSES, "few and many transit compartments", MATRIX)
@pytest.mark.parametrize("n_transit", [0, 1, 3, 6, 12])
def test_any_number_of_transit_compartments(n_transit: int, agreement: Agreement) -> None:
    theta = [13.15, 22.95, 26.44, 336.03, 2.98, 0.9]
    times = np.array([[0.3, 1.0, 4.0, 11.0]])
    got = courses(prior(TRANSIT, n_transit), one_row(), times, np.array([theta])).value[:, 0]
    want = [curve(TRANSIT, theta, n_transit, [(0.0, 1000.0, 12.0)], t) for t in times[0]]
    agreement(got, want, rel=1e-10)


@pytest.mark.parametrize("structure", list(Structure))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_derivatives_are_those_of_the_values(structure: Structure, data: st.DataObject) -> None:
    theta = np.array([data.draw(any_parameters(structure))])
    every = data.draw(st.sampled_from([0.0, 12.0]))
    if structure.value.endswith("lag"):
        theta[0, -1] = min(theta[0, -1], 0.4)
    doses, times = one_row(1000.0, every), np.array([[0.6, 2.0, 9.0]])
    start, end = np.full(1, 0.7), np.full(1, 10.0)
    course = courses(prior(structure), doses, times, theta, gradient=True)
    area = areas(prior(structure), doses, start, end, theta, gradient=True)
    assert course.gradient is not None and area.gradient is not None
    h = 2e-4
    for p in range(theta.shape[1]):
        moved = []
        for step in (-2 * h, -h, h, 2 * h):
            there = theta.copy()
            there[0, p] *= np.exp(step)
            moved.append(
                np.append(
                    courses(prior(structure), doses, times, there).value,
                    areas(prior(structure), doses, start, end, there).value,
                )
            )
        slope = (moved[0] - 8 * moved[1] + 8 * moved[2] - moved[3]) / (12 * h)
        exact = np.append(course.gradient[p, :, 0], area.gradient[p, :, 0])
        size = np.append(course.value, area.value)
        assert np.allclose(exact, slope, rtol=1e-7, atol=1e-9 * size.max())
