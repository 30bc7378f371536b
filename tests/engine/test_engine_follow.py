"""What follows from records: estimates and their versions, reconciliation, poison."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from random import Random

import pytest
from engine_desk import MORNING, OTHER, PAWINSKI, SUBJECT, Desk, at
from sqlalchemy import text
from sqlmodel import Session, SQLModel, col, select

from scheduler.domain.events import DomainEvent
from scheduler.domain.facts import SampleDrawn, VisitBooked, VisitMoved, What
from scheduler.domain.subject_code import check_digit
from scheduler.engine.recheck import make_recheck
from scheduler.engine.study import Study
from scheduler.intake.findings import Verdict
from scheduler.store.database import Database
from scheduler.store.subjects import wake_all
from scheduler.store.tables import (
    AuditRow,
    ExposureRow,
    FlagRow,
    OutboxRow,
    SamplingRow,
    VisitRow,
)

# --- the life of an estimate ------------------------------------------------------------------------------------


def test_an_estimate_is_made_amended_and_withdrawn_and_every_version_stays(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(14, 0, 3)
    assert desk.lab() is Verdict.ACCEPTED
    assert desk.auc() == [(1, pytest.approx(PAWINSKI))]
    assert {row.staff_id for row in desk.mails("auc_available")} == {"pharmacist-1", "investigator-1"}

    desk.now = at(14, 0, 9)
    assert desk.lab({"H2": "9.40"}, status="C", replaces="R-H2-1") is Verdict.ACCEPTED
    assert desk.auc() == [(1, pytest.approx(PAWINSKI)), (2, pytest.approx(PAWINSKI + 2.43 * 3))]
    assert len(desk.mails("auc_amended")) == 2

    desk.now = at(14, 0, 12)
    assert desk.lab({"H2": ""}, status="W", replaces="R-H2-2") is Verdict.ACCEPTED
    assert desk.auc()[:2] == [(1, pytest.approx(PAWINSKI)), (2, pytest.approx(PAWINSKI + 2.43 * 3))]
    assert desk.auc()[2:] == [(3, None)]
    assert len(desk.mails("auc_withdrawn")) == 2


def test_two_of_three_results_make_no_estimate(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab({"H0": "1.85", "H30": "14.20"})
    assert desk.auc() == []
    assert desk.mails("auc_available") == []


def test_a_correction_that_changes_no_input_makes_no_new_version(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab()
    desk.correct(desk.number("attended"), {"at": at(8, 6).isoformat()})
    assert [version for version, _ in desk.auc()] == [1]
    desk.correct(desk.number("dose_given"), {"dose_mg": 1500})
    assert [version for version, _ in desk.auc()] == [1, 2]


def test_the_inputs_of_every_estimate_are_on_record(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab()
    rows = desk.rows(ExposureRow)
    assert {row.inputs_hash for row in rows} != {None}
    for row in rows:
        assert row.inputs and "14.2" in row.inputs
        assert (row.value is None) == bool(row.reasons)


# --- reconciling ------------------------------------------------------------------------------------------------


def test_reconciling_a_second_time_writes_nothing(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab()
    before = desk.everything()
    desk.db.transact(lambda session: wake_all(session, desk.now))
    assert desk.reconcile() == 1
    assert desk.everything() == before
    assert desk.reconcile() == 0


def test_the_order_in_which_records_arrive_does_not_matter(desk: Desk, study: Study) -> None:
    orders = list(permutations(MORNING))
    chosen = [tuple(MORNING), tuple(reversed(MORNING)), *Random(7).sample(orders, 4)]
    found = []
    for number, order in enumerate(chosen):
        code = f"MPA-{number:04d}-{check_digit(f'{number:04d}')}"
        desk.now = at(10, 0, 29, 8)
        desk.enrol(code)
        desk.now = at(11, 0)
        for what in order:
            desk.say(_with_tube(what, code), code)
        rows = [
            *desk.rows(VisitRow, subject=code),
            *desk.rows(SamplingRow, subject=code),
            *(row for row in desk.rows(FlagRow, subject=code) if row.closed_at is None),
        ]
        found.append(sorted(_plain(row, code) for row in rows))
    assert all(one == found[0] for one in found[1:])


def _with_tube(what: What, code: str) -> What:
    return replace(what, tube=f"{what.tube}/{code}") if isinstance(what, SampleDrawn) else what


def _plain(row: SQLModel, code: str) -> str:
    return repr(sorted(row.model_dump(exclude={"id", "opened_at"}).items())).replace(code, "S")


def test_a_mail_is_looked_at_again_before_it_is_written(desk: Desk) -> None:
    desk.enrol()
    booked = VisitBooked("W6", datetime(2025, 10, 13, 8, 30))  # noqa: DTZ001
    desk.say(booked)
    desk.now = at(9, 0, 10, 10)  # three days before: the reminder is due
    desk.reconcile()
    recheck = make_recheck(desk.study)

    def look(template: str) -> list[str | None]:
        def step(session: Session) -> list[str | None]:
            rows = session.exec(
                select(OutboxRow).where(OutboxRow.template == template).order_by(col(OutboxRow.id))
            )
            found = [recheck(session, row, desk.now) for row in rows]
            return [reason.code if reason is not None else None for reason in found]

        return desk.db.transact(step)

    assert look("visit_soon") == [None, None]
    assert look("visit_booked") == [None, None]
    desk.say(VisitMoved("W6", datetime(2025, 10, 15, 8, 30), "holiday"))  # noqa: DTZ001
    assert look("visit_soon") == ["recheck_no_longer_due"] * 2
    assert look("visit_booked") == ["recheck_date_changed_again"] * 2
    assert look("date_changed") == [None, None]


# --- poison -----------------------------------------------------------------------------------------------------


def poison(db: Database) -> None:
    """A record that nobody can read, as a faulty program might have left it."""
    statement = (
        "INSERT INTO fact (subject, kind, payload, recorded_at, recorded_by, source) "
        f"SELECT code, 'attended', '{{\"visit\": 7}}', enrolled_at, 'x', 'cli' FROM subject WHERE code = '{SUBJECT}'"
    )
    db.transact(lambda session: session.connection().exec_driver_sql(statement))
    db.transact(lambda session: session.execute(text("UPDATE subject SET next_wake = enrolled_at")))


def test_a_subject_that_fails_is_parked_after_three_attempts_and_the_others_go_on(desk: Desk) -> None:
    desk.enrol()
    desk.enrol(OTHER)
    poison(desk.db)
    for failures in (1, 2, 3):
        assert desk.subject().parked is None
        desk.reconcile()
        assert desk.subject().failures == failures
        desk.now += timedelta(minutes=5)
    assert desk.subject().parked == "ValidationError"
    assert desk.open_flags() == {"subject_parked"}
    assert desk.subject(OTHER).failures == 0
    before = desk.everything()
    assert desk.reconcile() == 0  # left alone from now on
    assert desk.everything() == before
    desk.now = at(9, 0, 13, 8)
    assert desk.say(VisitBooked("W6", datetime(2025, 10, 13, 8, 30)), OTHER).number  # noqa: DTZ001
    failed = [row for row in desk.rows(AuditRow) if row.action == "reconcile_failed"]
    assert [row.detail for row in failed] == [{"error": "ValidationError"}] * 3


def test_acknowledging_the_flag_takes_a_parked_subject_up_again(desk: Desk) -> None:
    desk.sampled()
    broken = [True]

    def sometimes(session: Session, event: DomainEvent, now: datetime) -> None:
        if broken:
            raise LookupError("the address book is gone")

    failing = Desk(
        desk.db, desk.study, at(9, 0, 22, 10), sometimes
    )  # W6 is overdue: there is something to say
    for _ in range(3):
        failing.reconcile()
        failing.now += timedelta(minutes=5)
    assert failing.subject().parked == "LookupError"
    broken.clear()
    flag = failing.flag("subject_parked")
    assert flag.id is not None
    failing.acknowledge(flag.id)
    assert failing.subject().parked is None
    assert failing.reconcile() == 1
    assert "subject_parked" not in failing.open_flags()
    assert failing.status("W6") == "overdue"
