"""Who is told what when something happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import notif_cases as cases
import pytest
from sqlmodel import Session

from notifications.messages.policy import policy
from notifications.outbox.handlers import make_handler
from notifications.outbox.states import State
from scheduler.domain.events import Days, MailFailed, VisitReplanned
from scheduler.domain.protocol import Event, Notice
from scheduler.domain.reason import from_json
from scheduler.store.tables import OutboxRow, StaffRow

MOVED = cases.BOOKED + timedelta(days=1)
move = cases.rebooked(Event.VISIT_MOVED, 1, cases.BOOKED, MOVED)
cancel = cases.rebooked(Event.VISIT_CANCELLED, 1, cases.BOOKED, None)


def told(desk: cases.Study, template: str) -> list[str]:
    return sorted(row.staff_id for row in desk.mails(template=template))


# --- policy ---------------------------------------------------------------------------------------------------


def test_a_reminder_is_its_rules_template_for_its_rules_roles_while_it_is_of_use() -> None:
    event = cases.reminder("sampling_day")
    (message,) = policy(cases.protocol(), event)
    assert (message.template, message.roles) == ("sampling_day", ("coordinator", "laboratory"))
    assert (message.not_before, message.expires_at) == (event.slot.due_at, event.slot.valid_until)
    assert message.topic == event.key
    assert not message.urgent


@pytest.mark.parametrize("rule", ["h30_due", "h2_due"])
def test_a_reminder_of_a_sampling_point_is_urgent(rule: str) -> None:
    (message,) = policy(cases.protocol(), cases.reminder(rule))
    assert message.urgent
    assert message.facts["point"] == rule.split("_", maxsplit=1)[0].upper()


@pytest.mark.parametrize("event", [one for one in Event if one is not Event.VISIT_REPLANNED])
def test_every_event_of_the_protocol_has_its_message(event: Event) -> None:
    wanted = next(one for one in cases.protocol().notices if one.event is event)
    if event in (Event.VISIT_BOOKED, Event.VISIT_MOVED, Event.VISIT_CANCELLED):
        (message,) = policy(cases.protocol(), cases.rebooked(event, 1, cases.BOOKED, MOVED))
    elif event in (Event.AUC_AVAILABLE, Event.AUC_AMENDED, Event.AUC_WITHDRAWN):
        (message,) = policy(cases.protocol(), cases.exposure(event))
    elif event is Event.EXPOSURE_MONTH:
        (message,) = policy(cases.protocol(), cases.exposure_month())
        assert message.expires_at is not None and message.subject is None
    elif event is Event.MAIL_FAILED:
        (message,) = policy(cases.protocol(), MailFailed(event, "cochin", 3, "k"))
    else:
        (message,) = policy(cases.protocol(), cases.troubled(event))
    assert (message.template, message.roles) == (wanted.template, wanted.roles)


def test_other_days_of_a_visit_are_told_to_whoever_knows_the_old_ones_without_any_notice() -> None:
    old, new = (
        Days(date(2025, 10, day), date(2025, 10, day - 3), date(2025, 10, day + 3)) for day in (13, 20)
    )
    event = VisitReplanned(Event.VISIT_REPLANNED, "MPA-0042-7", "W6", old, new, None, 1, "replanned|x|W6|1")
    (message,) = policy(cases.protocol(), event)
    assert (message.template, message.roles) == ("visit_replanned", ())
    assert (message.facts["old_target"], message.facts["new_last"]) == ("2025-10-13", "2025-10-23")
    notice = Notice(Event.VISIT_REPLANNED, "visit_replanned", ("coordinator",))
    (told_too,) = policy(replace(cases.protocol(), notices=(notice,), key="told"), event)
    assert told_too.roles == ("coordinator",)


def test_an_event_without_a_notice_is_told_to_nobody() -> None:
    silent = replace(cases.protocol(), notices=(), key="silent")
    assert policy(silent, cases.exposure()) == ()


def test_two_notices_of_one_event_are_two_mails_of_one_topic() -> None:
    notices = (Notice(Event.AUC_AVAILABLE, "auc_available", ("pharmacist",)),)
    both = (*notices, Notice(Event.AUC_AVAILABLE, "auc_amended", ("pharmacist",)))
    messages = policy(replace(cases.protocol(), notices=both, key="both"), cases.exposure())
    assert len({one.key for one in messages}) == 2
    assert {one.topic for one in messages} == {cases.exposure().key}


def test_all_mails_about_a_visit_are_one_conversation() -> None:
    threads = {policy(cases.protocol(), one)[0].thread for one in (cases.reminder(), move, cases.exposure())}
    assert len(threads) == 1


# --- recipients -----------------------------------------------------------------------------------------------


def test_each_person_with_the_role_gets_a_mail_of_their_own(either: cases.Study) -> None:
    either.tell(cases.reminder())
    assert told(either, "visit_soon") == ["coordinator-en", "coordinator-fr"]
    assert len({row.message_id for row in either.mails()}) == 2
    assert {row.language for row in either.mails()} == {"en", "fr"}


def test_somebody_who_left_is_not_written_to(desk: cases.Study) -> None:
    def leave(session: Session) -> None:
        row = session.get(StaffRow, "coordinator-en")
        assert row is not None
        row.active = False

    desk.do(leave)
    desk.tell(cases.reminder())
    assert told(desk, "visit_soon") == ["coordinator-fr"]


def test_a_mail_that_nobody_can_receive_is_a_flag_of_the_site(desk: cases.Study) -> None:
    def leave(session: Session) -> None:
        for name in ("coordinator-en", "coordinator-fr"):
            row = session.get(StaffRow, name)
            assert row is not None
            row.active = False

    desk.do(leave)
    desk.tell(cases.reminder())
    desk.tell(cases.reminder("book_visit"))
    assert desk.mails() == []
    (flag,) = desk.flags()
    assert (flag.code, flag.subject) == ("mail_failed", None)
    assert from_json(flag.reason).code == "flag_no_recipient"


def test_whoever_was_told_the_old_date_is_told_the_new_one(desk: cases.Study) -> None:
    desk.tell(cases.reminder("sampling_day"))
    _mark(desk, State.SENT)
    desk.tell(move)
    assert told(desk, "date_changed") == ["coordinator-en", "coordinator-fr", "laboratory"]


def test_whoever_was_told_a_date_is_told_that_it_is_off(desk: cases.Study) -> None:
    desk.tell(cases.reminder("sampling_day"))
    _mark(desk, State.SENT)
    desk.tell(cancel)
    assert "laboratory" in told(desk, "visit_cancelled")


def test_whoever_was_not_told_the_old_date_is_not_bothered(desk: cases.Study) -> None:
    desk.tell(cases.reminder("sampling_day"))
    desk.tell(move)
    assert told(desk, "date_changed") == ["coordinator-en", "coordinator-fr"]


def test_a_mail_about_another_date_tells_nobody_of_this_one(desk: cases.Study) -> None:
    desk.tell(cases.reminder("sampling_day"))
    _mark(desk, State.SENT)
    later = MOVED + timedelta(days=1)
    desk.tell(cases.rebooked(Event.VISIT_MOVED, 2, MOVED, later))
    assert "laboratory" not in told(desk, "date_changed")


def test_the_roles_in_which_a_person_is_addressed_are_kept(desk: cases.Study) -> None:
    desk.tell(cases.reminder("sampling_day"))
    assert desk.mail("laboratory").facts["roles"] == ["laboratory"]


def test_a_person_whose_mail_fails_is_not_told_so_by_mail(desk: cases.Study) -> None:
    desk.tell(cases.troubled())
    number = desk.mail("data-manager").id or 0
    desk.tell(MailFailed(Event.MAIL_FAILED, "cochin", number, "mail_failed|x"))
    assert told(desk, "mail_failed") == []
    assert desk.flags() == []


def test_a_handler_for_an_unknown_subject_says_so(desk: cases.Study) -> None:
    stranger = replace(cases.reminder(), subject="MPA-9999-9")
    handle = make_handler(cases.protocol_of, cases.DOMAIN)
    with pytest.raises(LookupError, match="MPA-9999-9"):
        desk.do(lambda session: handle(session, [stranger], cases.NOW))


def _mark(desk: cases.Study, state: State) -> None:
    rows = desk.mails()

    def change(session: Session) -> None:
        for row in rows:
            found = session.get(OutboxRow, row.id)
            assert found is not None
            found.state = state

    desk.do(change)
