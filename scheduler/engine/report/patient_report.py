"""Everything that stands about one subject, as one value: what the page of `report` is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, assert_never

from sqlmodel import Session

from pk.exposure import AVERAGE, PK_VERSION
from pk.pictures.course import ExposureCourse, ExposureSeries, ReferenceBand, VisitAuc
from pk.pictures.curve import ConcentrationCurve
from scheduler.domain.exposure import method_said
from scheduler.domain.pictures import course_words, reference_bands
from scheduler.domain.reason import Reason
from scheduler.domain.results import ResultStatus, ResultVersion
from scheduler.domain.sampling import Weight, doubts_of, minutes_after_dose
from scheduler.domain.speech import Speaker
from scheduler.domain.status import VisitView
from scheduler.domain.timeline import Draw, Timeline
from scheduler.domain.year import Year, year_of
from scheduler.engine.reconcile import standing
from scheduler.engine.report.aucs import auc_rows, weights_said
from scheduler.engine.report.endpoints import endpoint_row
from scheduler.engine.report.exposure_summaries import summary_row
from scheduler.engine.report.facts import assessed_text, dosing_said, plain
from scheduler.engine.report.rows import flag_rows, subject_state
from scheduler.engine.study import Study
from scheduler.store.audit import APP_VERSION
from scheduler.store.tables import SubjectRow

__all__ = ["PatientReport", "SampleLine", "VisitReport", "patient_report"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One draw: when it was to be and when it was, and what the laboratory says. Minutes are after the dose."""

    point: str
    drawn_at: datetime | None
    minutes: int | None
    planned_min: tuple[int, int]
    tube: str | None
    result: str | None
    result_state: str | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VisitReport:
    """One visit. `estimates` are rows of `auc_rows`, those in force; `superseded` the earlier ones.

    `disagreement` says how far the AUC0-12 of different methods lie apart, `weights` those of an average's models. A
    visit without `curve` has no picture.
    """

    id: str
    label: str
    has_samples: bool
    status: str
    reason: str
    target: date
    window: tuple[date, date]
    booked: datetime | None
    attended: datetime | None
    dose: str | None
    dose_at: datetime | None
    samples: tuple[SampleLine, ...]
    assessments: tuple[tuple[str, str], ...]
    estimates: tuple[Row, ...]
    superseded: tuple[Row, ...]
    disagreement: str | None
    weights: tuple[str, ...]
    curve: ConcentrationCurve | None = None

    @property
    def took_place(self) -> bool:
        """Whether there is more to say than its place in the calendar."""
        draws = any(one.drawn_at or one.result or one.remarks for one in self.samples)
        return bool(self.attended or self.dose or self.assessments or self.estimates or draws)


@dataclass(frozen=True, slots=True)
class PatientReport:
    """What stands about one subject at `generated_at`, in the reader's language."""

    subject: str
    site: str
    study: str
    registry_id: str
    title: str
    protocol: str
    state: str
    baseline: date
    treatment_start: date | None
    regimens: tuple[tuple[str, date | None], ...]
    year: Year
    visits: tuple[VisitReport, ...]
    course: ExposureCourse | None
    bands: tuple[tuple[ReferenceBand, str], ...]
    endpoints: Row
    exposures: Row
    flags: tuple[Row, ...]
    generated_at: datetime
    versions: tuple[tuple[str, str], ...]

    def with_curves(self, curves: Mapping[str, ConcentrationCurve | None]) -> PatientReport:
        """The report with the pictures of visits, by visit."""
        visits = tuple(replace(one, curve=curves.get(one.id)) for one in self.visits)
        return replace(self, visits=visits)


def patient_report(
    session: Session, study: Study, subject: SubjectRow, speaker: Speaker, now: datetime
) -> PatientReport:
    """The report of a subject as the records stand, without the curves of the visits."""
    found = standing(session, study, subject, now)
    timeline = found.timeline
    by_visit: dict[str, list[Row]] = {}
    for row in auc_rows(session, speaker, subject.code, history=True):
        by_visit.setdefault(row["visit"], []).append(row)
    visits = tuple(
        _visit(timeline, view, by_visit.get(view.plan.id, []), speaker) for view in found.desired.views
    )
    enrolled, protocol = timeline.facts.enrolled, timeline.protocol
    assert enrolled is not None  # `standing` raises for a subject that is not
    bands = reference_bands(speaker, protocol.bands)
    return PatientReport(
        subject=subject.code,
        site=study.sites[subject.site_id].name if subject.site_id in study.sites else subject.site_id,
        study=protocol.acronym,
        registry_id=protocol.registry_id,
        title=protocol.title[speaker.language],
        protocol=f"{protocol.id}, {' → '.join(one.plan.protocol.version for one in timeline.versions)}",
        state=speaker.status(subject_state(subject, timeline.facts)),
        baseline=enrolled.baseline,
        treatment_start=enrolled.treatment_start,
        regimens=tuple(_regimens(timeline, speaker)),
        year=year_of(timeline, found.desired.views, now),
        visits=visits,
        course=_course(subject.code, visits, bands, speaker),
        bands=tuple(zip(bands, [one.source for one in protocol.bands], strict=True)),
        endpoints=endpoint_row(timeline, speaker),
        exposures=summary_row(timeline, _primary_aucs(by_visit), speaker),
        flags=tuple(flag_rows(session, speaker, subject.code, closed=True)),
        generated_at=now,
        versions=(
            ("mpa-monitor", APP_VERSION),
            ("pk", PK_VERSION),
            ("protocol", " → ".join(one.plan.protocol.key[:12] for one in timeline.versions)),
        ),
    )


def _primary_aucs(by_visit: Mapping[str, Sequence[Row]]) -> dict[str, float]:
    """The AUC0-12 in force that counts, by visit."""
    return {
        visit: row["value"]
        for visit, rows in by_visit.items()
        for row in rows
        if row["in_force"] and row["primary"] and row["value"] is not None
    }


def _regimens(timeline: Timeline, speaker: Speaker) -> Iterator[tuple[str, date | None]]:
    for one in timeline.facts.regimens:
        since = one.since
        if since is None and one.from_instant is not None:
            since = one.from_instant.astimezone(speaker.zone).date()
        yield dosing_said(one.regimen, speaker), since


def _visit(timeline: Timeline, view: VisitView, rows: Sequence[Row], speaker: Speaker) -> VisitReport:
    plan = view.plan
    told = [one.reason for one in doubts_of(timeline, plan) if one.weight is Weight.TELLS]
    given = plan.dose.given if plan.dose is not None else None
    in_force = tuple(row for row in rows if row["in_force"])
    return VisitReport(
        id=plan.id,
        label=speaker.name(plan.id),
        has_samples=plan.planned.encounter.sampling,
        status=speaker.status(view.status),
        reason=speaker.say(view.reason),
        target=plan.planned.target,
        window=(plan.planned.first, plan.planned.last),
        booked=plan.booking.starts_at if plan.booking is not None else None,
        attended=plan.attended_at,
        dose=dosing_said(given, speaker) if given is not None else None,
        dose_at=given.at if given is not None else None,
        samples=tuple(_sample(draw, told, speaker) for draw in plan.draws),
        assessments=tuple(
            (speaker.name(name), assessed_text(one, speaker)) for name, one in plan.facts.assessments.items()
        ),
        estimates=in_force,
        superseded=tuple(row for row in rows if not row["in_force"]),
        disagreement=next((row["disagreement"]["text"] for row in in_force if row["disagreement"]), None),
        weights=tuple(weights_said(row["weights"], speaker) for row in in_force if row["weights"]),
    )


def _sample(draw: Draw, told: Sequence[Reason], speaker: Speaker) -> SampleLine:
    taken_at, point, minutes = draw.taken_at, draw.point, None
    if taken_at is not None and draw.window is not None:
        minutes = minutes_after_dose(point, draw.window, taken_at)
    version = draw.result.version if draw.result is not None else None
    remarks = [
        speaker.text("not drawn: {why}", why=draw.not_drawn.reason) if draw.not_drawn is not None else "",
        speaker.text("outside its window") if draw.outside else "",
        speaker.text("not used: {why}", why=version.blocking) if version and version.blocking else "",
        *(speaker.say(one) for one in told if one.get("point") == point.id),
    ]
    return SampleLine(
        point=point.id,
        drawn_at=taken_at,
        minutes=minutes,
        planned_min=(point.earliest_min, point.latest_min),
        tube=draw.drawn.tube if draw.drawn is not None else None,
        result=_result(version, speaker) if version is not None else None,
        result_state=_state(version.status, speaker) if version is not None else None,
        remarks=tuple(filter(None, remarks)),
    )


def _result(version: ResultVersion, speaker: Speaker) -> str:
    """The result in mg/L as it is read: a concentration, or on which side of which limit it lies."""
    if version.below_lloq:
        if version.lloq_mg_l is None:
            return speaker.text("below the limit of quantification")
        return speaker.text("below {limit}", limit=plain(version.lloq_mg_l, speaker))
    if version.above_uloq:
        return speaker.text("above the upper limit of quantification")
    return plain(version.conc_mg_l, speaker) if version.conc_mg_l is not None else "–"


def _state(status: ResultStatus, speaker: Speaker) -> str:
    match status:
        case ResultStatus.PRELIMINARY:
            return speaker.text("preliminary result")
        case ResultStatus.FINAL:
            return speaker.text("final result")
        case ResultStatus.CORRECTED:
            return speaker.text("corrected result")
        case ResultStatus.WITHDRAWN:
            return speaker.text("result withdrawn")
        case ResultStatus.NOT_OBTAINED:
            return speaker.text("result not obtained")
    assert_never(status)


def _course(
    subject: str, visits: Sequence[VisitReport], bands: tuple[ReferenceBand, ...], speaker: Speaker
) -> ExposureCourse | None:
    """The AUC0-12 that counts, and the models' average, over the visits with samples; None while there is none."""
    sampled = [one for one in visits if one.samples]
    counting = [_estimate(one, lambda row: row["primary"]) for one in sampled]
    methods = {row["method"]: row["method_text"] for row in counting if row is not None}
    if not methods:
        return None
    several = speaker.text("the first method that applies at each visit")
    series = [ExposureSeries(next(iter(methods.values())) if len(methods) == 1 else several, _aucs(counting))]
    if set(methods) != {AVERAGE}:
        averages = [_estimate(one, lambda row: row["method"] == AVERAGE) for one in sampled]
        label = speaker.say(method_said(AVERAGE, None))
        series += [ExposureSeries(label, _aucs(averages))] if any(averages) else []
    return ExposureCourse(
        visits=tuple(one.label for one in sampled),
        series=tuple(series),
        bands=bands,
        words=course_words(speaker, subject),
    )


def _estimate(visit: VisitReport, which: Callable[[Row], bool]) -> Row | None:
    return next((row for row in visit.estimates if row["value"] is not None and which(row)), None)


def _aucs(rows: Sequence[Row | None]) -> tuple[VisitAuc | None, ...]:
    """The values with those limits that they lie between."""
    found: list[VisitAuc | None] = []
    for row in rows:
        if row is None:
            found.append(None)
            continue
        value, low, high = row["value"], row["low"], row["high"]
        inside = low is not None and low <= value <= high
        found.append(VisitAuc(value, low, high) if inside else VisitAuc(value))
    return tuple(found)
