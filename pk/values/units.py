"""The one place where units change: concentrations to mg/L, doses to mg of MPA.

Concentrations are decimals, as a laboratory reports them, and stay decimals.
"""

from decimal import Context, Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from pk.values.errors import UnitError
from pk.values.profile import Formulation

MPA_G_PER_MOL = Decimal("320.34")
"""Molar mass of mycophenolic acid."""

MPA_MG_PER_MMF_MG = 0.738962
"""mg of MPA in 1 mg of MMF (320.34 / 433.50, by molar masses)."""

MPA_MG_PER_EC_MPS_LABEL_MG = 1.0
"""An EC-MPS tablet is labelled in mg of MPA already (180 mg tablet = 180 mg MPA)."""

_CONTEXT = Context(prec=28)


class ConcentrationUnit(StrEnum):
    """The units a result may come in."""

    MG_L = "mg/L"
    UG_ML = "µg/mL"
    NG_ML = "ng/mL"
    UMOL_L = "µmol/L"


_MG_L_PER_UNIT = MappingProxyType(
    {
        ConcentrationUnit.MG_L: Decimal(1),
        ConcentrationUnit.UG_ML: Decimal(1),
        ConcentrationUnit.NG_ML: Decimal("0.001"),
        ConcentrationUnit.UMOL_L: MPA_G_PER_MOL / 1000,
    }
)


def to_mg_l(value: Decimal, unit: ConcentrationUnit) -> Decimal:
    """Return an MPA concentration in mg/L.

    Parameters
    ----------
    value : Decimal
        The concentration in `unit`; finite.
    unit : ConcentrationUnit
        1 mg/L = 1 µg/mL = 1000 ng/mL; 1 µmol/L = 320.34 / 1000 mg/L.

    Raises
    ------
    UnitError
        If the value is not finite.

    Examples
    --------
    >>> to_mg_l(Decimal("10"), ConcentrationUnit.UMOL_L)
    Decimal('3.20340')
    """
    return _CONTEXT.multiply(_finite(value), _MG_L_PER_UNIT[unit])


def mpa_dose_mg(dose_mg: float, formulation: Formulation) -> float:
    """Return the mg of MPA in a dose given by its label strength.

    MMF is multiplied by 320.34 / 433.50 (0.738962); EC-MPS labels are in mg of MPA already, so
    converting them again would be an error.

    >>> mpa_dose_mg(1000.0, Formulation.MMF), mpa_dose_mg(720.0, Formulation.EC_MPS)
    (738.962, 720.0)
    """
    match formulation:
        case Formulation.MMF:
            return dose_mg * MPA_MG_PER_MMF_MG
        case Formulation.EC_MPS:
            return dose_mg * MPA_MG_PER_EC_MPS_LABEL_MG
        case _:
            assert_never(formulation)


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise UnitError(f"{value} is not a concentration; a finite number is needed")
    return value
