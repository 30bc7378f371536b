"""One conversion each way, decimal in and decimal out."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pk.values.errors import PkError
from pk.values.profile import Formulation
from pk.values.units import MPA_MG_PER_MMF_MG, ConcentrationUnit, from_mg_l, mpa_dose_mg, to_mg_l


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


def test_one_mg_per_litre_is_three_point_one_two_one_seven_micromolar() -> None:
    assert round(from_mg_l(Decimal(1), ConcentrationUnit.UMOL_L), 4) == Decimal("3.1217")


@given(
    st.decimals(0, 1000, places=4, allow_nan=False, allow_infinity=False), st.sampled_from(ConcentrationUnit)
)
def test_there_and_back_is_the_same_concentration(value: Decimal, unit: ConcentrationUnit) -> None:
    assert abs(from_mg_l(to_mg_l(value, unit), unit) - value) < Decimal("1e-20")


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
