"""The analysis set of the study's question: one row per subject, from the facts and exposures on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session, func, select

from pk.target.analysis import analyse
from pk.target.data.mixed_model import predicted_means
from pk.target.findings import Settings, TargetAnalysis
from pk.target.pace import Step, unwatched
from scheduler.domain.speech import Speaker
from scheduler.domain.trial.definitions import Measure
from scheduler.domain.trial.eligibility import Arm
from scheduler.engine.report.endpoints import endpoint_rows
from scheduler.engine.report.exposure_summaries import summary_rows
from scheduler.engine.study import Study
from scheduler.engine.target.member import MEASURES, PRIMARY, SPAN, Member
from scheduler.store.tables import ExposureRow, FactRow

__all__ = [
    "TELL_APART",
    "analysis_set",
    "as_number",
    "changes_analysed",
    "data_cut",
    "primary_analysis",
    "with_predictions",
]

TELL_APART = (35.0, 45.0)
"""mg·h/L: thresholds of the literature that lie next to each other."""


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
    found = predicted_means([one.by_week for one in members], SPAN)
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
    """Return what may be said of the primary exposure and the composite; the skin score is the baseline."""
    counted = [one for one in members if one.exposure(PRIMARY) is not None and one.response is not None]
    settings = replace(settings, flagged_exposures=sum(one.flagged for one in counted))
    return analyse(
        [one.exposure(PRIMARY) for one in members],
        [as_number(one.response) for one in members],
        baseline=[one.baseline(Measure.MRSS.value) for one in members],
        others=[[float(arm.value in one.arms) for one in members] for arm in Arm],
        settings=settings,
        step=step,
    )


def changes_analysed(
    members: Sequence[Member], settings: Settings, step: Step = unwatched
) -> dict[str, TargetAnalysis]:
    """Return what may be said of the primary exposure and each change, among the subjects of its arm."""
    of = {measure: [one for one in members if arm.value in one.arms] for measure, arm in MEASURES.items()}
    return {
        measure: analyse(
            [one.exposure(PRIMARY) for one in of[measure]],
            [one.change(measure) for one in of[measure]],
            baseline=[one.baseline(measure) for one in of[measure]],
            others=[[float(len(one.arms) > 1) for one in of[measure]]],
            binary=False,
            settings=settings,
            step=step,
        )
        for measure in MEASURES
    }


def as_number(holds: bool | None) -> float | None:
    """A response as 0 or 1; None where it cannot be evaluated."""
    return None if holds is None else float(holds)
