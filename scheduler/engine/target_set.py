"""The analysis set of the study's question: one row per subject, from the facts and exposures on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, func, select

from pk.target.analysis import analyse
from pk.target.exposure_summary import (
    DAYS_PER_WEEK,
    Metric,
    OccasionAuc,
    SummaryFlag,
    carried_forward_mean,
)
from pk.target.findings import Settings, TargetAnalysis
from pk.target.mixed import predicted_means
from pk.target.pace import Step, unwatched
from scheduler.domain.eligibility import Arm
from scheduler.domain.endpoint_rules import Measure
from scheduler.domain.endpoint_settings import EventKind
from scheduler.domain.speech import Speaker
from scheduler.engine.exposure_summaries import summary_rows
from scheduler.engine.study import Study
from scheduler.engine.trial_report import endpoint_rows
from scheduler.store.tables import ExposureRow, FactRow

__all__ = [
    "CARRIED",
    "COMPOSITE",
    "LEAST_DESCRIBED",
    "MEASURED_TWICE",
    "MEASURES",
    "PREDICTED",
    "PRIMARY",
    "RESPONSES",
    "SAME_DOSE",
    "TELL_APART",
    "WITHOUT_RESCUE",
    "Member",
    "analysis_set",
    "as_number",
    "changes_analysed",
    "data_cut",
    "primary_analysis",
    "with_predictions",
]

PRIMARY = Metric.TWA_6_26.value
MEASURED_TWICE = f"{PRIMARY}_measured"
"""The primary metric of those only whose value rests on more than one occasion."""
SAME_DOSE = f"{PRIMARY}_same_dose"
"""The primary metric of those only whose daily dose was the same at all its occasions."""
CARRIED = "locf_6_26"
"""The mean of weeks 6 to 26 if every AUC held until the next."""
PREDICTED = "blup_6_26"
"""Predicted by a model of all subjects with a random intercept, from 20 subjects on (`pk.target.mixed`)."""

COMPOSITE = "composite"
"""The composite of the protocol, whatever its rule."""
WITHOUT_RESCUE = "composite_without_rescue"
"""The composite of those only who had no rescue treatment before the outcome."""

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
LEAST_DESCRIBED = 3
"""Subjects from whom on medians, means and pictures of an outcome are given; fewer are only listed."""
TELL_APART = (35.0, 45.0)
"""mg·h/L: thresholds of the literature that lie next to each other."""
MEASURES = {Measure.MRSS.value: Arm.SKIN, Measure.FVC.value: Arm.LUNG, Measure.DLCO.value: Arm.LUNG}
"""Every continuous endpoint with the arm in which it is looked at."""

_SPAN = (6, 12, 26)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A subject: `endpoints` and `exposures` are its rows as `trial_report` and `exposure_summaries` make them."""

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
            return carried_forward_mean(self._occasions, DAYS_PER_WEEK * _SPAN[-1])
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
        return [OccasionAuc(*one) for one in rows if one[0] in _SPAN]

    @property
    def _one_dose(self) -> bool:
        """Whether the daily dose is known at all occasions of the primary span, and the same."""
        rows = zip(self.exposures["weeks"], self.exposures["visits"], strict=True)
        doses = {
            (one["dose_mg"] or 0) / one["interval_h"] if one["interval_h"] else 0
            for week, one in rows
            if week in _SPAN
        }
        return len(doses) == 1 and doses != {0}

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


def analysis_set(session: Session, study: Study, speaker: Speaker) -> tuple[Member, ...]:
    """Every enrolled subject, by code, with the exposure predicted from all of them."""
    exposures = {row["subject"]: row for row in summary_rows(session, study, speaker)}
    return with_predictions(
        [
            Member(row["subject"], row, exposures[row["subject"]])
            for row in endpoint_rows(session, study, speaker)
        ]
    )


def with_predictions(members: Sequence[Member]) -> tuple[Member, ...]:
    """The members with the exposure that a model of all of them predicts, where there are enough."""
    found = predicted_means([one.by_week for one in members], _SPAN)
    if found is None:
        return tuple(members)
    return tuple(replace(one, predicted=value) for one, value in zip(members, found, strict=True))


def data_cut(session: Session) -> datetime | None:
    """The instant of the last record or computed exposure; None of an empty study."""
    latest: tuple[datetime | None, ...] = (
        session.exec(select(func.max(FactRow.recorded_at))).one(),
        session.exec(select(func.max(ExposureRow.computed_at))).one(),
    )
    return max((one for one in latest if one is not None), default=None)


def primary_analysis(members: Sequence[Member], settings: Settings, step: Step = unwatched) -> TargetAnalysis:
    """Return what may be said of the primary exposure and the protocol's composite."""
    counted = [one for one in members if one.exposure(PRIMARY) is not None and one.response is not None]
    settings = replace(settings, flagged_exposures=sum(one.flagged for one in counted))
    return analyse(
        [one.exposure(PRIMARY) for one in members],
        [as_number(one.response) for one in members],
        others=[
            [one.baseline(Measure.MRSS.value) for one in members],
            *([float(arm.value in one.arms) for one in members] for arm in Arm),
        ],
        settings=settings,
        step=step,
    )


def changes_analysed(
    members: Sequence[Member], settings: Settings, step: Step = unwatched
) -> dict[str, TargetAnalysis]:
    """Return what may be said of the primary exposure and each continuous change in its arm, baseline beside it."""
    return {
        measure: analyse(
            [one.exposure(PRIMARY) for one in members],
            [one.change(measure, in_arm=True) for one in members],
            baseline=[one.baseline(measure) for one in members],
            binary=False,
            settings=settings,
            step=step,
        )
        for measure in MEASURES
    }


def as_number(holds: bool | None) -> float | None:
    """A response as 0 or 1; None where it cannot be evaluated."""
    return None if holds is None else float(holds)
