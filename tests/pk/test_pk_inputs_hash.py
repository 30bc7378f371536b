"""The hash of everything that an estimate depends on: an estimate on record is found by it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pk_cases import (
    CATALOGUE,
    PAWINSKI,
    STEADY,
    any_occasion,
    h0,
    h2,
    h30,
    occasion,
)

import pk.exposure
from pk.exposure import inputs_hash
from pk.models.shipped import shipped_models
from pk.values.profile import DoseTaken, Occasion, Sample

MODELS = shipped_models()


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
