"""The report of the study's question: from the analysis set to one page and one JSON document.

The same data, settings and seed give the same bytes: nothing here looks at a clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from pk.target.asked import OutcomeKind
from pk.target.findings import Settings, TargetAnalysis
from pk.target.pace import STEPS, Step, unwatched
from pk.target.planning.thresholds import plan
from pk.target.question import Answer, Question
from pk.target.report.missing_record import missing_record
from pk.target.report.record import answered, association_record, doubling_record, shape_record
from pk.values.jsontypes import JsonObject
from pk.values.reason import Reason as Finding
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.engine.picture.drawing import Drawing
from scheduler.engine.study import Study
from scheduler.engine.target.cohort import flow_rows
from scheduler.engine.target.cut_plots import cuts_drawn, index_drawn, roc_curve
from scheduler.engine.target.forest import forest
from scheduler.engine.target.grid import CELLS, EXPOSURES, Cell, grid, holm_pair
from scheduler.engine.target.member import MEASURES, PRIMARY, RESPONSES, Member
from scheduler.engine.target.plots import course, scatter, waterfall
from scheduler.engine.target.set import (
    TELL_APART,
    analysis_set,
    changes_analysed,
    data_cut,
    primary_analysis,
    with_predictions,
)
from scheduler.engine.target.tables import Share, response_rows, rules_said
from scheduler.engine.target.thresholds import Literature, literature
from scheduler.store.audit import APP_VERSION

__all__ = ["PARTS", "TargetReport", "report_of", "target_json", "target_report"]

PARTS = CELLS + STEPS * (1 + len(MEASURES))
"""Parts of a report, for whoever waits for it."""


@dataclass(frozen=True, slots=True)
class TargetReport:
    """Everything that page and JSON show; `drawings` are by name, None where there is nothing to draw."""

    study: str
    registry_id: str
    title: str
    protocol: str
    config_hash: str
    software: str
    data_cut: str | None
    composite: str
    rules: tuple[str, str]
    settings: Settings
    members: tuple[Member, ...]
    answer: Answer
    cells: tuple[Cell, ...]
    responses: tuple[Share, ...]
    continuous: dict[str, TargetAnalysis]
    adjusted: dict[str, float]
    drawings: dict[str, Drawing | None]
    literature: Literature

    @property
    def found(self) -> TargetAnalysis:
        return self.answer.found


def target_report(
    session: Session, study: Study, speaker: Speaker, seed: int, step: Step = unwatched
) -> TargetReport:
    """Return the report of everything on record; every enrolled subject is in it. `step` is called `PARTS` times."""
    return report_of(analysis_set(session, study, speaker), data_cut(session), study, speaker, seed, step)


def report_of(
    members: tuple[Member, ...],
    cut: datetime | None,
    study: Study,
    speaker: Speaker,
    seed: int,
    step: Step = unwatched,
) -> TargetReport:
    """Return the report of an analysis set; `cut` is the instant of its last record."""
    sha256, protocol = study.newest
    members = with_predictions(members)
    cells = grid(members, Settings(seed=seed), step)
    settings = Settings(seed=seed, analyses_run=max(1, sum(one.rho is not None for one in cells)))
    found = primary_analysis(members, settings, step)
    composite = protocol.endpoints.composite_rule.value
    question = Question(
        exposure=PRIMARY,
        outcome=composite,
        kind=OutcomeKind.BINARY,
        tell_apart=TELL_APART,
        settings=found.settings,
    )
    needed = (
        plan(found.exposure, found.responder, *TELL_APART, seed=seed) if found.responder is not None else None
    )
    known = literature(speaker.language)
    continuous = changes_analysed(members, settings, step)
    return TargetReport(
        study=protocol.acronym,
        registry_id=protocol.registry_id,
        title=protocol.title[speaker.language],
        protocol=f"{protocol.id}, {protocol.version}",
        config_hash=sha256,
        software=APP_VERSION,
        data_cut=None if cut is None else cut.isoformat(),
        composite=composite,
        rules=rules_said(protocol.endpoints, speaker),
        settings=settings,
        members=members,
        answer=Answer(question, found, needed),
        cells=cells,
        responses=response_rows(members, limits=found.tier.number > 0),
        continuous=continuous,
        adjusted=holm_pair(continuous),
        drawings=_drawings(members, found, continuous, known, speaker),
        literature=known,
    )


def _drawings(
    members: Sequence[Member],
    found: TargetAnalysis,
    continuous: Mapping[str, TargetAnalysis],
    known: Literature,
    speaker: Speaker,
) -> dict[str, Drawing | None]:
    return {
        "p1": course(members, speaker),
        **{f"p2_{one}": scatter(members, one, analysis, speaker) for one, analysis in continuous.items()},
        "p3": roc_curve(found, speaker),
        "p4": index_drawn(found, speaker),
        "p5": cuts_drawn(found, speaker),
        "p6_auc": forest(found, known.thresholds, "auc", speaker),
        "p6_c0": forest(found, known.thresholds, "c0", speaker),
        "p7": waterfall(members, speaker),
    }


def target_json(report: TargetReport, speaker: Speaker) -> JsonObject:
    """Return the document of `pk/schemas/target-report.json`: that of `pk target`, and what the study adds."""

    def say(one: Finding) -> str:
        return speaker.say(because(one.code, **dict(one.params)))

    document = answered(report.answer, say)
    patients: list[Any] = [_patient(one) for one in report.members]
    return {
        **document,
        "study": {
            "name": report.study,
            "registry_id": report.registry_id,
            "protocol": report.protocol,
            "config_hash": report.config_hash,
            "software_version": report.software,
            "data_cut": report.data_cut,
            "patients_hash": hashlib.sha256(repr(patients).encode()).hexdigest(),
            "composite_rule": report.composite,
            "prespecified": False,
        },
        "flow": [{"code": code, "count": count} for code, count in flow_rows(report.members, report.found)],
        "responses": [{**asdict(one)} for one in report.responses],
        "continuous": {
            measure: {
                "n": found.n,
                "tier": found.tier.number,
                "p_holm": report.adjusted.get(measure),
                "association": None if found.association is None else association_record(found.association),
                "per_doubling": doubling_record(found.doubling),
                "shape": shape_record(found.shape),
                "missing_outcomes": missing_record(found.missing),
            }
            for measure, found in report.continuous.items()
        },
        "grid": [{**asdict(one), "ci": None if one.ci is None else list(one.ci)} for one in report.cells],
        "patients": patients,
    }


def _patient(one: Member) -> dict[str, Any]:
    return {
        "subject": one.code,
        "arms": list(one.arms),
        "exposure": {name: one.exposure(name) for name in EXPOSURES},
        "flags": list(one.exposures["flags"]),
        "changes": {name: one.change(name) for name in MEASURES},
        "responses": {name: one.holds(name) for name in RESPONSES},
        "response": one.response,
    }
