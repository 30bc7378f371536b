"""What our own validators refuse beside what pydantic does, each with its sentences."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

__all__ = ["OUR_TYPES", "refused"]

OUR_TYPES: dict[str, tuple[str, str]] = {
    "no_length_of_time": ("'{text}' names no length of time.", "Write P7D or PT30M."),
    "device_name": ("'{text}' is a device and no folder on Windows shares.", "Use another name."),
    "mail_in_the_clear": (
        "security = 'none' is only for a mail server on this machine.",
        "Use 'starttls' or 'tls'.",
    ),
    "no_bare_address": (
        "The console is known by scheme, host and port only.",
        "Write it as 'https://console.hospital.example' or 'https://console.hospital.example:8443': "
        "no user, password, path, space or accent.",
    ),
    "console_in_the_clear": (
        "Without TLS the console is for this machine only.",
        "Write an address that begins with https://.",
    ),
}
"""Problem and remedy by type."""


def refused(kind: str, **values: str) -> PydanticCustomError:
    """The error of one of our types, whose sentences have these values."""
    return PydanticCustomError(kind, OUR_TYPES[kind][0], values)
