"""Concentrations to mg/L, decimal in and decimal out; doses to mg of MPA."""

from decimal import Decimal, localcontext

import pytest

from pk.values.errors import PkError
from pk.values.profile import Formulation
from pk.values.units import MPA_MG_PER_MMF_MG, ConcentrationUnit, mpa_dose_mg, to_mg_l


@pytest.mark.parametrize(
    ("value", "unit", "mg_l"),
    [
        ("2.50", ConcentrationUnit.MG_L, "2.50"),
        ("2.5", ConcentrationUnit.UG_ML, "2.5"),
        ("2500", ConcentrationUnit.NG_ML, "2.500"),
        ("1", ConcentrationUnit.UMOL_L, "0.32034"),
    ],
)
def test_a_concentration_becomes_mg_per_litre(value: str, unit: ConcentrationUnit, mg_l: str) -> None:
    assert to_mg_l(Decimal(value), unit) == Decimal(mg_l)


def test_the_result_does_not_depend_on_the_callers_decimal_precision() -> None:
    with localcontext() as context:
        context.prec = 3
        assert to_mg_l(Decimal("12.3456"), ConcentrationUnit.UMOL_L) == Decimal("3.954789504")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_only_finite_concentrations_are_converted(value: str) -> None:
    with pytest.raises(PkError, match="finite"):
        to_mg_l(Decimal(value), ConcentrationUnit.MG_L)


def test_mmf_is_converted_by_molar_mass_and_ec_mps_labels_are_mg_of_mpa_already() -> None:
    assert pytest.approx(320.34 / 433.50, abs=1e-5) == MPA_MG_PER_MMF_MG
    assert mpa_dose_mg(1000.0, Formulation.MMF) == pytest.approx(738.962)
    assert mpa_dose_mg(180.0, Formulation.EC_MPS) == 180.0
