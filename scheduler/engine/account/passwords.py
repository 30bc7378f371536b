"""Passwords: which are accepted, and how they are kept (argon2id)."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Iterator
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from scheduler.domain.reason import Reason, because

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = [
    "LONGEST",
    "SHORTEST",
    "hashed",
    "hasher",
    "is_outdated",
    "made_up",
    "matches",
    "refusals_of_password",
]

SHORTEST, LONGEST = 15, 256
_FEWEST_CHARACTERS = 6
_MADE_UP = 20
_ALPHABET = string.ascii_letters.translate(str.maketrans("", "", "IlOo")) + string.digits.replace("0", "")

_ONE_AT_A_TIME = Lock()  # each takes 64 MiB: many at once would take the machine's memory


@cache
def hasher() -> PasswordHasher:
    """argon2id with the parameters of RFC 9106 for 64 MiB; loaded when a password is at stake."""
    from argon2 import PasswordHasher

    return PasswordHasher()


def refusals_of_password(password: str, words: Iterable[str]) -> Iterator[Reason]:
    """Why a password is not taken; nothing when it is. `words` are those that everybody would try first."""
    if len(password) < SHORTEST:
        yield because("refused_password_short", least=SHORTEST)
    if len(password) > LONGEST:
        yield because("refused_password_long", most=LONGEST)
    if len(set(password)) < _FEWEST_CHARACTERS:
        yield because("refused_password_monotonous", least=_FEWEST_CHARACTERS)
    for word in words:
        if len(word) > 3 and word.lower() in password.lower():
            yield because("refused_password_obvious", word_id=word)


def made_up() -> str:
    """A new random password, in groups of five that can be read out."""
    letters = [secrets.choice(_ALPHABET) for _ in range(_MADE_UP)]
    return "-".join("".join(letters[i : i + 5]) for i in range(0, _MADE_UP, 5))


def hashed(password: str) -> str:
    with _ONE_AT_A_TIME:
        return hasher().hash(password)


def matches(password: str, hash_: str | None) -> bool:
    """Whether the password is the one of the hash. Without a hash it takes as long and is not."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    with _ONE_AT_A_TIME:
        try:
            hasher().verify(hash_ or _nobodys(), password[: LONGEST * 4])
        except (Argon2Error, InvalidHashError):
            return False
    return hash_ is not None


def is_outdated(hash_: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return hasher().check_needs_rehash(hash_)


@cache
def _nobodys() -> str:
    return hasher().hash(secrets.token_hex(16))
