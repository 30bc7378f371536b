"""What an attempt's outcome means, and when a mail may leave."""

# ruff: noqa: DTZ001 (appointments are local times without a zone)
from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import notif_cases as cases
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.delivery.channel import Channel
from notifications.outbox.calm import (
    after_burst,
    after_closed_days,
    after_quiet,
    in_quiet_hours,
    quiet_ends_at,
)
from notifications.outbox.states import Phase
from notifications.outbox.verdict import Attempt, Decision, Ending, Outcome, Settle, delay_before, verdict
from scheduler.domain.reason import because

NOW = cases.NOW


def attempt(before: int = 0, hours: float | None = None, **changes: bool) -> Attempt:
    expires_at = NOW + timedelta(hours=hours) if hours is not None else None
    return Attempt("key", before, NOW, expires_at, **changes)


def reply(phase: Phase, code: int, text: str = "") -> Outcome:
    return Outcome(phase, Ending.REPLIED, code, text)


def judge(outcome: Outcome, one: Attempt | None = None) -> Decision:
    return verdict(outcome, one or attempt(), NOW)


@pytest.mark.parametrize(
    ("phase", "code", "text", "settle"),
    [
        (Phase.REPLIED, 250, "2.0.0 OK", Settle.SENT),
        (Phase.CONNECT, 554, "no service", Settle.CHANNEL),
        (Phase.MAIL, 421, "4.3.2 closing", Settle.CHANNEL),
        (Phase.RCPT, 421, "4.3.2 closing", Settle.CHANNEL),
        (Phase.REPLIED, 421, "4.3.2 closing", Settle.CHANNEL),
        (Phase.MAIL, 451, "4.3.0 storage", Settle.CHANNEL),
        (Phase.MAIL, 530, "5.7.0 log in first", Settle.CONFIGURATION),
        (Phase.MAIL, 550, "5.7.1 sender not allowed", Settle.CONFIGURATION),
        (Phase.MAIL, 552, "5.3.4 too big", Settle.FAILED),
        (Phase.RCPT, 450, "4.2.0 busy", Settle.RETRY),
        (Phase.RCPT, 451, "4.7.1 greylisted", Settle.RETRY),
        (Phase.RCPT, 452, "4.2.2 full for now", Settle.RETRY),
        (Phase.RCPT, 554, "5.7.1 relay access denied", Settle.RETRY),
        (Phase.RCPT, 550, "5.1.1 no such user", Settle.FAILED),
        (Phase.RCPT, 550, "no such user", Settle.FAILED),
        (Phase.RCPT, 550, "5.2.1 disabled", Settle.FAILED),
        (Phase.RCPT, 552, "5.2.2 mailbox full", Settle.FAILED),
        (Phase.REPLIED, 451, "4.3.0 later", Settle.RETRY),
        (Phase.REPLIED, 552, "5.3.4 too big", Settle.FAILED),
        (Phase.REPLIED, 554, "5.6.0 content", Settle.FAILED),
        (Phase.REPLIED, 554, "5.7.1 looks like spam", Settle.FAILED),
    ],
)
def test_each_reply_has_its_meaning(phase: Phase, code: int, text: str, settle: Settle) -> None:
    assert judge(reply(phase, code, text)).settle is settle


@pytest.mark.parametrize(
    ("phase", "ending", "settle"),
    [
        (Phase.CONNECT, Ending.UNREACHABLE, Settle.CHANNEL),
        (Phase.CONNECT, Ending.UNTRUSTED, Settle.CONFIGURATION),
        (Phase.CONNECT, Ending.LOGIN_REFUSED, Settle.CONFIGURATION),
        (Phase.RCPT, Ending.LOST, Settle.CHANNEL),
        (Phase.RCPT, Ending.TIMEOUT, Settle.CHANNEL),
        (Phase.DATA, Ending.LOST, Settle.UNCERTAIN_AGAIN),
        (Phase.DATA, Ending.TIMEOUT, Settle.UNCERTAIN_AGAIN),
        (Phase.RCPT, Ending.UNSENDABLE, Settle.FAILED),
        (Phase.RCPT, Ending.ABANDONED, Settle.ABANDONED),
    ],
)
def test_each_ending_without_a_reply_has_its_meaning(phase: Phase, ending: Ending, settle: Settle) -> None:
    assert judge(Outcome(phase, ending)).settle is settle


def test_trouble_of_the_connection_counts_no_attempt() -> None:
    for ending in (Ending.UNREACHABLE, Ending.UNTRUSTED, Ending.LOGIN_REFUSED):
        assert not judge(Outcome(Phase.CONNECT, ending)).counts


def test_a_mail_on_which_the_connection_broke_lets_the_others_go_first() -> None:
    decision = judge(Outcome(Phase.RCPT, Ending.LOST))
    assert decision.not_before is not None
    assert decision.not_before > NOW


def test_whatever_will_never_arrive_raises_the_alarm() -> None:
    for code, text in ((550, "5.1.1 x"), (552, "5.2.2 full"), (554, "5.7.1 relay")):
        assert judge(reply(Phase.RCPT, code, text)).alarm


def test_an_ambiguous_mail_is_sent_once_more_and_never_a_third_time() -> None:
    lost = Outcome(Phase.DATA, Ending.LOST)
    assert judge(lost).settle is Settle.UNCERTAIN_AGAIN
    assert judge(lost).not_before == NOW + timedelta(minutes=15)
    assert judge(lost, attempt(urgent=True)).not_before == NOW + timedelta(minutes=1)
    assert judge(lost, attempt(uncertain=True)).settle is Settle.UNCERTAIN_END
    assert judge(lost, attempt(hours=0.1)).settle is Settle.UNCERTAIN_END


def test_a_mail_is_given_up_when_the_next_attempt_would_come_too_late() -> None:
    later = reply(Phase.RCPT, 451, "4.7.1 greylisted")
    assert judge(later, attempt(hours=0.05)).settle is Settle.FAILED
    assert judge(later, attempt(hours=1)).settle is Settle.RETRY
    old = Attempt("key", 30, NOW - timedelta(days=5), None)
    assert judge(later, old).settle is Settle.FAILED


@given(st.integers(1, 40), st.text(min_size=1))
def test_delays_grow_within_their_jitter(number: int, key: str) -> None:
    minutes = (6, 10, 15, 30, 60)[min(number, 5) - 1]
    assert 0.8 * minutes * 60 - 1 <= delay_before(number, key).total_seconds() <= 1.2 * minutes * 60 + 1
    assert delay_before(number, key) == delay_before(number, key)


outcomes = st.builds(
    Outcome,
    st.sampled_from(Phase),
    st.sampled_from(Ending),
    st.one_of(st.none(), st.integers(200, 599)),
    st.text(max_size=20),
)
attempts = st.builds(
    Attempt,
    st.text(min_size=1, max_size=5),
    st.integers(0, 30),
    st.datetimes(datetime(2026, 2, 26), datetime(2026, 3, 2)).map(lambda at: at.replace(tzinfo=UTC)),
    st.one_of(st.none(), st.integers(1, 10_000).map(lambda minutes: NOW + timedelta(minutes=minutes))),
    st.booleans(),
    st.booleans(),
)


@given(outcomes, attempts)
def test_no_verdict_is_silent_or_comes_after_the_mail_lost_its_use(outcome: Outcome, one: Attempt) -> None:
    decision = verdict(outcome, one, NOW)
    if decision.settle in (Settle.RETRY, Settle.UNCERTAIN_AGAIN):
        assert decision.not_before is not None
        assert NOW < decision.not_before < one.gives_up_at
    if decision.settle in (Settle.FAILED, Settle.UNCERTAIN_END, Settle.CONFIGURATION):
        assert decision.alarm
        assert decision.reason is not None
    if decision.settle is Settle.SENT:
        assert outcome.accepted


# --- the way out ----------------------------------------------------------------------------------------------


def test_the_way_out_closes_for_longer_and_longer() -> None:
    channel, waits = Channel(), []
    for _ in range(6):
        channel = channel.failed(because("mail_channel", answer="x"), NOW)
        assert channel.held_until is not None
        waits.append((channel.held_until - NOW).total_seconds())
        assert not channel.is_open(NOW)
        assert channel.is_open(channel.held_until)
    assert waits == [30, 60, 120, 240, 300, 300]


def test_a_person_is_told_after_ten_minutes_or_at_once_when_the_server_refuses_us() -> None:
    reason = because("mail_channel", answer="x")
    channel = Channel().failed(reason, NOW)
    assert not channel.alarms(NOW + timedelta(minutes=9))
    assert channel.alarms(NOW + timedelta(minutes=10))
    assert Channel().misconfigured_by(reason, NOW).alarms(NOW)
    assert not Channel().alarms(NOW)


# --- quiet hours and bursts -----------------------------------------------------------------------------------

EVENING = datetime(2026, 3, 2, 20, 30, tzinfo=UTC)  # 21:30 in Paris
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def test_an_ordinary_mail_of_the_evening_waits_for_the_morning() -> None:
    assert after_quiet(cases.site(), False, None, EVENING) == datetime(2026, 3, 3, 5, 0, tzinfo=UTC)


def test_an_urgent_mail_does_not_wait() -> None:
    assert after_quiet(cases.site(), True, None, EVENING) == EVENING


def test_a_mail_that_would_expire_in_the_night_leaves_at_once() -> None:
    assert after_quiet(cases.site(), False, EVENING + timedelta(hours=2), EVENING) == EVENING


def test_the_night_of_the_change_of_clocks_ends_at_the_local_hour() -> None:
    before = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    assert quiet_ends_at(cases.site(), before) == datetime(2026, 3, 29, 4, 0, tzinfo=UTC)


@given(instants, times, times, st.booleans(), st.one_of(st.none(), st.integers(1, 3000)))
def test_quiet_hours_never_put_a_mail_off_past_its_use(
    now: datetime, start: time, end: time, urgent: bool, minutes: int | None
) -> None:
    site = cases.site(quiet_from=start, quiet_until=end)
    expires_at = now + timedelta(minutes=minutes) if minutes is not None else None
    leaves_at = after_quiet(site, urgent, expires_at, now)
    assert leaves_at == now or (leaves_at > now and not urgent and in_quiet_hours(site, now))
    assert expires_at is None or leaves_at < expires_at
    assert leaves_at == now or not in_quiet_hours(site, leaves_at)


@given(
    st.lists(st.integers(-120, 300), max_size=12), st.integers(1, 5), st.booleans(),
    st.one_of(st.none(), st.integers(1, 400)),
)  # fmt: skip
def test_the_burst_brake_holds_the_number_per_hour_but_never_past_a_mails_use(
    minutes: list[int], per_hour: int, exempt: bool, valid: int | None
) -> None:
    taken = [NOW + timedelta(minutes=one) for one in minutes]
    expires_at = NOW + timedelta(minutes=valid) if valid is not None else None

    def has_room(at: datetime) -> bool:
        """Whether fewer left, or are put off, to the hour that ends then."""
        return sum(at - timedelta(hours=1) < one <= at for one in taken) < per_hour

    leaves_at = after_burst(taken, per_hour, exempt, expires_at, NOW)
    first = next(at for at in (NOW + timedelta(minutes=one) for one in range(500)) if has_room(at))
    useful = expires_at is None or first < expires_at
    assert leaves_at == (first if useful and not exempt else NOW)


SUNDAY = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)  # 08:00 in Paris


def test_a_reminder_of_a_closed_day_waits_for_the_same_hour_of_the_next_working_day() -> None:
    later = SUNDAY + timedelta(days=3)
    assert after_closed_days(cases.site(), False, later, SUNDAY) == SUNDAY + timedelta(days=1)


def test_a_reminder_that_would_be_useless_by_then_leaves_on_the_closed_day() -> None:
    assert after_closed_days(cases.site(), False, SUNDAY + timedelta(hours=12), SUNDAY) == SUNDAY


def test_what_is_urgent_or_has_happened_does_not_wait_for_a_working_day() -> None:
    assert after_closed_days(cases.site(), True, SUNDAY + timedelta(days=3), SUNDAY) == SUNDAY
    assert after_closed_days(cases.site(), False, None, SUNDAY) == SUNDAY
