"""What a file gave for a subject code or a tube number, unless it is anything else: a name could stand there. Pure."""

from __future__ import annotations

import re

from scheduler.domain.national_number import holds_national_number

__all__ = ["discreet_code", "discreet_tube"]

_TUBE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")


def discreet_code(text: str, pattern: str) -> str:
    """A subject code that a file gave, unless it is anything else: a name could stand there."""
    return text if re.fullmatch(pattern, text) else "…"


def discreet_tube(text: str) -> str:
    """A tube number that a file gave, unless it is anything else."""
    is_number = _TUBE.fullmatch(text) is not None and any(letter.isdigit() for letter in text)
    return text if is_number and not holds_national_number(text) else "…"
