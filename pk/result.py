"""An exposure estimate is a number or the reasons why there is none, never a sentinel."""

import math
from dataclasses import dataclass
from string import Formatter
from typing import TypeAlias

from pk.estimate_sentences import ESTIMATE_SENTENCES
from pk.input_sentences import INPUT_SENTENCES
from pk.model_sentences import MODEL_SENTENCES
from pk.nca_sentences import NCA_SENTENCES
from pk.posterior_sentences import POSTERIOR_SENTENCES
from pk.target.sentences import TARGET_SENTENCES

UNIT_AUC = "mg·h/L"

Param: TypeAlias = str | float | int

# What is wrong and what would be right, by code. Codes and fields are never renamed once
# released: stored estimates and the translations refer to them.
_EXPOSURE_SENTENCES: dict[str, str] = {
    # the treatment does not fit the method
    "formulation_not_covered": (
        "{equation} was derived for {expected}, the subject takes {formulation}; "
        "no limited-sampling equation is used for another formulation than its own."
    ),
    "interval_unknown": "The dosing interval is not known; {equation} needs doses every {expected_h} h.",
    "interval_differs": (
        "Doses are {interval_h} h apart; {equation} holds for doses every {expected_h} h only."
    ),
    "steady_state_unknown": (
        "It is not known for how many days the dose has been unchanged; "
        "{equation} needs {min_days} days or more."
    ),
    "steady_state_too_short": (
        "The dose has been unchanged for {days} days; {equation} needs {min_days} days or more."
    ),
    # a sample cannot be used
    "sample_missing": "There is no {timepoint} sample; one drawn {nominal_min} min after the dose is needed.",
    "sample_repeated": "There are {count} {timepoint} samples; exactly one must be marked as the valid one.",
    "time_not_finite": "The time of {timepoint} is not a number; the actual time after the dose is needed.",
    "time_outside_window": (
        "{timepoint} was drawn at {actual_min} min from the dose; "
        "{equation} accepts {earliest_min} to {latest_min} min."
    ),
    "value_missing": "{timepoint} has no numeric result; a concentration in mg/L is needed.",
    "value_not_finite": (
        "The result of {timepoint} is not a finite number; a concentration in mg/L is needed."
    ),
    "value_negative": "The result of {timepoint} is {conc_mg_l} mg/L; a concentration is 0 or more.",
    "value_implausible": (
        "The result of {timepoint} is {conc_mg_l} mg/L, above {limit_mg_l} mg/L; check that the unit is mg/L."
    ),
    "above_uloq": (
        "{timepoint} is above the upper quantification limit; "
        "a result measured again after dilution is needed."
    ),
    "below_lloq": (
        "{timepoint} is below the quantification limit; after the dose a measurable concentration is needed: "
        "check that the dose was taken, and when."
    ),
    "lloq_unknown": (
        "{timepoint} is below the quantification limit, which is not known; the limit in mg/L is needed."
    ),
    "predose_after_dose": (
        "{timepoint} was drawn {actual_min} min after the dose; a pre-dose sample comes before it or with it."
    ),
    "not_after_dose": "{timepoint} was drawn at {actual_min} min from the dose; it must come after the dose.",
    "samples_out_of_order": (
        "{earlier} ({earlier_min} min) was not drawn before {later} ({later_min} min); "
        "check the times and the labels of both tubes."
    ),
    "sample_after_interval": (
        "{timepoint} was drawn at {actual_min} min; "
        "it must come before the end of the interval at {end_min} min."
    ),
    # an area cannot be computed
    "too_few_points": "There are {count} points; an area needs 2 or more.",
    "times_not_finite": "A sample time is not a finite number; every time must be one, in hours.",
    "times_repeated": "The time {time_h} h occurs more than once; every time must occur once.",
    "times_not_increasing": "The times are not in increasing order at {time_h} h; sort the samples by time.",
    "concentrations_not_finite": (
        "The concentration at {time_h} h is not a finite number; every concentration must be one, in mg/L."
    ),
    "concentrations_negative": "The concentration at {time_h} h is negative; every one must be 0 or more.",
    "interval_empty": "The interval {start_h} to {end_h} h is empty; its end must come after its start.",
    "interval_not_covered": (
        "The interval {start_h} to {end_h} h reaches beyond the samples ({first_h} to {last_h} h); "
        "nothing is extrapolated."
    ),
    "auc_not_finite": (
        "The computed area is not a finite number; check the size of the concentrations (mg/L) and times (h)."
    ),
    # caveats that accompany a value
    "other_population": (
        "{equation} comes from {n} patients ({disease}; {comedication}); "
        "it is not known to have been validated in systemic sclerosis."
    ),
    "assay_unknown": (
        "The assay is not recorded; {equation} was derived with {expected}, and nothing is converted."
    ),
    "assay_differs": (
        "The samples were measured by {assay}, {equation} was derived with {expected}; "
        "methods can differ and nothing is converted."
    ),
    "predose_half_lloq": (
        "{timepoint} is below the quantification limit of {lloq_mg_l} mg/L; half the limit was used, "
        "the bounds are the values with 0 and with the limit."
    ),
    "predose_zero": (
        "{timepoint} is below the quantification limit of {lloq_mg_l} mg/L; 0 was used, "
        "the bounds are the values with 0 and with the limit."
    ),
    "predose_zero_no_limit": (
        "{timepoint} is below a quantification limit that is not known; "
        "0 was used, and no bounds can be given."
    ),
    "predose_at_time_zero": (
        "{timepoint} was drawn {before_min} min before the dose; "
        "its concentration was taken as that at the dose."
    ),
    "predose_highest": (
        "{timepoint} is the highest of the samples; after an oral dose that is unusual: "
        "check the times, the tubes and when the dose was taken."
    ),
    "interval_shortened": (
        "{timepoint} was drawn at {actual_min} min; the area ends there and not at {end_min} min."
    ),
}

SENTENCES: dict[str, str] = {
    **_EXPOSURE_SENTENCES,
    **ESTIMATE_SENTENCES,
    **INPUT_SENTENCES,
    **MODEL_SENTENCES,
    **NCA_SENTENCES,
    **POSTERIOR_SENTENCES,
    **TARGET_SENTENCES,
}


def fields(sentence: str) -> frozenset[str]:
    """Return the names of the fields of a sentence.

    >>> sorted(fields("{timepoint} has {count}"))
    ['count', 'timepoint']
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name is not None)


def short(value: float) -> Param:
    """Return a number as it is said: four significant digits, whole numbers without a point.

    A value that is not finite becomes its name, so that reasons stay equal to themselves.

    >>> short(120.0), short(7.123456), short(float("nan"))
    (120, 7.123, 'nan')
    """
    if not math.isfinite(value):
        return str(value)
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong (or a caveat), as a code of `SENTENCES` and the sentence's fields.

    Raises
    ------
    ValueError
        If the code is unknown or the parameters are not exactly the sentence's fields.
    """

    code: str
    params: tuple[tuple[str, Param], ...] = ()

    def __post_init__(self) -> None:
        if self.code not in SENTENCES:
            raise ValueError(f"reason code {self.code!r} has no sentence; add it to SENTENCES")
        named = [name for name, _ in self.params]
        expected = sorted(fields(SENTENCES[self.code]))
        if sorted(named) != expected:
            raise ValueError(f"reason {self.code!r} needs the parameters {expected}, got {sorted(named)}")

    @classmethod
    def of(cls, code: str, /, **params: Param) -> "Reason":
        """Return the reason with its parameters in one order, whatever the order given.

        >>> Reason.of("value_missing", timepoint="H2").text()
        'H2 has no numeric result; a concentration in mg/L is needed.'
        """
        return cls(code, tuple(sorted(params.items())))

    def text(self) -> str:
        """Return the English sentence."""
        return SENTENCES[self.code].format(**dict(self.params))


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
        -2 ln posterior up to a constant (`pk.objective`), and its largest derivative.
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
