"""Every covariate that a model may use, as clinicians write it: a number in a clinical unit, or a word."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

from pk.values.reason import Reason, short
from pk.values.toml_table import finite


@dataclass(frozen=True, slots=True)
class Measure:
    """A covariate that is a number.

    `units` gives for each unit a model file may use the factor to the clinical unit, which comes
    first. Values outside `low` to `high` (clinical unit) are refused: they are the study team's
    guess of what only a wrong unit or a typing error can be, not the range of any model.
    """

    units: tuple[tuple[str, float], ...]
    low: float
    high: float

    @property
    def unit(self) -> str:
        """The clinical unit."""
        return self.units[0][0]


@dataclass(frozen=True, slots=True)
class Choice:
    """A covariate that is one of a few words."""

    words: tuple[str, ...]


CATALOGUE: MappingProxyType[str, Measure | Choice] = MappingProxyType(
    {
        "albumin_g_l": Measure((("g/L", 1.0), ("g/dL", 10.0)), 10.0, 70.0),
        "ciclosporin_dose_mg_d": Measure((("mg/d", 1.0),), 10.0, 2000.0),
        "creatinine_clearance_ml_min": Measure((("mL/min", 1.0), ("L/h", 1000 / 60)), 10.0, 300.0),
        "creatinine_umol_l": Measure((("µmol/L", 1.0),), 15.0, 2000.0),
        "days_since_transplantation": Measure((("d", 1.0),), 0.0, 30000.0),
        "sex": Choice(("female", "male")),
        "ugt2b7_211": Choice(("GG", "GT", "TT")),
        "weight_kg": Measure((("kg", 1.0),), 20.0, 300.0),
    }
)
"""Every covariate a model may use, by the name of its input field, which ends in its unit."""


def field_of(name: str) -> str:
    """Return the path by which a covariate is named in a reason."""
    return f"covariates.{name}"


def covariate_problem(name: str, raw: object) -> Reason | None:
    """Return why a value cannot be that of a covariate of the catalogue, None where it can.

    >>> covariate_problem("albumin_g_l", 3.6).code
    'covariate_implausible'
    """
    field, kind = field_of(name), CATALOGUE[name]
    match kind:
        case Choice():
            if isinstance(raw, str) and raw in kind.words:
                return None
            return Reason.of("field_not_choice", field=field, known=", ".join(kind.words))
        case Measure():
            value = finite(raw)
            if value is None:
                return Reason.of("covariate_not_number", field=field, unit=kind.unit)
            if kind.low <= value <= kind.high:
                return None
            limits = {"low": short(kind.low), "high": short(kind.high)}
            return Reason.of(
                "covariate_implausible", field=field, value=short(value), unit=kind.unit, **limits
            )
        case _:
            assert_never(kind)
