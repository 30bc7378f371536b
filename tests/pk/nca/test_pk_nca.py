"""What each quantity covers, and every refusal."""

import math

import pytest
from nca_cases import HALVES, LN2, QUANTITIES, TIMES, analysis, refusal, value, why
from pk_cases import codes

from pk.nca.analysis import Analysis
from pk.nca.blq import Blq, ByPosition
from pk.nca.curve import Extrapolation
from pk.nca.trapezoid import Rule
from pk.values.quantity import Quantity
from pk.values.reason import Reason


def test_a_perfect_decline_gives_its_closed_form() -> None:
    found = analysis(TIMES, HALVES)
    assert value(found.lambda_z) == pytest.approx(LN2, rel=1e-14)
    assert value(found.half_life) == pytest.approx(1.0, rel=1e-14)
    assert value(found.auc_last) == pytest.approx(8 + 15 / LN2, rel=1e-14)
    assert value(found.auc_inf_obs) == pytest.approx(8 + 16 / LN2, rel=1e-14)
    assert value(found.auc_inf_pred) == pytest.approx(8 + 16 / LN2, rel=1e-14)
    # The integral of t 16 2^-(t-1) from 1 h on, beside the trapezoid of the rise.
    assert value(found.aumc_inf_obs) == pytest.approx(8 + 16 * (1 / LN2 + 1 / LN2**2), rel=1e-13)
    assert found.terminal is not None and (found.terminal.points, found.terminal.first_h) == (4, 2.0)


def test_the_first_of_tied_maxima_is_tmax() -> None:
    found = analysis([0, 1, 2, 3, 4, 5], [0, 9, 9, 4, 2, 1])
    assert (value(found.cmax), value(found.tmax)) == (9, 1)
    assert found.terminal is not None and found.terminal.first_h >= 2


def test_auc_last_ends_at_the_last_measurable_sample_and_auc_all_at_the_last() -> None:
    found = analysis([*TIMES, 6.0, 7.0], [*HALVES, 0.0, 0.0], rule=Rule.LINEAR)
    assert (value(found.tlast), value(found.clast)) == (5.0, 1.0)
    assert value(found.auc_all) == value(found.auc_last) + 0.5


def test_tau_beyond_the_last_sample_is_extrapolated_and_says_so() -> None:
    found = analysis(TIMES, HALVES, tau_h=6.0)
    assert value(found.auc_tau) == pytest.approx(8 + 15.5 / LN2, rel=1e-14)
    assert codes(found.auc_tau.notes) == ["interval_extrapolated"] == codes(found.c_avg.notes)
    assert value(found.c_avg) == value(found.auc_tau) / 6


def test_tau_within_the_samples_is_interpolated() -> None:
    found = analysis(TIMES, HALVES, tau_h=4.5)
    assert value(found.auc_tau) == pytest.approx(8 + (16 - 2**0.5) / LN2, rel=1e-14)
    assert found.auc_tau.notes == ()


def test_tau_that_is_not_given_has_its_reason() -> None:
    found = analysis(TIMES, HALVES)
    assert why(found.auc_tau) == why(found.c_avg) == ["tau_not_given"]


def test_extrapolation_can_start_from_the_predicted_concentration_or_be_forbidden() -> None:
    times, concs = [0, 1, 2, 4, 6], [0, 9, 6, 2, 1.1]
    after = {}
    for how in Extrapolation:
        after[how] = analysis(times, concs, intervals=((6, 8), (0, 6)), extrapolation=how)
    slope = after[Extrapolation.OBSERVED].terminal
    assert slope is not None
    decay = (1 - math.exp(-2 * slope.lambda_z_per_h)) / slope.lambda_z_per_h
    assert value(after[Extrapolation.OBSERVED].partial[0]) == pytest.approx(1.1 * decay, rel=1e-14)
    assert value(after[Extrapolation.PREDICTED].partial[0]) == pytest.approx(
        slope.clast_predicted_mg_l * decay, rel=1e-14
    )
    assert why(after[Extrapolation.NONE].partial[0]) == ["interval_not_covered"]
    assert {value(one.partial[1]) for one in after.values()} == {value(after[Extrapolation.NONE].auc_last)}


def test_without_extrapolation_the_tail_below_quantification_counts_as_treated() -> None:
    times, concs = [*TIMES, 6.0], [*HALVES, 0.0]
    plain = analysis(times, concs, intervals=((5, 6),), extrapolation=Extrapolation.NONE)
    assert value(plain.partial[0]) == 0.5
    decays = analysis(times, concs, intervals=((5, 6),))
    assert value(decays.partial[0]) == pytest.approx(0.5 / LN2, rel=1e-14)


@pytest.mark.parametrize(
    ("interval", "code"),
    [((2.0, 2.0), "interval_empty"), ((3.0, 2.0), "interval_empty"), ((0.0, math.nan), "interval_empty"),
     ((0.0, math.inf), "interval_empty"), ((-1.0, 2.0), "interval_before_first")],
)  # fmt: skip
def test_an_interval_without_an_area_has_its_reason(interval: tuple[float, float], code: str) -> None:
    assert why(analysis(TIMES, HALVES, intervals=(interval,)).partial[0]) == [code]


def test_an_interval_beyond_the_samples_needs_a_slope() -> None:
    found = analysis([0, 1, 2], [0, 3, 2], tau_h=4.0)
    assert why(found.auc_tau) == ["interval_needs_lambda_z"]
    assert why(found.lambda_z) == ["lambda_z_too_few_points"]


def test_the_last_sample_before_the_dose_stands_for_the_dose() -> None:
    found = analysis([-24.0, -0.1, *TIMES[1:]], [9.0, 2.0, *HALVES[1:]])
    at_dose = analysis(TIMES, [2.0, *HALVES[1:]])
    assert found.auc_last == at_dose.auc_last and found.aumc_last == at_dose.aumc_last
    assert codes(found.notes) == ["predose_moved", "predose_left_out"]


def test_a_sample_at_the_dose_stands_before_an_earlier_one() -> None:
    found = analysis([-1.0, *TIMES], [7.0, *HALVES])
    assert found.cmax == analysis(TIMES, HALVES).cmax
    assert codes(found.notes)[0] == "predose_left_out"


def test_areas_begin_at_the_first_sample_and_say_so() -> None:
    found = analysis(TIMES[1:], HALVES[1:], tau_h=4.0)
    assert value(found.auc_last) == pytest.approx(15 / LN2, rel=1e-14)
    assert codes(found.notes) == ["starts_after_dose"] and why(found.auc_tau) == ["interval_before_first"]


def test_missing_results_are_left_out_and_counted() -> None:
    found = analysis([0, 0.5, *TIMES[1:], 9.0], [0, None, *HALVES[1:], None])
    assert found.auc_last == analysis(TIMES, HALVES).auc_last
    assert Reason.of("samples_missing", count=2) in found.notes


def test_a_concentration_in_another_unit_is_pointed_at() -> None:
    found = analysis(TIMES, [1000 * conc for conc in HALVES])
    assert codes(found.notes).count("conc_implausible") == 5


@pytest.mark.parametrize(
    ("times", "concs", "expected"),
    [
        ([], [], ["too_few_points"]),
        ([0, 1], [None, None], ["too_few_points"]),
        ([0, 2, 1], [1, 1, 1], ["times_not_increasing"]),
        ([0, 1, 1], [1, 1, 1], ["times_repeated"]),
        ([0, 2, 1], [1, None, 1], ["times_not_increasing"]),
        ([0, math.nan], [1, 1], ["times_not_finite"]),
        ([0, math.inf], [1, 1], ["times_not_finite"]),
        ([0, 1], [1, -0.5], ["concentrations_negative"]),
        ([0, 1], [1, math.nan], ["concentrations_not_finite"]),
        ([0, 1], [math.inf, 1], ["concentrations_not_finite"]),
        ([0, 1, 1], [-1, math.nan, 1], ["times_repeated", "concentrations_negative", "concentrations_not_finite"]),
    ],
)  # fmt: skip
def test_what_is_no_profile_is_refused_with_every_reason(
    times: list, concs: list, expected: list[str]
) -> None:
    assert refusal(times, concs) == expected


def test_one_sample_has_landmarks_and_no_areas() -> None:
    found = analysis([1.0], [3.0], tau_h=2.0, intervals=((1.0, 2.0),))
    assert [value(one) for one in (found.cmax, found.tmax, found.clast, found.tlast)] == [3, 1, 3, 1]
    for quantity in (found.auc_last, found.auc_all, found.aumc_last, found.auc_tau, *found.partial):
        assert why(quantity) == ["too_few_points"]
    assert why(found.lambda_z) == ["lambda_z_too_few_points"] and why(found.auc_inf_obs) == [
        "lambda_z_needed"
    ]


def test_a_single_measurable_sample_at_the_start_has_no_area_to_it() -> None:
    found = analysis([0, 1, 2], [4, 0, 0])
    assert why(found.auc_last) == ["too_few_points"] and value(found.auc_all) == 2.0


@pytest.mark.parametrize("tau", [2.0, 3.0])
def test_a_profile_of_zeros_has_areas_of_0_and_says_why(tau: float) -> None:
    found = analysis([0, 1, 2], [0, 0, 0], tau_h=tau)
    for quantity in (found.cmax, found.auc_last, found.auc_all, found.aumc_last):
        assert value(quantity) == 0.0 and codes(quantity.notes) == ["all_below_lloq"]
    for quantity in (found.tmax, found.tlast, found.clast, found.lambda_z):
        assert why(quantity) == ["nothing_measurable"]
    if tau == 2.0:
        assert value(found.auc_tau) == 0.0 and codes(found.auc_tau.notes) == ["all_below_lloq"]
    else:
        assert why(found.auc_tau) == ["interval_not_covered"]


def test_a_profile_of_which_everything_is_dropped_has_no_areas() -> None:
    found = analysis([0, 1], [0, 0], blq=ByPosition(Blq.DROP, Blq.DROP, Blq.DROP))
    assert why(found.auc_last) == why(found.auc_all) == ["too_few_points"]


@pytest.mark.parametrize("rule", list(Rule))
def test_equal_neighbours_are_rectangles_and_have_no_slope(rule: Rule) -> None:
    found = analysis([0, 1, 2, 3, 4], [0, 5, 5, 5, 5], rule=rule)
    assert value(found.auc_last) == 17.5
    assert why(found.lambda_z) == ["lambda_z_no_decline"] and found.terminal is None


def test_numbers_beyond_the_range_of_floats_are_refused() -> None:
    found = analysis([0, 1e308, 1.1e308, 1.2e308, 1.3e308], [0, 1e308, 1e307, 1e306, 1e305])
    for quantity in (found.auc_last, found.auc_all, found.aumc_last):
        assert why(quantity) == ["quantity_not_finite"]


@pytest.mark.parametrize(
    "changes", [{}, {"value": 1.0, "reasons": (Reason.of("tau_not_given"),)}, {"value": math.nan}]
)
def test_a_quantity_is_a_finite_value_or_reasons(changes: dict) -> None:
    with pytest.raises(ValueError, match="quantity"):
        Quantity("h", **changes)


def test_every_quantity_has_its_unit() -> None:
    found = analysis(TIMES, HALVES)
    units = {name: getattr(found, name).unit for name in QUANTITIES}
    assert {name for name, unit in units.items() if unit == "mg·h²/L"} == {
        "aumc_last", "aumc_inf_obs", "aumc_inf_pred"
    }  # fmt: skip
    assert {name for name, unit in units.items() if unit == "mg·h/L"} == {
        "auc_last", "auc_all", "auc_inf_obs", "auc_inf_pred", "auc_tau"
    }  # fmt: skip
    assert isinstance(found, Analysis) and units["lambda_z"] == "/h" and units["half_life"] == "h"
