"""The observed area from the dose to 2 h."""

import math

import pytest
from pk_cases import (
    codes,
    h0,
    h2,
    h30,
    occasion,
)

from pk.nca.partial import partial_auc_0_2
from pk.values.profile import Dosing, Formulation


def test_the_partial_area_is_linear_up_and_logarithmic_down_over_the_actual_times() -> None:
    found = partial_auc_0_2(occasion(h0(2.0, 0), h30(10.0, 30), h2(6.0, 120)))
    assert found.value_mg_h_l == pytest.approx(0.5 * 6 + 1.5 * 4 / math.log(10 / 6))
    assert (found.interval_h, found.notes) == ((0.0, 2.0), ())


def test_the_pre_dose_concentration_is_taken_as_that_at_the_dose_and_this_is_said() -> None:
    at_dose, before = (partial_auc_0_2(occasion(h0(time_min=t), h30(), h2())) for t in (0, -45))
    assert at_dose.value_mg_h_l == before.value_mg_h_l
    assert before.notes[0].text().startswith("H0 was drawn 45 min before the dose;")


def test_a_last_sample_after_2_h_is_interpolated_to_2_h() -> None:
    found = partial_auc_0_2(occasion(h0(0.0, 0), h30(8.0, 30), h2(2.0, 210)))
    assert found.value_mg_h_l == pytest.approx(2.0 + 1.5 * 4 / math.log(2))
    assert found.interval_h == (0.0, 2.0)


def test_a_last_sample_before_2_h_ends_the_area_there_and_this_is_said() -> None:
    found = partial_auc_0_2(occasion(h0(0.0, 0), h30(8.0, 30), h2(8.0, 114)))
    assert found.interval_h == (0.0, 1.9) and found.value_mg_h_l == pytest.approx(2.0 + 1.4 * 8)
    assert [note.text() for note in found.notes] == [
        "H2 was drawn at 114 min; the area ends there and not at 120 min."
    ]


def test_a_pre_dose_result_below_the_limit_is_0_with_bounds() -> None:
    found = partial_auc_0_2(occasion(h0(None, 0, below_lloq=True, lloq_mg_l=0.4), h30(8.0), h2(8.0)))
    assert (found.low_mg_h_l, found.value_mg_h_l) == (14.0, 14.0)
    assert found.high_mg_h_l == pytest.approx(14.1) and codes(found.notes) == ["predose_zero"]


def test_a_pre_dose_result_below_an_unknown_limit_is_0_without_bounds_and_this_is_said() -> None:
    found = partial_auc_0_2(occasion(h0(None, 0, below_lloq=True), h30(8.0), h2(8.0)))
    assert (found.low_mg_h_l, found.value_mg_h_l, found.high_mg_h_l) == (None, 14.0, None)
    assert codes(found.notes) == ["predose_zero_no_limit"]


@pytest.mark.parametrize("missing", ["H0", "H30", "H2"])
def test_the_three_samples_are_all_required(missing: str) -> None:
    left = [sample for sample in (h0(), h30(), h2()) if sample.timepoint != missing]
    refused = partial_auc_0_2(occasion(*left))
    assert codes(refused.reasons) == ["sample_missing"] and missing in refused.reasons[0].text()
    assert refused.interval_h == (0.0, 2.0)


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        ((h0(time_min=3), h30(), h2()), ["predose_after_dose"]),
        ((h0(), h30(time_min=0), h2()), ["not_after_dose"]),
        ((h0(), h30(time_min=110), h2(time_min=100)), ["samples_out_of_order"]),
        ((h0(), h30(time_min=60), h2(time_min=60)), ["samples_out_of_order"]),
        ((h0(), h30(time_min=120), h2(time_min=180)), ["sample_after_interval"]),
        ((h0(time_min=30), h30(time_min=-5), h2()), ["predose_after_dose", "not_after_dose"]),
        ((h0(), h30(time_min=math.nan), h2(None)), ["time_not_finite", "value_missing"]),
        ((h0(), h30(None, below_lloq=True), h2(None, above_uloq=True)), ["below_lloq", "above_uloq"]),
        ((h0(), h0(), h30(), h2()), ["sample_repeated"]),
    ],
)
def test_samples_in_the_wrong_order_or_without_numbers_are_refused(samples: tuple, found: list[str]) -> None:
    assert codes(partial_auc_0_2(occasion(*samples)).reasons) == found


def test_the_observed_area_needs_neither_formulation_nor_interval_nor_steady_state() -> None:
    unknown = Dosing(Formulation.EC_MPS)
    assert partial_auc_0_2(occasion(dosing=unknown)) == partial_auc_0_2(occasion())


def test_a_maximum_before_the_dose_is_noted() -> None:
    assert "predose_highest" in codes(partial_auc_0_2(occasion(h0(11.0), h30(10.0), h2(6.0))).notes)
