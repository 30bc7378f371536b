"""The outbox as a state machine, on both databases."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import notif_cases as cases
import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from notifications.outbox import attempts, ledger, posting, queue
from notifications.outbox.backlog import backlog
from notifications.outbox.queue import Calm, Claim, Claimed
from notifications.outbox.states import Phase, State
from notifications.outbox.verdict import Decision, Ending, Outcome, Settle, verdict
from scheduler.domain.protocol import Event
from scheduler.store.tables import OutboxRow, StaffRow

OK = Outcome(Phase.REPLIED, Ending.REPLIED, 250, "2.0.0 OK")
CALM = Calm({"cochin": cases.site()})


def claim(desk: cases.Study, limit: int = 50, calm: Calm = CALM) -> Claim:
    now = desk.clock.now()
    return desk.do(lambda session: queue.claim(session, now, "owner", calm, limit))


def hand_over(desk: cases.Study, mail: Claimed) -> bool:
    return desk.do(lambda session: attempts.begin_data(session, mail, desk.clock.now()))


def settle(desk: cases.Study, mail: Claimed, outcome: Outcome = OK) -> bool:
    now = desk.clock.now()
    decision = verdict(outcome, mail.attempt, now)
    return desk.do(lambda session: attempts.settle(session, mail, outcome, decision, now))


def rescue(desk: cases.Study, everyone: bool = False) -> list[tuple[OutboxRow, Decision]]:
    return desk.do(lambda session: attempts.rescue(session, desk.clock.now(), everyone))


def test_the_same_event_twice_puts_in_nothing_new(either: cases.Study) -> None:
    either.tell(cases.reminder())
    either.tell(cases.reminder())
    assert len(either.mails()) == 2


def test_a_mail_whose_number_is_taken_is_an_error_and_not_forgotten(either: cases.Study) -> None:
    """A sequence that fell behind, as after a copy of the tables alone, must not swallow a mail."""
    either.tell(cases.reminder())
    there = either.mails()[0]
    other = there.model_dump() | dict.fromkeys(("key", "topic", "message_id"), "other")

    def put_in(session: Session) -> None:
        posting.add(session, [other])

    with pytest.raises(IntegrityError):
        either.do(put_in)


def test_a_row_is_never_given_to_two_senders(either: cases.Study) -> None:
    for rule in ("visit_soon", "book_visit", "overdue", "window_closes", "missed"):
        either.tell(cases.reminder(rule))
    total = len(either.mails())
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: claim(either, 3), range(12)))
    given = [mail.id for one in claims for mail in one.mails]
    assert sorted(given) == sorted(set(given))
    assert len(given) == total


def test_a_stale_token_changes_nothing(either: cases.Study) -> None:
    either.tell(cases.reminder())
    stale = claim(either).mails[0]
    either.later(minutes=5)
    rescue(either)
    fresh = next(one for one in claim(either).mails if one.id == stale.id)
    assert not hand_over(either, stale)
    assert not settle(either, stale)
    (row,) = either.mails(id=stale.id)
    assert (row.state, row.lease_token, row.attempts) == (State.LEASED, fresh.token, 0)
    assert settle(either, fresh)


def test_a_sender_that_stopped_before_data_costs_nothing(either: cases.Study) -> None:
    either.tell(cases.reminder())
    mail = claim(either).mails[0]
    assert rescue(either) == []
    either.later(minutes=2)
    rescue(either)
    (row,) = either.mails(id=mail.id)
    assert (row.state, row.attempts, row.uncertain, row.lease_token) == (State.PENDING, 0, False, None)


def test_a_sender_that_stopped_after_data_leaves_a_mail_that_is_sent_once_more(either: cases.Study) -> None:
    either.tell(cases.reminder())
    mail = claim(either).mails[0]
    assert hand_over(either, mail)
    either.later(minutes=5)
    assert mail.id not in [row.id for row, _ in rescue(either)]
    either.later(minutes=8)
    rescue(either)
    (row,) = either.mails(id=mail.id)
    assert (row.state, row.uncertain, row.attempts) == (State.RETRY, True, 1)
    either.later(minutes=15)
    again = next(one for one in claim(either).mails if one.id == mail.id)
    hand_over(either, again)
    either.later(minutes=13)
    rescue(either)
    (row,) = either.mails(id=mail.id)
    assert row.state == State.UNCERTAIN


def test_at_the_start_all_leases_are_taken_back(either: cases.Study) -> None:
    either.tell(cases.reminder())
    claim(either)
    assert len(rescue(either, everyone=True)) == 2
    assert {row.state for row in either.mails()} == {State.PENDING}


def test_a_mail_past_its_use_is_put_aside_with_the_reason(either: cases.Study) -> None:
    either.tell(cases.reminder(valid=timedelta(hours=1)))
    either.later(hours=2)
    assert claim(either).mails == ()
    either.do(lambda session: queue.expire(session, either.clock.now()))
    row = either.mail()
    reason = queue.reason_of(row)
    assert row.state == State.EXPIRED
    assert reason is not None
    assert reason.get("at") == cases.NOW + timedelta(hours=1)


def test_an_uncertain_mail_that_expires_is_not_said_to_have_stayed_here(desk: cases.Study) -> None:
    desk.tell(cases.reminder(valid=timedelta(hours=1)))
    mail = claim(desk).mails[0]
    settle(desk, mail, Outcome(Phase.DATA, Ending.LOST))
    desk.later(hours=2)
    desk.do(lambda session: queue.expire(session, desk.clock.now()))
    (row,) = desk.mails(id=mail.id)
    assert row.state == State.UNCERTAIN


def test_urgent_mails_come_first_then_the_oldest(either: cases.Study) -> None:
    either.tell(cases.reminder("book_visit", cases.NOW - timedelta(hours=1)))
    either.tell(cases.reminder("visit_soon", cases.NOW - timedelta(hours=2)))
    either.tell(cases.reminder("h30_due", cases.NOW - timedelta(minutes=1)))
    order = [one.template for one in claim(either).mails]
    assert order[:2] == ["sample_due"] * 2
    assert order[2:] == ["visit_soon"] * 2 + ["book_visit"] * 2


def test_ordinary_mail_of_the_night_is_put_off_and_urgent_mail_leaves(either: cases.Study) -> None:
    either.clock.move_to(cases.NOW.replace(hour=21))
    either.tell(cases.reminder("h30_due", either.clock.now()))
    either.tell(cases.rebooked())
    found = claim(either)
    assert {one.template for one in found.mails} == {"sample_due"}
    assert found.put_off == 2
    assert {row.not_before for row in either.mails(template="visit_booked")} == {
        cases.NOW.replace(day=3, hour=5)
    }


def test_no_person_gets_more_than_the_brake_allows_and_the_rest_waits(either: cases.Study) -> None:
    for version in range(1, 6):
        either.tell(cases.exposure(version=version))
    calm = Calm({"cochin": cases.site()}, per_hour=2)
    found = claim(either, calm=calm)
    assert [one.staff for one in found.mails].count("pharmacist") == 2
    assert found.put_off == 6
    for mail in found.mails:
        settle(either, mail)
    either.later(minutes=59)
    assert claim(either, calm=calm).mails == ()
    either.later(minutes=1)
    assert len(claim(either, calm=calm).mails) == 4


def test_a_backlog_is_put_off_once_each_mail_to_an_hour_that_has_room(either: cases.Study) -> None:
    for version in range(1, 8):
        either.tell(cases.exposure(version=version))
    calm = Calm({"cochin": cases.site()}, per_hour=2)
    left = []
    for hour in range(4):
        found = claim(either, calm=calm)
        assert found.put_off == (10 if hour == 0 else 0)
        left.append(Counter(one.staff for one in found.mails))
        for mail in found.mails:
            settle(either, mail)
        either.later(minutes=60)
    assert [one["pharmacist"] for one in left] == [2, 2, 2, 1]
    assert not either.mails(state=State.PENDING)


def test_a_channel_failure_counts_no_attempt_and_keeps_the_turn(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    mail = claim(desk).mails[0]
    assert settle(desk, mail, Outcome(Phase.CONNECT, Ending.UNREACHABLE, text="refused"))
    (row,) = desk.mails(id=mail.id)
    assert (row.state, row.attempts, row.not_before) == (State.PENDING, 0, cases.NOW)
    (attempt,) = desk.attempts(mail.id)
    assert attempt.outcome == Settle.CHANNEL


def test_the_five_days_count_from_the_first_attempt_that_counted(desk: cases.Study) -> None:
    desk.tell(cases.exposure())
    desk.later(days=20)
    greylisted = Outcome(Phase.RCPT, Ending.REPLIED, 451, "4.7.1 greylisted")
    mail = claim(desk).mails[0]
    settle(desk, mail, greylisted)
    assert desk.mails(id=mail.id)[0].state == State.RETRY
    desk.later(days=6)
    mail = next(one for one in claim(desk).mails if one.id == mail.id)
    settle(desk, mail, greylisted)
    assert desk.mails(id=mail.id)[0].state == State.FAILED


def test_a_released_lease_gives_back_only_what_was_not_handed_over(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    first, second = claim(desk).mails
    hand_over(desk, first)
    assert desk.do(lambda session: attempts.release(session, first.token, desk.clock.now())) == 1
    assert desk.mails(id=first.id)[0].state == State.LEASED
    assert desk.mails(id=second.id)[0].state == State.PENDING


# --- what people do with it -----------------------------------------------------------------------------------


def failed(desk: cases.Study) -> int:
    desk.tell(cases.reminder())
    for mail in claim(desk).mails:
        settle(desk, mail, Outcome(Phase.RCPT, Ending.REPLIED, 550, "5.1.1 unknown"))
    return desk.mail().id or 0


def test_a_failed_mail_is_sent_again_to_the_address_of_now(either: cases.Study) -> None:
    number = failed(either)

    def correct(session: object) -> None:
        row = session.get(StaffRow, "coordinator-en")  # type: ignore[attr-defined]
        row.email = "right@cochin.example"

    either.do(correct)
    assert either.do(lambda session: ledger.retry(session, number, either.clock.now()))
    (mail,) = claim(either).mails
    assert (mail.id, mail.address) == (number, "right@cochin.example")


def test_a_mail_that_was_sent_or_is_out_of_date_is_not_sent_again(desk: cases.Study) -> None:
    number = failed(desk)
    now = desk.later(days=4)
    assert not desk.do(lambda session: ledger.retry(session, number, now))
    assert not desk.do(lambda session: ledger.retry(session, 999, now))


def test_only_a_waiting_mail_can_be_taken_back(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    number = desk.mail().id or 0
    assert desk.do(lambda session: ledger.cancel(session, number, "ann"))
    assert not desk.do(lambda session: ledger.cancel(session, number, "ann"))
    assert desk.mail().state == State.CANCELLED


def test_the_backlog_tells_what_waits_and_since_when(either: cases.Study) -> None:
    either.tell(cases.reminder())
    either.tell(cases.reminder("overdue", cases.NOW + timedelta(days=1)))
    found = either.do(lambda session: backlog(session, cases.NOW))
    assert (found.waiting, found.overdue, found.oldest_due) == (4, 2, cases.NOW)
    assert either.do(ledger.next_due) == cases.NOW


def test_the_outbox_can_be_listed_and_a_mail_shown_with_its_attempts(desk: cases.Study) -> None:
    number = failed(desk)
    listed = desk.do(lambda session: ledger.list_outbox(session, State.FAILED, cases.SUBJECT))
    assert number in [row.id for row in listed]
    shown = desk.do(lambda session: ledger.show_outbox(session, number))
    assert [one.code for one in shown.attempts] == [550]
    assert desk.do(lambda session: ledger.show_outbox(session, 999)) is None


@pytest.mark.parametrize("sequence", [1, 2])
def test_an_unsent_mail_about_an_earlier_date_is_taken_back(desk: cases.Study, sequence: int) -> None:
    desk.tell(cases.rebooked())
    desk.tell(cases.rebooked(Event.VISIT_MOVED, sequence, cases.BOOKED, cases.BOOKED + timedelta(days=1)))
    assert {row.state for row in desk.mails(template="visit_booked")} == {State.CANCELLED}
    assert {row.state for row in desk.mails(template="date_changed")} == {State.PENDING}
