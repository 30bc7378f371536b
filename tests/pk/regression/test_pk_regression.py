"""An equation gives the published number where it holds, and every reason where it does not."""

import math
from dataclasses import replace

import pytest
from agreement import PAWINSKI as PAWINSKI_2002
from agreement import Agreement, Method, reference
from hypothesis import given
from hypothesis import strategies as st
from pk_cases import (
    ATTARD,
    CATALOGUE,
    CHAIGNE,
    PAWINSKI,
    STEADY,
    any_occasion,
    codes,
    h0,
    h2,
    h30,
    occasion,
    three_samples,
)

from pk.regression.apply import apply
from pk.values.profile import Formulation, Sample
from pk.values.reason import Reason

# Typical steady-state concentrations of population models, with the equation's answer to them.
GOLDEN = {
    "Mizaki 2023": (3.8034, 11.7724, 10.6805, 67.33),
    "de Winter 2008": (2.0981, 11.3764, 6.9738, 46.96),
    "Yu 2017": (2.3888, 16.6744, 7.0936, 53.16),
    "van Hest 2007": (2.7272, 7.6809, 6.4737, 47.02),
    "van Hest 2005": (1.0806, 7.7874, 4.8310, 32.42),
    "Rong 2019": (3.4637, 16.9130, 7.3734, 61.00),
    "Quintairos 2021": (3.9429, 6.3305, 7.6790, 56.81),
}


def only(reasons: tuple[Reason, ...], code: str) -> Reason:
    (found,) = [reason for reason in reasons if reason.code == code]
    return found


@reference(Method.EQUATIONS, "Pawinski 2002 on C0 = 2, C0.5 = 10, C2 = 6 mg/L: 42.91 mg·h/L", PAWINSKI_2002)
def test_the_worked_example_is_42_91(agreement: Agreement) -> None:
    found = apply(PAWINSKI, occasion())
    assert found.value_mg_h_l is not None
    agreement(found.value_mg_h_l, 42.91, within=1e-9, unit="mg·h/L")
    assert (found.method, found.quantity, found.interval_h) == ("pawinski_2002", "AUC0-12", (0.0, 12.0))
    assert (found.low_mg_h_l, found.high_mg_h_l, found.reasons) == (None, None, ())


@reference(
    Method.EQUATIONS,
    "Pawinski 2002 on the typical concentrations of published models (not on patients)",
    PAWINSKI_2002,
)
@pytest.mark.parametrize("model", GOLDEN)
def test_the_equation_on_typical_profiles_of_population_models(model: str, agreement: Agreement) -> None:
    c0, c30, c2, expected = GOLDEN[model]
    found = apply(PAWINSKI, occasion(h0(c0), h30(c30), h2(c2)))
    assert found.value_mg_h_l is not None
    # Printed with two decimals, from concentrations that were rounded to four.
    agreement(found.value_mg_h_l, expected, within=0.006, unit="mg·h/L")


def test_a_value_always_says_in_whom_the_equation_was_derived() -> None:
    assert only(apply(PAWINSKI, occasion()).notes, "other_population").text() == (
        "Pawinski 2002 comes from 21 patients (adult renal transplantation; tacrolimus); "
        "it is not known to have been validated in systemic sclerosis."
    )


def test_the_other_catalogued_equations_compute_when_their_samples_exist() -> None:
    late, early = Sample("H4", 4.0, 3.0), Sample("M20", 1 / 3, 8.0)
    assert apply(CHAIGNE, occasion(h30(), h2(), late)).value_mg_h_l == pytest.approx(8.5 + 7.7 + 24 + 5.1)
    assert apply(ATTARD, occasion(h0(), early, h2())).value_mg_h_l == pytest.approx(9.1 + 11.4 + 8.8 + 12.6)


def test_the_other_catalogued_equations_are_refused_for_the_sample_the_protocol_lacks() -> None:
    refused = [apply(equation, occasion()).reasons for equation in (CHAIGNE, ATTARD)]
    assert refused == [
        (Reason.of("sample_missing", timepoint="H4", nominal_min=240),),
        (Reason.of("sample_missing", timepoint="M20", nominal_min=20),),
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"formulation": Formulation.EC_MPS}, "formulation_not_covered"),
        ({"interval_h": None}, "interval_unknown"),
        ({"interval_h": 24.0}, "interval_differs"),
        ({"interval_h": 8.0}, "interval_differs"),
        ({"interval_h": math.nan}, "interval_differs"),
        ({"days_unchanged": None}, "steady_state_unknown"),
        ({"days_unchanged": 6.9}, "steady_state_too_short"),
        ({"days_unchanged": math.nan}, "steady_state_too_short"),
    ],
)
def test_a_treatment_that_does_not_fit_is_refused(changes: dict, code: str) -> None:
    assert codes(apply(PAWINSKI, occasion(dosing=replace(STEADY, **changes))).reasons) == [code]


def test_seven_days_of_unchanged_dose_are_enough_and_the_dose_itself_is_not_needed() -> None:
    dosing = replace(STEADY, days_unchanged=7.0, dose_mg=None)
    assert apply(PAWINSKI, occasion(dosing=dosing)).value_mg_h_l is not None


@pytest.mark.parametrize(
    ("samples", "code", "named"),
    [
        ((h30(), h2()), "sample_missing", "H0"),
        ((h0(), h2()), "sample_missing", "H30"),
        ((h0(), h30()), "sample_missing", "H2"),
        ((h0(), h30(), h2(), h2(5.0)), "sample_repeated", "H2"),
        ((h0(), h30(time_min=19), h2()), "time_outside_window", "H30"),
        ((h0(time_min=1), h30(), h2()), "time_outside_window", "H0"),
        ((h0(), h30(), h2(time_min=math.nan)), "time_not_finite", "H2"),
        ((h0(), h30(None, below_lloq=True, lloq_mg_l=0.25), h2()), "below_lloq", "H30"),
        ((h0(), h30(), h2(None, below_lloq=True)), "below_lloq", "H2"),
        ((h0(), h30(), h2(0.1, lloq_mg_l=0.25)), "below_lloq", "H2"),
        ((h0(), h30(None, above_uloq=True), h2()), "above_uloq", "H30"),
        ((h0(), h30(15.0, above_uloq=True), h2()), "above_uloq", "H30"),
        ((h0(None, below_lloq=True), h30(), h2()), "lloq_unknown", "H0"),
        ((h0(None, below_lloq=True, lloq_mg_l=0.0), h30(), h2()), "lloq_unknown", "H0"),
        ((h0(None, below_lloq=True, lloq_mg_l=math.nan), h30(), h2()), "lloq_unknown", "H0"),
        ((h0(), h30(), h2(None)), "value_missing", "H2"),
        ((h0(), h30(math.nan), h2()), "value_not_finite", "H30"),
        ((h0(), h30(math.inf), h2()), "value_not_finite", "H30"),
        ((h0(-0.1), h30(), h2()), "value_negative", "H0"),
        ((h0(-0.1, below_lloq=True, lloq_mg_l=0.25), h30(), h2()), "value_negative", "H0"),
    ],
)
def test_a_sample_that_cannot_be_used_is_refused_by_name(samples: tuple, code: str, named: str) -> None:
    refused = apply(PAWINSKI, occasion(*samples))
    assert refused.value_mg_h_l is None and codes(refused.reasons) == [code]
    assert dict(refused.reasons[0].params)["timepoint"] == named


@pytest.mark.parametrize(
    ("make", "minutes", "accepted"),
    [
        (h0, -60, True), (h0, -60.1, False), (h0, 0, True), (h0, 0.1, False),
        (h30, 20, True), (h30, 19.9, False), (h30, 40, True), (h30, 40.1, False),
        (h2, 110, True), (h2, 109.9, False), (h2, 130, True), (h2, 130.1, False),
    ],
)  # fmt: skip
def test_both_ends_of_a_window_belong_to_it(make: object, minutes: float, accepted: bool) -> None:
    changed = make(time_min=minutes)  # type: ignore[operator]
    others = [sample for sample in (h0(), h30(), h2()) if sample.timepoint != changed.timepoint]
    assert (apply(PAWINSKI, occasion(changed, *others)).value_mg_h_l is not None) == accepted


def test_a_sample_outside_its_window_is_named_with_its_minutes_and_the_window() -> None:
    refused = apply(PAWINSKI, occasion(h0(), h30(time_min=47), h2()))
    assert refused.reasons[0].text() == (
        "H30 was drawn at 47 min from the dose; Pawinski 2002 accepts 20 to 40 min."
    )


def test_every_reason_is_given_at_once() -> None:
    dosing = replace(STEADY, formulation=Formulation.EC_MPS, interval_h=24.0, days_unchanged=2.0)
    late_and_low = h30(None, 50, below_lloq=True)
    refused = apply(PAWINSKI, occasion(late_and_low, h2(None, above_uloq=True), dosing=dosing))
    assert codes(refused.reasons) == [
        "formulation_not_covered",
        "interval_differs",
        "steady_state_too_short",
        "sample_missing",
        "time_outside_window",
        "below_lloq",
        "above_uloq",
    ]


@pytest.mark.parametrize("conc", [None, 0.1])
def test_a_pre_dose_result_below_a_known_limit_counts_as_half_of_it_with_bounds(conc: float | None) -> None:
    found = apply(PAWINSKI, occasion(h0(conc, below_lloq=True, lloq_mg_l=0.4), h30(), h2()))
    without = 7.75 + 0.76 * 10 + 2.43 * 6
    assert found.value_mg_h_l == pytest.approx(without + 6.49 * 0.2)
    assert found.low_mg_h_l == pytest.approx(without)
    assert found.high_mg_h_l == pytest.approx(without + 6.49 * 0.4)
    assert dict(only(found.notes, "predose_half_lloq").params) == {"timepoint": "H0", "lloq_mg_l": 0.4}


@pytest.mark.parametrize(
    ("assay", "note"),
    [(None, "assay_unknown"), (" ", "assay_unknown"), ("EMIT", "assay_differs"), ("LC", "assay_differs")],
)
def test_another_or_an_unknown_assay_is_noted_and_nothing_is_converted(assay: str | None, note: str) -> None:
    found = apply(PAWINSKI, occasion(assay=assay))
    assert found.value_mg_h_l == pytest.approx(42.91)
    assert note in codes(found.notes)


def test_the_equations_own_assay_needs_no_note_however_it_is_written() -> None:
    assert codes(apply(PAWINSKI, occasion(assay=" hplc")).notes) == ["other_population"]


@pytest.mark.parametrize(("c0", "noted"), [(10.5, True), (10.0, False), (8.0, False)])
def test_a_maximum_before_the_dose_is_noted_and_never_reordered(c0: float, noted: bool) -> None:
    found = apply(PAWINSKI, occasion(h0(c0), h30(10.0), h2(6.0)))
    assert ("predose_highest" in codes(found.notes)) is noted
    assert found.value_mg_h_l == pytest.approx(7.75 + 6.49 * c0 + 7.6 + 14.58)


@given(st.permutations([h0(), h30(), h2()]))
def test_the_order_of_the_samples_does_not_matter(samples: list[Sample]) -> None:
    assert apply(PAWINSKI, occasion(*samples)) == apply(PAWINSKI, occasion())


@given(any_occasion | three_samples, st.sampled_from(CATALOGUE))
def test_whatever_the_data_there_is_a_finite_value_or_reasons_that_can_be_said(
    data: object, equation: object
) -> None:
    found = apply(equation, data)  # type: ignore[arg-type]
    assert (found.value_mg_h_l is None) == bool(found.reasons)
    assert found.value_mg_h_l is None or math.isfinite(found.value_mg_h_l)
    assert all(reason.text() for reason in (*found.reasons, *found.notes))
