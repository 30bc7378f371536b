"""What delivery asks about many mails is read for all of them together, and answered as for each alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from engine_desk import OTHER, SUBJECT, Desk
from sqlalchemy import event
from sqlmodel import Session, select

from scheduler.domain.facts import Attended
from scheduler.engine.recheck import make_foresee, make_recheck
from scheduler.store.tables import OutboxRow


@pytest.fixture
def waiting(desk: Desk) -> Desk:
    """Reminders about two subjects, one of whom came meanwhile."""
    for code in (SUBJECT, OTHER):
        desk.enrol(code)
    for _ in range(25):  # what was due on each day is still of use for some days
        desk.now += timedelta(days=1)
        while desk.reconcile():
            pass
    desk.say(Attended("INCLUSION", desk.now - timedelta(days=20)), OTHER)
    return desk


def answers(desk: Desk, together: bool) -> tuple[list[Any], int]:
    """What is said of each mail, and how many statements that took."""
    statements: list[str] = []
    foresee, recheck = make_foresee(desk.study), make_recheck(desk.study)

    def step(session: Session) -> list[Any]:
        rows = list(session.exec(select(OutboxRow).order_by(OutboxRow.key)))
        session.connection()
        event.listen(desk.db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        if together:
            foresee(session, rows, desk.now)
        return [recheck(session, row, desk.now) for row in rows]

    return desk.db.read(step), len(statements)


def test_the_answers_are_the_same_and_take_one_look(waiting: Desk) -> None:
    alone, many = answers(waiting, together=False)
    together, few = answers(waiting, together=True)
    assert together == alone
    assert len(alone) > 4 and len({one is None for one in alone}) == 2  # some leave, some do not
    assert few < many
