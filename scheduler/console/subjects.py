"""The subjects as a list."""

from __future__ import annotations

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.page import RECORDERS, TEAM, Asked, Page
from scheduler.console.paging import Paging, paging
from scheduler.console.show import show
from scheduler.engine.report.subject_states import states_of
from scheduler.store.subject_list import count_subjects, subjects_of, visits_of

__all__ = ["PAGES"]


def _list(asked: Asked) -> Response:
    search = asked.query.get("search", "").strip().upper()[:20]

    def step(session: Session) -> tuple[int, Paging, list[dict[str, object]]]:
        count = count_subjects(session, asked.sites, search)
        pages = paging(asked, count, ("search",))
        rows = subjects_of(session, asked.sites, search, pages.offset, pages.size)
        codes = [row.code for row in rows]
        visits, states = visits_of(session, codes), states_of(session, rows)
        return (
            count,
            pages,
            [
                {
                    "code": row.code,
                    "site": row.site_id,
                    "state": states[row.code],
                    "visits": visits.get(row.code, {}),
                }
                for row in rows
            ],
        )

    count, pages, rows = asked.desk.database.read(step)
    return show(
        asked,
        "subjects.html",
        rows=rows,
        count=count,
        search=search,
        pages=pages,
        may_enrol=bool(asked.roles & RECORDERS),
        encounters=asked.desk.study.newest[1].encounters,
    )


PAGES = (Page("/subjects", TEAM, _list, nav="subjects"),)
