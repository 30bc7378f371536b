"""Rebuilding derives everything again, tells every difference and sends nothing."""

from __future__ import annotations

import pytest
from engine_desk import SUBJECT, Desk, at
from sqlalchemy import text
from sqlmodel import Session

from scheduler.engine.reconcile import rebuild
from scheduler.store.tables import (
    ExposureRow,
    FlagRow,
    OutboxRow,
    SubjectRow,
)


@pytest.fixture
def lived(desk: Desk) -> Desk:
    """A subject with visits, draws, an estimate, an open flag and mails."""
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab()
    desk.now = at(9, 0, 27, 10)
    desk.reconcile()
    assert {"visit_overdue", "visit_incomplete"} <= desk.open_flags()
    return desk


def rebuilt(desk: Desk) -> list[str]:
    def step(session: Session) -> list[str]:
        subject = session.get(SubjectRow, SUBJECT)
        assert subject is not None
        return rebuild(session, desk.study, subject, desk.now)

    return desk.db.transact(step)


def test_rebuilding_an_untouched_database_finds_and_changes_nothing(lived: Desk) -> None:
    before, flags = lived.derived(), {row.key: row.opened_at for row in lived.rows(FlagRow)}
    said = lived.rows(OutboxRow), lived.rows(ExposureRow)
    assert rebuilt(lived) == []
    assert lived.derived() == before
    assert {row.key: row.opened_at for row in lived.rows(FlagRow)} == flags
    assert (len(lived.rows(OutboxRow)), len(lived.rows(ExposureRow))) == tuple(map(len, said))


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        ("UPDATE visit SET status = 'complete' WHERE visit = 'W6'", ["visit W6: now overdue"]),
        ("DELETE FROM visit WHERE visit = 'Y1'", ["visit Y1: now planned"]),
        ("UPDATE sampling SET tube = 'T-9' WHERE point = 'H2'", ["visit INCLUSION: now incomplete"]),
        ("DELETE FROM sampling", ["visit INCLUSION: now incomplete"]),
        ("DELETE FROM flag WHERE code = 'visit_overdue'", [f"flag opened: {SUBJECT}|W6|visit_overdue|-"]),
    ],
)
def test_rebuilding_reports_and_repairs_what_was_tampered_with(
    lived: Desk, tamper: str, expected: list[str]
) -> None:
    before = lived.derived()
    lived.db.transact(lambda session: session.execute(text(tamper)))
    found = rebuilt(lived)
    assert [one for one in found if one in expected] == expected, found
    assert lived.derived() == before
    assert rebuilt(lived) == []


def test_rebuilding_sends_nothing(lived: Desk) -> None:
    mails = {row.key for row in lived.rows(OutboxRow)}
    lived.db.transact(lambda session: session.execute(text("DELETE FROM visit")))
    lived.db.transact(lambda session: session.execute(text("DELETE FROM flag")))
    assert rebuilt(lived)
    lived.reconcile()
    assert {row.key for row in lived.rows(OutboxRow)} == mails
