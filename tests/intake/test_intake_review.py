"""What a person may decide of a held row, alone or with a second one."""

from __future__ import annotations

from typing import Any

import pytest
from held_cases import NOW, WHY, Row, accepted, decide, look_again, receive, waiting
from intake_cases import H0, H2, H30, OTHER, Bench, enrol

from scheduler.domain.flags import FlagCode
from scheduler.intake.held.review import Decision, UndecidableError
from scheduler.store import audit
from scheduler.store.lab.held import files_with_stale_receipt, mark_receipt_written
from scheduler.store.tables import AuditRow, FlagRow, LabReviewRow, ReviewRow


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


def open_flags(bench: Bench) -> list[str]:
    return [row.code for row in bench.rows(FlagRow) if row.closed_at is None]


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
