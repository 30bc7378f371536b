"""What a file leaves in the database: all of it once, and what is looked at again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from intake_cases import H0, H2, H30, NOW, OTHER, SUBJECT, Bench, csv_bytes, enrol
from sqlmodel import Session

from scheduler.domain.facts import Corrected, Source, Withdrawal, Withdrawn
from scheduler.domain.reason import from_json
from scheduler.domain.results import ResultStatus
from scheduler.intake.arrival import Arrival
from scheduler.intake.held.recheck import recheck_held
from scheduler.intake.ingest import Outcome, ingest
from scheduler.store import audit
from scheduler.store.lab.files import lab_files
from scheduler.store.lab.held import held_rows
from scheduler.store.lab.results import accepted_versions
from scheduler.store.subjects import add_fact
from scheduler.store.tables import FlagRow, SubjectRow


def record(bench: Bench, content: bytes, name: str = "a.csv", now: datetime = NOW) -> Outcome:
    arrival = Arrival.of(name, content)
    return bench.db.transact(lambda s: ingest(s, arrival, bench.study, now, bench.handle))


def recheck(bench: Bench, now: datetime = NOW) -> tuple[int, ...]:
    return bench.db.transact(lambda s: recheck_held(s, bench.study, now))


def open_flags(bench: Bench) -> list[str]:
    return [flag.key for flag in bench.rows(FlagRow) if flag.closed_at is None]


def test_accepted_results_reach_the_domain_and_wake_the_engine(bench_on_both: Bench) -> None:
    bench = bench_on_both
    assert record(bench, csv_bytes()).verdict == "accepted"
    versions = bench.db.transact(lambda s: accepted_versions(s, SUBJECT))
    assert [(v.timepoint, str(v.conc_mg_l), v.status) for v in versions] == [
        ("H0", "1.85", ResultStatus.FINAL),
        ("H30", "14.2", ResultStatus.FINAL),
        ("H2", "6.40", ResultStatus.FINAL),
    ]
    assert versions[0].collected_at == datetime(2026, 1, 15, 6, 55, tzinfo=UTC)
    (subject,) = bench.rows(SubjectRow)
    assert subject.next_wake == NOW


def test_F05_the_same_bytes_again_record_nothing(bench_on_both: Bench) -> None:
    bench = bench_on_both
    first = record(bench, csv_bytes())
    again = record(bench, csv_bytes(), name="b.csv", now=NOW + timedelta(days=1))
    assert (first.known, again.known, again.file_id, again.received_at) == (False, True, first.file_id, NOW)
    assert len(bench.versions()) == 3
    assert len(bench.trail()) == 1


def test_R42_the_same_rows_in_another_form_record_nothing_but_the_file(bench: Bench) -> None:
    record(bench, csv_bytes())
    again = record(bench, csv_bytes(delimiter="\t", encoding="utf-8", decimal="."))
    assert (again.verdict, again.code) == ("ignored", "R-42")
    assert len(bench.versions()) == 3
    assert open_flags(bench) == []


def test_a_quarantined_file_leaves_a_flag_an_event_and_no_row(bench: Bench) -> None:
    outcome = record(bench, b"%PDF-1.4")
    assert (outcome.verdict, outcome.code) == ("quarantined", "F-07")
    (flag,) = bench.rows(FlagRow)
    assert flag.key == f"site:cochin|-|file_quarantined|{outcome.sha256[:8]}"
    reason = from_json(flag.reason)
    assert reason.code == "flag_file_quarantined"
    assert reason.get("name") == "a.csv"
    (event,) = bench.events
    assert (event.event, event.key) == ("file_quarantined", f"file|file_quarantined|{outcome.sha256}")
    assert bench.versions() == []


def test_an_accepted_file_of_the_same_name_closes_the_flag(bench: Bench) -> None:
    record(bench, csv_bytes()[:-40], name="a.csv")
    record(bench, csv_bytes()[:-50], name="b.csv")
    assert len(open_flags(bench)) == 2
    record(bench, csv_bytes(), name="a.csv")
    assert len(open_flags(bench)) == 1


def test_held_rows_are_kept_beside_accepted_ones(bench: Bench) -> None:
    outcome = record(bench, csv_bytes([H0, {**H30, "unit": ""}, H2]))
    assert (outcome.verdict, outcome.code) == ("held", "R-15")
    (held,) = bench.db.transact(held_rows)
    assert (held.row_no, held.state, held.result_id, held.findings[0]["rule"]) == (3, "held", None, "R-15")
    (file,) = bench.db.transact(lab_files)
    assert (file.accepted, file.held, file.ignored, file.lab) == (2, 1, 0, "CCH-PHARMACO")
    assert len(bench.db.transact(lambda s: accepted_versions(s, SUBJECT))) == 2


def test_a_corrected_row_settles_the_held_one_and_its_flag(bench: Bench) -> None:
    record(bench, csv_bytes([{**H0, "unit": ""}, H30]))
    record(bench, csv_bytes([H0]), name="b.csv")
    assert bench.db.transact(held_rows) == []
    assert open_flags(bench) == []


def test_R01_a_row_of_an_unknown_subject_is_accepted_once_the_subject_is_known(bench_on_both: Bench) -> None:
    bench = bench_on_both
    record(bench, csv_bytes([{**H0, "subject_id": OTHER}, H30]))
    assert recheck(bench) == ()
    assert len(open_flags(bench)) == 1
    enrol(bench.db, OTHER)
    later = NOW + timedelta(days=13)
    assert len(recheck(bench, later)) == 1
    held, _, accepted = sorted(bench.versions(), key=lambda v: v.id or 0)
    assert (held.state, accepted.state, accepted.subject) == ("held", "accepted", OTHER)
    assert (accepted.content_hash, accepted.row_no, accepted.recorded_at) == (
        held.content_hash,
        held.row_no,
        later,
    )
    assert bench.db.transact(held_rows) == []
    assert open_flags(bench) == []
    assert recheck(bench, later) == ()
    assert bench.trail()[-1][0] == "lab_row_promoted"


def test_R01_after_14_days_a_row_is_no_longer_looked_at(bench: Bench) -> None:
    record(bench, csv_bytes([{**H0, "subject_id": OTHER}]))
    enrol(bench.db, OTHER)
    assert recheck(bench, NOW + timedelta(days=15)) == ()


def test_a_row_held_for_something_else_too_is_not_rechecked(bench: Bench) -> None:
    record(bench, csv_bytes([{**H0, "subject_id": OTHER, "unit": ""}]))
    enrol(bench.db, OTHER)
    assert recheck(bench) == ()


def test_R32_a_row_is_accepted_once_the_visit_is_on_record_for_that_day(bench: Bench) -> None:
    enrol(bench.db, OTHER, target=date(2026, 3, 2))
    record(bench, csv_bytes([{**H0, "subject_id": OTHER}]))
    assert [v.state for v in bench.versions()] == ["held"]

    def attended(session: Session) -> None:
        from scheduler.store.tables import VisitRow

        row = session.get(VisitRow, (OTHER, "W6"))
        assert row is not None
        row.attended_at = datetime(2026, 1, 15, 7, 0, tzinfo=UTC)

    bench.db.transact(attended)
    assert len(recheck(bench)) == 1


@pytest.mark.parametrize(("taken_back", "state"), [(False, "held"), (True, "accepted")])
def test_R03_a_withdrawal_counts_unless_it_was_taken_back(bench: Bench, taken_back: bool, state: str) -> None:
    def withdraw(session: Session) -> None:
        fact = add_fact(session, SUBJECT, Withdrawn(NOW, Withdrawal.CONSENT, ""), NOW, "x", Source.CLI)
        if taken_back:
            add_fact(session, SUBJECT, Corrected(fact.id, None, "wrong subject"), NOW, "x", Source.CLI)

    bench.db.transact(withdraw)
    record(bench, csv_bytes([H0]))
    assert [v.state for v in bench.versions()] == [state]


def test_R45_a_correction_is_a_further_version_of_the_same_result(bench: Bench) -> None:
    record(bench, csv_bytes([{**H0, "result_id": "R-1"}]))
    corrected = {**H0, "status": "C", "value": "1,95", "reported_at": "15/01/2026 16:00", "replaces": "R-1"}
    assert record(bench, csv_bytes([corrected]), name="b.csv").verdict == "accepted"
    first, second = bench.versions()
    assert first.result_id == second.result_id is not None
    assert [one["rule"] for one in second.findings] == ["R-45"]


def test_a_specimen_without_result_may_lack_its_time(bench: Bench) -> None:
    record(bench, csv_bytes([{**H0, "value": "échantillon non reçu", "unit": "", "collected_at": ""}]))
    (version,) = bench.db.transact(lambda s: accepted_versions(s, SUBJECT))
    assert (version.status, version.blocking, version.conc_mg_l) == (ResultStatus.NOT_OBTAINED, "NR", None)


def test_what_was_recorded_is_all_or_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the trail is full")

    monkeypatch.setattr(audit, "append", broken)
    arrival = Arrival.of("a.csv", csv_bytes())
    with pytest.raises(RuntimeError):
        bench.db.transact(lambda s: ingest(s, arrival, bench.study, NOW, bench.handle))
    assert (bench.files(), bench.versions()) == ([], [])
