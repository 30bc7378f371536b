"""Every method's exposure for one occasion, the observed partial area, and the inputs hash."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pk_cases import CATALOGUE, PAWINSKI, STEADY, any_occasion, codes, h0, h2, h30, occasion, three_samples

import pk.exposure
from pk.exposure import PARTIAL_AUC, estimates, inputs_hash, partial_auc_0_2
from pk.profile import Dosing, Formulation, Occasion, Sample


def test_every_equation_in_order_then_the_partial_area() -> None:
    found = [(e.method, e.quantity) for e in estimates(occasion(), CATALOGUE)]
    assert found == [*((e.id, "AUC0-12") for e in CATALOGUE), (PARTIAL_AUC, "AUC0-2")]


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


@given(any_occasion | three_samples)
def test_whatever_the_data_every_method_gives_a_finite_value_or_reasons(data: Occasion) -> None:
    for found in estimates(data, CATALOGUE):
        assert (found.value_mg_h_l is None) == bool(found.reasons)
        assert found.value_mg_h_l is None or math.isfinite(found.value_mg_h_l)
        assert all(reason.text() for reason in (*found.reasons, *found.notes))
    assert len(inputs_hash(data, CATALOGUE)) == 64


@given(st.permutations([h0(), h30(), h2()]), st.permutations(CATALOGUE))
def test_neither_the_order_of_samples_nor_that_of_equations_changes_the_hash(
    samples: list, equations: list
) -> None:
    assert inputs_hash(occasion(*samples), equations) == inputs_hash(occasion(), CATALOGUE)


@given(any_occasion, st.data())
def test_the_hash_does_not_depend_on_sample_order_whatever_the_samples(
    data: Occasion, draw: st.DataObject
) -> None:
    shuffled = replace(data, samples=tuple(draw.draw(st.permutations(data.samples))))
    assert inputs_hash(shuffled, CATALOGUE) == inputs_hash(data, CATALOGUE)


def test_how_a_number_is_written_does_not_change_the_hash() -> None:
    whole = occasion(Sample("H0", 0, 2), h30(), h2(), dosing=replace(STEADY, interval_h=12))
    decimal = occasion(Sample("H0", -0.0, 2.0), h30(), h2())
    assert inputs_hash(whole, CATALOGUE) == inputs_hash(decimal, CATALOGUE)


def test_every_input_changes_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    steeper = replace(PAWINSKI, intercept_mg_h_l=7.76)
    wider = replace(
        PAWINSKI, terms=(replace(PAWINSKI.terms[0], tolerance_lower_min=61.0), *PAWINSKI.terms[1:])
    )
    hashes = [
        inputs_hash(occasion(), [PAWINSKI]),
        inputs_hash(occasion(), []),
        inputs_hash(occasion(), [steeper]),
        inputs_hash(occasion(), [wider]),
        inputs_hash(occasion(assay="EMIT"), [PAWINSKI]),
        inputs_hash(occasion(dosing=replace(STEADY, dose_mg=500.0)), [PAWINSKI]),
        inputs_hash(occasion(dosing=replace(STEADY, days_unchanged=None)), [PAWINSKI]),
        inputs_hash(occasion(h0(2.01), h30(), h2()), [PAWINSKI]),
        inputs_hash(occasion(h0(time_min=-6), h30(), h2()), [PAWINSKI]),
        inputs_hash(occasion(h0(below_lloq=True), h30(), h2()), [PAWINSKI]),
    ]
    monkeypatch.setattr(pk.exposure, "PK_VERSION", "another")
    hashes.append(inputs_hash(occasion(), [PAWINSKI]))
    assert len(set(hashes)) == len(hashes)


def test_a_corrected_citation_does_not_change_the_hash() -> None:
    reworded = replace(PAWINSKI, source="better", precision="better")
    assert inputs_hash(occasion(), [reworded]) == inputs_hash(occasion(), [PAWINSKI])


def test_the_hash_of_known_inputs_is_stable_between_processes_and_releases_of_one_version() -> None:
    assert inputs_hash(occasion(), []) == "404e209cb35d38f0ba9c865d47758fe69106a6cb6045ecdde89df483ae7ad26f"
