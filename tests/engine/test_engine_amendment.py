"""Following subjects under another protocol version: preview, record, mails, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest
from config_cases import PROTOCOL, changed_study
from engine_desk import OTHER, SUBJECT, WHO, Desk, at
from sqlalchemy import update
from sqlmodel import Session

from config.language import Language
from scheduler.domain.events import DomainEvent
from scheduler.domain.facts import ProtocolApplied, VisitBooked
from scheduler.domain.reason import RefusedError
from scheduler.domain.speech import speaker_for
from scheduler.engine.recheck import make_recheck
from scheduler.engine.reconcile import rebuild
from scheduler.engine.recording.amendment import Preview, apply_version, concerned, preview
from scheduler.engine.report.explain import explain
from scheduler.engine.study import Study
from scheduler.store.subjects import subject_row
from scheduler.store.tables import (
    AuditRow,
    FactRow,
    OutboxRow,
    ProtocolVersionRow,
    ReviewRow,
    SubjectRow,
    VisitRow,
)

ON = date(2025, 10, 10)


@pytest.fixture(scope="module")
def both_versions(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study with a second version: W6 a week later and W12 a week earlier."""
    later, earlier = ('value = "P6W"', 'value = "P7W"'), ('value = "P12W"', 'value = "P11W"')
    version = ('version = "1"', 'version = "2"')
    folder = tmp_path_factory.mktemp("two") / "config"
    return changed_study(folder, PROTOCOL, version, later, earlier, beside="second.toml")


def second(desk: Desk, on: date = ON) -> ProtocolApplied:
    sha256, protocol = desk.study.newest
    return ProtocolApplied(on, protocol.version, sha256, "amendment 3")


def previewed(desk: Desk, code: str = SUBJECT) -> Preview:
    def step(session: Session) -> Preview:
        row = subject_row(session, code)
        assert row is not None
        return preview(session, desk.study, row, second(desk), WHO, desk.now)

    return desk.db.read(step)


def apply(desk: Desk, *named: str, on: date = ON) -> list[str]:
    def step(session: Session) -> list[str]:
        assert desk.handle is not None
        what = second(desk, on)
        rows, _ = concerned(session, desk.study, what, None, named, desk.now)
        apply_version(session, desk.study, rows, what, WHO, desk.now, desk.handle)
        return [row.code for row in rows]

    return desk.db.transact(step)


def sent(desk: Desk, template: str) -> None:
    """These mails have left."""
    desk.db.transact(
        lambda session: session.execute(
            update(OutboxRow).where(OutboxRow.template == template).values(state="sent", sent_at=desk.now)
        )
    )


@pytest.fixture
def two(desk: Desk, both_versions: Study) -> Desk:
    """Two subjects, enrolled under version 1; the first was reminded to book W6."""
    desk.enrol()
    desk.enrol(OTHER, baseline=date(2025, 9, 8))
    desk.now = at(9, 0, 22)
    desk.reconcile()
    sent(desk, "book_visit")
    return Desk(desk.db, both_versions, desk.now)


def test_a_preview_says_everything_and_writes_nothing(two: Desk) -> None:
    before = two.everything()
    found = previewed(two)
    assert two.everything() == before
    changes = {one.visit: one for one in found.visits}
    assert set(changes) == {"W6", "W12"}
    w6 = changes["W6"]
    assert w6.before is not None
    assert w6.after is not None
    assert (w6.before.target, w6.after.target) == (date(2025, 10, 13), date(2025, 10, 20))
    moved = {(one.visit, one.rule): (one.before, one.after) for one in found.reminders}
    assert moved[("W6", "window_closes")] == (at(8, 0, 15, 10), at(8, 0, 22, 10))
    assert {(one.template, one.visit, one.why.code) for one in found.contradicted} == {
        ("book_visit", "W6", "mail_window_changed")
    }
    assert ("visit_replanned", "W6") in found.announced
    assert ("visit_replanned", "W12") not in found.announced


def test_it_is_one_fact_for_each_subject_and_one_audit_row_with_its_reason_for_the_call(two: Desk) -> None:
    assert apply(two) == [OTHER, SUBJECT]
    facts = two.rows(FactRow, kind="protocol_applied")
    assert [(row.subject, row.payload["on"], row.recorded_by) for row in facts] == [
        (OTHER, "2025-10-10", WHO.name), (SUBJECT, "2025-10-10", WHO.name),
    ]  # fmt: skip
    call = two.rows(AuditRow, action="amendment_applied")[0]
    assert (call.entity_id, call.detail["on"], call.detail["subjects"]) == ("2", "2025-10-10", 2)
    assert two.rows(ReviewRow, audit_seq=call.seq)[0].text == "amendment 3"
    assert {row.version for row in two.rows(ProtocolVersionRow)} == {"1", "2"}


def test_whoever_was_told_the_old_days_is_told_the_new_ones_and_nobody_else(two: Desk) -> None:
    told = {row.staff_id for row in two.mails("book_visit") if row.subject == SUBJECT}
    apply(two)
    mails = [row for row in two.mails("visit_replanned") if row.subject == SUBJECT]
    assert {row.staff_id for row in mails} == told != set()
    assert {(row.visit, row.facts["old_target"], row.facts["new_target"]) for row in mails} == {
        ("W6", "2025-10-13", "2025-10-20")
    }


def test_what_is_shown_before_is_what_is_written_after(two: Desk) -> None:
    found = previewed(two)
    apply(two, SUBJECT)
    for change in found.visits:
        row = two.rows(VisitRow, subject=SUBJECT, visit=change.visit)[0]
        assert change.after is not None
        assert (row.target, row.first, row.last) == (
            change.after.target,
            change.after.first,
            change.after.last,
        )
        assert row.amended_by == two.study.newest[0]
    assert two.rows(VisitRow, subject=SUBJECT, visit="INCLUSION")[0].amended_by is None


def test_an_unsent_mail_about_the_old_days_is_taken_back_before_it_leaves(
    desk: Desk, both_versions: Study
) -> None:
    desk.enrol()
    desk.now = at(9, 0, 22)
    desk.reconcile()
    two = Desk(desk.db, both_versions, desk.now)
    apply(two, SUBJECT)
    recheck = make_recheck(two.study)
    waiting = [row for row in two.mails("book_visit") if row.facts["target"] == "2025-10-13"]
    whys = two.db.read(lambda session: [recheck(session, row, two.now) for row in waiting])
    assert {why.code for why in whys if why is not None} == {"recheck_no_longer_due"}
    assert waiting
    assert two.mails("visit_replanned") == []


def test_a_mail_of_new_days_is_pointless_once_the_version_was_taken_back(two: Desk) -> None:
    apply(two, SUBJECT)
    (first, *_) = two.mails("visit_replanned")
    recheck = make_recheck(two.study)
    assert two.db.read(lambda session: recheck(session, first, two.now)) is None
    two.correct(two.number("protocol_applied"), None)
    why = two.db.read(lambda session: recheck(session, first, two.now))
    assert why is not None
    assert two.rows(VisitRow, subject=SUBJECT, visit="W6")[0].target == date(2025, 10, 13)


def test_when_one_subject_cannot_be_nobody_is_changed(two: Desk) -> None:
    before = two.everything()
    told: list[DomainEvent] = []

    def broken(session: Session, events: Sequence[DomainEvent], now: datetime) -> None:
        told.extend(events)
        if any(event.subject == SUBJECT for event in events):
            raise RuntimeError("the handler fails")

    usual, two.handle = two.handle, broken
    with pytest.raises(RuntimeError):
        apply(two)
    assert two.everything() == before
    two.handle = usual
    with pytest.raises(RefusedError):
        apply(two, SUBJECT, "MPA-9999-9")
    assert two.everything() == before


def test_who_follows_the_version_already_is_left_out_unless_named(two: Desk) -> None:
    apply(two, OTHER)
    assert apply(two) == [SUBJECT]
    with pytest.raises(RefusedError) as refused:
        apply(two, OTHER)
    assert [reason.code for reason in refused.value.reasons] == ["refused_version_followed"]
    with pytest.raises(RefusedError):
        apply(two)


def test_a_record_of_a_version_can_get_another_day_but_not_another_version(two: Desk) -> None:
    apply(two, SUBJECT)
    number = two.number("protocol_applied")
    with pytest.raises(RefusedError) as refused:
        two.correct(number, {"version": "1"})
    assert [reason.code for reason in refused.value.reasons] == ["refused_version_corrected"]
    two.correct(number, {"on": "2025-10-20"})
    assert two.rows(VisitRow, subject=SUBJECT, visit="W6")[0].target == date(2025, 10, 13)
    assert two.rows(VisitRow, subject=SUBJECT, visit="W12")[0].target == date(2025, 11, 17)


def test_explain_names_the_version_its_day_and_its_record(two: Desk) -> None:
    apply(two, SUBJECT)

    def step(session: Session) -> list[str]:
        row = subject_row(session, SUBJECT)
        assert row is not None
        speaker = speaker_for(Language.EN, next(iter(two.study.calendars.values())).zone, two.study.newest[1])
        found = explain(session, two.study, row, None, speaker, two.now)
        return [f"{one.visit}: {one.steps[0]}" for one in found]

    lines = two.db.read(step)
    number = two.number("protocol_applied")
    assert "INCLUSION: protocol version 1, that of the enrolment" in lines
    assert f"W6: protocol version 2, followed from 10 October 2025 (record {number})" in lines


def test_a_subject_followed_under_two_versions_is_rebuilt_as_it_was(two: Desk) -> None:
    two.say(VisitBooked("W12", datetime(2025, 11, 18, 9, 0)))  # noqa: DTZ001
    apply(two)
    before = two.derived()

    def step(session: Session) -> list[str]:
        row = session.get(SubjectRow, SUBJECT)
        assert row is not None
        return rebuild(session, two.study, row, two.now)

    assert two.db.transact(step) == []
    assert _without_sequence(two.derived()) == _without_sequence(before)


def _without_sequence(derived: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """The sequence of a visit counts what was announced; it is not derived."""
    return [[{**row, "sequence": 0} for row in rows] for rows in derived]
