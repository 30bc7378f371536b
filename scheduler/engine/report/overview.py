"""The numbers of the study as they stand: all sites together, then each site."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from sqlmodel import Session

from scheduler.domain.civil import local_date
from scheduler.domain.overview import CountedVisit, Overview, count_visits, months
from scheduler.domain.protocol import VisitStatus
from scheduler.engine.report.subject_states import states_of
from scheduler.engine.study import Study
from scheduler.store.overview import (
    attended_lines,
    counted_aucs,
    expected_visits,
    inclusions,
    interrupted_rows,
    uninterrupted_by_site,
)

__all__ = ["overview_record", "study_overview"]


@dataclass
class _Site:
    """What is counted of a site; of several together when they are added up."""

    states: Counter[str] = field(default_factory=Counter)
    inclusions: Counter[date] = field(default_factory=Counter)
    visits: list[CountedVisit] = field(default_factory=list)
    aucs: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, other: _Site) -> None:
        self.states += other.states
        self.inclusions += other.inclusions
        self.visits += other.visits
        for visit, values in other.aucs.items():
            self.aucs[visit] += values


def study_overview(session: Session, study: Study, site: str | None = None) -> tuple[Overview, ...]:
    """The numbers of one site; of all together and then of each site, where there are several."""
    order = [one.id for one in study.newest[1].encounters]
    sites = _counted(session, study, order, site)
    if site is not None:
        return (_overview(site, order, sites[site]),)
    together = _Site()
    for one in sites.values():
        together.add(one)
    each = [_overview(name, order, one) for name, one in sorted(sites.items())] if len(sites) > 1 else []
    return (_overview(None, order, together), *each)


def _overview(name: str | None, order: Sequence[str], found: _Site) -> Overview:
    return Overview(
        site=name,
        subjects=found.states.total(),
        states=tuple(sorted(found.states.items())),
        recruitment=months(found.inclusions),
        visits=count_visits(order, found.visits, found.aucs),
    )


def _counted(
    session: Session, study: Study, order: Sequence[str], site: str | None
) -> defaultdict[str, _Site]:
    """What is counted of each site that has subjects."""
    sites: defaultdict[str, _Site] = defaultdict(_Site)
    for name, is_parked, count in uninterrupted_by_site(session, site):
        sites[name].states["parked" if is_parked else "active"] += count
    interrupted = interrupted_rows(session, site)
    states = states_of(session, interrupted)
    for row in interrupted:
        sites[row.site_id].states[states[row.code]] += 1
    for name, day, count in inclusions(session, order[0], site):
        sites[name].inclusions[day] += count
    for expected in expected_visits(session, site):
        one = CountedVisit(expected.visit, VisitStatus(expected.status), count=expected.number)
        sites[expected.site].visits.append(one)
    for name, visit in _attended(session, study, site):
        sites[name].visits.append(visit)
    for name, of_visit, value in counted_aucs(session, site):
        sites[name].aucs[of_visit].append(value)
    return sites


def _attended(session: Session, study: Study, site: str | None) -> Iterator[tuple[str, CountedVisit]]:
    first = next(iter(study.calendars.values()))
    for line in attended_lines(session, site):
        zone = study.calendars.get(line.site, first).zone
        day = local_date(line.attended_at, zone)
        status, missing = VisitStatus(line.status), _kinds(line.missing)
        yield line.site, CountedVisit(line.visit, status, line.first, line.last, day, missing)


@lru_cache(1024)
def _kinds(missing: str) -> tuple[str, ...]:
    """What kinds of records the reasons `missing_…` of a visit are about."""
    codes = (one["code"] for one in json.loads(missing))
    return tuple(code.removeprefix("missing_").removesuffix("_lost") for code in codes)


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
