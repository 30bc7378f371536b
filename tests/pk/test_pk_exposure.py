"""Every method's exposure for one occasion, with a value or reasons."""

import math
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from pk_cases import (
    CATALOGUE,
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

from pk.exposure import disagreement, estimates, estimates_of, inputs_hash
from pk.models.shipped import shipped_models
from pk.nca.partial import PARTIAL_AUC
from pk.values.estimate import Estimate
from pk.values.profile import DoseTaken, Dosing, Formulation, Occasion

MODELS = shipped_models()


def test_every_equation_in_order_then_the_partial_area() -> None:
    found = [(e.method, e.quantity) for e in estimates(occasion(), CATALOGUE)]
    assert found == [*((e.id, "AUC0-12") for e in CATALOGUE), (PARTIAL_AUC, "AUC0-2")]


@given(any_occasion | three_samples)
def test_whatever_the_data_every_method_gives_a_finite_value_or_reasons(data: Occasion) -> None:
    for found in estimates(data, CATALOGUE):
        assert (found.value_mg_h_l is None) == bool(found.reasons)
        assert found.value_mg_h_l is None or math.isfinite(found.value_mg_h_l)
        assert all(reason.text() for reason in (*found.reasons, *found.notes))
    assert len(inputs_hash(data, CATALOGUE)) == 64


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
