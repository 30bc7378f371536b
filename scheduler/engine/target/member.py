"""A subject in the analysis of the study's question: its exposures, changes and responses by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pk.target.data.exposure_summary import (
    DAYS_PER_WEEK,
    Metric,
    OccasionAuc,
    SummaryFlag,
    carried_forward_mean,
)
from scheduler.domain.partial_date import parse_partial_date
from scheduler.domain.trial.definitions import Measure
from scheduler.domain.trial.eligibility import Arm
from scheduler.domain.trial.settings import EventKind

__all__ = [
    "CARRIED",
    "COMPOSITE",
    "DEFINITIONS",
    "LEAST_DESCRIBED",
    "MEASURED_TWICE",
    "MEASURES",
    "OTHER_COMPARISON",
    "PREDICTED",
    "PRIMARY",
    "RESPONSES",
    "SAME_DOSE",
    "SPAN",
    "WHILE_ON_TREATMENT",
    "WITHOUT_RESCUE",
    "Member",
    "daily_mg",
]

PRIMARY = Metric.TWA_6_26.value
MEASURED_TWICE = f"{PRIMARY}_measured"
"""The primary metric of those only whose value rests on more than one occasion."""
SAME_DOSE = f"{PRIMARY}_same_dose"
"""The primary metric of those only whose daily dose was the same at all its occasions."""
CARRIED = "locf_6_26"
"""The mean of weeks 6 to 26 if every AUC held until the next."""
PREDICTED = "blup_6_26"
"""Predicted by a model of all subjects with a random intercept, from 20 subjects on (`pk.target.data.mixed_model`)."""

COMPOSITE = "composite"
"""The composite of the protocol, whatever its rule."""
WITHOUT_RESCUE = "composite_without_rescue"
"""The composite of those only who had no rescue treatment before the outcome."""
WHILE_ON_TREATMENT = "composite_while_on_treatment"
"""The composite if who stopped MMF counts by the last values before that."""
OTHER_COMPARISON = "composite_other_comparison"
"""The composite with "more than" for "at least", or the reverse where the protocol is strict."""
_VARIANTS = {WHILE_ON_TREATMENT: "while_on_treatment", OTHER_COMPARISON: "other_comparison"}

RESPONSES = (
    "any",
    "any_no_worsening",
    "all",
    "skin_response",
    "lung_response",
    "mcid_dcssc",
    "eustar",
    "omeract_improve",
    "mcid_fvc",
    "assist",
)
"""What the grid is made of."""
DEFINITIONS = (
    *RESPONSES,
    "mcid_dpen",
    "assist_skin",
    "assist_lung",
    "stable",
    "skin_worse",
    "lung_worse",
    "eustar_prog",
    "omeract_prog",
    "mcid_fvc_worse",
    "ppf_2022",
)
"""Every definition, side by side: improved, stable, worse."""
LEAST_DESCRIBED = 3
"""Subjects from whom on medians, means and pictures of an outcome are given; fewer are only listed."""
MEASURES = {Measure.MRSS.value: Arm.SKIN, Measure.FVC.value: Arm.LUNG, Measure.DLCO.value: Arm.LUNG}
"""Every continuous endpoint with the arm in which it is looked at."""

SPAN = (6, 12, 26)
"""The weeks of the primary exposure."""
_DAYS_A_YEAR = 365.25
Row = dict[str, Any]


def daily_mg(visit: Row) -> float | None:
    """The daily dose at a visit that has an AUC; None where it is not known."""
    dose, interval = visit["dose_mg"], visit["interval_h"]
    return None if dose is None or not interval else dose * 24 / interval


@dataclass(frozen=True, slots=True)
class Member:
    """A subject: `endpoints` and `exposures` are its rows by `report.endpoints` and `report.exposure_summaries`."""

    code: str
    endpoints: Row
    exposures: Row
    predicted: float | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        eligibility = self.endpoints["eligibility"]
        return tuple(eligibility["arms"]) if eligibility else ()

    @property
    def response(self) -> bool | None:
        """By the composite rule of the protocol; None where it cannot be evaluated."""
        holds: bool | None = self.endpoints["response"]
        return holds

    @property
    def flagged(self) -> bool:
        """Whether the primary exposure rests on a single or bridged occasion."""
        return bool({SummaryFlag.SINGLE_OCCASION.value, SummaryFlag.BRIDGED.value} & set(self._flags))

    @property
    def _flags(self) -> Sequence[str]:
        flags: Sequence[str] = self.exposures["flags"]
        return flags

    def exposure(self, name: str) -> float | None:
        """An exposure of the grid, mg·h/L."""
        if name == MEASURED_TWICE:
            return None if SummaryFlag.SINGLE_OCCASION.value in self._flags else self.exposure(PRIMARY)
        if name == SAME_DOSE:
            return self.exposure(PRIMARY) if self._one_dose else None
        if name == PREDICTED:
            return self.predicted
        if name == CARRIED:
            return carried_forward_mean(self._occasions, DAYS_PER_WEEK * SPAN[-1])
        value: float | None = self.exposures[name]
        return value

    @property
    def by_week(self) -> dict[int, float]:
        """The AUCs by nominal week."""
        return dict(zip(self.exposures["weeks"], self.exposures["aucs"], strict=True))

    @property
    def _occasions(self) -> list[OccasionAuc]:
        """The occasions of the primary span."""
        rows = zip(self.exposures["weeks"], self.exposures["days"], self.exposures["aucs"], strict=True)
        return [OccasionAuc(*one) for one in rows if one[0] in SPAN]

    @property
    def _one_dose(self) -> bool:
        """Whether the daily dose is known at all occasions of the primary span, and the same."""
        doses = set(self._daily_mg)
        return len(doses) == 1 and doses != {None}

    @property
    def dose_changed(self) -> bool | None:
        """Whether the daily dose differed within the primary span; None where it is not known at two occasions."""
        doses = [one for one in self._daily_mg if one is not None]
        return None if len(doses) < 2 else len(set(doses)) > 1

    @property
    def _daily_mg(self) -> list[float | None]:
        """The daily dose at each occasion of the primary span."""
        rows = zip(self.exposures["weeks"], self.exposures["visits"], strict=True)
        return [daily_mg(one) for week, one in rows if week in SPAN]

    @property
    def duration_years(self) -> float | None:
        """From the first sign other than Raynaud's to the inclusion; of a partial date the middle."""
        known = self.endpoints["eligibility"] or {}
        if not known.get("first_sign"):
            return None
        first, last = parse_partial_date(known["first_sign"])
        last = min(last, known["on"])
        days: int = (known["on"] - first).days + (known["on"] - last).days
        return days / 2 / _DAYS_A_YEAR

    @property
    def rescued(self) -> bool:
        """Whether rescue treatment is on record before the outcome."""
        changes = self.endpoints["changes"].values()
        return any(
            one["event"] == EventKind.RESCUE_TREATMENT.value for of in changes for one in of.get("events", ())
        )

    def holds(self, definition: str) -> bool | None:
        """What a definition of response says; None where it cannot be evaluated."""
        if definition == COMPOSITE:
            return self.response
        if definition == WITHOUT_RESCUE:
            return None if self.rescued else self.response
        if definition in _VARIANTS:
            varied: bool | None = self.endpoints["variants"][_VARIANTS[definition]]
            return varied
        found: bool | None = next(
            one["holds"] for one in self.endpoints["outcomes"] if one["id"] == definition
        )
        return found

    def change(self, measure: str, *, in_arm: bool = False) -> float | None:
        """Change at one year in the unit of the measure; with `in_arm`, None outside the arm it belongs to."""
        if in_arm and MEASURES[measure].value not in self.arms:
            return None
        found: float | None = self.endpoints["changes"][measure]["absolute"]
        return found

    def baseline(self, measure: str) -> float | None:
        """The value at inclusion."""
        of = self.endpoints["changes"][measure]["baseline"]
        return None if of is None else of["value"]
