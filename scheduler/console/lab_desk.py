"""The laboratory desk: what came, what was refused, what waits for somebody's decision, what is still expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.page import TEAM, Asked, Page, as_typed
from scheduler.console.paging import Paging, address, paging
from scheduler.console.show import go, refused, show
from scheduler.domain.discreet import discreet_code, discreet_tube
from scheduler.domain.facts import Source
from scheduler.domain.reason import Reason, because, from_json
from scheduler.domain.reconciliation import Line, LineState, discreet_place
from scheduler.engine.account.accounts import Role
from scheduler.intake.findings import Severity
from scheduler.intake.held.review import Decision, UndecidableError
from scheduler.intake.held.review import review as decide
from scheduler.intake.held.waiting import HeldRow, waiting_rows
from scheduler.intake.study import IntakeStudy, intake_study
from scheduler.store.lab.desk import count_files, file_rows, newest_files, quarantined_files, sites_of_files
from scheduler.store.lab.held import decided_of
from scheduler.store.reconciliation import load_tally
from scheduler.store.tables import LabFileRow, LabResultVersionRow, LabReviewRow

__all__ = ["PAGES", "REVIEWERS"]

REVIEWERS = TEAM - {Role.NURSE}  # choice: whoever may say whether a result is used
_FIRST, _REASON = 10, 500  # of each list on the desk; a link leads to the others
_EXPECTED_STATES = (LineState.MISSING, LineState.AWAITED)


class _List(StrEnum):
    """The lists of the desk; each has a page of its own."""

    HELD = "held"
    QUARANTINED = "quarantined"
    EXPECTED = "expected"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class _Part:
    """Some rows of a list, how many there are, and where all of them are when these are only the first."""

    rows: Sequence[Any]
    count: int
    whole: str | None = None


def _desk(asked: Asked) -> Response:
    listed = asked.query.get("show", "")
    which = _List(listed) if listed in set(_List) else None
    lab, pages = asked.desk.database.read(lambda session: _look(session, asked, which))
    protocol = asked.desk.study.newest[1]
    return show(
        asked,
        "lab.html",
        lab={one.value: part for one, part in lab.items()},
        which=which,
        pages=pages,
        say=lambda reason: asked.speaker.say(from_json(reason)),
        place=lambda line: discreet_place(line.place, protocol),
        place_of=lambda row: discreet_place(
            (row.entry.subject, row.entry.visit, row.entry.timepoint), protocol
        ),
        tube=discreet_tube,
        done=asked.query.get("done", ""),
        row=asked.query.get("row", ""),
    )


def _look(session: Session, asked: Asked, which: _List | None) -> tuple[dict[_List, _Part], Paging | None]:
    """The beginning of every list; or a page of one."""
    find: dict[_List, Callable[[], Sequence[Any]]] = {
        _List.HELD: lambda: _held_rows(session, asked),
        _List.QUARANTINED: lambda: quarantined_files(session, asked.sites),
        _List.EXPECTED: lambda: _expected(session, asked),
    }
    if which is None:
        parts = {}
        for one, rows in ((name, look()) for name, look in find.items()):
            parts[one] = _part(asked, one, rows[:_FIRST], len(rows))
        files = newest_files(session, asked.sites, 0, _FIRST)
        parts[_List.FILES] = _part(asked, _List.FILES, files, count_files(session, asked.sites))
        return parts, None
    if which is _List.FILES:
        count = count_files(session, asked.sites)
        pages = paging(asked, count, ("show",))
        return {which: _Part(newest_files(session, asked.sites, pages.offset, pages.size), count)}, pages
    every = find[which]()
    pages = paging(asked, len(every), ("show",))
    return {which: _Part(every[pages.offset : pages.offset + pages.size], len(every))}, pages


def _part(asked: Asked, which: _List, rows: Sequence[Any], count: int) -> _Part:
    return _Part(rows, count, address(asked, (), show=which.value) if count > len(rows) else None)


def _held_rows(session: Session, asked: Asked) -> list[HeldRow]:
    held = waiting_rows(session, _intake(asked), asked.now)
    sites = sites_of_files(session, {one.file_id for one in held})
    return [one for one in held if sites.get(one.file_id) in asked.sites]


def _expected(session: Session, asked: Asked) -> list[Line]:
    """The tubes of which nothing came, of every laboratory."""
    return [
        line
        for lab in asked.desk.study.labs.values()
        if lab.site in asked.sites
        for line in load_tally(session, lab.site, lab.code, asked.now, asked.now)
        if line.state in _EXPECTED_STATES
    ]


def _intake(asked: Asked) -> IntakeStudy:
    study = asked.desk.study
    return intake_study(study.newest[1], study.labs.values(), next(iter(study.sites)))


def _row(asked: Asked) -> Response:
    return _review(asked) if asked.posted else _row_page(asked)


def _row_page(asked: Asked, reasons: tuple[Reason, ...] = ()) -> Response:
    number = int(asked.path["row"])

    def step(session: Session) -> dict[str, Any]:
        row = session.get(LabResultVersionRow, number)
        assert row is not None  # `decide` found its site
        file = session.get(LabFileRow, row.file_id)
        waits = next(
            (one for one in waiting_rows(session, _intake(asked), asked.now) if one.number == number), None
        )
        return {
            "line": row,
            "file": file,
            "waits": waits,
            "decided": decided_of(session, [number]).get(number),
            "why": [from_json(one["reason"]) for one in row.findings if one["severity"] == Severity.HOLD],
        }

    found = asked.desk.database.read(step)
    protocol = asked.desk.study.newest[1]
    decided: LabReviewRow | None = found["decided"]
    return show(
        asked,
        "lab_row.html",
        status=422 if reasons else 200,
        **found,
        subject=discreet_code(found["line"].subject, protocol.subject_pattern),
        tube=discreet_tube(found["line"].specimen),
        what=_decision(decided.decision, decided.after["timepoint"]) if decided is not None else None,
        problems=[asked.speaker.say(one) for one in reasons if one.code != "refused_text_needed"],
        needs_reason=any(one.code == "refused_text_needed" for one in reasons),
        given=asked.form,
        points=[one.id for one in protocol.points if one.id != found["line"].timepoint],
        may_review=bool(asked.roles & REVIEWERS),
    )


def _decision(decision: str, timepoint: str) -> Reason:
    return because(f"decision_{decision}", timepoint=timepoint)


def _review(asked: Asked) -> Response:
    number, decision = int(asked.path["row"]), asked.form.get("decision", "")
    if decision not in set(Decision):
        return _row_page(asked, (because("refused_decision_needed"),))
    reason, point = asked.form.get("reason", "").strip()[:_REASON], asked.form.get("timepoint", "")
    by_two = asked.desk.settings.intake.two_reviewers
    try:
        done = asked.desk.database.transact(
            lambda session: decide(
                session, _intake(asked), number, Decision(decision), reason, asked.name, asked.now, point,
                by_two=by_two, source=Source.CONSOLE,
            )
        )  # fmt: skip
    except UndecidableError as error:
        if _is_mine(asked, number, Decision(decision)):
            return go(f"/lab?done=decided&row={number}")  # sent twice
        return _row_page(asked, tuple(error.reasons))
    return go(f"/lab?done={'proposed' if done.proposed else 'decided'}&row={number}")


def _is_mine(asked: Asked, number: int, decision: Decision) -> bool:
    """Whether the same person decided the same of this row before."""
    found = asked.desk.database.read(lambda session: decided_of(session, [number]).get(number))
    return found is not None and (found.by, found.decision) == (asked.name, decision.value)


def _file(asked: Asked) -> Response:
    number = int(asked.path["file"])

    def step(session: Session) -> tuple[LabFileRow | None, list[LabResultVersionRow]]:
        return session.get(LabFileRow, number), list(file_rows(session, number))

    file, rows = asked.desk.database.read(step)
    if file is None:
        return refused(asked, 404)
    pattern = asked.desk.study.newest[1].subject_pattern
    return show(
        asked,
        "lab_file.html",
        file=file,
        rows=rows,
        say=lambda reason: asked.speaker.say(from_json(reason)),
        code=lambda text: discreet_code(text, pattern),
        tube=discreet_tube,
        notes=file.receipt.get("notes", []),
    )


PAGES = (
    Page("/lab", TEAM, _desk, nav="laboratory"),
    Page("/lab/rows/{row}", TEAM, _row, posts=True, keeps=as_typed, post_roles=REVIEWERS),
    Page("/lab/files/{file}", TEAM, _file),
)
