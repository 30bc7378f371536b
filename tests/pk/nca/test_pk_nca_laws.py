"""Laws that hold for every profile, and agreement with an integrator and a regression of scipy."""

import math
from itertools import pairwise

import numpy as np
import pytest
from agreement import Agreement, Method, reference
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nca_cases import (
    QUANTITIES,
    analysis,
    any_points,
    declining_profiles,
    integral,
    interpolant,
    rules,
    value,
)
from pk_cases import one_record, positive, profiles
from scipy.stats import linregress

from pk.nca.analysis import Analysis, Settings, analyse
from pk.nca.blq import Blq, ByPosition, ByTmax, Point
from pk.nca.curve import Extrapolation
from pk.nca.terminal import Terminal, TerminalSettings, fit_terminal
from pk.nca.trapezoid import Rule

KEEP = ByPosition(Blq.KEEP, Blq.KEEP, Blq.KEEP)
CLOSE = {"rel": 1e-9, "abs": 1e-12}
QUADRATURE = "adaptive quadrature (scipy.integrate.quad) of a curve drawn apart, through numpy.interp"


@reference(Method.NCA, "random profiles, each rule: AUC of all samples and of any part of it", QUADRATURE)
@given(profiles(), rules, st.floats(0, 1), st.floats(0, 1))
@settings(one_record, max_examples=40)
def test_areas_agree_with_adaptive_quadrature_of_the_interpolant(
    agreement: Agreement, profile: tuple, rule: Rule, first: float, second: float
) -> None:
    times, concs = profile
    start, end = sorted(times[0] + share * (times[-1] - times[0]) for share in (first, second))
    assume(end - start > 1e-6)
    found = analysis(
        times, concs, rule=rule, blq=KEEP, intervals=((start, end),), extrapolation=Extrapolation.NONE
    )
    curve = interpolant(times, concs, rule)
    agreement(
        [value(found.partial[0]), value(found.auc_all)],
        [integral(curve, times, start, end), integral(curve, times, times[0], times[-1])],
        rel=1e-9,
        within=1e-12,
        unit="mg·h/L",
    )


@reference(Method.NCA, "random profiles, each rule: AUMC", QUADRATURE)
@given(profiles(positive), rules)
@settings(one_record, max_examples=40)
def test_the_moment_agrees_with_adaptive_quadrature(agreement: Agreement, profile: tuple, rule: Rule) -> None:
    times, concs = profile
    curve = interpolant(times, concs, rule)
    products = [time * conc for time, conc in zip(times, concs, strict=True)]
    expected = 0.0
    for i, (a, b) in enumerate(pairwise(times)):
        straight = curve((a + b) / 2) == pytest.approx((concs[i] + concs[i + 1]) / 2, rel=1e-12)
        # Of a straight segment the moment is, by convention, the trapezoid of the products.
        line = 0.5 * (b - a) * (products[i] + products[i + 1])
        expected += line if straight else integral(lambda t: t * curve(t), times, a, b)
    found = value(analysis(times, concs, rule=rule).aumc_last)
    agreement(found, expected, rel=1e-8, within=1e-12, unit="mg·h²/L")


@reference(
    Method.NCA,
    "random declines: λz, R², predicted Clast, AUC to infinity from it",
    "least squares of scipy.stats.linregress on the logarithms",
)
@given(declining_profiles(), st.booleans())
@one_record
def test_the_slope_agrees_with_scipys_regression(
    agreement: Agreement, profile: tuple, include_tmax: bool
) -> None:
    times, concs = profile
    found = fit_terminal(times, concs, TerminalSettings(include_tmax=include_tmax))
    assume(isinstance(found, Terminal))
    assert isinstance(found, Terminal)
    fitted = linregress(times[-found.points :], np.log(concs[-found.points :]))
    at_last = math.exp(fitted.intercept + fitted.slope * times[-1])
    tail = at_last / -fitted.slope
    pred = value(analysis(times, concs, terminal=TerminalSettings(include_tmax=include_tmax)).auc_inf_pred)
    agreement(
        [found.lambda_z_per_h, found.r2, found.clast_predicted_mg_l, pred],
        [-fitted.slope, fitted.rvalue**2, at_last, value(analysis(times, concs).auc_last) + tail],
        rel=1e-9,
    )


@given(declining_profiles())
def test_no_window_has_a_better_adjusted_r2_than_the_tolerance_allows(profile: tuple) -> None:
    times, concs = profile
    found = fit_terminal(times, concs, TerminalSettings())
    assume(isinstance(found, Terminal))
    assert isinstance(found, Terminal)
    for n in range(3, len(times) - concs.index(max(concs))):
        fitted = linregress(times[-n:], np.log(concs[-n:]))
        if fitted.slope < 0:
            adjusted = 1 - (1 - fitted.rvalue**2) * (n - 1) / (n - 2)
            assert adjusted <= found.adjusted_r2 + 1e-4 + 1e-12
            assert n <= found.points or adjusted <= found.adjusted_r2 + 1e-12


@given(st.floats(0.01, 2.0), st.floats(0.1, 40.0), st.lists(st.floats(0.1, 4.0), min_size=4, max_size=10))
def test_a_pure_exponential_is_exact(rate: float, start: float, gaps: list[float]) -> None:
    times = [0.0, *(math.fsum(gaps[: i + 1]) for i in range(len(gaps)))]
    concs = [start * math.exp(-rate * time) for time in times]
    found = analysis(times, concs, tau_h=times[-1] + 3.0)
    assert value(found.auc_last) == pytest.approx(start / rate * -math.expm1(-rate * times[-1]), rel=1e-9)
    assert value(found.auc_inf_obs) == pytest.approx(start / rate, rel=1e-9)
    assert value(found.aumc_inf_obs) == pytest.approx(start / rate**2, rel=1e-8)
    assert value(found.auc_tau) == pytest.approx(
        start / rate * -math.expm1(-rate * (times[-1] + 3)), rel=1e-9
    )
    assert value(found.lambda_z) == pytest.approx(rate, rel=1e-9)


@given(declining_profiles(), rules, st.floats(0.01, 100.0))
def test_everything_scales_with_the_concentrations(profile: tuple, rule: Rule, factor: float) -> None:
    times, concs = profile
    plain = analysis(times, concs, rule=rule, tau_h=60.0)
    scaled = analysis(times, [factor * conc for conc in concs], rule=rule, tau_h=60.0)
    unscaled = ("tmax", "tlast", "lambda_z", "half_life", "auc_extrapolated_percent_obs",
                "auc_extrapolated_percent_pred")  # fmt: skip
    for name in QUANTITIES:
        before, after = getattr(plain, name), getattr(scaled, name)
        assert (before.value is None) == (after.value is None)
        if before.value is not None:
            by = 1.0 if name in unscaled else factor
            assert after.value == pytest.approx(by * before.value, rel=1e-6), name


@given(declining_profiles(), rules, st.floats(0.0, 50.0))
def test_shifting_the_clock_shifts_times_and_moments_only(profile: tuple, rule: Rule, shift: float) -> None:
    times, concs = profile
    plain, moved = analysis(times, concs, rule=rule), analysis([t + shift for t in times], concs, rule=rule)
    for name in (
        "cmax",
        "clast",
        "auc_last",
        "auc_all",
        "auc_inf_obs",
        "auc_inf_pred",
        "lambda_z",
        "half_life",
    ):
        before, after = getattr(plain, name), getattr(moved, name)
        assert (before.value is None) == (after.value is None)
        assert before.value is None or after.value == pytest.approx(before.value, rel=1e-6), name
    assert value(moved.tlast) == value(plain.tlast) + shift
    shifted = value(plain.aumc_last) + shift * value(plain.auc_last)
    assert value(moved.aumc_last) == pytest.approx(shifted, rel=1e-9)


@given(profiles(), profiles(), st.data())
def test_by_the_linear_rule_the_area_of_a_sum_is_the_sum_of_the_areas(
    one: tuple, other: tuple, data: st.DataObject
) -> None:
    times, first = one
    second = data.draw(st.lists(positive, min_size=len(times), max_size=len(times)))
    both = [a + b for a, b in zip(first, second, strict=True)]
    linear = {"rule": Rule.LINEAR, "blq": KEEP}
    areas = [value(analysis(times, concs, **linear).auc_all) for concs in (first, second, both)]
    assert areas[2] == pytest.approx(areas[0] + areas[1], **CLOSE)


@given(declining_profiles(), rules, st.sampled_from(Extrapolation), st.lists(st.floats(0, 1), min_size=1, max_size=4),
       st.booleans())  # fmt: skip
def test_areas_of_neighbouring_intervals_add_up_beyond_the_samples_too(
    profile: tuple, rule: Rule, how: Extrapolation, shares: list[float], tail: bool
) -> None:
    times, concs = profile
    end = times[-1] + 20.0
    if tail:
        times, concs = [*times, end], [*concs, 0.0]
    elif how is Extrapolation.NONE:
        end = times[-1]
    cuts = sorted({0.0, *(end * share for share in shares), end})
    intervals = (*pairwise(cuts), (0.0, end))
    found = analysis(times, concs, rule=rule, extrapolation=how, intervals=intervals)
    assume(how is Extrapolation.NONE or found.terminal is not None)
    *parts, whole = (value(area) for area in found.partial)
    assert math.fsum(parts) == pytest.approx(whole, rel=1e-9)


@given(profiles(positive), rules, st.integers(0, 20), st.floats(0.0, 50.0))
def test_a_higher_concentration_never_gives_a_smaller_area(
    profile: tuple, rule: Rule, which: int, more: float
) -> None:
    times, concs = profile
    # By the rule that joins rises and falls differently a raised sample may lower the area; not so the others.
    assume(rule is Rule.LINEAR or which % len(concs) == concs.index(max(concs)))
    raised = [conc + more if i == which % len(concs) else conc for i, conc in enumerate(concs)]
    before = value(analysis(times, concs, rule=rule).auc_all)
    assert value(analysis(times, raised, rule=rule).auc_all) >= before * (1 - 1e-12)


@given(profiles(positive), st.floats(0, 1), st.floats(0, 1))
def test_a_longer_interval_never_has_a_smaller_area(profile: tuple, first: float, second: float) -> None:
    times, concs = profile
    ends = sorted(times[-1] * share for share in (first, second))
    assume(0 < ends[0] < ends[1])
    found = analysis(
        times, concs, intervals=((0.0, ends[0]), (0.0, ends[1])), extrapolation=Extrapolation.NONE
    )
    assert value(found.partial[0]) <= value(found.partial[1]) * (1 + 1e-12)


@given(profiles())
def test_the_exponential_rules_never_exceed_the_linear_one(profile: tuple) -> None:
    times, concs = profile
    linear, down, after = (value(analysis(times, concs, rule=rule, blq=KEEP).auc_all) for rule in Rule)
    assert after <= linear * (1 + 1e-12) and down <= linear * (1 + 1e-12)


any_treatment = st.one_of(st.sampled_from(Blq), st.floats(0, 1))
any_settings = st.builds(
    Settings,
    rule=rules,
    blq=st.one_of(
        st.builds(ByPosition, any_treatment, any_treatment, any_treatment),
        st.builds(ByTmax, any_treatment, any_treatment),
    ),
    terminal=st.builds(
        TerminalSettings, st.integers(3, 5), st.booleans(), st.floats(0, 1), enforce=st.booleans()
    ),
    tau_h=st.one_of(st.none(), st.floats()),
    intervals=st.lists(st.tuples(st.floats(), st.floats()), max_size=3).map(tuple),
    extrapolation=st.sampled_from(Extrapolation),
)


@given(any_points(), any_settings)
@settings(max_examples=400)
def test_whatever_the_profile_every_quantity_is_a_finite_value_or_has_reasons(
    points: list[Point], chosen: Settings
) -> None:
    found = analyse(points, chosen)
    if not isinstance(found, Analysis):
        assert found
        return
    for quantity in (*(getattr(found, name) for name in QUANTITIES), *found.partial):
        assert (quantity.value is None) == bool(quantity.reasons)
        assert quantity.value is None or math.isfinite(quantity.value)
    assert len(found.partial) == len(chosen.intervals)
