"""The units that a concentration of MPA may be given in. What is not in the table is held, never guessed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

__all__ = ["UNITS", "Quantity", "Unit", "unit_of"]


class Quantity(StrEnum):
    """Which condition a unit needs to be used."""

    MASS = "mass"
    RARE_MASS = "rare_mass"
    SUBSTANCE = "substance"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit by its UCUM name and what one of it is in mg/L."""

    ucum: str
    factor: Decimal
    quantity: Quantity

    @property
    def is_converted(self) -> bool:
        return self.factor != 1


_MG_L = Unit("mg/L", Decimal(1), Quantity.MASS)
_UG_ML = Unit("ug/mL", Decimal(1), Quantity.MASS)
_NG_ML = Unit("ng/mL", Decimal("0.001"), Quantity.MASS)
_UG_L = Unit("ug/L", Decimal("0.001"), Quantity.MASS)
_MG_DL = Unit("mg/dL", Decimal(10), Quantity.RARE_MASS)
_UMOL_L = Unit("umol/L", Decimal("0.32034"), Quantity.SUBSTANCE)  # molar mass 320.34 g/mol

# The accepted texts, after NFKC (which makes U+00B5 the Greek letter mu) and without blanks.
UNITS: dict[str, Unit] = {
    "mg/L": _MG_L,
    "mg/l": _MG_L,
    "MG/L": _MG_L,
    "\u03bcg/mL": _UG_ML,
    "\u03bcg/ml": _UG_ML,
    "ug/mL": _UG_ML,
    "ug/ml": _UG_ML,
    "UG/ML": _UG_ML,
    "mcg/mL": _UG_ML,
    "ng/mL": _NG_ML,
    "\u03bcg/L": _UG_L,
    "ug/L": _UG_L,
    "mg/dL": _MG_DL,
    "umol/L": _UMOL_L,
    "\u03bcmol/L": _UMOL_L,
    "UMOLL": _UMOL_L,
}


def unit_of(text: str) -> Unit | None:
    """The unit that a text names, if it is in the table.

    >>> unit_of("µg / mL"), unit_of("g/L")
    (Unit(ucum='ug/mL', factor=Decimal('1'), quantity=<Quantity.MASS: 'mass'>), None)
    """
    return UNITS.get("".join(unicodedata.normalize("NFKC", text).split()))
