"""The picture of a visit or of all: what it is drawn from, as read in a transaction; drawing needs none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import Session

from pk.exposure import map_method
from pk.models.population import PopulationModel
from pk.pictures.curve import ConcentrationCurve, CurveWords, DrawnSample, NominalWindow
from pk.values.profile import Occasion, Sample
from scheduler.domain.exposure import FEWER_SAMPLES, Exposure, VisitExposures, method_said
from scheduler.domain.pictures import TitledAuc, curve_words
from scheduler.domain.protocol import Event, Protocol, SamplePoint
from scheduler.domain.speech import Speaker
from scheduler.engine.exposure import occasion_from
from scheduler.engine.study import Study
from scheduler.store.exposures import newest_exposures, stored_exposures
from scheduler.store.subjects import load_history, subject_row
from scheduler.store.tables import OutboxRow, SubjectRow

if TYPE_CHECKING:
    from scheduler.engine.picture.cohort import CohortSketch

__all__ = ["CurveSketch", "curve_sketch", "curve_sketches", "make_curve_of"]

_END_H = 12.0


@dataclass(frozen=True, slots=True)
class CurveSketch:
    """All that the curve of a visit is computed and drawn from; equal sketches give the same picture."""

    occasion: Occasion
    model: PopulationModel
    points: tuple[SamplePoint, ...]
    words: CurveWords

    def picture(self) -> ConcentrationCurve | None:
        """The subject's curve by the model with its 90 % band; None when the model gives none. Takes milliseconds."""
        from pk.estimation.course import (  # the numerics of the models are loaded by whoever draws
            course,
            times,
        )

        interval_h = self.occasion.dosing.interval_h or _END_H
        found = course(self.occasion, self.model, times(interval_h))
        if isinstance(found, tuple):
            return None
        return ConcentrationCurve(
            times_h=found.times_h,
            individual_mg_l=found.individual,
            band_mg_l=(found.low, found.high),
            population_mg_l=found.population,
            samples=tuple(one for sample in self.occasion.samples if (one := _drawn(sample)) is not None),
            windows=tuple(
                NominalWindow(one.id, one.earliest_min / 60, one.latest_min / 60) for one in self.points
            ),
            interval_h=interval_h,
            words=self.words,
        )


def _drawn(sample: Sample) -> DrawnSample | None:
    """A sample as it is drawn; None without a number."""
    if sample.below_lloq:
        known = sample.lloq_mg_l is not None
        return DrawnSample(sample.timepoint, sample.time_h, None, sample.lloq_mg_l) if known else None
    return (
        DrawnSample(sample.timepoint, sample.time_h, sample.conc_mg_l)
        if sample.conc_mg_l is not None
        else None
    )


def curve_sketch(
    study: Study, protocol: Protocol, subject: str, visit: str, found: VisitExposures, speaker: Speaker
) -> CurveSketch | None:
    """What the curve of a visit is drawn from: the first estimate by a model, in the order of the protocol.

    None when no model gives one, or when the estimates on record are not those of the methods configured now.
    """
    by_method = {map_method(model.id): model for model in study.models}
    drawn = next((one for one in found.exposures if one.method in by_method and one.value is not None), None)
    primary = found.primary
    if drawn is None or primary is None:
        return None
    occasion = occasion_from(found.inputs)
    if study.exposer.inputs_hash(occasion, study.exposer.order(protocol)) != found.inputs_hash:
        return None
    words = curve_words(
        speaker, subject, visit, _titled(primary), None if drawn is primary else _titled(drawn)
    )
    return CurveSketch(occasion, by_method[drawn.method], protocol.points, words)


def _titled(one: Exposure) -> TitledAuc:
    remark = next((note for note in one.notes if note.code == FEWER_SAMPLES), None)
    return TitledAuc(method_said(one.method, one.name), one.value or 0.0, one.interval_90, remark)


def curve_sketches(
    session: Session, study: Study, subject: SubjectRow, speaker: Speaker, visit: str | None = None
) -> dict[str, CurveSketch]:
    """What the curves of a subject's visits, or of one, are drawn from, by visit, where there is one."""
    code, timeline = subject.code, study.timeline(session, subject, load_history(session, subject.code))
    sketches = {}
    for plan in timeline.visits if timeline is not None else ():
        if not plan.planned.encounter.sampling or visit not in (None, plan.id):
            continue
        found = newest_exposures(session, code, plan.id)
        sketch = (
            curve_sketch(study, plan.protocol, code, plan.id, found, speaker) if found is not None else None
        )
        if sketch is not None:
            sketches[plan.id] = sketch
    return sketches


def make_curve_of(study: Study) -> Callable[[Session, OutboxRow, Speaker], CurveSketch | CohortSketch | None]:
    """The question that delivery asks of a mail about AUCs: what its picture is drawn from, if it has one."""

    def curve_of(session: Session, row: OutboxRow, speaker: Speaker) -> CurveSketch | CohortSketch | None:
        if row.facts.get("event") == Event.EXPOSURE_MONTH:
            from scheduler.engine.picture.cohort import cohort_sketch  # once a month

            return cohort_sketch(session, study, speaker)
        if row.subject is None or row.visit is None:
            return None
        subject = subject_row(session, row.subject)
        found = stored_exposures(session, row.subject, row.visit, row.facts["version"])
        if subject is None or found is None:
            return None
        timeline = study.timeline(session, subject, load_history(session, subject.code))
        plan = timeline.visit(row.visit) if timeline is not None else None
        if plan is None:
            return None
        return curve_sketch(study, plan.protocol, row.subject, row.visit, found, speaker)

    return curve_of
