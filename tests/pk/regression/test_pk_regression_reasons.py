"""What a refusal or a remark of an equation says, whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pk_cases import PAWINSKI, STEADY, h0, h2, h30, occasion

from pk.regression.apply import apply, dosing_problems
from pk.values.estimate import Estimate
from pk.values.origin import assay_note
from pk.values.profile import Formulation
from pk.values.reason import Reason


def test_everything_about_the_treatment_that_does_not_fit_is_said_with_the_equation_and_what_it_needs() -> (
    None
):
    unknown = replace(STEADY, interval_h=None, days_unchanged=None)
    name = PAWINSKI.name
    assert dosing_problems(PAWINSKI, unknown) == (
        Reason.of("interval_unknown", equation=name, expected_h=12),
        Reason.of("steady_state_unknown", equation=name, min_days=7),
    )
    other = replace(STEADY, formulation=Formulation.EC_MPS, interval_h=8.0, days_unchanged=6.5)
    labels = {"formulation": Formulation.EC_MPS.label, "expected": Formulation.MMF.label}
    assert dosing_problems(PAWINSKI, other) == (
        Reason.of("formulation_not_covered", equation=name, **labels),
        Reason.of("interval_differs", equation=name, interval_h=8, expected_h=12),
        Reason.of("steady_state_too_short", equation=name, days=6.5, min_days=7),
    )
    assert dosing_problems(PAWINSKI, STEADY) == ()


def test_an_assay_that_is_another_or_not_known_is_said_with_those_of_the_equation() -> None:
    assays = ("EMIT", "HPLC")
    unknown = Reason.of("assay_unknown", equation="Made-up", expected="EMIT / HPLC")
    assert assay_note("Made-up", assays, None) == assay_note("Made-up", assays, "  ") == (unknown,)
    differs = Reason.of("assay_differs", equation="Made-up", assay="LC-MS", expected="EMIT / HPLC")
    assert assay_note("Made-up", assays, " LC-MS ") == (differs,)
    assert assay_note("Made-up", assays, " emit ") == ()
    found = apply(replace(PAWINSKI, assays=assays), replace(occasion(), assay="LC-MS"))
    assert (
        Reason.of("assay_differs", equation=PAWINSKI.name, assay="LC-MS", expected="EMIT / HPLC")
        in found.notes
    )


def test_a_refusal_names_the_method_its_quantity_its_interval_and_why() -> None:
    beyond = replace(PAWINSKI, terms=tuple(replace(term, coefficient_h=1.7e308) for term in PAWINSKI.terms))
    found = apply(beyond, occasion())
    assert found == Estimate(
        method="pawinski_2002",
        quantity="AUC0-12",
        interval_h=(0.0, 12.0),
        reasons=(Reason.of("auc_not_finite"),),
    )


def test_a_limit_of_quantification_counts_only_below_it() -> None:
    measured = apply(PAWINSKI, occasion(h0(2.0, lloq_mg_l=0.1), h30(10.0), h2(6.0)))
    assert measured.value_mg_h_l == pytest.approx(42.91)
    assert measured.low_mg_h_l is None
    below = apply(PAWINSKI, occasion(h0(0.0, below_lloq=True, lloq_mg_l=0.4), h30(10.0), h2(6.0)))
    assert Reason.of("predose_half_lloq", timepoint="H0", lloq_mg_l=0.4) in below.notes
