"""Held rows: what is said of them, and what resolves by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from held_cases import NOW, Row, accepted, decide, look_again, receive, waiting
from intake_cases import H0, H2, H30, OTHER, SUBJECT, Bench
from sqlmodel import Session, select

from scheduler.intake.held.review import Decision
from scheduler.store.lab.results import accepted_versions
from scheduler.store.tables import SubjectRow, VisitRow

SAID: dict[str, tuple[Row, str, str]] = {
    "unknown subject": ({**H0, "subject_id": OTHER}, "R-01", "settles_records"),
    "day of no visit": ({**H0, "collected_at": "05/01/2026 08:00"}, "R-32.window", "settles_records"),
    "no unit": ({**H0, "unit": ""}, "R-15", "settles_laboratory"),
    "implausible": ({**H0, "value": "60"}, "R-14", "settles_person"),
    "comment": ({**H0, "comment": "erroné"}, "R-33", "settles_person"),
}


@pytest.mark.parametrize(("row", "why", "settles"), SAID.values(), ids=list(SAID))
def test_a_held_row_says_why_it_waits_and_what_settles_it(
    bench: Bench, row: Row, why: str, settles: str
) -> None:
    receive(bench, row)
    (found,) = waiting(bench)
    assert ([one.code for one in found.why], found.settles.code) == ([why], settles)
    assert (found.file, found.row, found.since) == ("results.csv", 2, NOW)


def test_after_14_days_a_person_has_to_decide(bench: Bench) -> None:
    receive(bench, {**H0, "collected_at": "05/01/2026 08:00"})
    assert waiting(bench, NOW + timedelta(days=14))[0].settles.code == "settles_records"
    assert waiting(bench, NOW + timedelta(days=14, seconds=1))[0].settles.code == "settles_person"


# --- what resolves by itself


def change_visit(bench: Bench, **changes: Any) -> None:
    def step(session: Session) -> None:
        visit = session.get(VisitRow, (SUBJECT, "W6"))
        assert visit is not None
        for name, value in changes.items():
            setattr(visit, name, value)
        session.add(visit)

    bench.db.transact(step)


def test_R04_a_row_without_visit_waits_for_the_attendance_of_that_day(bench: Bench) -> None:
    receive(bench, {**H0, "visit": ""})
    assert [one.code for one in waiting(bench)[0].why] == ["R-04.missing"]
    change_visit(bench, attended_at=datetime(2026, 1, 14, 7, 0, tzinfo=UTC))
    look_again(bench)
    assert accepted(bench) == []
    change_visit(bench, attended_at=datetime(2026, 1, 15, 7, 0, tzinfo=UTC))
    look_again(bench)
    assert accepted(bench) == [("W6", "H0", "1.85")]
    assert [one["reason"]["code"] for one in bench.versions()[-1].findings] == ["R-04.derived"]


@pytest.mark.parametrize("on_record", [{"attended_at": datetime(2026, 1, 15, 6, 50, tzinfo=UTC)},
                                       {"booked_local": "2026-01-15T08:00"}])  # fmt: skip
def test_R04_the_visit_of_the_day_is_taken_at_once_and_said(bench: Bench, on_record: dict[str, Any]) -> None:
    change_visit(bench, **on_record)
    receive(bench, *({**row, "visit": ""} for row in (H0, H30, H2)))
    assert {visit for visit, _, _ in accepted(bench)} == {"W6"}
    assert [one["reason"]["code"] for one in bench.versions()[0].findings] == ["R-04.derived"]


def add_visit(bench: Bench, name: str, **changes: Any) -> None:
    def step(session: Session) -> None:
        visit = session.exec(select(VisitRow).where(VisitRow.visit == "W6")).one()
        session.add(VisitRow(**{**visit.model_dump(), "visit": name, **changes}))

    bench.db.transact(step)


def test_R04_between_two_visits_of_one_day_nothing_is_guessed(bench: Bench) -> None:
    day = {"attended_at": datetime(2026, 1, 15, 6, 50, tzinfo=UTC)}
    change_visit(bench, **day)
    add_visit(bench, "W12", **day)
    receive(bench, {**H0, "visit": ""})
    assert [one.code for one in waiting(bench)[0].why] == ["R-04.missing"]
    change_visit(bench, attended_at=datetime(2026, 1, 8, 6, 50, tzinfo=UTC))
    look_again(bench)
    assert accepted(bench) == [("W12", "H0", "1.85")]


def test_R04_an_attendance_counts_more_than_an_appointment(bench: Bench) -> None:
    change_visit(bench, booked_local="2026-01-15T08:00")
    add_visit(bench, "W12", attended_at=datetime(2026, 1, 15, 6, 50, tzinfo=UTC))
    receive(bench, {**H0, "visit": ""})
    assert [visit for visit, _, _ in accepted(bench)] == ["W12"]


def test_R04_the_day_is_the_laboratorys(bench: Bench) -> None:
    change_visit(bench, attended_at=datetime(2026, 1, 14, 23, 30, tzinfo=UTC))  # 00:30 in Paris
    receive(bench, {**H0, "visit": "", "collected_at": "15/01/2026 00:40"})
    assert [visit for visit, _, _ in accepted(bench)] == ["W6"]


def test_R04_a_visit_without_samples_is_no_choice(bench: Bench) -> None:
    add_visit(bench, "M9", attended_at=datetime(2026, 1, 15, 6, 50, tzinfo=UTC))
    receive(bench, {**H0, "visit": ""})
    assert accepted(bench) == []


def test_R04_a_cancelled_visit_that_is_due_again_lets_its_rows_in(bench: Bench) -> None:
    change_visit(bench, status="cancelled")
    receive(bench, H0)
    assert [one.code for one in waiting(bench)[0].why] == ["R-04.cancelled"]
    change_visit(bench, status="planned")
    look_again(bench)
    assert accepted(bench) == [("W6", "H0", "1.85")]


def test_R32_a_row_of_another_day_waits_for_the_visit(bench: Bench) -> None:
    receive(bench, {**H0, "collected_at": "05/01/2026 07:55"})
    change_visit(bench, first=date(2026, 1, 5), booked_local="2026-01-05T08:00")
    look_again(bench)
    assert accepted(bench) == [("W6", "H0", "1.85")]


def test_a_subject_in_question_is_looked_at_at_once(bench: Bench) -> None:
    receive(bench, H0)

    def woken(session: Session) -> datetime | None:
        row = session.get(SubjectRow, SUBJECT)
        assert row is not None
        found, row.next_wake = row.next_wake, None
        session.add(row)
        return found

    assert bench.db.transact(woken) == NOW
    receive(bench, {**H0, "subject_id": "MPA-0042-8", "status": "C", "reported_at": "15/01/2026 16:00"})
    assert bench.db.transact(woken) == NOW
    decide(bench, waiting(bench)[0].number, Decision.REJECT)
    assert bench.db.transact(woken) == NOW
    assert len(bench.db.transact(lambda session: accepted_versions(session, SUBJECT))) == 1
