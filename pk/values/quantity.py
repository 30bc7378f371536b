"""A computed quantity: a number with its unit, or the reasons why there is none."""

import math
from dataclasses import dataclass

from pk.values.reason import Reason


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity of a profile.

    Attributes
    ----------
    unit : str
        "mg/L", "h", "/h", "mg·h/L", "mg·h²/L" or "%".
    value : float or None
        A finite number.
    reasons : tuple of Reason
        Why there is no value; empty exactly when there is one.
    notes : tuple of Reason
        Caveats that accompany a value.

    Raises
    ------
    ValueError
        If both or neither of value and reasons are given, or the value is not finite.
    """

    unit: str
    value: float | None = None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.reasons):
            raise ValueError("a quantity has either a value or reasons for having none")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError("a quantity's value is a finite number")

    @classmethod
    def of(cls, unit: str, value: float, notes: tuple[Reason, ...] = ()) -> "Quantity":
        """Return the value, or the reason that it left the range of floats.

        >>> Quantity.of("h", float("inf")).reasons[0].code
        'quantity_not_finite'
        """
        if not math.isfinite(value):
            return cls(unit, reasons=(Reason.of("quantity_not_finite"),))
        return cls(unit, value, notes=notes)
