"""The stable keys of everything that must be done once, each written by one function."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

__all__ = [
    "booking_key",
    "contact_role",
    "exposure_key",
    "exposure_month_key",
    "file_key",
    "for_recipient",
    "laboratory_key",
    "message_id",
    "reminder_key",
    "replanned_key",
]


def reminder_key(subject: str, visit: str, rule: str, target: str) -> str:
    return f"reminder|{subject}|{visit}|{rule}|{target}"


def booking_key(subject: str, visit: str, sequence: int) -> str:
    return f"booking|{subject}|{visit}|{sequence}"


def replanned_key(subject: str, visit: str, sequence: int) -> str:
    return f"replanned|{subject}|{visit}|{sequence}"


def exposure_key(subject: str, visit: str, version: int) -> str:
    return f"exposure|{subject}|{visit}|{version}"


def exposure_month_key(site: str, month: date | None) -> str:
    """The exposures of one month at a site; without a month, how the keys of all of them begin."""
    return f"exposure_month|{site}|{month.isoformat()[:7] if month is not None else ''}"


def file_key(event: str, sha256_hex: str) -> str:
    return f"file|{event}|{sha256_hex}"


def laboratory_key(event: str, lab: str, day: str) -> str:
    """What a laboratory is told on a day, at most once."""
    return f"laboratory|{event}|{lab}|{day}"


def anchor_key(site: str, day: str) -> str:
    """The head of the audit chain as told to a site on a day."""
    return f"anchor|{site}|{day}"


def contact_role(lab: str) -> str:
    """The role of a laboratory's own contacts, whom nothing about another laboratory reaches."""
    return f"laboratory:{lab}"


def for_recipient(key: str, staff: str) -> str:
    return f"{key}|to:{staff}"


def message_id(key: str, domain: str) -> str:
    """The Message-ID of the mail with this key: the same at every attempt, telling nothing.

    >>> message_id("booking|MPA-0042-7|W6|0|to:a", "study.example")
    '<1d39f80ab76b8739231899e78d9650da@study.example>'
    """
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{domain}>"
