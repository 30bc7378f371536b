"""The French national number (NIR, of which the INS is a form): 13 characters and a key of two digits. Pure."""

from __future__ import annotations

import re

__all__ = ["holds_national_number", "seems_to_hold_one", "without_national_number"]

_NUMBER = re.compile(r"(?<![0-9])[12](?:[ ._-]?[0-9AB]){12}(?:[ ._-]?[0-9]){2}(?![0-9])", re.IGNORECASE)
_FORM = re.compile(
    r"(?<![0-9])[12] ?[0-9]{2} ?(0[1-9]|1[0-2]|[2-9][0-9]) ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3}( ?[0-9]{2})?(?![0-9])"
)
_LENGTH = 15
_BETWEEN = re.compile("[ ._-]")


def holds_national_number(text: str) -> bool:
    """Whether a text holds a number whose key is right: 97 less the remainder of the others by 97.

    >>> holds_national_number("1 61 03 75 116 001 39"), holds_national_number("161037511600140")
    (True, False)
    """
    return len(text) >= _LENGTH and any(map(_is_right, _NUMBER.findall(text)))


def seems_to_hold_one(text: str) -> bool:
    """Whether a text holds what has the form of one, with a key that is wrong or without any.

    >>> seems_to_hold_one("161037511600140"), seems_to_hold_one("1610375116001"), seems_to_hold_one("26015-00871-1")
    (True, True, False)
    """
    return _FORM.search(text) is not None


def without_national_number(text: str) -> str:
    """The text with every such number replaced.

    >>> without_national_number("161037511600139.csv")
    'NIR.csv'
    """
    return _NUMBER.sub(lambda match: "NIR" if _is_right(match[0]) else match[0], text)


def _is_right(found: str) -> bool:
    number = _BETWEEN.sub("", found).upper()
    body = number[:13].replace("2A", "19").replace("2B", "18")  # Corsica
    return body.isdigit() and number[13:].isdigit() and 97 - int(body) % 97 == int(number[13:])
