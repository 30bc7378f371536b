"""Held rows: what is said of them, what a person may decide, and what resolves by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from intake_cases import H0, H2, H30, OTHER, SUBJECT, Bench, csv_bytes, enrol
from sqlmodel import Session, select

from scheduler.domain.flags import FlagCode
from scheduler.intake.arrival import Arrival
from scheduler.intake.held.recheck import recheck_held
from scheduler.intake.held.review import Decision, Reviewed, UndecidableError, review
from scheduler.intake.held.waiting import HeldRow, waiting_rows
from scheduler.intake.ingest import ingest
from scheduler.store import audit
from scheduler.store.lab.held import files_with_stale_receipt, mark_receipt_written
from scheduler.store.lab.results import accepted_versions
from scheduler.store.tables import AuditRow, FlagRow, LabReviewRow, ReviewRow, SubjectRow, VisitRow

Row = dict[str, str]
NOW = datetime(2026, 1, 16, 8, 0, tzinfo=UTC)
WHY = "asked Mrs X by telephone"


def receive(bench: Bench, *rows: Row, now: datetime = NOW) -> None:
    """A file of these rows, and the automatic re-check after it."""
    arrival = Arrival.of("results.csv", csv_bytes(rows))

    def step(session: Session) -> None:
        ingest(session, arrival, bench.study, now, bench.handle)
        recheck_held(session, bench.study, now)

    bench.db.transact(step)


def look_again(bench: Bench, now: datetime = NOW) -> None:
    bench.db.transact(lambda session: recheck_held(session, bench.study, now))


def waiting(bench: Bench, now: datetime = NOW) -> list[HeldRow]:
    return bench.db.transact(lambda session: waiting_rows(session, bench.study, now))


def decide(
    bench: Bench,
    number: int,
    decision: Decision,
    timepoint: str = "",
    why: str = WHY,
    by: str = "a manager",
    by_two: bool = False,
) -> Reviewed:
    return bench.db.transact(
        lambda session: review(session, bench.study, number, decision, why, by, NOW, timepoint, by_two=by_two)
    )


def refused(bench: Bench, number: int, decision: Decision, timepoint: str = "", **how: Any) -> list[str]:
    """Why a decision is refused, which leaves nothing behind."""
    before = contents(bench)
    with pytest.raises(UndecidableError) as found:
        decide(bench, number, decision, timepoint, **how)
    assert contents(bench) == before
    codes = []
    for reason in found.value.reasons:
        codes.append(reason.code)
        what = reason.get("what")
        codes += [one.code for one in what] if isinstance(what, tuple) else []
    return codes


def contents(bench: Bench) -> list[Any]:
    return [bench.contents(), *(len(bench.rows(table)) for table in (LabReviewRow, AuditRow, ReviewRow))]


def accepted(bench: Bench) -> list[tuple[str, str, str | None]]:
    rows = [row for row in bench.versions() if row.state == "accepted"]
    return [(row.visit, row.timepoint, row.conc_mg_l) for row in rows]


def open_flags(bench: Bench) -> list[str]:
    return [row.code for row in bench.rows(FlagRow) if row.closed_at is None]


# --- what is said


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


# --- what a person decides


def test_accepting_stores_the_row_as_it_stands(bench_on_both: Bench) -> None:
    bench = bench_on_both
    receive(bench, {**H0, "value": "60"})
    (held,) = waiting(bench)
    assert open_flags(bench) == [FlagCode.ROWS_HELD]
    done = decide(bench, held.number, Decision.ACCEPT)
    assert accepted(bench) == [("W6", "H0", "60")]
    assert waiting(bench) == []
    assert open_flags(bench) == []
    (made,) = bench.rows(LabReviewRow)
    assert (made.decision, made.by, made.at, made.accepted_as) == ("accept", "a manager", NOW, done.version)
    assert made.before == {"state": "held", "visit": "W6", "timepoint": "H0"}
    assert made.after == {"state": "accepted", "visit": "W6", "timepoint": "H0"}
    codes = [one["reason"]["code"] for one in bench.versions()[-1].findings]
    assert codes[-1] == "review.accepted"
    assert "R-14" in codes


def test_the_decision_is_in_the_chain_and_its_text_beside_it(bench: Bench) -> None:
    receive(bench, {**H0, "value": "60"})
    decide(bench, waiting(bench)[0].number, Decision.REJECT)
    (made,) = bench.rows(LabReviewRow)
    chained = bench.db.transact(lambda session: session.get(AuditRow, made.audit_seq))
    assert chained is not None
    assert (chained.action, chained.actor, chained.entity_id) == (
        "lab_row_reviewed",
        "a manager",
        str(made.version_id),
    )
    assert WHY not in str(chained.model_dump())
    assert [row.text for row in bench.rows(ReviewRow)] == [WHY]
    assert bench.db.transact(audit.verify)[2] == []


def test_rejecting_settles_the_row_and_stores_nothing(bench: Bench) -> None:
    receive(bench, {**H0, "value": "60"}, H30)
    (held,) = waiting(bench)
    assert decide(bench, held.number, Decision.REJECT).version is None
    assert (waiting(bench), open_flags(bench)) == ([], [])
    assert accepted(bench) == [("W6", "H30", "14.2")]
    look_again(bench)
    assert accepted(bench) == [("W6", "H30", "14.2")]


def test_a_rejected_row_is_not_accepted_by_the_records_later(bench: Bench) -> None:
    receive(bench, {**H0, "subject_id": OTHER})
    decide(bench, waiting(bench)[0].number, Decision.REJECT)
    enrol(bench.db, OTHER)
    look_again(bench)
    assert accepted(bench) == []


def test_reassigning_moves_a_row_within_its_visit_and_changes_no_value(bench: Bench) -> None:
    receive(
        bench,
        H30,
        {**H30, "specimen_id": H2["specimen_id"], "value": "6,4", "collected_at": H2["collected_at"]},
    )
    first, second = waiting(bench)
    assert [one.why[0].code for one in (first, second)] == ["S-01.file"] * 2
    decide(bench, second.number, Decision.REASSIGN, "C2")
    assert accepted(bench) == [("W6", "H2", "6.4")]
    decide(bench, first.number, Decision.ACCEPT)
    assert accepted(bench) == [("W6", "H2", "6.4"), ("W6", "H30", "14.2")]
    (_, made) = sorted(bench.rows(LabReviewRow), key=lambda row: -row.id)
    assert (made.before["timepoint"], made.after["timepoint"]) == ("H30", "H2")


LACKING: dict[str, tuple[Row, str]] = {
    "subject": ({**H0, "subject_id": OTHER}, "lacks_subject"),
    "mistyped subject": ({**H0, "subject_id": "MPA-0042-8"}, "lacks_subject"),
    "value": ({**H0, "value": ""}, "lacks_value"),
    "value that is not understood": ({**H0, "value": "1,8x"}, "lacks_value"),
    "impossible value": ({**H0, "value": "-1"}, "lacks_value"),
    "unit": ({**H0, "unit": ""}, "lacks_unit"),
    "unit of a limit": ({**H0, "value": "<0,1", "unit": ""}, "lacks_unit"),
    "unknown unit": ({**H0, "unit": "g/L"}, "lacks_unit"),
    "status": ({**H0, "status": ""}, "lacks_status"),
    "time of collection": ({**H0, "collected_at": ""}, "lacks_collected"),
    "time of validation": ({**H0, "reported_at": ""}, "lacks_reported"),
    "sampling time": ({**H0, "timepoint": "H3"}, "lacks_point"),
    "visit": ({**H0, "visit": "V9"}, "lacks_visit"),
    "specimen": ({**H0, "specimen_id": ""}, "lacks_specimen"),
    "laboratory": ({**H0, "laboratory": "elsewhere"}, "lacks_laboratory"),
}


@pytest.mark.parametrize(("row", "lack"), LACKING.values(), ids=list(LACKING))
def test_a_row_that_lacks_something_essential_cannot_be_accepted(bench: Bench, row: Row, lack: str) -> None:
    receive(bench, row)
    (held,) = waiting(bench)
    found = refused(bench, held.number, Decision.ACCEPT)
    assert found[0] == "refused_row_lacks"
    assert lack in found
    decide(bench, held.number, Decision.REJECT)


def test_reassigning_gives_a_sampling_time_and_nothing_else(bench: Bench) -> None:
    receive(bench, {**H0, "timepoint": "H3"})
    (held,) = waiting(bench)
    assert refused(bench, held.number, Decision.REASSIGN, "H3") == ["refused_point_unknown"]
    decide(bench, held.number, Decision.REASSIGN, "H0")
    assert accepted(bench) == [("W6", "H0", "1.85")]


def test_a_row_cannot_stand_beside_another_tube_or_for_another_place(bench: Bench) -> None:
    receive(bench, H0)
    receive(bench, {**H0, "specimen_id": "26015-00899-1"})
    receive(bench, {**H0, "timepoint": "H30"})
    tube, place = waiting(bench)
    assert refused(bench, tube.number, Decision.ACCEPT) == ["refused_row_against"]
    assert refused(bench, place.number, Decision.ACCEPT) == ["refused_row_against"]
    assert refused(bench, place.number, Decision.REASSIGN, "H2") == ["refused_row_against"]


def test_what_is_decided_already_is_said(bench: Bench) -> None:
    receive(bench, {**H0, "value": "60"}, H30)
    (held,) = waiting(bench)
    other = next(row.id for row in bench.versions() if row.state == "accepted")
    assert refused(bench, 99, Decision.REJECT) == ["refused_row_unknown"]
    assert refused(bench, other, Decision.REJECT) == ["refused_row_accepted"]
    assert refused(bench, held.number, Decision.ACCEPT, why=" ") == ["refused_text_needed"]
    assert refused(bench, held.number, Decision.REASSIGN, "H0") == ["refused_row_point"]
    decide(bench, held.number, Decision.REJECT)
    for decision in Decision:
        assert refused(bench, held.number, decision, "H2") == ["refused_row_decided"]


def test_what_the_laboratory_has_said_anew_is_settled(bench: Bench) -> None:
    receive(bench, {**H0, "unit": ""})
    (held,) = waiting(bench)
    receive(bench, H0)
    assert waiting(bench) == []
    assert refused(bench, held.number, Decision.ACCEPT) == ["refused_row_settled"]


def test_files_whose_rows_were_settled_are_named_until_their_receipt_is_written(bench: Bench) -> None:
    receive(bench, {**H0, "value": "60"}, {**H30, "unit": ""}, {**H2, "subject_id": OTHER})

    def stale() -> list[int | None]:
        return bench.db.transact(lambda session: [file.id for file in files_with_stale_receipt(session)])

    def written() -> None:
        bench.db.transact(lambda session: mark_receipt_written(session, 1))

    assert stale() == []
    decide(bench, waiting(bench)[0].number, Decision.ACCEPT)
    assert stale() == [1]
    written()
    enrol(bench.db, OTHER)
    look_again(bench)
    assert stale() == [1]
    written()
    receive(bench, H30)
    assert stale() == [1]
    written()
    assert stale() == []


# --- two persons


def test_where_two_are_asked_for_a_row_is_used_when_a_second_decides_the_same(bench: Bench) -> None:
    receive(bench, {**H0, "value": "60"})
    (held,) = waiting(bench)
    first = decide(bench, held.number, Decision.ACCEPT, by_two=True)
    assert (first.proposed, first.version, accepted(bench)) == (True, None, [])
    (held,) = waiting(bench)
    assert (held.proposed_by, held.settles.code) == ("a manager", "settles_second")

    def again(decision: Decision, timepoint: str = "", by: str = "another") -> list[str]:
        return refused(bench, held.number, decision, timepoint, by=by, by_two=True)

    assert again(Decision.ACCEPT, by=" A Manager ") == ["refused_row_same_person"]
    assert again(Decision.REASSIGN, "H2") == ["refused_row_other_proposal"]
    second = decide(bench, held.number, Decision.ACCEPT, by="another", by_two=True)
    assert (second.proposed, accepted(bench)) == (False, [("W6", "H0", "60")])
    actions = {row.action: row.actor for row in bench.rows(AuditRow)}
    assert actions == {
        "lab_file_recorded": "daemon",
        "lab_row_proposed": "a manager",
        "lab_row_reviewed": "another",
    }


def test_that_a_row_is_not_used_needs_one_person(bench: Bench) -> None:
    receive(bench, {**H0, "value": "60"}, {**H30, "value": "60"})
    first, second = waiting(bench)
    decide(bench, first.number, Decision.ACCEPT, by_two=True)
    decide(bench, first.number, Decision.REJECT, by_two=True)
    decide(bench, second.number, Decision.REJECT, by_two=True)
    assert (waiting(bench), accepted(bench)) == ([], [])


def test_what_lacks_something_cannot_even_be_proposed(bench: Bench) -> None:
    receive(bench, {**H0, "unit": ""})
    (held,) = waiting(bench)
    assert refused(bench, held.number, Decision.ACCEPT, by_two=True)[0] == "refused_row_lacks"


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
