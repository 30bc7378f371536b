"""The AUCs on record of each subject, summarised over the occasions of the year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlmodel import Session

from pk.target.data.exposure_summary import (
    METRICS,
    ExposureSummary,
    OccasionAuc,
    auc_per_gram,
    share_at_or_above,
    summary_of,
)
from scheduler.domain.civil import Period
from scheduler.domain.facts import Formulation
from scheduler.domain.protocol import Protocol, TimingType
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.domain.timeline import Timeline, VisitPlan
from scheduler.engine.report.aucs import auc_rows
from scheduler.engine.report.endpoints import timelines
from scheduler.engine.study import Study

__all__ = ["CUTS_MG_H_L", "exposure_record", "nominal_weeks", "occasions_of", "summary_row", "summary_rows"]

CUTS_MG_H_L = (30, 35, 45, 60)
"""The cuts of the literature against which time is counted; none is a target in systemic sclerosis."""

Row = dict[str, Any]


def summary_rows(session: Session, study: Study, speaker: Speaker, subject: str | None = None) -> list[Row]:
    """The summaries of every subject, or of one."""
    aucs: defaultdict[str, dict[str, float]] = defaultdict(dict)
    methods: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in auc_rows(session, speaker, subject):
        if row["primary"] and row["value"] is not None:
            aucs[row["subject"]][row["visit"]] = row["value"]
            methods[row["subject"]][row["visit"]] = row["method_text"]
    return [
        summary_row(timeline, aucs[timeline.subject], speaker, methods[timeline.subject])
        for timeline in timelines(session, study, subject)
    ]


def summary_row(
    timeline: Timeline, aucs: Mapping[str, float], speaker: Speaker, methods: Mapping[str, str] | None = None
) -> Row:
    """The summaries of a subject from the AUC0-12 that counts of each visit; `methods` in the speaker's words."""
    occasions = list(occasions_of(timeline, aucs))
    found = summary_of(occasions)
    per_gram = [one for one in map(auc_per_gram, occasions) if one is not None]
    return {
        "subject": timeline.subject,
        **found.values,
        "auc_per_g": sum(per_gram) / len(per_gram) if per_gram else None,
        **{f"share_{cut}": share_at_or_above(occasions, cut) for cut in CUTS_MG_H_L},
        "occasions": found.occasions,
        "visits": [
            _visit(one, aucs[one.id]) | {"method": (methods or {}).get(one.id)}
            for one in _measured(timeline, aucs)
        ],
        "weeks": [one.week for one in occasions],
        "days": [one.day for one in occasions],
        "aucs": [one.auc_mg_h_l for one in occasions],
        "window_days": found.window_days,
        "reliability": found.reliability,
        "flags": sorted(found.flags),
        "flags_text": _flags(found, speaker),
    }


def _flags(found: ExposureSummary, speaker: Speaker) -> list[str]:
    return [speaker.say(because(f"summary_{flag}")) for flag in sorted(found.flags)]


def exposure_record(row: Row) -> Row:
    """The row of a subject as one flat record of a data set."""
    names = (*METRICS, "auc_per_g", *(f"share_{cut}" for cut in CUTS_MG_H_L), "occasions", "window_days")
    flat = {name: row[name] for name in ("subject", *names, "reliability")}
    return flat | {"flags": " ".join(row["flags"])}


def occasions_of(timeline: Timeline, aucs: Mapping[str, float]) -> Iterator[OccasionAuc]:
    """The occasions that have an AUC, in the order of their days, counted from the day of the anchor visit."""
    enrolled = timeline.facts.enrolled
    assert enrolled is not None
    fixed = next(one for one in timeline.visits if one.planned.encounter.timing.type is TimingType.FIXED)
    start = fixed.attended_on or enrolled.baseline
    for plan in _measured(timeline, aucs):
        assert plan.attended_on is not None
        day = (plan.attended_on - start).days
        yield OccasionAuc(nominal_weeks(plan.protocol)[plan.id], day, aucs[plan.id], _grams_a_day(plan))


def _measured(timeline: Timeline, aucs: Mapping[str, float]) -> list[VisitPlan]:
    """The visits that have an AUC, in the order of their days."""
    dated = [
        (one.attended_on, one) for one in timeline.visits if one.id in aucs and one.attended_on is not None
    ]
    return [one for _, one in sorted(dated, key=lambda pair: pair[0])]


def _visit(plan: VisitPlan, auc: float) -> Row:
    """What an AUC has to be read with: when it was, the dose, and for how many days that had been unchanged."""
    dose = plan.dose
    return {
        "visit": plan.id,
        "on": plan.attended_on,
        "auc": auc,
        "dose_mg": dose.given.dose_mg if dose is not None else None,
        "interval_h": dose.given.interval_h if dose is not None else None,
        "formulation": dose.given.formulation.value if dose is not None else None,
        "days_unchanged": dose.days_unchanged if dose is not None else None,
    }


def nominal_weeks(protocol: Protocol) -> dict[str, int]:
    """The week of every visit as the protocol plans it: 6 months are week 26, a year is week 52."""
    days: dict[str, float] = {}
    for one in protocol.encounters:
        before = days[one.timing.relative_to] if one.timing.relative_to is not None else 0.0
        days[one.id] = before + one.timing.sign * _days(one.timing.value)
    return {name: round(found / 7) for name, found in days.items()}


def _days(period: Period) -> float:
    return period.months * 364 / 12 + period.days


def _grams_a_day(plan: VisitPlan) -> float | None:
    """Grams of MMF a day at a visit; None for EC-MPS, whose grams are others, and while no dose is on record."""
    if plan.dose is None or plan.dose.given.formulation is not Formulation.MMF:
        return None
    given = plan.dose.given
    return given.dose_mg * 24 / given.interval_h / 1000
