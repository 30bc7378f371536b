"""Recording, reconciling, correcting, estimating: on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from engine_cases import BASELINE, CODE, DOSE_AT, MORNING, Desk
from sqlmodel import Session, select

from config.defects import ConfigurationInvalidError
from scheduler.domain.events import ExposureChanged, VisitRebooked
from scheduler.domain.facts import (
    Assessed,
    Attended,
    DoseGiven,
    Formulation,
    SampleDrawn,
    SampleNotDrawn,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.protocol import Event
from scheduler.engine import record
from scheduler.engine.reconcile import rebuild, release
from scheduler.engine.record import RefusedError
from scheduler.engine.study import Study
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.subjects import subject_row
from scheduler.store.tables import ExposureRow, FactRow, FlagRow, SubjectRow, VisitRow

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def desk(db: Database, study: Study) -> Desk:
    return Desk(db, study)


def test_an_enrolment_gives_every_visit_its_dates(desk: Desk) -> None:
    desk.enrol()
    assert {visit: desk.status(visit) for visit in ("INCLUSION", "W6", "Y1")} == {
        "INCLUSION": "planned",
        "W6": "planned",
        "Y1": "planned",
    }


def test_what_is_recorded_is_audited_with_who_and_by_which_door(desk: Desk) -> None:
    desk.enrol()
    rows = desk.db.transact(lambda s: [(r.action, r.actor, r.source) for r in s.exec(select(audit.AuditRow))])
    assert ("enrolled", "nurse", "cli") in rows
    assert desk.db.transact(audit.verify)[2] == []


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (Attended("W6", MORNING + 2 * DAY), "refused_future"),
        (SampleDrawn("INCLUSION", "H0", MORNING - 5 * DAY, "T"), "refused_before_enrolment"),
        (Attended("W7", MORNING), "refused_visit_unknown"),
        (SampleDrawn("INCLUSION", "H1", MORNING, "T"), "refused_point_unknown"),
        (Assessed("INCLUSION", "weight", MORNING, 70, "kg"), "refused_item_unknown"),
        (VisitMoved("W6", datetime(2025, 10, 14, 8, 30), "x"), "refused_not_booked"),  # noqa: DTZ001
        (VisitBooked("W6", datetime(2026, 3, 29, 2, 30)), "refused_time_skipped"),  # noqa: DTZ001
        (VisitBooked("W6", datetime(2025, 10, 26, 2, 30)), "refused_time_twice"),  # noqa: DTZ001
        (VisitBooked("W6", datetime(2025, 8, 1, 8, 30)), "refused_booking_past"),  # noqa: DTZ001
        (DoseGiven("INCLUSION", MORNING, 0, Formulation.MMF, 12), "refused_dose_mg"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(desk: Desk, what, reason: str) -> None:  # type: ignore[no-untyped-def]
    desk.enrol()
    assert reason in desk.refused(what, MORNING + HOUR)


def test_an_unknown_subject_is_refused_with_the_nearest_code(desk: Desk) -> None:
    desk.enrol()
    assert desk.refused(Attended("W6", MORNING), MORNING + HOUR, "MPA-0024-7") == [
        "refused_subject_unknown_near"
    ]
    assert desk.refused(Attended("W6", MORNING), MORNING + HOUR, "nobody") == ["refused_subject_unknown"]


def test_a_subject_is_enrolled_once_and_with_a_code_that_fits(desk: Desk) -> None:
    desk.enrol()
    for code, reason in ((CODE, "refused_subject_known"), ("MPA-0042-8", "refused_code")):
        before = desk.counts()
        with pytest.raises(RefusedError) as refused:
            desk.enrol(code)
        assert [one.code for one in refused.value.reasons] == [reason]
        assert desk.counts() == before


def test_a_withdrawn_subject_takes_no_later_facts_and_no_appointments(desk: Desk) -> None:
    desk.enrol()
    left = MORNING + 3 * DAY
    desk.say(Withdrawn(left, Withdrawal.CONSENT, "asked to"), left)
    assert "refused_after_withdrawal" in desk.refused(Attended("W6", left + HOUR), left + DAY)
    booked = VisitBooked("W6", datetime(2025, 10, 13, 8, 30))  # noqa: DTZ001
    assert desk.refused(booked, left + DAY) == ["refused_withdrawn"]
    assert {desk.status(visit) for visit in ("W6", "W12", "M6", "Y1")} == {"not_applicable"}


def test_what_happened_before_the_withdrawal_may_still_be_recorded(desk: Desk) -> None:
    desk.enrol()
    left = MORNING + 3 * DAY
    desk.say(Withdrawn(left, Withdrawal.DEATH, "-"), left)
    desk.say(Attended("INCLUSION", MORNING), left + DAY)
    assert desk.status("INCLUSION") == "incomplete"  # its records are late by now


def test_a_tube_belongs_to_one_draw(desk: Desk) -> None:
    desk.enrol()
    desk.say(SampleDrawn("INCLUSION", "H0", MORNING, "T-1"), MORNING + HOUR)
    twice = SampleDrawn("INCLUSION", "H30", MORNING + timedelta(minutes=40), "T-1")
    assert desk.refused(twice, MORNING + HOUR) == ["refused_tube_used"]
    number = desk.db.transact(
        lambda s: s.exec(select(FactRow.id).where(FactRow.kind == "sample_drawn")).one()
    )
    desk.correct(number, {"tube": "T-9"}, MORNING + HOUR)
    desk.say(twice, MORNING + HOUR)  # the tube is free again


def test_a_whole_day_ends_complete_with_an_auc(desk: Desk) -> None:
    desk.enrol()
    desk.inclusion()
    assert desk.status("INCLUSION") == "awaiting_results"
    reported = DOSE_AT + DAY
    for point, value in (("H0", "2"), ("H30", "10"), ("H2", "6")):
        desk.result(point, value, reported)
    assert desk.status("INCLUSION") == "complete"
    row = desk.db.transact(
        lambda s: s.exec(select(ExposureRow).where(ExposureRow.method == "pawinski_2002")).one()
    )
    assert row.value == pytest.approx(42.91)
    assert [e.event for e in desk.events if isinstance(e, ExposureChanged)] == [Event.AUC_AVAILABLE]


def test_a_correction_amends_the_auc_and_a_retraction_withdraws_it_while_the_old_ones_stay(
    desk: Desk,
) -> None:
    desk.enrol()
    desk.inclusion()
    reported = DOSE_AT + DAY
    for point, value in (("H0", "2"), ("H30", "10"), ("H2", "6")):
        desk.result(point, value, reported)
    desk.result("H2", "8", reported + DAY, "C")
    desk.result("H2", "0", reported + 2 * DAY, "W")
    rows = desk.db.transact(lambda s: list(s.exec(select(ExposureRow).order_by(ExposureRow.version))))
    values = [
        (r.version, r.method, r.value and round(r.value, 2)) for r in rows if r.quantity in ("AUC0-12", None)
    ]
    assert (1, "pawinski_2002", 42.91) in values
    assert (2, "pawinski_2002", 47.77) in values
    assert values[-1] == (3, "withdrawn", None)
    events = [e.event for e in desk.events if isinstance(e, ExposureChanged)]
    assert events == [Event.AUC_AVAILABLE, Event.AUC_AMENDED, Event.AUC_WITHDRAWN]


def test_a_corrected_dose_time_makes_a_new_estimate(desk: Desk) -> None:
    desk.enrol()
    desk.inclusion()
    for point, value in (("H0", "2"), ("H30", "10"), ("H2", "6")):
        desk.result(point, value, DOSE_AT + DAY)
    number = desk.db.transact(lambda s: s.exec(select(FactRow.id).where(FactRow.kind == "dose_given")).one())
    desk.correct(number, {"at": (DOSE_AT + timedelta(minutes=15)).isoformat()}, DOSE_AT + 2 * DAY)
    assert "auc_not_computable" in desk.open_flags()
    assert "sample_out_of_window:H30" in desk.open_flags()
    desk.correct(number, {"at": DOSE_AT.isoformat()}, DOSE_AT + 3 * DAY)
    assert desk.open_flags() == set()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"nothing": "x"}, "refused_field_unknown"), ({"dose_mg": "much"}, "refused_field_value")],
)
def test_a_correction_that_does_not_fit_is_refused(desk: Desk, fields: dict[str, str], reason: str) -> None:
    desk.enrol()
    desk.inclusion()
    number = desk.db.transact(lambda s: s.exec(select(FactRow.id).where(FactRow.kind == "dose_given")).one())
    with pytest.raises(RefusedError) as refused:
        desk.correct(number, fields, DOSE_AT + DAY)
    assert [one.code for one in refused.value.reasons] == [reason]


def test_what_was_recorded_by_mistake_can_be_taken_back_and_a_correction_is_not_corrected(desk: Desk) -> None:
    desk.enrol()
    done = desk.say(Attended("INCLUSION", MORNING), MORNING + HOUR)
    taken_back = desk.correct(done.number, None, MORNING + HOUR)
    assert desk.status("INCLUSION") == "window_open"
    with pytest.raises(RefusedError, match="refused_correction_of_correction"):
        desk.correct(taken_back.number, None, MORNING + HOUR)
    with pytest.raises(RefusedError, match="refused_fact_unknown"):
        desk.correct(999, None, MORNING + HOUR)


def test_a_booking_is_announced_moved_and_taken_back_with_growing_sequence(desk: Desk) -> None:
    desk.enrol()
    local = datetime(2025, 10, 13, 8, 30)  # noqa: DTZ001
    desk.say(VisitBooked("W6", local), MORNING)
    desk.say(VisitMoved("W6", local + DAY, "x"), MORNING)
    desk.say(VisitCancelled("W6", "x"), MORNING)
    found = [(e.event, e.sequence, e.new_local) for e in desk.events if isinstance(e, VisitRebooked)]
    assert found == [
        (Event.VISIT_BOOKED, 0, local),
        (Event.VISIT_MOVED, 1, local + DAY),
        (Event.VISIT_CANCELLED, 2, None),
    ]


def test_late_evidence_closes_a_flag_by_itself_and_its_history_is_kept(desk: Desk) -> None:
    desk.enrol()
    desk.inclusion()
    late = datetime(2025, 10, 25, 10, tzinfo=UTC)
    desk.reconcile(late)
    assert "visit_overdue" in desk.open_flags()
    desk.say(Attended("W6", datetime(2025, 10, 13, 7, tzinfo=UTC)), late + HOUR)
    assert "visit_overdue" not in desk.open_flags()
    rows = desk.db.transact(lambda s: list(s.exec(select(FlagRow).where(FlagRow.code == "visit_overdue"))))
    assert [row.closed_at for row in rows] == [late + HOUR]


def test_a_sample_not_drawn_leaves_the_visit_incomplete_until_it_is_acknowledged(desk: Desk) -> None:
    desk.enrol()
    desk.say(Attended("INCLUSION", MORNING), MORNING + HOUR)
    desk.say(SampleNotDrawn("INCLUSION", "H30", MORNING, "no vein"), MORNING + HOUR)
    flag = desk.db.transact(lambda s: s.exec(select(FlagRow).where(FlagRow.code == "visit_incomplete")).one())
    assert flag.id is not None
    flag_id = flag.id
    desk.db.transact(
        lambda s: record.acknowledge(
            s,
            desk.study,
            flag_id,
            "seen",
            record.Who("doctor", record.Source.CLI),
            MORNING + DAY,
            desk.handle,
        )
    )
    kinds = desk.db.transact(lambda s: list(s.exec(select(FactRow.kind))))
    assert "flag_acknowledged" in kinds


def test_reconciling_again_writes_nothing(desk: Desk) -> None:
    desk.enrol()
    desk.inclusion()
    now = MORNING + 2 * DAY
    desk.reconcile(now)
    before, said = desk.counts(), len(desk.events)
    desk.db.transact(lambda s: s.exec(select(SubjectRow)).one().__setattr__("next_wake", now))
    assert desk.reconcile(now) == 1
    assert (desk.counts(), len(desk.events)) == (before, said)


def test_a_subject_whose_data_is_poison_is_parked_and_the_others_go_on(desk: Desk) -> None:
    desk.enrol()
    desk.enrol(subject_code(43))
    desk.db.transact(
        lambda s: s.add(
            FactRow(
                subject=CODE,
                kind="attended",
                payload={"visit": 7},
                recorded_at=MORNING,
                recorded_by="x",
                source="cli",
            )
        )
    )
    for attempt in range(4):
        now = MORNING + attempt * HOUR
        desk.db.transact(
            lambda s, now=now: [row.__setattr__("next_wake", now) for row in s.exec(select(SubjectRow))]
        )
        desk.reconcile(now)
    parked = desk.db.transact(lambda s: {row.code: row.parked for row in s.exec(select(SubjectRow))})
    assert parked.pop(CODE) == "ValidationError"
    assert list(parked.values()) == [None]
    assert "subject_parked" in desk.open_flags()
    assert desk.db.transact(lambda s: release(s, CODE, MORNING))
    assert "subject_parked" not in desk.open_flags()


def test_a_rebuild_of_an_untouched_subject_finds_and_changes_nothing(desk: Desk) -> None:
    desk.enrol()
    desk.inclusion()
    now = MORNING + 2 * DAY
    desk.reconcile(now)
    before = _derived(desk)
    assert _rebuild(desk, now) == []
    assert _derived(desk) == before


def test_a_rebuild_repairs_a_derived_row_that_was_tampered_with(desk: Desk) -> None:
    desk.enrol()
    desk.inclusion()
    now = MORNING + 2 * DAY
    desk.reconcile(now)
    before = _derived(desk)

    def tamper(session: Session) -> None:
        row = session.get(VisitRow, (CODE, "W6"))
        assert row is not None
        row.status, row.target = "complete", date(2030, 1, 1)

    desk.db.transact(tamper)
    assert _rebuild(desk, now) == ["visit W6: now planned"]
    assert _derived(desk) == before


def _rebuild(desk: Desk, now: datetime) -> list[str]:
    def step(session: Session) -> list[str]:
        subject = subject_row(session, CODE)
        assert subject is not None
        return rebuild(session, desk.study, subject, now)

    return desk.db.transact(step)


def _derived(desk: Desk) -> list[dict[str, object]]:
    def step(session: Session) -> list[dict[str, object]]:
        rows = [*session.exec(select(VisitRow).order_by(VisitRow.visit))]
        flags = [*session.exec(select(FlagRow).order_by(FlagRow.key))]
        return [row.model_dump() for row in rows] + [row.model_dump(exclude={"id"}) for row in flags]

    return desk.db.transact(step)


def test_a_protocol_edited_after_its_first_use_is_refused(desk: Desk, study: Study) -> None:
    desk.enrol()
    sha256, protocol = study.newest
    edited = Study(
        {"f" * 64: (replace(protocol, key="f" * 64), "other text")},
        study.sites,
        study.calendars,
        study.labs,
        (),
        (),
    )
    with pytest.raises(ConfigurationInvalidError, match="edited since"):
        desk.db.transact(lambda session: edited.sync(session, MORNING))
    assert sha256 != "f" * 64


def test_a_protocol_whose_file_is_gone_is_taken_from_the_database(desk: Desk, study: Study) -> None:
    desk.enrol()
    without = Study({}, study.sites, study.calendars, study.labs, (), _templates(study))
    found = desk.db.transact(lambda session: without.protocol(session, study.newest[0]))
    assert found == study.newest[1]
    assert date(2025, 9, 1) == BASELINE


def _templates(study: Study) -> set[str]:
    protocol = study.newest[1]
    return {rule.template for rule in protocol.reminders} | {notice.template for notice in protocol.notices}
