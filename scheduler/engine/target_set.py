"""The analysis set of the study's question: one row per subject, from the facts and exposures on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, func, select

from pk.target.analysis import analyse, associated
from pk.target.exposure_summary import Metric, SummaryFlag
from pk.target.findings import Settings, TargetAnalysis
from pk.target.multiplicity import benjamini_hochberg
from pk.target.patients import patients_of
from scheduler.domain.eligibility import Arm
from scheduler.domain.endpoint_rules import Measure
from scheduler.domain.speech import Speaker
from scheduler.engine.exposure_summaries import summary_rows
from scheduler.engine.study import Study
from scheduler.engine.trial_report import endpoint_rows
from scheduler.store.tables import ExposureRow, FactRow

__all__ = [
    "EXPOSURES",
    "MEASURES",
    "PRIMARY",
    "RESPONSES",
    "Cell",
    "Member",
    "analysis_set",
    "changes_analysed",
    "data_cut",
    "grid",
    "primary_analysis",
]

PRIMARY = Metric.TWA_6_26.value
MEASURED_TWICE = f"{PRIMARY}_measured"
"""The primary metric of those only whose value rests on more than one occasion."""

EXPOSURES = (
    PRIMARY,
    MEASURED_TWICE,
    Metric.AUC_W12.value,
    Metric.MEAN_6_12.value,
    Metric.TWA_0_52.value,
)
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
MEASURES = {Measure.MRSS.value: Arm.SKIN, Measure.FVC.value: Arm.LUNG, Measure.DLCO.value: Arm.LUNG}
"""Every continuous endpoint with the arm in which it is looked at."""

_GRID_BOOTSTRAP, _GRID_PERMUTATIONS = 500, 999
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A subject: `endpoints` and `exposures` are its rows as `trial_report` and `exposure_summaries` make them."""

    code: str
    endpoints: Row
    exposures: Row

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
        value: float | None = self.exposures[name]
        return value

    def holds(self, definition: str) -> bool | None:
        """What a definition of response says; None where it cannot be evaluated."""
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


@dataclass(frozen=True, slots=True)
class Cell:
    """One analysis of the grid. rho, ci and p are None where the tier allows none; q is p adjusted for them all."""

    exposure: str
    outcome: str
    n: int
    n_responders: int | None
    tier: int
    rho: float | None
    ci: tuple[float, float] | None
    p: float | None
    q: float | None


def analysis_set(session: Session, study: Study, speaker: Speaker) -> tuple[Member, ...]:
    """Every enrolled subject, by code."""
    exposures = {row["subject"]: row for row in summary_rows(session, study, speaker)}
    return tuple(
        Member(row["subject"], row, exposures[row["subject"]])
        for row in endpoint_rows(session, study, speaker)
    )


def data_cut(session: Session) -> datetime | None:
    """The instant of the last record or computed exposure; None of an empty study."""
    latest: tuple[datetime | None, ...] = (
        session.exec(select(func.max(FactRow.recorded_at))).one(),
        session.exec(select(func.max(ExposureRow.computed_at))).one(),
    )
    return max((one for one in latest if one is not None), default=None)


def primary_analysis(members: Sequence[Member], settings: Settings) -> TargetAnalysis:
    """Return what may be said of the primary exposure and the protocol's composite."""
    counted = [one for one in members if one.exposure(PRIMARY) is not None and one.response is not None]
    settings = replace(settings, flagged_exposures=sum(one.flagged for one in counted))
    return analyse(
        [one.exposure(PRIMARY) for one in members],
        [_as_number(one.response) for one in members],
        settings=settings,
    )


def changes_analysed(members: Sequence[Member], settings: Settings) -> dict[str, TargetAnalysis]:
    """Return what may be said of the primary exposure and each continuous change in its arm, baseline beside it."""
    return {
        measure: analyse(
            [one.exposure(PRIMARY) for one in members],
            [one.change(measure, in_arm=True) for one in members],
            baseline=[one.baseline(measure) for one in members],
            binary=False,
            settings=settings,
        )
        for measure in MEASURES
    }


def grid(members: Sequence[Member], settings: Settings) -> tuple[Cell, ...]:
    """Every exposure by every definition and change, with q by Benjamini and Hochberg over those that gave a p."""
    drawn = replace(settings, bootstrap=_GRID_BOOTSTRAP, permutations=_GRID_PERMUTATIONS)
    cells = tuple(_cells(members, drawn))
    tested = [one.p for one in cells if one.p is not None]
    adjusted = iter(benjamini_hochberg(tested) if tested else ())
    return tuple(one if one.p is None else replace(one, q=next(adjusted)) for one in cells)


def _cells(members: Sequence[Member], settings: Settings) -> Iterator[Cell]:
    for exposure in EXPOSURES:
        values = [one.exposure(exposure) for one in members]
        for outcome in (*RESPONSES, *MEASURES):
            continuous = outcome in MEASURES
            outcomes = (
                [one.change(outcome, in_arm=True) for one in members]
                if continuous
                else [_as_number(one.holds(outcome)) for one in members]
            )
            responder = None if continuous else [one.holds(outcome) for one in members]
            patients = patients_of(values, outcomes, responder, None)
            tier, found = associated(patients, settings)
            rank = None if found is None else found.spearman
            yield Cell(
                exposure,
                outcome,
                patients.exposure.size,
                None if patients.responder is None else int(patients.responder.sum()),
                tier.number,
                None if rank is None else rank.rho,
                None if rank is None else rank.ci,
                None if rank is None else rank.p,
                None,
            )


def _as_number(holds: bool | None) -> float | None:
    return None if holds is None else float(holds)
