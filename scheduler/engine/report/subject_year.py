"""Everything that stands about one subject, for its page: the report, why it is so, the records, the mails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from scheduler.domain.speech import Speaker
from scheduler.engine.picture.year_auc import DatedAuc, dated_aucs
from scheduler.engine.report.aucs import auc_rows
from scheduler.engine.report.explain import Explanation, explain
from scheduler.engine.report.facts import fact_lines, fact_said
from scheduler.engine.report.patient_report import PatientReport, patient_report
from scheduler.engine.study import Study
from scheduler.store.mails import MailLine, mails_of
from scheduler.store.rows import what_from
from scheduler.store.tables import SubjectRow

__all__ = ["SubjectYear", "subject_year"]


@dataclass(frozen=True, slots=True)
class SubjectYear:
    """The report of a subject; `why` explains each visit; `facts` are the records, the newest first, each said."""

    report: PatientReport
    aucs: tuple[DatedAuc, ...]
    why: Mapping[str, Explanation]
    facts: tuple[Mapping[str, Any], ...]
    mails: tuple[MailLine, ...]


def subject_year(
    session: Session, study: Study, subject: SubjectRow, speaker: Speaker, now: datetime
) -> SubjectYear:
    """All about a subject as it stands at `now`."""
    report = patient_report(session, study, subject, speaker, now)
    days = {one.id: one.attended for one in report.year.visits if one.attended is not None}
    facts = fact_lines(session, subject.code)
    return SubjectYear(
        report=report,
        aucs=dated_aucs(auc_rows(session, speaker, subject.code), days),
        why={one.visit: one for one in explain(session, study, subject, None, speaker, now)},
        facts=tuple(
            one | {"said": fact_said(what_from(one["kind"], one["content"]), speaker)}
            for one in reversed(facts)
        ),
        mails=tuple(mails_of(session, subject.code)),
    )
