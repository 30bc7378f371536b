"""One subject: its year, and the AUC of each of its visits with the picture of the concentrations."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any

from sqlmodel import Session
from starlette.responses import Response

from pk.pictures.image import png
from scheduler.console.actions import CORRECTORS, Action, subject_actions, visit_actions
from scheduler.console.page import TEAM, Asked, Page
from scheduler.console.show import refused, show
from scheduler.domain.history import fold
from scheduler.domain.pictures import range_of
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.speech import Speaker
from scheduler.engine.picture.curve import CurveSketch, curve_sketches
from scheduler.engine.picture.year import NARROW, WIDE, year_svg
from scheduler.engine.picture.year_auc import auc_svg
from scheduler.engine.report.aucs import auc_rows, weights_said
from scheduler.engine.report.patient_report import VisitReport
from scheduler.engine.report.rows import subject_state
from scheduler.engine.report.subject_year import SubjectYear, subject_year
from scheduler.store.subjects import load_history
from scheduler.store.tables import SubjectRow

__all__ = ["PAGES"]

_DRAWING = Lock()  # what knows how large letters are is shared by all pictures
_WIDTHS = (("narrow", NARROW), ("wide", WIDE))


def _row(session: Session, asked: Asked) -> tuple[SubjectRow, Speaker]:
    row = session.get(SubjectRow, asked.path["subject"])
    assert row is not None  # `decide` found its site
    return row, asked.desk.speaker(asked.language, row.site_id)


def _year(asked: Asked) -> Response:
    def step(session: Session) -> tuple[SubjectYear, Speaker, str]:
        row, speaker = _row(session, asked)
        state = subject_state(row, fold(load_history(session, row.code)))
        return subject_year(session, asked.desk.study, row, speaker, asked.now), speaker, state

    found, speaker, state = asked.desk.database.read(step)
    report = found.report
    bands = [band for band, _ in report.bands]
    return show(
        asked,
        "subject.html",
        found=found,
        report=report,
        words=speaker,
        years=[
            (name, year_svg(report.year, speaker, width=width, name=f"y-{name}")) for name, width in _WIDTHS
        ],
        aucs=[
            (
                name,
                auc_svg(
                    report.subject,
                    found.aucs,
                    bands,
                    report.year.span,
                    speaker,
                    width=width,
                    name=f"a-{name}",
                ),
            )
            for name, width in _WIDTHS
            if found.aucs
        ],
        actions=list(subject_actions(report.subject, state, asked.roles)),
        visit_actions={one.id: list(_of_visit(asked, found, one)) for one in report.visits},
        may_correct=bool(asked.roles & CORRECTORS),
        range_of=range_of,
    )


def _of_visit(asked: Asked, found: SubjectYear, visit: VisitReport) -> Iterator[Action]:
    status, booked = VisitStatus(found.why[visit.id].status), visit.booked is not None
    return visit_actions(found.report.subject, visit.id, status, asked.roles, is_booked=booked)


def _auc(asked: Asked) -> Response:
    def step(session: Session) -> tuple[list[dict[str, Any]], bool, Speaker]:
        row, speaker = _row(session, asked)
        rows = auc_rows(session, speaker, row.code, asked.path["visit"], history=True)
        return rows, _sketch(session, asked, row, speaker) is not None, speaker

    rows, has_picture, speaker = asked.desk.database.read(step)
    if not rows:
        return refused(asked, 404)
    return show(
        asked,
        "auc.html",
        subject=asked.path["subject"],
        visit=asked.path["visit"],
        rows=[one for one in rows if one["in_force"]],
        earlier=[one for one in rows if not one["in_force"]],
        has_picture=has_picture,
        words=speaker,
        range_of=range_of,
        weights_said=weights_said,
    )


def _sketch(session: Session, asked: Asked, row: SubjectRow, speaker: Speaker) -> CurveSketch | None:
    visit = asked.path["visit"]
    return curve_sketches(session, asked.desk.study, row, speaker, visit).get(visit)


def _picture(asked: Asked) -> Response:
    sketch = asked.desk.database.read(lambda session: _sketch(session, asked, *_row(session, asked)))
    with _DRAWING:
        curve = sketch.picture() if sketch is not None else None
        if curve is None:
            return refused(asked, 404)
        return Response(png(curve), media_type="image/png")


PAGES = (
    Page("/subjects/{subject}", TEAM, _year),
    Page("/subjects/{subject}/visits/{visit}/auc", TEAM, _auc),
    Page("/subjects/{subject}/visits/{visit}/auc/picture", TEAM, _picture, quiet=True),
)
