"""What an attempt's outcome means for the mail and for the connection. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import assert_never

from notifications.outbox.states import Phase
from scheduler.domain.reason import Reason, because

__all__ = [
    "GIVE_UP_AFTER",
    "Attempt",
    "Decision",
    "Ending",
    "Outcome",
    "Settle",
    "again_after_ambiguity",
    "delay_before",
    "verdict",
]

GIVE_UP_AFTER = timedelta(days=5)
_DELAYS_MIN = (6, 10, 15, 30, 60)
_JITTER = 0.2
_RESEND_AFTER = timedelta(minutes=15)
_RESEND_URGENT_AFTER = timedelta(minutes=1)
_DEAD_MAILBOX = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""RFC 3463: there is no such mailbox or domain, it has moved, takes no mail, or is switched off."""
_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")


class Ending(StrEnum):
    """How an attempt ended, before anybody judged it."""

    REPLIED = "replied"
    LOST = "lost"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    LOGIN_REFUSED = "login_refused"
    UNSENDABLE = "unsendable"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far an attempt got, how it ended, and what the server said."""

    phase: Phase
    ending: Ending
    code: int | None = None
    text: str = ""

    @property
    def accepted(self) -> bool:
        return (
            self.ending is Ending.REPLIED
            and self.phase is Phase.REPLIED
            and self.code is not None
            and 200 <= self.code < 300
        )

    @property
    def enhanced(self) -> str:
        """The enhanced status code, which is the start of the text, or nothing."""
        found = _ENHANCED.match(self.text)
        return ".".join(found.groups()) if found is not None else ""

    @property
    def answer(self) -> str:
        """The server's words on one line."""
        words = " ".join(self.text.split())[:200]
        return f"{self.code} {words}".strip() if self.code is not None else words or self.ending.value


class Settle(StrEnum):
    """What to do with the mail after an attempt."""

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNCERTAIN_AGAIN = "uncertain_again"
    UNCERTAIN_END = "uncertain_end"
    CHANNEL = "channel"
    CONFIGURATION = "configuration"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known of a mail when an attempt at it has ended.

    `before` counts the attempts that counted, `since` is the instant of the first of them.
    """

    key: str
    before: int
    since: datetime
    expires_at: datetime | None
    urgent: bool = False
    uncertain: bool = False

    @property
    def gives_up_at(self) -> datetime:
        limit = self.since + GIVE_UP_AFTER
        return min(limit, self.expires_at) if self.expires_at is not None else limit


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the mail. `alarm` when a person must be told."""

    settle: Settle
    reason: Reason | None = None
    not_before: datetime | None = None
    counts: bool = True
    alarm: bool = False


def verdict(outcome: Outcome, attempt: Attempt, now: datetime) -> Decision:
    """What an attempt's outcome means."""
    match outcome.ending:
        case Ending.REPLIED:
            return _replied(outcome, attempt, now)
        case Ending.LOST | Ending.TIMEOUT:
            if outcome.phase in (Phase.DATA, Phase.REPLIED):
                return again_after_ambiguity(attempt, because("mail_uncertain", answer=outcome.answer), now)
            return _channel(outcome, now)
        case Ending.UNREACHABLE:
            return _channel(outcome, now)
        case Ending.UNTRUSTED | Ending.LOGIN_REFUSED:
            return _configuration(outcome)
        case Ending.UNSENDABLE:
            return _failed("mail_unsendable", outcome)
        case Ending.ABANDONED:
            return Decision(Settle.ABANDONED, counts=False)
    assert_never(outcome.ending)


def again_after_ambiguity(attempt: Attempt, reason: Reason, now: datetime) -> Decision:
    """A mail that the server may have kept: the same bytes once more, then never again."""
    if attempt.uncertain:
        answer = reason.get("answer") or "-"
        return Decision(Settle.UNCERTAIN_END, because("mail_uncertain_twice", answer=answer), alarm=True)
    again = now + (_RESEND_URGENT_AFTER if attempt.urgent else _RESEND_AFTER)
    if again >= attempt.gives_up_at:
        return Decision(Settle.UNCERTAIN_END, reason, alarm=True)
    return Decision(Settle.UNCERTAIN_AGAIN, reason, again)


def delay_before(attempt_no: int, key: str) -> timedelta:
    """The wait after the attempt with this number: growing, then hourly, ±20 % as the key has it.

    >>> 288 <= delay_before(1, "a").total_seconds() <= 432
    True
    """
    minutes = _DELAYS_MIN[min(attempt_no, len(_DELAYS_MIN)) - 1]
    fraction = int.from_bytes(sha256(f"{key}|{attempt_no}".encode()).digest()[:4], "big") / 0xFFFFFFFF
    return timedelta(seconds=round(minutes * 60 * (1 - _JITTER + 2 * _JITTER * fraction)))


def _replied(outcome: Outcome, attempt: Attempt, now: datetime) -> Decision:
    code, enhanced = outcome.code or 0, outcome.enhanced
    if outcome.accepted:
        return Decision(Settle.SENT)
    if code < 400 or code == 421 or outcome.phase is Phase.CONNECT:
        return _channel(outcome, now)
    if code in (530, 535) or enhanced == "5.7.8":
        return _configuration(outcome)
    if outcome.phase is Phase.MAIL:
        return _sender_refused(outcome, now)
    if 400 <= code < 500:
        return _retry("mail_later", outcome, attempt, now)
    if enhanced.startswith("5.7."):
        if outcome.phase is Phase.RCPT:
            return _retry("mail_refused_relay", outcome, attempt, now, alarm=True)
        return _failed("mail_refused_content", outcome)
    if outcome.phase is Phase.RCPT and enhanced in _DEAD_MAILBOX:
        return _failed("mail_mailbox_dead", outcome)
    about_content = enhanced.startswith(("5.3.4", "5.6.")) or code == 552
    if outcome.phase is Phase.RCPT and not about_content:
        return _failed("mail_refused_address", outcome)
    return _failed("mail_refused_content", outcome)


def _sender_refused(outcome: Outcome, now: datetime) -> Decision:
    """A reply to MAIL is about us, not about the recipient, unless it is about this mail's size."""
    if outcome.code == 552 or outcome.enhanced.endswith(".3.4"):
        return _failed("mail_refused_content", outcome)
    if outcome.code is not None and outcome.code < 500:
        return _channel(outcome, now)
    return _configuration(outcome)


def _retry(code: str, outcome: Outcome, attempt: Attempt, now: datetime, alarm: bool = False) -> Decision:
    again = now + delay_before(attempt.before + 1, attempt.key)
    if again >= attempt.gives_up_at:
        return Decision(Settle.FAILED, because("mail_given_up", answer=outcome.answer), alarm=True)
    return Decision(Settle.RETRY, because(code, answer=outcome.answer), again, alarm=alarm)


def _failed(code: str, outcome: Outcome) -> Decision:
    return Decision(Settle.FAILED, because(code, answer=outcome.answer), alarm=True)


def _channel(outcome: Outcome, now: datetime) -> Decision:
    """The mail is not to blame and keeps its turn; one that a connection broke on goes behind the others."""
    reason = because("mail_channel", answer=outcome.answer)
    if outcome.phase is Phase.CONNECT:
        return Decision(Settle.CHANNEL, reason, counts=False)
    return Decision(Settle.CHANNEL, reason, now + timedelta(minutes=1), counts=False)


def _configuration(outcome: Outcome) -> Decision:
    reason = because("mail_configuration", answer=outcome.answer)
    return Decision(Settle.CONFIGURATION, reason, counts=False, alarm=True)
