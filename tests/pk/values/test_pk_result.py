"""A number or reasons, and every reason can be said."""

import dataclasses
import doctest
import importlib
import math
import pkgutil
import subprocess
import sys

import pytest
from pk_cases import ROOT

import pk
from pk.sentences import SENTENCES
from pk.values.estimate import UNIT_AUC, Estimate
from pk.values.reason import Reason, fields, short

WHY = (Reason.of("auc_not_finite"),)


def estimate(**changes: object) -> Estimate:
    return Estimate(**{"method": "m", "quantity": "AUC0-12", "interval_h": (0.0, 12.0), **changes})  # type: ignore[arg-type]


MODULES = [m.name for m in pkgutil.walk_packages(pk.__path__, "pk.") if m.name != "pk.__main__"]


@pytest.mark.parametrize("name", MODULES)
def test_every_doctest_holds(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0


def test_public_numerics_carry_doctests() -> None:
    counted = {
        n: doctest.testmod(importlib.import_module(f"pk.{n}")).attempted
        for n in ("nca.trapezoid", "values.units")
    }
    assert all(counted.values())


@pytest.mark.parametrize("changes", [{}, {"value_mg_h_l": 1.0, "reasons": WHY}])
def test_an_estimate_has_a_value_or_reasons_never_both_or_neither(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="either a value or reasons"):
        estimate(**changes)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_is_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        estimate(value_mg_h_l=value)


@pytest.mark.parametrize(
    "changes",
    [
        {"value_mg_h_l": 3.0, "low_mg_h_l": 4.0, "high_mg_h_l": 5.0},
        {"value_mg_h_l": 3.0, "low_mg_h_l": 2.0},
        {"reasons": WHY, "low_mg_h_l": 2.0, "high_mg_h_l": 5.0},
        {"value_mg_h_l": 3.0, "low_mg_h_l": 1.0, "high_mg_h_l": math.nan},
    ],
)
def test_bounds_come_in_pairs_around_a_value(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="an estimate"):
        estimate(**changes)


def test_the_unit_is_mg_h_per_litre() -> None:
    assert estimate(value_mg_h_l=1.0).unit == UNIT_AUC == "mg·h/L"


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_every_code_can_be_said(code: str) -> None:
    said = Reason.of(code, **dict.fromkeys(fields(SENTENCES[code]), "X")).text()
    assert said[0].isupper() and said.endswith(".") and "{" not in said


@pytest.mark.parametrize(
    ("code", "params"), [("unheard_of", {}), ("value_missing", {}), ("auc_not_finite", {"timepoint": "H2"})]
)
def test_a_reason_that_cannot_be_said_is_refused(code: str, params: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"SENTENCES|parameters"):
        Reason.of(code, **params)


def test_reasons_are_equal_and_hashable_whatever_the_order_of_their_parameters() -> None:
    one = Reason.of("sample_missing", timepoint="H2", nominal_min=120)
    other = Reason.of("sample_missing", nominal_min=120, timepoint="H2")
    assert one == other and len({one, other}) == 1


def test_results_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        WHY[0].code = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "said"), [(12.0, 12), (7.5, 7.5), (1 / 3, 0.3333), (math.inf, "inf"), (0.0, 0), (1e30, 1e30)]
)
def test_numbers_are_said_shortly(value: float, said: object) -> None:
    assert short(value) == said


@pytest.mark.process
def test_the_value_modules_load_neither_numpy_nor_scipy_and_nothing_loads_the_rest_of_the_project() -> None:
    script = (
        "import sys, pk.values.reason, pk.values.profile, pk.regression.apply, pk.values.units;"
        "early = {'numpy', 'scipy'} & set(sys.modules);"
        "import pk.exposure;"
        "late = {'scipy', 'config', 'scheduler', 'notifications', 'asyncio', 'logging'} & set(sys.modules);"
        "print(sorted(early), sorted(late))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]", "[]"]
