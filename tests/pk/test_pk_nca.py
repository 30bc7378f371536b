"""What each quantity covers, what samples below quantification count as, and every refusal."""

import math

import pytest
from nca_cases import QUANTITIES, analysis, points, refusal, value, why
from pk_cases import codes

from pk.nca.analysis import Analysis, Settings, analyse
from pk.nca.blq import Blq, ByPosition, ByTmax, Point, treat
from pk.nca.curve import Extrapolation
from pk.nca.terminal import Terminal, TerminalSettings, fit_terminal
from pk.nca.trapezoid import Rule
from pk.values.quantity import Quantity
from pk.values.reason import Reason

# A perfect decline of half-life 1 h after a maximum at 1 h.
TIMES = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
HALVES = [0.0, 16.0, 8.0, 4.0, 2.0, 1.0]
LN2 = math.log(2)


def slope(concs: list[float], times: list[float] | None = None, **settings: object) -> Terminal | Reason:
    return fit_terminal(times or [float(i) for i in range(len(concs))], concs, TerminalSettings(**settings))  # type: ignore[arg-type]


# --- quantities ------------------------------------------------------------------------------------------------


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


# --- the profile as given --------------------------------------------------------------------------------------


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


# --- below quantification --------------------------------------------------------------------------------------

BLQ_TIMES = [0, 1, 2, 3, 4, 5, 6]
BLQ_CONCS = [0, 0, 8, 0, 4, 0, 0]


@pytest.mark.parametrize(
    ("rules", "times", "concs"),
    [
        (ByPosition(), [0, 1, 2, 4, 5, 6], [0, 0, 8, 4, 0, 0]),
        (ByPosition(Blq.DROP, Blq.KEEP, Blq.DROP), [2, 3, 4], [8, 0, 4]),
        (ByPosition(0.1, 0.2, 0.3), BLQ_TIMES, [0.1, 0.1, 8, 0.2, 4, 0.3, 0.3]),
        (ByTmax(), BLQ_TIMES, BLQ_CONCS),
        (ByTmax(Blq.DROP, 0.5), [2, 3, 4, 5, 6], [8, 0.5, 4, 0.5, 0.5]),
        (ByTmax(0.5, Blq.DROP), [0, 1, 2, 4], [0.5, 0.5, 8, 4]),
    ],
)
def test_each_rule_treats_each_part_of_the_profile(rules: object, times: list, concs: list) -> None:
    treated = treat(points(BLQ_TIMES, BLQ_CONCS), rules)  # type: ignore[arg-type]
    assert not isinstance(treated, Reason)
    assert (list(treated.times), list(treated.concs)) == (times, concs)
    assert [conc for conc, one in zip(treated.concs, treated.measured, strict=True) if one] == [8, 4]


@pytest.mark.parametrize(
    ("point", "measured"),
    [
        (Point(0, 0.0), None),
        (Point(0, 0.3, 0.4), None),
        (Point(0, 0.4, 0.4), 0.4),
        (Point(0, None, 0.4), None),
        (Point(0, 0.3), 0.3),
    ],
)
def test_what_counts_as_below_quantification(point: Point, measured: float | None) -> None:
    assert point.measured_mg_l == measured and not point.missing


@pytest.mark.parametrize("limit", [0.0, -1.0, math.inf, math.nan])
def test_a_limit_is_a_positive_number(limit: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Point(0.0, None, limit)


def test_a_number_in_place_of_a_sample_is_not_measured() -> None:
    found = analysis(TIMES, HALVES, blq=ByPosition(first=0.5, last=0.5))
    tail = analysis([*TIMES, 6.0], [*HALVES, 0.0], blq=ByPosition(first=0.5, last=0.5))
    assert (tail.tlast, tail.lambda_z, tail.auc_last) == (found.tlast, found.lambda_z, found.auc_last)
    assert value(tail.auc_all) == pytest.approx(value(found.auc_all) + 0.5 / LN2, rel=1e-14)


@pytest.mark.parametrize(("number", "limit"), [(1.5, None), (0.6, 0.5)])
def test_a_number_may_not_exceed_the_limit_or_what_was_measured(number: float, limit: float | None) -> None:
    found = analyse([*points(TIMES, HALVES), Point(6.0, None, limit) if limit else Point(6.0, 0.0)],
                    Settings(blq=ByPosition(last=number)))  # fmt: skip
    assert isinstance(found, tuple) and codes(found) == ["blq_number_too_high"]


def test_what_was_done_to_samples_below_quantification_is_counted() -> None:
    found = analysis(BLQ_TIMES, BLQ_CONCS, blq=ByPosition(Blq.KEEP, Blq.DROP, 0.2))
    assert Reason.of("blq_handled", zero=2, dropped=1, number=2) in found.notes


# --- the terminal slope ----------------------------------------------------------------------------------------


def test_of_windows_that_fit_alike_the_longest_is_used() -> None:
    found = slope([1, 64, 32, 16, 8, 4, 2])
    assert isinstance(found, Terminal) and found.points == 5
    bent = slope([1, 64, 63, 60, 16, 8, 4, 2])
    assert isinstance(bent, Terminal) and bent.points == 4


def test_the_tolerance_prefers_more_points() -> None:
    concs = [1.0, 100.0, 40.0, 24.0, 12.0, 6.0]
    strict, lax = slope(concs, tolerance=0.0), slope(concs, tolerance=0.5)
    assert isinstance(strict, Terminal) and isinstance(lax, Terminal)
    assert strict.points < lax.points == 4 and strict.adjusted_r2 >= lax.adjusted_r2


def test_the_maximum_is_used_only_when_asked_for() -> None:
    concs = [16.0, 8.0, 4.0]
    assert isinstance(slope(concs), Reason)
    found = slope(concs, include_tmax=True)
    assert isinstance(found, Terminal) and found.points == 3 and found.half_life_h == pytest.approx(1.0)


def test_a_rise_that_fits_better_is_left_aside_and_pointed_at() -> None:
    found = analysis([0, 1, 2, 3, 4, 5, 6], [0, 40, 10, 4, 1, 1.1, 1.21])
    assert "lambda_z_rise_fits_better" in codes(found.lambda_z.notes)
    assert found.terminal is not None and found.terminal.points > 3


def test_only_a_rise_gives_no_slope() -> None:
    assert why(analysis([0, 1, 2, 3, 4], [9, 1, 2, 3, 4]).lambda_z) == ["lambda_z_no_decline"]


SPREAD = [0.0, 20.0, 9.0, 9.5, 4.0, 5.5, 3.5]


@pytest.mark.parametrize(
    ("criterion", "code", "field"),
    [
        ({"min_adjusted_r2": 0.999}, "lambda_z_adjusted_r2_low", "lambda_z"),
        ({"min_span_ratio": 50.0}, "lambda_z_span_short", "lambda_z"),
        ({"max_extrapolated_percent": 0.5}, "extrapolated_share_high", "auc_inf_obs"),
    ],
)
def test_a_criterion_that_is_not_met_is_a_note_or_where_enforced_a_refusal(
    criterion: dict[str, float], code: str, field: str
) -> None:
    asked = {"min_adjusted_r2": 0.0, "min_span_ratio": 0.0, "max_extrapolated_percent": 100.0, **criterion}
    times = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    noted = analysis(times, SPREAD, terminal=TerminalSettings(**asked))  # type: ignore[arg-type]
    enforced = analysis(times, SPREAD, terminal=TerminalSettings(**asked, enforce=True))  # type: ignore[arg-type]
    assert value(getattr(noted, field)) > 0 and code in codes(getattr(noted, field).notes)
    assert why(getattr(enforced, field)) == [code]
    assert value(enforced.auc_last) == value(noted.auc_last)


def test_a_slope_of_fewer_than_three_points_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="3 points"):
        TerminalSettings(min_points=2)


# --- values or reasons -----------------------------------------------------------------------------------------


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
