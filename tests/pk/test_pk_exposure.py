"""Every method's exposure for one occasion, the observed partial area, and the inputs hash."""

import math
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pk_cases import (
    CATALOGUE,
    PAWINSKI,
    ROOT,
    STEADY,
    any_occasion,
    codes,
    h0,
    h2,
    h30,
    occasion,
    three_samples,
)

import pk.exposure
from pk.exposure import disagreement, estimates, estimates_of, inputs_hash
from pk.models.shipped import shipped_models
from pk.nca.partial import PARTIAL_AUC, partial_auc_0_2
from pk.values.estimate import Estimate
from pk.values.profile import DoseTaken, Dosing, Formulation, Occasion, Sample

MODELS = shipped_models()


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
        inputs_hash(occasion(dosing=replace(STEADY, history=(DoseTaken(0.0, 1000.0),))), [PAWINSKI]),
        inputs_hash(replace(occasion(), covariates=(("weight_kg", 70.0),)), [PAWINSKI]),
        inputs_hash(occasion(), [PAWINSKI], MODELS[:1]),
        inputs_hash(occasion(), [PAWINSKI], MODELS),
        inputs_hash(occasion(), [PAWINSKI], [replace(MODELS[0], typical=(13.16, *MODELS[0].typical[1:]))]),
        inputs_hash(occasion(), [PAWINSKI], [replace(MODELS[0], id="other")]),
    ]
    monkeypatch.setattr(pk.exposure, "PK_VERSION", "another")
    hashes.append(inputs_hash(occasion(), [PAWINSKI]))
    assert len(set(hashes)) == len(hashes)


def test_a_corrected_citation_does_not_change_the_hash() -> None:
    reworded = replace(PAWINSKI, source="better", precision="better")
    assert inputs_hash(occasion(), [reworded]) == inputs_hash(occasion(), [PAWINSKI])
    cited = replace(MODELS[0], citation="better", choices=())
    assert inputs_hash(occasion(), [], [cited]) == inputs_hash(occasion(), [], MODELS[:1])


def test_neither_the_order_of_models_nor_that_of_covariates_changes_the_hash() -> None:
    pair = (("weight_kg", 70.0), ("albumin_g_l", 40.0))
    one, other = (replace(occasion(), covariates=order) for order in (pair, pair[::-1]))
    assert inputs_hash(one, [], MODELS) == inputs_hash(other, [], MODELS[::-1])


def test_the_hash_of_known_inputs_is_stable_between_processes_and_releases_of_one_version() -> None:
    assert inputs_hash(occasion(), []) == "84c39d985d42547d671011ec1ec8976aaa3f377ef8b90dbb4e2e81dfcfa4903d"


# --- with population models -----------------------------------------------------------------------------------


def by_method(data: Occasion, primary: tuple[str, ...] = ()) -> dict[str, Estimate]:
    return {one.method: one for one in estimates(data, CATALOGUE, MODELS, primary)}


def test_every_method_stands_beside_the_others_with_a_value_or_reasons() -> None:
    found = by_method(occasion())
    assert list(found) == [
        *(one.id for one in CATALOGUE),
        *(f"map_{one.id}" for one in MODELS),
        "average",
        PARTIAL_AUC,
    ]
    refused = {method for method, one in found.items() if one.reasons}
    assert refused == {"chaigne_2014", "attard_chen_2014", "map_van_hest_2005"}
    mizaki, average = found["map_mizaki_2023"], found["average"]
    assert mizaki.fit is not None and mizaki.value_mg_h_l is not None and mizaki.interval_90 is not None
    assert mizaki.value_mg_h_l == pytest.approx(1000 / dict(mizaki.fit.parameters)["CL"], rel=1e-12)
    assert mizaki.interval_90[0] < mizaki.value_mg_h_l < mizaki.interval_90[1]
    assert [name for name, _ in mizaki.fit.predictions] == ["H0", "H30", "H2"]
    assert sum(weight for _, weight in average.weights) == pytest.approx(1)
    assert {name for name, _ in average.weights} == {one.id for one in MODELS} - {"van_hest_2005"}


def test_the_primary_methods_stand_first() -> None:
    found = list(by_method(occasion(), ("average", "map_mizaki_2023", "not_a_method")))
    assert found[:3] == ["average", "map_mizaki_2023", "pawinski_2002"] and len(found) == 11


def test_areas_of_a_day_and_per_gram() -> None:
    found = by_method(occasion(dosing=replace(STEADY, dose_mg=1500.0)))
    for method in ("pawinski_2002", "map_mizaki_2023"):
        one = found[method]
        assert one.value_mg_h_l is not None
        assert one.auc_0_24_mg_h_l == pytest.approx(2 * one.value_mg_h_l, rel=1e-12)
        assert one.per_g_mg_h_l == pytest.approx(one.value_mg_h_l / 1.5, rel=1e-12)


@pytest.mark.parametrize("missing", ["H0", "H30", "H2"])
def test_two_samples_leave_the_models_with_wider_intervals(missing: str) -> None:
    left = tuple(one for one in (h0(), h30(), h2()) if one.timepoint != missing)
    whole, part = by_method(occasion()), by_method(occasion(*left))
    assert part["pawinski_2002"].reasons and part[PARTIAL_AUC].reasons
    widths = []
    for one in (whole["average"], part["average"]):
        assert one.interval_90 is not None
        widths.append(one.interval_90[1] / one.interval_90[0])
    assert widths[0] < widths[1]


def test_one_sample_gives_an_estimate_of_low_confidence() -> None:
    found = by_method(occasion(h0()))
    assert "one_sample_only" in codes(found["map_mizaki_2023"].notes)
    assert found["average"].value_mg_h_l is not None


def test_what_the_equations_refuse_the_models_can_use() -> None:
    """Any time is the actual time: an early H30, an H0 after the dose, a result below quantification."""
    below = h0(None, below_lloq=True, lloq_mg_l=0.4)
    found = by_method(occasion(below, h30(time_min=55), h2()))
    assert codes(found["pawinski_2002"].reasons) == ["time_outside_window"]
    assert found["map_mizaki_2023"].value_mg_h_l is not None
    late = by_method(occasion(h0(time_min=4), h30(), h2()))["map_mizaki_2023"]
    assert "predose_used_after_dose" in codes(late.notes)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (occasion(dosing=replace(STEADY, formulation=Formulation.EC_MPS)), "model_not_for_formulation"),
        (occasion(dosing=replace(STEADY, days_unchanged=3.0)), "model_steady_state_too_short"),
        (occasion(dosing=replace(STEADY, days_unchanged=None)), "model_steady_state_unknown"),
        (occasion(dosing=replace(STEADY, dose_mg=None)), "dose_unknown"),
        (occasion(dosing=replace(STEADY, interval_h=None)), "model_interval_unknown"),
        (occasion(dosing=replace(STEADY, history=(DoseTaken(0.0, -1.0),))), "history_not_usable"),
        (occasion(h0(51.0), h30(), h2()), "value_implausible"),
        (occasion(h0(-1.0), h30(), h2()), "value_negative"),
        (occasion(h0(math.inf), h30(), h2()), "value_not_finite"),
        (occasion(h0(), h30(None, above_uloq=True), h2()), "above_uloq"),
        (occasion(h0(None, below_lloq=True), h30(), h2()), "lloq_unknown"),
        (occasion(h0(None), h30(None), h2(None)), "no_usable_sample"),
    ],
)
def test_no_model_guesses(data: Occasion, code: str) -> None:
    found = by_method(data)
    assert code in codes(found["map_mizaki_2023"].reasons)
    assert code in codes(found["average"].reasons)


def test_a_covariate_in_another_unit_keeps_out_the_models_that_need_it() -> None:
    found = by_method(replace(occasion(), covariates=(("albumin_g_l", 3.8),)))
    assert codes(found["map_mizaki_2023"].reasons) == ["covariate_implausible"]
    assert "mizaki_2023" not in dict(found["average"].weights) and found["average"].value_mg_h_l is not None


def test_another_interval_is_for_the_models_alone_and_its_areas_are_said() -> None:
    found = by_method(occasion(dosing=replace(STEADY, interval_h=8.0)))
    assert codes(found["pawinski_2002"].reasons) == ["interval_differs"]
    one = found["map_mizaki_2023"]
    assert one.fit is not None
    assert one.auc_0_24_mg_h_l == pytest.approx(3000 / dict(one.fit.parameters)["CL"], rel=1e-12)
    assert "auc_other_interval" in codes(one.notes)


def test_a_first_dose_is_for_the_models_alone() -> None:
    first = Dosing(Formulation.MMF, history=(DoseTaken(0.0, 1000.0),))
    found = by_method(occasion(h30(6.0), h2(5.0), dosing=first))
    one = found["map_mizaki_2023"]
    assert one.value_mg_h_l is not None and one.auc_0_24_mg_h_l is None and one.fit is not None
    assert one.value_mg_h_l < 1000 / dict(one.fit.parameters)["CL"]
    assert found["pawinski_2002"].reasons


def test_exchanged_tubes_are_pointed_at_and_nothing_is_exchanged() -> None:
    found = by_method(occasion(h0(14.0), h30(1.0), h2(5.0)))
    assert "predose_highest" in codes(found["map_mizaki_2023"].notes)
    assert "predose_highest" in codes(found["average"].notes)


def test_many_occasions_at_once_are_as_each_alone() -> None:
    several = [occasion(), occasion(h0(), h2()), occasion(h0(3.0), h30(), h2(7.0)), occasion(h0(51.0))]
    together = estimates_of(several, CATALOGUE, MODELS)
    for data, found in zip(several, together, strict=True):
        for one, alone in zip(found, estimates(data, CATALOGUE, MODELS), strict=True):
            assert (one.method, one.reasons, one.notes) == (alone.method, alone.reasons, alone.notes)
            if one.value_mg_h_l is not None:
                assert one.value_mg_h_l == pytest.approx(alone.value_mg_h_l, rel=1e-9)
            if one.interval_90 is not None:
                assert one.interval_90 == pytest.approx(alone.interval_90, rel=1e-9)


def test_the_disagreement_names_the_methods_and_its_figures() -> None:
    found = estimates(occasion(), CATALOGUE, MODELS, ("map_mizaki_2023",))
    apart = disagreement(found)
    values = {one.method: one.value_mg_h_l for one in found if one.quantity == "AUC0-12" and one.value_mg_h_l}
    assert apart is not None
    average = values.pop("average")
    assert (apart.lowest_mg_h_l, apart.highest_mg_h_l) == (min(values.values()), max(values.values()))
    assert values[apart.lowest] == apart.lowest_mg_h_l and values[apart.highest] == apart.highest_mg_h_l
    assert apart.ratio == apart.highest_mg_h_l / apart.lowest_mg_h_l
    assert apart.primary == "map_mizaki_2023"
    percent = 100 * (values["map_mizaki_2023"] / average - 1)
    assert apart.primary_over_average_percent == pytest.approx(percent)
    assert disagreement(estimates(occasion(), CATALOGUE)) is None


@settings(max_examples=40, deadline=None)
@given(any_occasion)
def test_whatever_the_data_the_models_give_a_finite_value_or_reasons(data: Occasion) -> None:
    for one in estimates(data, (), MODELS[:2]):
        assert (one.value_mg_h_l is None) == bool(one.reasons)
        assert all(reason.text() for reason in (*one.reasons, *one.notes))
        if one.fit is not None:
            assert math.isfinite(one.fit.objective) and all(math.isfinite(v) for _, v in one.fit.parameters)


@pytest.mark.process
def test_methods_without_a_model_do_not_load_numpy() -> None:
    code = "import sys, pk.__main__, pk.exposure; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
