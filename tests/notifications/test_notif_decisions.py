"""What becomes of a mail, whole: the reason with the server's words, the next instant, whether it counts, the alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import notif_cases as cases
import pytest

from notifications.outbox.states import Phase
from notifications.outbox.verdict import (
    Attempt,
    Decision,
    Ending,
    Outcome,
    Settle,
    again_after_ambiguity,
    delay_before,
    verdict,
)
from scheduler.domain.reason import Reason, because

NOW = cases.NOW
GREYLISTED = Outcome(Phase.RCPT, Ending.REPLIED, 451, "4.7.1 greylisted")


def attempt(before: int = 0, expires_after: timedelta | None = None) -> Attempt:
    return Attempt("key", before, NOW, NOW + expires_after if expires_after is not None else None)


def said(code: str, answer: str) -> Reason:
    return because(code, answer=answer)


@pytest.mark.parametrize(
    ("number", "seconds"), [(1, 320), (2, 596), (3, 1036), (4, 1785), (5, 3728), (40, 3315)]
)
def test_the_wait_of_a_mail_is_the_same_for_ever(number: int, seconds: int) -> None:
    assert delay_before(number, "key") == timedelta(seconds=seconds)


@pytest.mark.parametrize("before", [0, 1, 5])
def test_a_mail_that_is_to_come_again_waits_by_its_own_key_and_number(before: int) -> None:
    again = NOW + delay_before(before + 1, "key")
    reason = said("mail_later", "451 4.7.1 greylisted")
    assert verdict(GREYLISTED, attempt(before), NOW) == Decision(Settle.RETRY, reason, again)


def test_a_relay_that_refuses_is_tried_again_and_told() -> None:
    refused = Outcome(Phase.RCPT, Ending.REPLIED, 554, "5.7.1 relay access denied")
    reason, again = said("mail_refused_relay", "554 5.7.1 relay access denied"), NOW + delay_before(1, "key")
    assert verdict(refused, attempt(), NOW) == Decision(Settle.RETRY, reason, again, alarm=True)


def test_a_mail_is_given_up_when_its_next_attempt_would_come_at_its_end_or_later() -> None:
    wait, second = delay_before(1, "key"), timedelta(seconds=1)
    given_up = Decision(Settle.FAILED, said("mail_given_up", "451 4.7.1 greylisted"), alarm=True)
    assert verdict(GREYLISTED, attempt(0, wait), NOW) == given_up
    assert verdict(GREYLISTED, attempt(0, wait - second), NOW) == given_up
    assert verdict(GREYLISTED, attempt(0, wait + second), NOW).settle is Settle.RETRY


@pytest.mark.parametrize(
    ("code", "text"), [(552, "too big"), (552, "5.3.4 too big"), (500, "5.3.4 too big"), (552, "5.2.2 full")]
)
def test_a_sender_refused_for_the_size_of_the_mail_ends_that_mail(code: int, text: str) -> None:
    decision = verdict(Outcome(Phase.MAIL, Ending.REPLIED, code, text), attempt(), NOW)
    assert decision == Decision(Settle.FAILED, said("mail_refused_content", f"{code} {text}"), alarm=True)


def test_a_sender_refused_for_now_waits_with_the_connection_and_for_good_with_the_configuration() -> None:
    later = verdict(Outcome(Phase.MAIL, Ending.REPLIED, 451, "later"), attempt(), NOW)
    minute = NOW + timedelta(minutes=1)
    assert later == Decision(Settle.CHANNEL, said("mail_channel", "451 later"), minute, counts=False)
    for code in (500, 501, 550):
        never = verdict(Outcome(Phase.MAIL, Ending.REPLIED, code, "no"), attempt(), NOW)
        reason = said("mail_configuration", f"{code} no")
        assert never == Decision(Settle.CONFIGURATION, reason, counts=False, alarm=True)


def failed(code: str) -> tuple[Settle, str, bool, bool]:
    return Settle.FAILED, code, True, True


CHANNEL = (Settle.CHANNEL, "mail_channel", False, False)
CONFIGURATION = (Settle.CONFIGURATION, "mail_configuration", False, True)
LATER = (Settle.RETRY, "mail_later", True, False)


@pytest.mark.parametrize(
    ("phase", "code", "text", "expected"),
    [
        (Phase.REPLIED, 354, "go on", CHANNEL),
        (Phase.REPLIED, 399, "odd", CHANNEL),
        (Phase.REPLIED, 400, "odd", LATER),
        (Phase.REPLIED, 499, "odd", LATER),
        (Phase.REPLIED, 500, "no", failed("mail_refused_content")),
        (Phase.RCPT, 500, "no", failed("mail_refused_address")),
        (Phase.CONNECT, 554, "no service", CHANNEL),
        (Phase.RCPT, 421, "closing", CHANNEL),
        (Phase.RCPT, 530, "log in", CONFIGURATION),
        (Phase.RCPT, 535, "log in", CONFIGURATION),
        (Phase.RCPT, 531, "odd", failed("mail_refused_address")),
        (Phase.RCPT, 536, "odd", failed("mail_refused_address")),
        (Phase.RCPT, 550, "5.7.8 wrong credentials", CONFIGURATION),
        (Phase.REPLIED, 554, "5.7.1 looks like spam", failed("mail_refused_content")),
        (Phase.RCPT, 550, "5.1.1 no such user", failed("mail_mailbox_dead")),
        (Phase.REPLIED, 550, "5.1.1 no such user", failed("mail_refused_content")),
        (Phase.RCPT, 550, "5.2.2 full", failed("mail_refused_address")),
        (Phase.RCPT, 550, "5.3.4 too big", failed("mail_refused_content")),
        (Phase.RCPT, 550, "5.6.1 media", failed("mail_refused_content")),
        (Phase.RCPT, 552, "too big", failed("mail_refused_content")),
        (Phase.RCPT, 553, "no", failed("mail_refused_address")),
        (Phase.REPLIED, 553, "no", failed("mail_refused_content")),
    ],
)
def test_each_reply_gives_its_reason_with_the_servers_words_whether_it_counts_and_the_alarm(
    phase: Phase, code: int, text: str, expected: tuple[Settle, str, bool, bool]
) -> None:
    found = verdict(Outcome(phase, Ending.REPLIED, code, text), attempt(), NOW)
    settle, reason, counts, alarm = expected
    assert (found.settle, found.counts, found.alarm) == (settle, counts, alarm)
    assert found.reason == said(reason, f"{code} {text}")
    waits = {Settle.RETRY: delay_before(1, "key"), Settle.CHANNEL: timedelta(minutes=1)}
    wait = None if phase is Phase.CONNECT else waits.get(settle)
    assert found.not_before == (NOW + wait if wait is not None else None)


def test_endings_without_a_reply_give_their_reason_whole() -> None:
    minute, quarter = NOW + timedelta(minutes=1), NOW + timedelta(minutes=15)
    assert [verdict(Outcome(phase, ending, None, text), attempt(), NOW) for phase, ending, text in (
        (Phase.CONNECT, Ending.UNREACHABLE, "refused"),
        (Phase.RCPT, Ending.LOST, ""),
        (Phase.DATA, Ending.TIMEOUT, ""),
        (Phase.CONNECT, Ending.UNTRUSTED, "wrong name"),
        (Phase.RCPT, Ending.UNSENDABLE, "no ASCII"),
        (Phase.RCPT, Ending.ABANDONED, ""),
    )] == [
        Decision(Settle.CHANNEL, said("mail_channel", "refused"), counts=False),
        Decision(Settle.CHANNEL, said("mail_channel", "lost"), minute, counts=False),
        Decision(Settle.UNCERTAIN_AGAIN, said("mail_uncertain", "timeout"), quarter),
        Decision(Settle.CONFIGURATION, said("mail_configuration", "wrong name"), counts=False, alarm=True),
        Decision(Settle.FAILED, said("mail_unsendable", "no ASCII"), alarm=True),
        Decision(Settle.ABANDONED, counts=False),
    ]  # fmt: skip


def test_a_mail_that_is_uncertain_twice_says_the_last_words_or_none() -> None:
    twice = replace(attempt(), uncertain=True)
    lost = Outcome(Phase.DATA, Ending.LOST, None, "")
    ended = Decision(Settle.UNCERTAIN_END, said("mail_uncertain_twice", "lost"), alarm=True)
    assert verdict(lost, twice, NOW) == ended
    without = again_after_ambiguity(twice, because("mail_interrupted"), NOW)
    assert without == Decision(Settle.UNCERTAIN_END, said("mail_uncertain_twice", "-"), alarm=True)


def test_an_uncertain_mail_whose_repeat_would_come_at_its_end_is_left_uncertain() -> None:
    reason, quarter = because("mail_interrupted"), timedelta(minutes=15)
    at_its_end = again_after_ambiguity(attempt(0, quarter), reason, NOW)
    assert at_its_end == Decision(Settle.UNCERTAIN_END, reason, alarm=True)
    before = again_after_ambiguity(attempt(0, quarter + timedelta(seconds=1)), reason, NOW)
    assert before == Decision(Settle.UNCERTAIN_AGAIN, reason, NOW + quarter)
