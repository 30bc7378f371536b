"""A message as a value: which template, for which roles, about what, until when it is worth reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

__all__ = [
    "DIGEST",
    "Message",
    "digest_key",
    "laboratory_thread_key",
    "mail_failed_key",
    "site_thread_key",
    "visit_thread_key",
]

DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be said to every person who has one of `roles`.

    `topic` is the key of the matter, `key` that of the message; with a recipient it makes the key of one mail.
    They differ when one matter calls for several messages. `facts` holds what only the
    event knows, as JSON values; everything else is looked up when the mail is written. `thread` names the
    conversation to which the mail belongs. One that `gathers` joins a mail of its conversation that has not left.
    """

    template: str
    roles: tuple[str, ...]
    topic: str
    key: str
    subject: str | None
    visit: str | None
    thread: str
    not_before: datetime | None = None
    expires_at: datetime | None = None
    urgent: bool = False
    gathers: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def visit_thread_key(subject: str, visit: str) -> str:
    """The conversation about one visit of one subject."""
    return f"thread|{subject}|{visit}"


def site_thread_key(site: str, matter: str) -> str:
    """The conversation about a file or an address of a site."""
    return f"thread|{site}|{matter}"


def laboratory_thread_key(lab: str, matter: str) -> str:
    """The conversation with a laboratory about its files or its results."""
    return f"thread|laboratory {lab}|{matter}"


def digest_key(site: str, day: date) -> str:
    """The digest of one civil day of a site."""
    return f"digest|{site}|{day.isoformat()}"


def mail_failed_key(matter: str, cause: str, day: date) -> str:
    """One notice a day for each person or template and cause, however many mails fail."""
    return f"mail_failed|{matter}|{cause}|{day.isoformat()}"
