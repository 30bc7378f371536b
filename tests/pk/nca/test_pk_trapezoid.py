"""Areas against published and worked numbers, and the laws every area obeys."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pk_cases import codes, positive, profiles, read_profiles

from pk.nca.trapezoid import Areas, Rule, areas_between, auc, exponential_segments, segment_areas

THEOPH_LINEAR = [
    148.9230, 91.5268, 99.2865, 106.7963, 121.2944, 73.7756,
    90.7534, 88.5600, 86.3261, 138.3681, 80.0936, 119.9775,
]  # fmt: skip
THEOPH_LOGDOWN = [
    147.2347, 88.7313, 95.8782, 102.6336, 118.1794, 71.6970,
    87.9692, 86.8066, 83.9374, 135.5761, 77.8935, 115.2202,
]  # fmt: skip
THEOPH_0_12_LINEAR = [
    91.7355, 67.4803, 70.1797, 73.0512, 84.6149, 51.7589,
    62.0987, 62.7149, 60.1212, 90.8174, 58.5396, 85.0214,
]  # fmt: skip
INDOMETH_LINEAR = [1.55375, 2.67875, 2.59375, 2.24625, 1.69750, 2.58375]
INDOMETH_LOGDOWN = [1.53187, 2.63539, 2.54171, 2.21300, 1.66495, 2.55256]


def value(*args: object, **options: object) -> float:
    area = auc(*args, **options).value_mg_h_l  # type: ignore[arg-type]
    assert area is not None
    return area


@pytest.mark.parametrize(
    ("rule", "expected"), [(Rule.LINEAR, THEOPH_LINEAR), (Rule.LINUP_LOGDOWN, THEOPH_LOGDOWN)]
)
def test_theophylline_profiles_give_their_known_areas(rule: Rule, expected: list[float]) -> None:
    found = [value(*profile, rule=rule) for profile in read_profiles("theoph.csv").values()]
    assert found == pytest.approx(expected, abs=6e-5)


def test_theophylline_areas_to_12_h_interpolate_between_the_samples_around_it() -> None:
    profiles_ = read_profiles("theoph.csv").values()
    found = [value(*profile, end_h=12.0, rule=Rule.LINEAR) for profile in profiles_]
    assert found == pytest.approx(THEOPH_0_12_LINEAR, abs=6e-5)


@pytest.mark.parametrize(
    ("rule", "expected"), [(Rule.LINEAR, INDOMETH_LINEAR), (Rule.LINUP_LOGDOWN, INDOMETH_LOGDOWN)]
)
def test_indometacin_profiles_give_their_known_areas(rule: Rule, expected: list[float]) -> None:
    found = [value(*profile, rule=rule) for profile in read_profiles("indometh.csv").values()]
    assert found == pytest.approx(expected, abs=6e-6)


def test_the_steady_state_fixture_has_an_area_of_66() -> None:
    assert value([0, 1, 2, 4, 8, 12], [2, 6, 10, 8, 4, 2], rule=Rule.LINEAR) == 66.0


@pytest.mark.parametrize(
    ("times", "concs", "rule", "expected"),
    [
        ([0, 1, 2, 3, 4, 5], [0, 2, 0, 1, 2, 1], Rule.LINEAR, 5.5),
        ([0, 1, 2, 3, 4, 5, 6], [0, 2, 0, 1, 2, 1, 0], Rule.LINEAR, 6.0),
        ([0, 1, 3, 4, 5], [0, 2, 1, 2, 1], Rule.LINEAR, 7.0),
        ([0, 1, 3, 4, 5], [0, 2, 1, 2, 1], Rule.LINUP_LOGDOWN, 1 + 2 / math.log(2) + 1.5 + 1 / math.log(2)),
    ],
)
def test_worked_examples_with_zeros(times: list[int], concs: list[int], rule: Rule, expected: float) -> None:
    assert value(times, concs, rule=rule) == pytest.approx(expected, rel=1e-14)


def test_equal_and_zero_neighbours_are_rectangles_and_triangles() -> None:
    times, concs = [0, 1, 2, 4, 5], [3, 3, 0, 0, 2]
    joined = exponential_segments(concs, Rule.LINUP_LOGDOWN)
    found = [areas_between(times, concs, joined, a, b).auc for a, b in pairwise(times)]
    assert found == [3.0, 1.5, 0.0, 1.0]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule.LINEAR, [False] * 6),
        (Rule.LINUP_LOGDOWN, [False, True, False, True, False, False]),
        (Rule.LINEAR_LOG, [False, True, True, True, False, False]),
    ],
)
def test_each_rule_says_which_segments_are_exponential(rule: Rule, expected: list[bool]) -> None:
    assert list(exponential_segments([1, 4, 2, 3, 2, 0, 0], rule)) == expected


def test_after_the_maximum_the_linear_log_rule_joins_rises_exponentially_too() -> None:
    rise = value([0, 1, 2, 3], [4, 1, 2, 1], start_h=1, end_h=2, rule=Rule.LINEAR_LOG)
    assert rise == pytest.approx(1 / math.log(2), rel=1e-15)


def test_equal_neighbours_after_the_maximum_are_a_rectangle_by_every_rule() -> None:
    for rule in Rule:
        assert value([0, 1, 2, 3], [4, 2, 2, 2], start_h=1, rule=rule) == 4.0


def test_of_two_equal_maxima_the_first_begins_the_exponential_part() -> None:
    assert exponential_segments([1, 4, 3, 4, 2], Rule.LINEAR_LOG) == (False, True, True, True)


def test_the_moment_of_an_exponential_segment_is_the_exact_integral() -> None:
    rate, from_h, to_h = 0.3, 2.0, 9.0
    found = segment_areas(from_h, 8 * math.exp(-rate * 2), to_h, 8 * math.exp(-rate * 9), True)

    def antiderivative(t: float) -> float:
        return -8 * math.exp(-rate * t) * (t / rate + 1 / rate**2)

    assert found.aumc == pytest.approx(antiderivative(to_h) - antiderivative(from_h), rel=1e-13)


@pytest.mark.parametrize("ratio", [1 + 1e-12, 1 + 1e-6, 1.01, 1.6, 1.65, 1.7, 5.0, 1e6])
def test_the_moment_is_safe_for_close_and_for_distant_neighbours(ratio: float) -> None:
    down, up = segment_areas(1.0, ratio, 3.0, 1.0, True), segment_areas(1.0, 1.0, 3.0, ratio, True)
    assert down.auc == up.auc
    # Mirrored about the middle of the segment, the two moments add up to twice the middle times the area.
    assert down.aumc + up.aumc == pytest.approx(4.0 * down.auc, rel=1e-14)
    assert down.auc <= down.aumc <= 2.0 * down.auc * (1 + 1e-15)


def test_areas_of_neighbouring_segments_add_up() -> None:
    assert Areas(1.0, 2.0) + Areas(3.0, 4.0) == Areas(4.0, 6.0)


def test_a_fall_to_zero_stays_linear_when_the_interval_ends_within_it() -> None:
    assert value([0.0, 2.0], [4.0, 0.0], end_h=1.0) == 3.0
    assert value([0.0, 2.0], [4.0, 0.0], start_h=1.0) == 1.0


def test_a_mono_exponential_decline_is_exact_by_the_logarithmic_rule() -> None:
    times = [0.0, 1.0, 2.5, 7.0]
    concs = [8 * math.exp(-0.3 * t) for t in times]
    assert value(times, concs) == pytest.approx(8 / 0.3 * (1 - math.exp(-2.1)), rel=1e-14)


@pytest.mark.parametrize("after", [math.nextafter(5.0, 0.0), 5.0 - 1e-9, 5e-324, 1e-300])
def test_the_logarithmic_rule_is_safe_for_close_and_for_very_distant_neighbours(after: float) -> None:
    area = value([0.0, 1.0], [5.0, after])
    assert after <= area <= 0.5 * (5.0 + after) + 1e-15
    exact = (5.0 - after) / (math.log(5.0) - math.log(after)) if after < 4 else 5.0
    assert area == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize(
    ("times", "concs", "code"),
    [
        ([], [], "too_few_points"),
        ([1.0], [1.0], "too_few_points"),
        ([0, 2, 1], [1, 1, 1], "times_not_increasing"),
        ([0, 1, 1], [1, 1, 1], "times_repeated"),
        ([0, math.nan], [1, 1], "times_not_finite"),
        ([0, math.inf], [1, 1], "times_not_finite"),
        ([0, 1], [1, -0.1], "concentrations_negative"),
        ([0, 1], [math.nan, 1], "concentrations_not_finite"),
        ([0, 1], [None, 1], "concentrations_not_finite"),
        ([0, 1], [math.inf, 1], "concentrations_not_finite"),
        ([0, 1e308], [1e308, 1e308], "auc_not_finite"),
        ([-1.7e308, 1.7e308], [0.0, 1.0], "auc_not_finite"),
    ],
)
def test_a_profile_without_an_area_is_refused_with_the_reason(times: list, concs: list, code: str) -> None:
    refused = auc(times, concs)
    assert refused.value_mg_h_l is None and code in codes(refused.reasons)


def test_every_defect_of_a_profile_is_named_at_once() -> None:
    assert codes(auc([0, 2, 2, 1], [1, -1, math.nan, 1]).reasons) == [
        "times_repeated",
        "times_not_increasing",
        "concentrations_negative",
        "concentrations_not_finite",
    ]


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [(0.0, 5.0, "interval_not_covered"), (-1.0, 1.0, "interval_not_covered"), (2.0, 2.0, "interval_empty"),
     (3.0, 1.0, "interval_empty"), (0.0, math.nan, "interval_empty")],
)  # fmt: skip
def test_nothing_is_extrapolated_and_an_empty_interval_is_refused(
    start: float, end: float, code: str
) -> None:
    assert codes(auc([0, 4], [2, 1], start_h=start, end_h=end).reasons) == [code]


def test_lists_that_do_not_belong_together_are_the_callers_error() -> None:
    with pytest.raises(ValueError, match="one length"):
        auc([0, 1], [1])


@given(profiles(), st.floats(0.01, 100), st.sampled_from(Rule))
def test_the_area_scales_with_the_concentrations(profile: tuple, factor: float, rule: Rule) -> None:
    times, concs = profile
    scaled = value(times, [factor * conc for conc in concs], rule=rule)
    assert scaled == pytest.approx(factor * value(times, concs, rule=rule), rel=1e-9, abs=1e-300)


@given(profiles(), st.floats(-100, 100), st.sampled_from(Rule))
def test_the_area_does_not_depend_on_when_the_clock_was_started(
    profile: tuple, shift: float, rule: Rule
) -> None:
    times, concs = profile
    moved = value([time + shift for time in times], concs, rule=rule)
    assert moved == pytest.approx(value(times, concs, rule=rule), rel=1e-9, abs=1e-9)


@given(profiles(), st.data(), st.sampled_from(Rule))
def test_areas_add_up_at_sample_points(profile: tuple, data: st.DataObject, rule: Rule) -> None:
    times, concs = profile
    cut = data.draw(st.sampled_from(times[1:-1] or times[-1:]))
    parts = value(times, concs, end_h=cut, rule=rule)
    parts += value(times, concs, start_h=cut, rule=rule) if cut < times[-1] else 0.0
    assert parts == pytest.approx(value(times, concs, rule=rule), rel=1e-12, abs=1e-300)


@given(profiles(), st.floats(0.001, 0.999), st.sampled_from(Rule))
def test_areas_add_up_between_sample_points(profile: tuple, share: float, rule: Rule) -> None:
    times, concs = profile
    cut = times[0] + share * (times[-1] - times[0])
    parts = value(times, concs, end_h=cut, rule=rule) + value(times, concs, start_h=cut, rule=rule)
    assert parts == pytest.approx(value(times, concs, rule=rule), rel=1e-9, abs=1e-9)


@given(profiles(positive))
def test_on_a_declining_profile_the_logarithmic_area_is_not_above_the_linear_one(profile: tuple) -> None:
    times, concs = profile[0], sorted(profile[1], reverse=True)
    linear = value(times, concs, rule=Rule.LINEAR)
    assert value(times, concs) <= linear * (1 + 1e-12)


@given(profiles())
def test_on_a_rising_profile_both_rules_agree(profile: tuple) -> None:
    times, concs = profile[0], sorted(profile[1])
    assert value(times, concs) == value(times, concs, rule=Rule.LINEAR)


@given(profiles(), st.sampled_from(Rule))
def test_the_area_lies_between_lowest_and_highest_concentration_times_width(
    profile: tuple, rule: Rule
) -> None:
    times, concs = profile
    width = times[-1] - times[0]
    area = value(times, concs, rule=rule)
    assert min(concs) * width * (1 - 1e-9) <= area <= max(concs) * width * (1 + 1e-9)


@given(
    st.lists(st.tuples(st.floats(), st.floats()), max_size=6),
    st.one_of(st.none(), st.floats()),
    st.one_of(st.none(), st.floats()),
    st.sampled_from(Rule),
)
def test_whatever_the_numbers_there_is_a_finite_area_or_a_reason(
    points: list, start: float | None, end: float | None, rule: Rule
) -> None:
    found = auc([t for t, _ in points], [c for _, c in points], start_h=start, end_h=end, rule=rule)
    assert (found.value_mg_h_l is None) == bool(found.reasons)
    assert found.value_mg_h_l is None or math.isfinite(found.value_mg_h_l)
