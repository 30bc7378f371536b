"""What becomes of a mail, whole: the reason with the server's words, the next instant, whether it counts, the alarm."""

from __future__ import annotations

from datetime import timedelta

import notif_cases as cases
import pytest

from notifications.states import Phase
from notifications.verdict import Attempt, Decision, Ending, Outcome, Settle, delay_before, verdict
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
