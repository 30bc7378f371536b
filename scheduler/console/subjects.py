"""The subjects as a list."""

from __future__ import annotations

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.page import RECORDERS, TEAM, Asked, Page
from scheduler.console.show import show
from scheduler.domain.history import fold
from scheduler.engine import report
from scheduler.store.subject_list import subjects_of, visits_of
from scheduler.store.subjects import load_history

__all__ = ["PAGES"]

_ON_A_PAGE = 50


def _list(asked: Asked) -> Response:
    search = asked.query.get("search", "").strip().upper()[:20]
    number = asked.query.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and 0 < int(number[:6]) < 10_000 else 1

    def step(session: Session) -> tuple[int, list[dict[str, object]]]:
        count, rows = subjects_of(session, asked.sites, search, (page - 1) * _ON_A_PAGE, _ON_A_PAGE)
        visits = visits_of(session, [row.code for row in rows])
        return count, [
            {
                "code": row.code,
                "site": row.site_id,
                "state": report.subject_state(row, fold(load_history(session, row.code))),
                "visits": visits.get(row.code, {}),
            }
            for row in rows
        ]

    count, rows = asked.desk.database.read(step)
    return show(
        asked,
        "subjects.html",
        rows=rows,
        count=count,
        search=search,
        page=page,
        pages=max(1, -(-count // _ON_A_PAGE)),
        may_enrol=bool(asked.roles & RECORDERS),
        encounters=asked.desk.study.newest[1].encounters,
    )


PAGES = (Page("/subjects", TEAM, _list, nav="subjects"),)
