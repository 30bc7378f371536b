"""The exposures of all subjects in one picture, with how many patients would tell two thresholds apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlmodel import Session

from pk.pictures.cohort import CohortLine, CohortWords, ExposureCohort
from pk.pictures.course import ReferenceBand
from pk.target.data.exposure_summary import DAYS_PER_WEEK, summary_of
from pk.target.planning.thresholds import plan
from pk.target.report.statements import PLANNED, planned
from scheduler.domain.pictures import decimal_sign, reference_bands
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.domain.trial.endpoints import endpoints_of
from scheduler.engine.report.endpoints import timelines
from scheduler.engine.report.exposure_summaries import occasions_of
from scheduler.engine.study import Study
from scheduler.engine.target.member import PRIMARY
from scheduler.engine.target.set import TELL_APART
from scheduler.store.exposures import primary_aucs

__all__ = ["Charted", "CohortSketch", "cohort_of", "cohort_sketch"]

_BLANKS = {name: f"{{{name}}}" for name in ("low", "high", "n", "percent", "least")}


@dataclass(frozen=True, slots=True)
class CohortSketch:
    """All that the picture is made from; equal sketches give the same picture. Nobody is named in it.

    pairs: exposure and response of those that have both, `counted` in words. plan_words: what planning may say, by
    code, with blanks.
    """

    lines: tuple[CohortLine, ...]
    pairs: tuple[tuple[float, bool], ...]
    bands: tuple[ReferenceBand, ...]
    words: CohortWords
    plan_words: tuple[tuple[str, str], ...]
    counted: str
    remark: str

    def picture(self) -> ExposureCohort:
        """The picture, for which some hundred studies are simulated: about a second."""
        words = CohortWords(
            title=self.words.title,
            week=self.words.week,
            auc=self.words.auc,
            subject=self.words.subject,
            remark="\n".join([self.counted, *self._planned(), self.remark]),
            decimal=self.words.decimal,
        )
        return ExposureCohort(self.lines, words, self.bands)

    def _planned(self) -> list[str]:
        exposure = np.array([value for value, _ in self.pairs])
        responder = np.array([holds for _, holds in self.pairs], dtype=bool)
        found = plan(exposure, responder, *TELL_APART) if self.pairs else None
        said = dict(self.plan_words)
        return [said[one.code].format(**dict(one.params)) for one in planned(found, *TELL_APART)]


class Charted(NamedTuple):
    """What the picture takes of a subject that has an AUC: its line, the primary exposure and the response."""

    line: CohortLine
    exposure: float | None
    response: bool | None


def cohort_sketch(session: Session, study: Study, speaker: Speaker) -> CohortSketch | None:
    """What the picture of everything on record is made from; None while no subject has an AUC."""
    return cohort_of(_charted(session, study), study, speaker)


def _charted(session: Session, study: Study) -> Iterator[Charted]:
    """Every subject that has an AUC, one after the other: of a large study only what is drawn is kept."""
    aucs = primary_aucs(session)
    for timeline in timelines(session, study):
        occasions = list(occasions_of(timeline, aucs.get(timeline.subject, {})))
        if not occasions:
            continue
        line = CohortLine(
            tuple(one.day / DAYS_PER_WEEK for one in occasions), tuple(one.auc_mg_h_l for one in occasions)
        )
        yield Charted(line, summary_of(occasions).values[PRIMARY], endpoints_of(timeline).primary.holds)


def cohort_of(charted: Iterable[Charted], study: Study, speaker: Speaker) -> CohortSketch | None:
    """What the picture of these subjects is made from, in an order that tells nothing of who they are."""
    measured = list(charted)
    lines = sorted((one.line for one in measured), key=lambda one: (one.aucs_mg_h_l, one.weeks))
    if not lines:
        return None
    pairs = sorted(
        (one.exposure, one.response)
        for one in measured
        if one.exposure is not None and one.response is not None
    )
    count = sum(len(one.weeks) for one in lines)
    title = [
        speaker.text("AUC0-12 of MPA of all subjects so far"),
        speaker.text("Subjects: {subjects}; AUCs: {aucs}", subjects=len(lines), aucs=count),
    ]
    words = CohortWords(
        title="\n".join(title),
        week=speaker.text("Weeks since inclusion"),
        auc=speaker.text("AUC0-12 (mg·h/L)"),
        subject=speaker.text("One line a subject"),
        decimal=decimal_sign(speaker),
    )
    remark = [
        speaker.text("No target of the AUC is known in this disease: the bands are borrowed from others."),
        speaker.text("Research use; not a medical device."),
    ]
    counted = speaker.text("Subjects with exposure of weeks 6 to 26 and outcome: {n}.", n=len(pairs))
    plan_words = tuple((code, speaker.say(because(code, **_BLANKS))) for code in PLANNED)
    bands = reference_bands(speaker, study.newest[1].bands)
    return CohortSketch(tuple(lines), tuple(pairs), bands, words, plan_words, counted, "\n".join(remark))
