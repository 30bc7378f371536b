"""The codes of subjects: their form, and the check digit that catches a slip of the pen."""

from __future__ import annotations

import re

from scheduler.domain.protocol import Protocol
from scheduler.domain.reason import Reason, because

__all__ = ["SENTENCES", "check_digit", "is_well_formed"]

SENTENCES = {
    "subject_code_form": "the code does not have the form {pattern}",
    "subject_code_check": "the last digit does not fit the digits before it",
}

# A totally anti-symmetric quasigroup of order 10 (H. M. Damm, 2004): it notices every single wrong digit and
# every exchange of two neighbouring digits.
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def check_digit(digits: str) -> int:
    """The Damm check digit of a string of digits.

    >>> check_digit("0042"), check_digit("572")
    (7, 4)
    """
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return interim


def is_well_formed(protocol: Protocol, code: str) -> Reason | None:
    """None when `code` can be a subject of the study, else what is wrong with it."""
    if not code.isascii() or re.fullmatch(protocol.subject_pattern, code) is None:
        return because("subject_code_form", pattern=protocol.subject_pattern)
    if protocol.subject_check == "damm" and check_digit("".join(filter(str.isdigit, code))) != 0:
        return because("subject_code_check")
    return None
