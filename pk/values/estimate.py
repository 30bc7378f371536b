"""An exposure estimate is a number or the reasons why there is none, never a sentinel."""

import math
from dataclasses import dataclass

from pk.values.reason import Reason

UNIT_AUC = "mg·h/L"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The individual estimate behind an exposure by a population model.

    Attributes
    ----------
    model : str
        Its id.
    parameters, eta, shrinkage : tuple of (str, float)
        The model's own parameters (L/h, L, 1/h, h), and by parameter the random effects and how much of
        each one's variance the samples left (0 to 1).
    objective, gradient_norm : float
        -2 ln posterior up to a constant (`pk.fit.objective`), and its largest derivative.
    starts, starts_agreeing : int
        Starting points of the search, and how many led to this optimum.
    predictions : tuple of (str, float)
        Concentration (mg/L) by timepoint, for the samples used, in their order.
    """

    model: str
    parameters: tuple[tuple[str, float], ...]
    eta: tuple[tuple[str, float], ...]
    shrinkage: tuple[tuple[str, float], ...]
    objective: float
    gradient_norm: float
    starts: int
    starts_agreeing: int
    predictions: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One exposure by one method: a value, or the reasons why there is none.

    Attributes
    ----------
    method : str
        Identifier of the method, for example an equation's id.
    quantity : str
        What is estimated: "AUC0-12", "AUC0-2".
    value_mg_h_l, low_mg_h_l, high_mg_h_l : float or None
        The value and, where one input is only known as a range, its bounds, in mg·h/L.
    interval_h : tuple of float
        Start and end of what the value covers, hours after the dose.
    reasons : tuple of Reason
        Why there is no value; empty exactly when there is one.
    notes : tuple of Reason
        Caveats that accompany a value.
    interval_90 : tuple of float or None
        Limits of the 90 % credible interval, mg·h/L, where the method has one.
    auc_0_24_mg_h_l : float or None
        The sum over the intervals of a day, where the doses repeat.
    per_g_mg_h_l : float or None
        The AUC of one day divided by the grams of drug (label strength) of one day.
    fit : Fit or None
        The individual estimate, for a population model.
    weights : tuple of (str, float)
        Weight of each model, by id, in an average.

    Raises
    ------
    ValueError
        If both or neither of value and reasons are given, or if a number is not finite or
        outside its bounds.

    Examples
    --------
    >>> Estimate(method="m", quantity="AUC0-12", interval_h=(0.0, 12.0), value_mg_h_l=42.91).unit
    'mg·h/L'
    """

    method: str
    quantity: str
    interval_h: tuple[float, float]
    value_mg_h_l: float | None = None
    low_mg_h_l: float | None = None
    high_mg_h_l: float | None = None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()
    unit: str = UNIT_AUC
    interval_90: tuple[float, float] | None = None
    auc_0_24_mg_h_l: float | None = None
    per_g_mg_h_l: float | None = None
    fit: Fit | None = None
    weights: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if (self.value_mg_h_l is None) != bool(self.reasons):
            raise ValueError("an estimate has either a value or reasons for having none")
        if (self.low_mg_h_l is None) != (self.high_mg_h_l is None):
            raise ValueError("an estimate has both bounds or none")
        numbers = [n for n in (self.low_mg_h_l, self.value_mg_h_l, self.high_mg_h_l) if n is not None]
        if not all(math.isfinite(n) for n in numbers):
            raise ValueError("an estimate's value and bounds are finite numbers")
        if len(numbers) == 2 or numbers != sorted(numbers):
            raise ValueError("an estimate's value lies between its bounds")
