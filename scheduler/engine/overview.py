"""The numbers of the study as they stand: all sites together, then each site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlmodel import Session

from scheduler.domain.civil import local_date
from scheduler.domain.history import SubjectFacts, fold
from scheduler.domain.overview import CountedVisit, Overview, count_visits, months
from scheduler.domain.protocol import VisitStatus
from scheduler.engine.report import subject_state
from scheduler.engine.study import Study
from scheduler.store.overview import VisitLine, counted_aucs, subjects_and_sites, turned_subjects, visit_lines
from scheduler.store.subjects import load_history
from scheduler.store.tables import SubjectRow

__all__ = ["overview_record", "study_overview"]

_NOBODY = SubjectFacts()


def study_overview(session: Session, study: Study, site: str | None = None) -> tuple[Overview, ...]:
    """The numbers of one site; of all together and then of each site, where there are several."""
    subjects = subjects_and_sites(session, site)
    turned, aucs = turned_subjects(session), counted_aucs(session)
    lines: dict[str, list[VisitLine]] = {}
    for line in visit_lines(session):
        lines.setdefault(line.subject, []).append(line)
    states = {one.code: _state(session, one, turned) for one in subjects}
    order = [one.id for one in study.newest[1].encounters]

    def numbers(name: str | None, of: Sequence[SubjectRow]) -> Overview:
        counted = [one for row in of for one in _counted(study, row, lines.get(row.code, []), aucs)]
        return Overview(
            site=name,
            subjects=len(of),
            states=tuple(sorted(Counter(states[row.code] for row in of).items())),
            recruitment=months(
                line.target for row in of for line in lines.get(row.code, []) if line.visit == order[0]
            ),
            visits=count_visits(order, counted),
        )

    if site is not None:
        return (numbers(site, subjects),)
    sites = sorted({row.site_id for row in subjects})
    each = [numbers(name, [row for row in subjects if row.site_id == name]) for name in sites]
    return (numbers(None, subjects), *(each if len(sites) > 1 else ()))


def _state(session: Session, subject: SubjectRow, turned: set[str]) -> str:
    facts = fold(load_history(session, subject.code)) if subject.code in turned else _NOBODY
    return subject_state(subject, facts)


def _counted(
    study: Study, subject: SubjectRow, lines: Sequence[VisitLine], aucs: dict[tuple[str, str], float]
) -> Iterator[CountedVisit]:
    calendar = study.calendars.get(subject.site_id) or next(iter(study.calendars.values()))
    for line in lines:
        yield CountedVisit(
            visit=line.visit,
            status=VisitStatus(line.status),
            first=line.first,
            last=line.last,
            attended_on=local_date(line.attended_at, calendar.zone) if line.attended_at is not None else None,
            missing=tuple(_kind(one["code"]) for one in line.missing),
            auc_mg_h_l=aucs.get((subject.code, line.visit)),
        )


def _kind(code: str) -> str:
    """What kind of record a reason `missing_…` is about."""
    return code.removeprefix("missing_").removesuffix("_lost")


def overview_record(found: Overview) -> dict[str, Any]:
    """The numbers as JSON values."""
    return {
        "site": found.site,
        "subjects": found.subjects,
        "states": dict(found.states),
        "recruitment": [
            {"month": f"{one.first:%Y-%m}", "new": one.new, "total": one.total} for one in found.recruitment
        ],
        "visits": [
            {
                "visit": one.visit,
                **{kind.value: count for kind, count in one.punctuality},
                "attended": one.attended,
                "complete": one.complete,
                "complete_percent": one.complete_percent,
                "lacking": dict(one.lacking),
                "auc_mg_h_l": asdict(one.auc),
            }
            for one in found.visits
        ],
    }
