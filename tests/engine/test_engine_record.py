"""What people say is checked, recorded with its trail, and followed up, in one transaction or not at all."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from engine_desk import BASELINE, DOSE, DRAWN, MORNING, OTHER, SUBJECT, WHO, Desk, at, refused
from sqlmodel import Session

from scheduler.domain.events import DomainEvent
from scheduler.domain.facts import (
    Assessed,
    Attended,
    DoseGiven,
    Enrolled,
    Formulation,
    Paused,
    Regimen,
    RegimenChanged,
    Resumed,
    SampleDrawn,
    SampleNotDrawn,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.reason import RefusedError
from scheduler.engine.recording import record as engine
from scheduler.store.tables import (
    AuditRow,
    FactRow,
    OutboxRow,
    ReviewRow,
    SamplingRow,
    VisitRow,
)

BOOKED = VisitBooked("W6", datetime(2025, 10, 13, 8, 30))  # noqa: DTZ001
LEFT = Withdrawn(at(9, 0, 2), Withdrawal.CONSENT, "her wish")


def test_a_record_its_trail_and_what_follows_come_together(desk: Desk) -> None:
    desk.enrol()
    done = desk.say(BOOKED)
    assert [row.kind for row in desk.rows(FactRow)] == ["enrolled", "visit_booked"]
    assert desk.number("visit_booked") == done.number
    trail = [(row.action, row.actor) for row in sorted(desk.rows(AuditRow), key=lambda row: row.seq)][-3:]
    assert trail == [("reconciled", "daemon"), ("visit_booked", "a nurse"), ("reconciled", "daemon")]
    assert desk.status("W6") == "booked"
    assert {row.staff_id for row in desk.mails("visit_booked")} == {"coordinator-1", "coordinator-2"}
    assert len(desk.rows(VisitRow)) == 5


def test_when_what_follows_fails_nothing_is_recorded(desk: Desk) -> None:
    desk.enrol()
    before = desk.everything()

    def power_cut(session: Session, event: DomainEvent, now: datetime) -> None:
        raise RuntimeError("power cut")

    broken = Desk(desk.db, desk.study, desk.now, power_cut)
    with pytest.raises(RuntimeError, match="power cut"):
        broken.say(BOOKED)
    assert desk.everything() == before


def test_the_reason_given_stays_out_of_the_chain_but_under_its_seal(desk: Desk) -> None:
    desk.enrol()
    desk.now = at(11, 0)
    desk.say(Withdrawn(at(9, 0), Withdrawal.OTHER, "moved to Lyon"))
    assert [row.text for row in desk.rows(ReviewRow)] == ["moved to Lyon"]
    assert "Lyon" not in str([row.model_dump() for row in desk.rows(AuditRow)])


@pytest.mark.parametrize(
    ("code", "changes", "reasons"),
    [
        (SUBJECT, {}, ["refused_subject_known"]),
        ("MPA-0042-8", {}, ["refused_code"]),
        ("DUPONT Jean", {}, ["refused_code"]),
        (OTHER, {"baseline": BASELINE + timedelta(days=400)}, ["refused_baseline_far"]),
        (OTHER, {"baseline": date(2015, 9, 1)}, ["refused_baseline_old"]),
        (OTHER, {"treatment_start": date(2027, 1, 1)}, ["refused_treatment_far"]),
        (OTHER, {"regimen": Regimen(Formulation.MMF, 1e6, 0)}, ["refused_dose_mg", "refused_interval"]),
    ],
)
def test_an_enrolment_that_cannot_be_is_refused(
    desk: Desk, code: str, changes: dict[str, Any], reasons: list[str]
) -> None:
    desk.enrol()
    with refused(desk, *reasons):
        desk.enrol(code, **changes)


def test_an_unknown_subject_is_refused_with_the_nearest_code(desk: Desk) -> None:
    desk.enrol()
    with pytest.raises(RefusedError) as error:
        desk.say(BOOKED, "MPA-0042-1")
    assert error.value.reasons[0].code == "refused_subject_unknown_near"
    assert error.value.reasons[0].get("near") == SUBJECT
    with refused(desk, "refused_subject_unknown"):
        desk.say(BOOKED, "X")


def test_of_many_enrolments_in_one_transaction_all_are_kept_or_none(desk: Desk) -> None:
    def step(session: Session) -> None:
        for code in (SUBJECT, OTHER, OTHER):
            engine.enrol(session, desk.study, code, "cochin", Enrolled(BASELINE), WHO, desk.now, desk.handle)

    with refused(desk, "refused_subject_known"):
        desk.db.transact(step)
    assert desk.enrol().subject == SUBJECT


_REFUSALS: list[tuple[tuple[What, ...], What, list[str]]] = [
    ((), VisitBooked("W7", BOOKED.local), ["refused_visit_unknown"]),
    ((), SampleDrawn("INCLUSION", "H9", at(8, 15), "T"), ["refused_point_unknown"]),
    ((), Assessed("INCLUSION", "weight", at(8, 15), 70, "kg"), ["refused_item_unknown"]),
    ((), Attended("INCLUSION", at(12, 0)), ["refused_future"]),
    ((), SampleDrawn("INCLUSION", "H0", at(8, 0, 30, 8), "T"), ["refused_before_enrolment"]),
    ((), VisitMoved("W6", BOOKED.local, "x"), ["refused_not_booked"]),
    ((), VisitCancelled("W6", "x"), ["refused_not_booked"]),
    ((BOOKED,), BOOKED, ["refused_already_booked"]),
    ((), VisitBooked("W6", datetime(2025, 8, 1, 8, 0)), ["refused_booking_past"]),  # noqa: DTZ001
    ((), VisitBooked("W6", datetime(2035, 8, 1, 8, 0)), ["refused_booking_far"]),  # noqa: DTZ001
    ((), VisitBooked("W6", datetime(2026, 3, 29, 2, 30)), ["refused_time_skipped"]),  # noqa: DTZ001
    ((), VisitBooked("W6", datetime(2025, 10, 26, 2, 30)), ["refused_time_twice"]),  # noqa: DTZ001
    ((MORNING[0],), VisitBooked("INCLUSION", BOOKED.local), ["refused_already_attended"]),
    ((MORNING[0],), MORNING[0], ["refused_attended_twice"]),
    ((MORNING[0],), Attended("W6", at(9, 0)), ["refused_same_day_as"]),
    ((DOSE,), DOSE, ["refused_dose_twice"]),
    ((), DoseGiven("INCLUSION", at(8, 0), 0, Formulation.MMF, 99), ["refused_dose_mg", "refused_interval"]),
    ((MORNING[3],), DoseGiven("INCLUSION", at(9, 0), 1000, Formulation.MMF, 12), ["refused_dose_after_draw"]),
    ((DOSE,), SampleDrawn("INCLUSION", "H30", at(8, 19), "T-9"), ["refused_draw_before_dose"]),
    ((MORNING[2],), SampleDrawn("INCLUSION", "H30", at(8, 10), "T-9"), ["refused_draw_order"]),
    ((MORNING[2],), SampleDrawn("INCLUSION", "H0", at(8, 16), "T-9"), ["refused_draw_twice"]),
    ((MORNING[2],), SampleNotDrawn("INCLUSION", "H0", at(8, 16), "x"), ["refused_draw_twice"]),
    ((MORNING[2],), SampleDrawn("INCLUSION", "H30", at(8, 50), "T-1"), ["refused_tube_used"]),
    ((MORNING[0],), Assessed("INCLUSION", "mrss", at(9, 0), 52, "points"), ["refused_out_of_range"]),
    ((MORNING[0],), Assessed("INCLUSION", "mrss", at(9, 0), 18.5, "points"), ["refused_not_whole"]),
    ((), Assessed("INCLUSION", "mrss", at(9, 0), 18, "points"), ["refused_not_attended"]),
    (
        (MORNING[0], Assessed("INCLUSION", "mrss", at(9, 0), 18, "points")),
        Assessed("INCLUSION", "mrss", at(9, 0), 19, "points"),
        ["refused_assessed_twice"],
    ),
    ((), Resumed(at(9, 0), "x"), ["refused_not_on_hold"]),
    ((Paused(at(9, 0), "x"),), Paused(at(9, 30), "x"), ["refused_already_on_hold"]),
    ((), RegimenChanged(at(9, 0), Regimen(Formulation.MMF, -1, 12), "x"), ["refused_dose_mg"]),
]


@pytest.mark.parametrize(
    ("before", "what", "reasons"), _REFUSALS, ids=lambda v: v[0] if type(v) is list else ""
)
def test_what_cannot_be_so_is_refused_and_leaves_no_trace(
    desk: Desk, before: tuple[What, ...], what: What, reasons: list[str]
) -> None:
    desk.enrol()
    desk.now = at(11, 0)
    for one in before:
        desk.say(one)
    with refused(desk, *reasons):
        desk.say(what)


def test_nothing_new_is_recorded_for_whoever_left_the_study(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(11, 0, 3)
    desk.say(LEFT)
    assert desk.status("W6") == "not_applicable"
    with refused(desk, "refused_withdrawn"):
        desk.say(BOOKED)
    with refused(desk, "refused_already_withdrawn"):
        desk.say(Withdrawn(at(8, 0, 2), Withdrawal.DEATH, "x"))
    desk.now = at(11, 0, 14, 10)
    with refused(desk, "refused_after_withdrawal"):
        desk.say(Attended("W6", at(8, 0, 13, 10)))


def test_one_tube_belongs_to_one_draw_of_one_subject(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(10, 0, 29, 8)
    desk.enrol(OTHER)
    desk.now = at(11, 0)
    with refused(desk, "refused_tube_used"):
        desk.say(SampleDrawn("INCLUSION", "H0", at(8, 16), "T-1"), OTHER)


def test_what_is_unusual_is_recorded_with_a_warning(desk: Desk) -> None:
    desk.enrol()
    done = desk.say(VisitBooked("W6", datetime(2025, 11, 1, 8, 30)))  # noqa: DTZ001
    assert {one.code for one in done.warnings} == {"warned_closed_day", "warned_out_of_window"}
    assert desk.status("W6") == "booked"


def test_a_moved_visit_calls_back_the_unsent_mail_about_the_old_date(desk: Desk) -> None:
    desk.enrol()
    desk.say(BOOKED)
    desk.say(VisitMoved("W6", datetime(2025, 10, 15, 8, 30), "holiday"))  # noqa: DTZ001
    assert {row.state for row in desk.mails("visit_booked")} == {"cancelled"}
    keys = [row.key for row in desk.rows(OutboxRow)]
    assert len(keys) == len(set(keys))
    assert {row.facts["sequence"] for row in desk.mails("date_changed")} == {1}


def test_drawn_times_are_those_that_were_said(desk: Desk) -> None:
    desk.sampled()
    assert {row.point: row.drawn_at for row in desk.rows(SamplingRow, visit="INCLUSION")} == DRAWN
