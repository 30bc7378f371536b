"""What the world does to files (shares that are busy, stale or closed): tried again later and later, then told."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["Troubles"]

_FIRST_S, _LONGEST_S = 5.0, 300.0
_TOLD_AT = 3


@dataclass(frozen=True, slots=True)
class _Trouble:
    times: int
    why: str
    until_s: float


class Troubles:
    """How often something failed, by its name, and when it is tried again: after 5 s, 10 s, 20 s … and 300 s at most,
    on a clock that only grows."""

    def __init__(self) -> None:
        self._of: dict[str, _Trouble] = {}

    def note(self, name: str, error: OSError, now_s: float) -> None:
        """It failed, once more."""
        times = self._of[name].times + 1 if name in self._of else 1
        why = errno.errorcode.get(error.errno or 0, type(error).__name__)
        self._of[name] = _Trouble(times, why, now_s + min(_FIRST_S * 2 ** (times - 1), _LONGEST_S))

    def rests(self, name: str, now_s: float) -> bool:
        """Whether it is too early to try again."""
        trouble = self._of.get(name)
        return trouble is not None and now_s < trouble.until_s

    def over(self, name: str) -> None:
        self._of.pop(name, None)

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Forgets what is not wanted."""
        self._of = {name: trouble for name, trouble in self._of.items() if wanted(name)}

    def count(self, prefix: str) -> int:
        return sum(name.startswith(prefix) for name in self._of)

    def lasting(self) -> Iterator[tuple[str, str]]:
        """What failed three times or more, and why: the system's name of the error."""
        return ((name, one.why) for name, one in sorted(self._of.items()) if one.times >= _TOLD_AT)
