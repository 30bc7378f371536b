"""Eligibility and endpoints as plain rows: for tables, for JSON, for CSV, for the report of a subject."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from sqlmodel import Session, col, select

from scheduler.domain.facts import EligibilityAssessed
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.domain.timeline import Timeline
from scheduler.domain.trial.changes import Change
from scheduler.domain.trial.definitions import Measure
from scheduler.domain.trial.eligibility import Criterion, Eligibility
from scheduler.domain.trial.endpoints import Endpoints, Outcome, endpoints_of
from scheduler.domain.trial.measurements import Measurement
from scheduler.domain.trial.settings import other_comparison, while_on_treatment
from scheduler.engine.study import Study
from scheduler.store.subjects import load_history
from scheduler.store.tables import SubjectRow

__all__ = ["eligibility_row", "endpoint_record", "endpoint_row", "endpoint_rows", "timelines"]

Row = dict[str, Any]


def timelines(session: Session, study: Study, subject: str | None = None) -> Iterator[Timeline]:
    """The timeline of every subject, or of one, by code."""
    query = select(SubjectRow).order_by(col(SubjectRow.code))
    if subject is not None:
        query = query.where(SubjectRow.code == subject)
    for row in session.exec(query):
        timeline = study.timeline(session, row, load_history(session, row.code))
        if timeline is not None:
            yield timeline


def eligibility_row(answers: EligibilityAssessed, found: Eligibility, speaker: Speaker) -> Row:
    """What follows from the answers, with every criterion."""
    score = found.classification
    return {
        "on": answers.on,
        "age_years": answers.age_years,
        "first_sign": answers.first_sign,
        "status": found.status.value,
        "status_text": speaker.status(found.status),
        "score_min": score.score_min,
        "score_max": score.score_max,
        "classification": score.status.value,
        "sufficient": score.sufficient,
        "domains": {one.domain: [one.low, one.high] for one in score.domains},
        "arms": sorted(found.arms),
        "possible_arms": sorted(found.possible_arms),
        "criteria": [_criterion(one, speaker) for one in found.criteria],
    }


def _criterion(one: Criterion, speaker: Speaker) -> Row:
    return {
        "id": one.id,
        "arm": one.arm.value if one.arm is not None else None,
        "arm_text": speaker.status(one.arm) if one.arm is not None else speaker.text("everybody"),
        "met": one.met.value,
        "met_text": speaker.say(because(f"answer_{one.met}")),
        "reason": speaker.say(one.reason),
    }


def endpoint_rows(session: Session, study: Study, speaker: Speaker, subject: str | None = None) -> list[Row]:
    """The endpoints of every subject, or of one."""
    return [endpoint_row(one, speaker) for one in timelines(session, study, subject)]


def endpoint_row(timeline: Timeline, speaker: Speaker) -> Row:
    """The endpoints of a subject as the records stand."""
    found, answers, rules = endpoints_of(timeline), timeline.facts.eligibility, timeline.protocol.endpoints
    eligibility = None
    if answers is not None and found.eligibility is not None:
        eligibility = eligibility_row(answers, found.eligibility, speaker)
    return {
        "subject": timeline.subject,
        "eligibility": eligibility,
        "target": found.window.target,
        "window": [found.window.first, found.window.last],
        "changes": {measure.value: _change(one, speaker) for measure, one in found.changes.items()},
        "outcomes": [_outcome(one, found, speaker) for one in found.outcomes],
        "composite_rule": found.primary.id,
        "response": found.primary.holds,
        "variants": {
            "while_on_treatment": endpoints_of(timeline, while_on_treatment(rules)).primary.holds,
            "other_comparison": endpoints_of(timeline, other_comparison(rules)).primary.holds,
        },
    }


def _change(one: Change, speaker: Speaker) -> Row:
    return {
        "baseline": _measurement(one.baseline),
        "after": _measurement(one.after),
        "absolute": _number(one.absolute),
        "relative_percent": _number(one.relative),
        "litres": _number(one.litres),
        "why": [speaker.say(reason) for reason in one.why],
        "flags": [speaker.say(flag) for flag in one.flags],
        "events": [{"event": event.kind.value, "on": event.on} for event in one.events],
    }


def _measurement(one: Measurement | None) -> Row | None:
    if one is None:
        return None
    return {
        "visit": one.visit,
        "on": one.on,
        "value": _number(one.value),
        "unit": one.unit,
        "litres": _number(one.litres),
        "assessor": one.assessor,
        "equation": one.equation,
        "hb_corrected": one.hb_corrected,
    }


def _number(value: Fraction | None) -> float | None:
    return float(value) if value is not None else None


def _outcome(one: Outcome, of: Endpoints, speaker: Speaker) -> Row:
    return {
        "id": one.id,
        "text": speaker.say(because(f"definition_{one.id}")),
        "sense": one.sense.value,
        "sense_text": speaker.status(one.sense),
        "evidence": one.evidence.value,
        "evidence_text": speaker.status(one.evidence),
        "primary": one.id == of.primary.id,
        "evaluable": one.evaluable,
        "holds": one.holds,
        "why": [speaker.say(reason) for reason in one.why],
        "why_codes": [reason.code for reason in one.why],
        "flags": [speaker.say(flag) for flag in one.flags],
    }


def endpoint_record(row: Row) -> Row:
    """The row of a subject as one flat record of a data set; what is missing is None, responses are 0 or 1."""
    eligibility = row["eligibility"] or {}
    record: Row = {
        "subject": row["subject"],
        "eligible": eligibility.get("status"),
        "arms": " ".join(eligibility.get("arms", ())),
        "age_years": eligibility.get("age_years"),
        "first_sign": eligibility.get("first_sign"),
    }
    for measure in Measure:
        change = row["changes"][measure.value]
        baseline, after = change["baseline"] or {}, change["after"] or {}
        record |= {
            f"{measure}_baseline": baseline.get("value"),
            f"{measure}_after": after.get("value"),
            f"{measure}_change": change["absolute"],
            f"{measure}_change_percent": change["relative_percent"],
        }
    record["response"] = _bit(row["response"])
    return record | {one["id"]: _bit(one["holds"]) for one in row["outcomes"]}


def _bit(holds: bool | None) -> int | None:
    return None if holds is None else int(holds)
