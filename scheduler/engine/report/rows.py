"""What stands, as plain rows: for the tables of the command line, for JSON, for the report of a subject."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from scheduler.domain.flags import FlagCode, Severity
from scheduler.domain.history import SubjectFacts, fold
from scheduler.domain.reason import because, from_json
from scheduler.domain.speech import Speaker
from scheduler.domain.trial.endpoints import endpoints_of
from scheduler.engine.study import Study
from scheduler.store.flags import open_flags
from scheduler.store.lab.settled import Became, decided_rows
from scheduler.store.subjects import load_history
from scheduler.store.tables import (
    AcknowledgementRow,
    FlagRow,
    LabResultVersionRow,
    ReminderRow,
    SamplingRow,
    SubjectRow,
    VisitRow,
)

__all__ = [
    "board_rows",
    "flag_rows",
    "reminder_rows",
    "result_rows",
    "subject_state",
    "visit_rows",
]

Row = dict[str, Any]


def board_rows(session: Session, study: Study, site: str | None = None) -> list[Row]:
    """One row a subject: its state, the status of each visit, and whether it responded at one year by the protocol's
    definition (None while that cannot be evaluated)."""
    query = select(SubjectRow).order_by(col(SubjectRow.code))
    if site is not None:
        query = query.where(SubjectRow.site_id == site)
    visits: dict[str, dict[str, str]] = {}
    for row in session.exec(select(VisitRow)):
        visits.setdefault(row.subject, {})[row.visit] = row.status
    flags: dict[str, int] = {}
    for flag in open_flags(session, site):
        if flag.subject is not None and flag.severity <= Severity.SOON:
            flags[flag.subject] = flags.get(flag.subject, 0) + 1
    found = []
    for subject in session.exec(query):
        history = load_history(session, subject.code)
        timeline = study.timeline(session, subject, history)
        found.append(
            {
                "subject": subject.code,
                "site": subject.site_id,
                "state": subject_state(subject, fold(history)),
                "visits": visits.get(subject.code, {}),
                "response": endpoints_of(timeline).primary.holds if timeline is not None else None,
                "open_flags": flags.get(subject.code, 0),
                "next_look": subject.next_wake,
            }
        )
    return found


def subject_state(subject: SubjectRow, facts: SubjectFacts) -> str:
    """Where a subject stands in the study, in a word."""
    if subject.parked is not None:
        return "parked"
    if facts.withdrawn is not None:
        return "withdrawn"
    return "on_hold" if facts.pauses and facts.pauses[-1].end is None else "active"


def visit_rows(session: Session, subject: str, speaker: Speaker) -> list[Row]:
    """One row a visit, with its draws."""
    draws: dict[str, list[Row]] = {}
    for one in session.exec(
        select(SamplingRow)
        .where(SamplingRow.subject == subject)
        .order_by(col(SamplingRow.window_from), col(SamplingRow.point))
    ):
        draws.setdefault(one.visit, []).append(
            {
                "point": one.point,
                "window_from": one.window_from,
                "window_to": one.window_to,
                "drawn_at": one.drawn_at,
                "tube": one.tube,
                "not_drawn": one.not_drawn,
                "result": one.result,
            }
        )
    rows = session.exec(select(VisitRow).where(VisitRow.subject == subject).order_by(col(VisitRow.target)))
    return [
        {
            "visit": row.visit,
            "status": row.status,
            "reason": speaker.say(from_json(row.reason)),
            "target": row.target,
            "window_first": row.first,
            "window_last": row.last,
            "booked": datetime.fromisoformat(row.booked_local) if row.booked_local else None,
            "attended": row.attended_at,
            "missing": [speaker.say(from_json(one)) for one in row.missing],
            "samples": draws.get(row.visit, []),
        }
        for row in rows
    ]


def flag_rows(
    session: Session,
    speaker: Speaker,
    subject: str | None = None,
    *,
    closed: bool = False,
    site: str | None = None,
) -> list[Row]:
    """The flags, open ones by default, the most urgent first."""
    query = select(FlagRow)
    if not closed:
        query = query.where(col(FlagRow.closed_at).is_(None))
    if subject is not None:
        query = query.where(FlagRow.subject == subject)
    if site is not None:
        query = query.where(FlagRow.site_id == site)
    acknowledged = {row.flag_key: row for row in session.exec(select(AcknowledgementRow))}
    rows = session.exec(query.order_by(col(FlagRow.severity), col(FlagRow.since), col(FlagRow.key)))
    return [_flag(row, speaker, acknowledged.get(row.key)) for row in rows]


def _flag(row: FlagRow, speaker: Speaker, acknowledged: AcknowledgementRow | None) -> Row:
    counts = acknowledged is not None and acknowledged.at >= row.opened_at
    return {
        "id": row.id,
        "code": row.code,
        "subject": row.subject,
        "site": row.site_id,
        "visit": row.visit,
        "severity": Severity(row.severity).name.lower(),
        "reason": speaker.say(from_json(row.reason)),
        "since": row.since,
        "closes": speaker.say(because(f"closes_{FlagCode(row.code)}")),
        "closed": row.closed_at,
        "acknowledged_by": acknowledged.by if counts and acknowledged else None,
    }


def result_rows(session: Session, speaker: Speaker, subject: str | None = None) -> list[Row]:
    """Every row the laboratory sent, with what became of it; held ones that a person decided are settled. Values are
    for the team, never for logs or mails."""
    query = select(LabResultVersionRow).order_by(col(LabResultVersionRow.id))
    if subject is not None:
        query = query.where(LabResultVersionRow.subject == subject)
    decided = decided_rows(session)
    return [
        {
            "id": row.id,
            "subject": row.subject,
            "visit": row.visit,
            "timepoint": row.timepoint,
            "specimen": row.specimen,
            "state": Became.SETTLED if row.id in decided else row.state,
            "status": row.status,
            "value": row.value_raw,
            "unit": row.unit_raw,
            "mg_l": row.conc_mg_l,
            "below_lloq": row.below_lloq,
            "above_uloq": row.above_uloq,
            "collected": row.collected_at,
            "reported": row.reported_at,
            "file": row.file_id,
            "row": row.row_no,
            "findings": [_finding(one, speaker) for one in row.findings],
        }
        for row in session.exec(query)
    ]


def _finding(finding: Row, speaker: Speaker) -> str:
    reason = finding.get("reason")
    return f"{finding.get('rule', '')} {speaker.say(from_json(reason)) if reason else ''}".strip()


def reminder_rows(session: Session, subject: str) -> list[Row]:
    """The reminders that were decided for a subject, oldest first."""
    rows = session.exec(
        select(ReminderRow).where(ReminderRow.subject == subject).order_by(col(ReminderRow.due_at))
    )
    return [
        {"rule": row.rule, "visit": row.visit, "due": row.due_at, "state": row.state, "target": row.target}
        for row in rows
    ]
