"""Why there is no number, or what must be known about one: a code with the fields of its sentence."""

import math
from dataclasses import dataclass
from string import Formatter
from typing import TypeAlias

from pk.sentences import SENTENCES

Param: TypeAlias = str | float | int


def fields(sentence: str) -> frozenset[str]:
    """Return the names of the fields of a sentence.

    >>> sorted(fields("{timepoint} has {count}"))
    ['count', 'timepoint']
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name is not None)


def short(value: float) -> Param:
    """Return a number as it is said: four significant digits, whole numbers without a point.

    A value that is not finite becomes its name, so that reasons stay equal to themselves.

    >>> short(120.0), short(7.123456), short(float("nan"))
    (120, 7.123, 'nan')
    """
    if not math.isfinite(value):
        return str(value)
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong (or a caveat), as a code of `SENTENCES` and the sentence's fields.

    Raises
    ------
    ValueError
        If the code is unknown or the parameters are not exactly the sentence's fields.
    """

    code: str
    params: tuple[tuple[str, Param], ...] = ()

    def __post_init__(self) -> None:
        if self.code not in SENTENCES:
            raise ValueError(f"reason code {self.code!r} has no sentence; add it to SENTENCES")
        named = [name for name, _ in self.params]
        expected = sorted(fields(SENTENCES[self.code]))
        if sorted(named) != expected:
            raise ValueError(f"reason {self.code!r} needs the parameters {expected}, got {sorted(named)}")

    @classmethod
    def of(cls, code: str, /, **params: Param) -> "Reason":
        """Return the reason with its parameters in one order, whatever the order given.

        >>> Reason.of("value_missing", timepoint="H2").text()
        'H2 has no numeric result; a concentration in mg/L is needed.'
        """
        return cls(code, tuple(sorted(params.items())))

    def text(self) -> str:
        """Return the English sentence."""
        return SENTENCES[self.code].format(**dict(self.params))
