"""What a population model is made of: its compartments, their parameters, and its residual error."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Structure(StrEnum):
    """How a dose becomes a concentration; first-order elimination from the central compartment in all."""

    ONE_COMPARTMENT_BOLUS = "one_compartment_bolus"
    ONE_COMPARTMENT_FIRST_ORDER_LAG = "one_compartment_first_order_lag"
    TWO_COMPARTMENT_BOLUS = "two_compartment_bolus"
    TWO_COMPARTMENT_FIRST_ORDER_LAG = "two_compartment_first_order_lag"
    TWO_COMPARTMENT_TRANSIT = "two_compartment_transit"


PARAMETERS: MappingProxyType[Structure, tuple[str, ...]] = MappingProxyType(
    {
        Structure.ONE_COMPARTMENT_BOLUS: ("CL", "V1"),
        Structure.ONE_COMPARTMENT_FIRST_ORDER_LAG: ("CL", "V1", "ka", "tlag"),
        Structure.TWO_COMPARTMENT_BOLUS: ("CL", "V1", "Q", "V2"),
        Structure.TWO_COMPARTMENT_FIRST_ORDER_LAG: ("CL", "V1", "Q", "V2", "ka", "tlag"),
        Structure.TWO_COMPARTMENT_TRANSIT: ("CL", "V1", "Q", "V2", "ka", "MTT"),
    }
)
"""The structural parameters in the order every array has them: CL, Q in L/h; V1, V2 in L; ka in 1/h;
tlag, MTT (mean transit time) in h. CL first, always: AUC over a steady-state interval = dose / CL."""


class ErrorKind(StrEnum):
    """How an observed concentration y scatters around the predicted f."""

    ADDITIVE = "additive"
    PROPORTIONAL = "proportional"
    COMBINED = "combined"
    LOG_ADDITIVE = "log_additive"


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """The residual error: variance `add_mg_l`² + (`prop` f)², or `sigma`² of ln y around ln f.

    `add_mg_l` is in mg/L, `prop` and `sigma` are fractions; what the kind does not use is 0.
    """

    kind: ErrorKind
    add_mg_l: float = 0.0
    prop: float = 0.0
    sigma: float = 0.0

    @property
    def is_relative(self) -> bool:
        """Whether the error vanishes with the concentration, so that 0 cannot be measured."""
        return self.kind is ErrorKind.LOG_ADDITIVE or self.add_mg_l == 0.0
