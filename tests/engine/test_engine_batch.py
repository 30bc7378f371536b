"""Subjects that are due together share a transaction: all of it holds, or what fails is done one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from engine_desk import OTHER, SUBJECT, Desk, at
from sqlmodel import Session

from scheduler.domain.events import DomainEvent
from scheduler.engine.reconcile import reconcile_step
from scheduler.store.tables import OutboxRow

THIRD = "MPA-0002-1"


def overdue(desk: Desk) -> Desk:
    """Three subjects whose second visit is overdue: each has something to be told."""
    for code in (SUBJECT, OTHER, THIRD):
        desk.enrol(code)
    desk.now = at(9, 0, 22, 10)
    return desk


def statuses(desk: Desk) -> list[str]:
    return [desk.status("W6", code) for code in (SUBJECT, OTHER, THIRD)]


def test_a_stop_in_the_middle_leaves_all_of_them_due(desk: Desk) -> None:
    overdue(desk)
    before = desk.everything()
    handle = desk.handle
    assert handle is not None

    def stop(session: Session, events: Sequence[DomainEvent], now: datetime) -> None:
        assert len(events) > 2
        handle(session, events[:2], now)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reconcile_step(desk.db, desk.study, desk.now, stop)
    assert desk.everything() == before
    assert reconcile_step(desk.db, desk.study, desk.now, handle)[0] == 3
    assert statuses(desk) == ["overdue"] * 3


def test_when_one_fails_the_others_are_done_all_the_same_and_once(desk: Desk) -> None:
    overdue(desk)
    handle = desk.handle
    assert handle is not None

    def fail(session: Session, events: Sequence[DomainEvent], now: datetime) -> None:
        if any(getattr(event, "subject", None) == OTHER for event in events):
            raise LookupError("the address book is gone")
        handle(session, events, now)

    done, upcoming = reconcile_step(desk.db, desk.study, desk.now, fail)
    assert (done, upcoming) == (3, desk.now + timedelta(minutes=1))  # the one that failed is tried again
    assert statuses(desk) == ["overdue", "planned", "overdue"]
    assert [desk.subject(code).failures for code in (SUBJECT, OTHER, THIRD)] == [0, 1, 0]
    assert {row.subject for row in desk.rows(OutboxRow, visit="W6")} == {SUBJECT, THIRD}


def test_a_step_takes_no_more_than_its_limit_and_says_that_more_is_due(desk: Desk) -> None:
    overdue(desk)
    assert desk.handle is not None
    done, upcoming = reconcile_step(desk.db, desk.study, desk.now, desk.handle, limit=2)
    assert (done, upcoming is not None and upcoming <= desk.now) == (2, True)
    done, upcoming = reconcile_step(desk.db, desk.study, desk.now, desk.handle, limit=2)
    assert (done, upcoming is not None and upcoming > desk.now) == (1, True)
    assert statuses(desk) == ["overdue"] * 3


def test_nothing_due_is_answered_with_the_next_instant(desk: Desk) -> None:
    desk.enrol()
    assert desk.handle is not None
    upcoming = desk.subject().next_wake
    before = desk.everything()
    assert reconcile_step(desk.db, desk.study, desk.now, desk.handle) == (0, upcoming)
    assert desk.everything() == before
