"""Covariates move typical values as published; what is assumed, out of range or impossible is said."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pk_cases import codes

from pk.models.catalogue import CATALOGUE, Measure
from pk.models.covariates import prior_for
from pk.models.population import PopulationModel
from pk.models.shipped import shipped_models

MODELS = {model.id: model for model in shipped_models()}
MIZAKI, YU = MODELS["mizaki_2023"], MODELS["yu_2017"]


def typical(model: PopulationModel, **covariates: Any) -> dict[str, float]:
    """Typical structural parameters of a subject who has a prior."""
    placed = prior_for(model, [covariates])
    assert placed.reasons == ((),)
    names = ("CL", "V1", "Q", "V2", "ka", "last")
    return dict(zip(names, np.exp(placed.prior.log_typical[0]).tolist(), strict=True))


def notes(model: PopulationModel, **covariates: Any) -> tuple[Any, ...]:
    return prior_for(model, [covariates]).notes[0]


def refusal(model: PopulationModel, **covariates: Any) -> tuple[Any, ...]:
    placed = prior_for(model, [covariates])
    assert placed.notes == ((),)
    return placed.reasons[0]


def test_the_clearance_of_mizaki_2023_is_as_worked_by_hand() -> None:
    # 62 mL/min = 3.72 L/h = 0.6 of 6.2; 28 g/L = 2.8 g/dL = 7/9 of 3.6
    found = typical(MIZAKI, creatinine_clearance_ml_min=62, albumin_g_l=28)
    assert found["CL"] == pytest.approx(13.15 * 0.6**0.78 * (7 / 9) ** -0.88, rel=1e-12)
    assert found["CL"] == pytest.approx(11.0132, abs=1e-3)
    unmoved = typical(MIZAKI)
    assert {name: found[name] for name in found if name != "CL"} == {
        name: unmoved[name] for name in unmoved if name != "CL"
    }


def test_a_covariate_at_its_reference_changes_nothing() -> None:
    at_reference = typical(MIZAKI, creatinine_clearance_ml_min=6.2 * 1000 / 60, albumin_g_l=36)
    assert at_reference == pytest.approx(typical(MIZAKI), rel=1e-14)


def test_yu_is_a_sum_and_falls_back_to_the_published_typical_values() -> None:
    assert typical(YU)["CL"] == pytest.approx(18.3, rel=1e-14)
    assert typical(YU)["V1"] == pytest.approx(27.9, rel=1e-14)
    found = typical(YU, weight_kg=70, creatinine_umol_l=80, ugt2b7_211="GG")
    assert found["CL"] == pytest.approx(7.98 + 0.0916 * 70 + 0.0417 * 80)
    assert found["V1"] == pytest.approx(14.7 + 7.72 * 2)
    # k12 and k21 stay, so Q and V2 follow V1
    assert found["Q"] == pytest.approx(0.915 * found["V1"])
    assert found["V2"] == pytest.approx(0.915 * found["V1"] / 0.059)


@pytest.mark.parametrize(("genotype", "v1"), [("GT", 22.42), ("GG", 30.14), ("TT", 37.86)])
def test_yu_codes_the_genotype_1_2_3(genotype: str, v1: float) -> None:
    assert typical(YU, ugt2b7_211=genotype)["V1"] == pytest.approx(v1)


def test_yu_at_58_kg_and_120_umol_l_has_the_typical_clearance_but_for_its_rounding() -> None:
    found = typical(YU, weight_kg=58, creatinine_umol_l=120)
    assert found["CL"] == pytest.approx(18.3, abs=0.005)
    assert typical(YU, weight_kg=58)["CL"] == pytest.approx(found["CL"])
    assert codes(notes(YU, weight_kg=58)) == ["covariate_at_reference", "covariate_at_typical"]


def test_van_hest_2007_declines_with_time_and_is_steady_without_it() -> None:
    model = MODELS["van_hest_2007"]
    assert typical(model)["CL"] == pytest.approx(20, rel=1e-14)
    assert typical(model, days_since_transplantation=0)["CL"] == pytest.approx(34)
    after_a_month = 20 + 14 * math.exp(-8.8e-4 * 24 * 30)
    assert typical(model, days_since_transplantation=30)["CL"] == pytest.approx(after_a_month)
    assert typical(model, days_since_transplantation=3000)["CL"] == pytest.approx(20)


def test_van_hest_2005_is_refused_without_ciclosporin() -> None:
    model = MODELS["van_hest_2005"]
    reasons = refusal(model, albumin_g_l=40)
    assert codes(reasons) == ["covariate_required"]
    assert "covariates.ciclosporin_dose_mg_d" in reasons[0].text()
    assert codes(refusal(model, ciclosporin_dose_mg_d=0)) == ["covariate_implausible"]


def test_clearance_and_volume_of_van_hest_2005_are_as_worked_by_hand() -> None:
    model = MODELS["van_hest_2005"]
    given = {"ciclosporin_dose_mg_d": 300, "creatinine_clearance_ml_min": 96, "albumin_g_l": 40}
    found = typical(model, **given, sex="female")
    assert found["CL"] == pytest.approx(
        32.5 * 2**-0.12 * (4 / 3) ** -1.07 * (2 / 3) ** 0.31 * 1.11, rel=1e-12
    )
    assert found["V1"] == pytest.approx(91 * 2**-0.62 * (4 / 3) ** -1.13, rel=1e-12)
    assert found["CL"] / typical(model, **given, sex="male")["CL"] == pytest.approx(1.11)
    assert typical(model, **given) == typical(model, **given, sex="male")
    assert [note.text() for note in notes(model, **given) if note.code == "covariate_as_for"] == [
        "covariates.sex is not given; van Hest 2005 was used as for 'male'."
    ]


def test_quintairos_is_scaled_by_weight() -> None:
    found, at_70 = typical(MODELS["quintairos_2021"], weight_kg=84), typical(MODELS["quintairos_2021"])
    expected = {"CL": 0.75, "Q": 0.75, "V1": 1, "V2": 1, "ka": 1, "last": 0}
    assert {name: found[name] / at_70[name] for name in found} == pytest.approx(
        {name: 1.2**exponent for name, exponent in expected.items()}
    )


def test_what_is_assumed_for_a_missing_covariate_is_said_with_its_field() -> None:
    assert [note.text() for note in notes(MIZAKI, albumin_g_l=None)] == [
        "covariates.creatinine_clearance_ml_min is not given; "
        "the reference of Mizaki 2023 was used, 103.3 mL/min.",
        "covariates.albumin_g_l is not given; the reference of Mizaki 2023 was used, 36 g/L.",
    ]
    assert notes(MODELS["de_winter_2008"]) == ()


def test_a_value_outside_what_the_model_has_seen_is_said() -> None:
    within = {"creatinine_clearance_ml_min": 100, "albumin_g_l": 36}
    assert notes(MIZAKI, **within) == ()
    assert codes(notes(MIZAKI, **within | {"albumin_g_l": 45})) == ["covariate_outside_quartiles"]
    heavy = notes(YU, weight_kg=120, creatinine_umol_l=80, ugt2b7_211="GG")
    assert [note.text() for note in heavy] == [
        "covariates.weight_kg is 120 kg; the patients of Yu 2017 had 39 to 82 kg, "
        "and its relation was continued beyond them."
    ]
    unknown = notes(MODELS["van_hest_2005"], ciclosporin_dose_mg_d=200)
    assert "covariate_range_unknown" in codes(unknown)


def test_an_unknown_covariate_is_refused_by_name_whatever_the_model() -> None:
    for model in MODELS.values():
        found = [reason for reason in refusal(model, albumine=40) if reason.code == "field_unknown"]
        assert [dict(reason.params)["field"] for reason in found] == ["covariates.albumine"]


def test_a_known_covariate_that_the_model_does_not_use_plays_no_part() -> None:
    assert typical(MIZAKI, weight_kg=90) == typical(MIZAKI)


@pytest.mark.parametrize(
    ("covariate", "value", "code"),
    [
        ("albumin_g_l", "40", "covariate_not_number"),
        ("albumin_g_l", True, "covariate_not_number"),
        ("albumin_g_l", math.nan, "covariate_not_number"),
        ("albumin_g_l", math.inf, "covariate_not_number"),
        ("albumin_g_l", 10**400, "covariate_not_number"),
        ("albumin_g_l", [40], "covariate_not_number"),
        ("albumin_g_l", 3.6, "covariate_implausible"),  # g/dL
        ("albumin_g_l", -36, "covariate_implausible"),
        ("creatinine_clearance_ml_min", 6.2, "covariate_implausible"),  # L/h
    ],
)
def test_what_cannot_be_a_covariate_is_refused(covariate: str, value: Any, code: str) -> None:
    (reason,) = refusal(MIZAKI, **{covariate: value})
    assert (reason.code, dict(reason.params)["field"]) == (code, f"covariates.{covariate}")


def test_creatinine_in_mg_dl_and_an_unknown_genotype_are_refused_together() -> None:
    found = refusal(YU, creatinine_umol_l=0.9, ugt2b7_211="AA")
    assert codes(found) == ["covariate_implausible", "field_not_choice"]


def test_a_batch_keeps_its_order_and_one_bad_subject_costs_only_itself() -> None:
    batch: list[dict[str, Any]] = [{}, {"albumin_g_l": 28}, {"albumin_g_l": "x"}, {}, {"albumin_g_l": 28}]
    placed = prior_for(MIZAKI, batch)
    assert [bool(reasons) for reasons in placed.reasons] == [False, False, True, False, False]
    values = np.exp(placed.prior.log_typical)
    assert values.shape == (5, 6) and np.all(np.isfinite(values))
    assert values[1, 0] == values[4, 0] == pytest.approx(13.15 * (7 / 9) ** -0.88)
    assert values[0, 0] == values[2, 0] == values[3, 0] == pytest.approx(13.15)
    assert placed.notes[0] == placed.notes[3] != placed.notes[1]


def test_true_is_no_number_of_days() -> None:
    placed = prior_for(MODELS["van_hest_2007"], [
        {"days_since_transplantation": 1},
        {"days_since_transplantation": True},
        {"days_since_transplantation": 1.0},
    ])  # fmt: skip
    assert [codes(reasons) for reasons in placed.reasons] == [[], ["covariate_not_number"], []]


def test_an_empty_batch_is_a_batch() -> None:
    assert prior_for(MIZAKI, []).prior.log_typical.shape == (0, 6)


def test_a_large_batch_without_covariates_is_one_row_repeated() -> None:
    placed = prior_for(MIZAKI, [{}] * 20_000)
    assert placed.prior.log_typical.shape == (20_000, 6)
    assert np.ptp(placed.prior.log_typical, axis=0).max() == 0
    assert len(set(map(id, placed.notes))) == 1


plausible = st.fixed_dictionaries(
    {},
    optional={
        name: st.floats(kind.low, kind.high) if isinstance(kind, Measure) else st.sampled_from(kind.words)
        for name, kind in CATALOGUE.items()
    },
)


@given(st.sampled_from(sorted(MODELS)), plausible)
def test_plausible_covariates_always_give_usable_parameters(name: str, covariates: dict[str, Any]) -> None:
    placed = prior_for(MODELS[name], [covariates])
    values = np.exp(placed.prior.log_typical[0])
    assert np.all(np.isfinite(values)) and np.all(values[:5] > 0)
    assert bool(placed.reasons[0]) == (name == "van_hest_2005" and "ciclosporin_dose_mg_d" not in covariates)


anything = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=3), st.lists(st.none())
)


@given(st.sampled_from(sorted(MODELS)), st.dictionaries(st.sampled_from([*CATALOGUE, "height_cm"]), anything))
def test_whatever_is_given_there_is_a_prior_or_a_reason(name: str, covariates: dict[str, Any]) -> None:
    placed = prior_for(MODELS[name], [covariates])
    assert not (placed.reasons[0] and placed.notes[0])
    assert all(reason.text() for reason in (*placed.reasons[0], *placed.notes[0]))
