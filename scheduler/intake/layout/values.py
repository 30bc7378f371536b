"""Reads what stands in the column of the value: a number, a limit, or words for "no value"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from scheduler.intake.layout.columns import normalised

__all__ = ["Absent", "Limit", "NoValue", "Number", "Unreadable", "Value", "number_of", "value_of"]

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:[.,][0-9]{1,9})?", re.ASCII)
_WORDS_BELOW = r"inf(?:\.|érieure?)?(?:\s*(?:à|a))?|inferieure?\s*(?:à|a)"
_WORDS_ABOVE = r"sup(?:\.|érieure?)?(?:\s*(?:à|a))?|superieure?\s*(?:à|a)"
_COMPARED = re.compile(
    rf"(?P<below><=|≤|<|{_WORDS_BELOW})\s*(?P<lower>.+)|(?P<above>>=|≥|>|{_WORDS_ABOVE})\s*(?P<upper>.+)",
    re.IGNORECASE,
)
_LIMIT_NAMES = frozenset({"loq", "lloq", "lq", "lqi", "lqinf", "uloq", "lqs", "lqsup"})
_IMPOSSIBLE = frozenset({"nan", "inf", "infinity", "infini"})


class NoValue(StrEnum):
    """Why there is no value."""

    EMPTY = "empty"  # nothing, dashes, a pointer to the comment
    PENDING = "pending"  # still being measured
    UNUSABLE = "unusable"  # the specimen could not be used: final


@dataclass(frozen=True, slots=True)
class Number:
    value: Decimal


@dataclass(frozen=True, slots=True)
class Limit:
    """Below or above a limit; `limit` is None when the text only names the laboratory's own limit."""

    comparator: str
    limit: Decimal | None

    @property
    def is_below(self) -> bool:
        return self.comparator.startswith("<")


@dataclass(frozen=True, slots=True)
class Absent:
    """No value; `quality` says what was wrong with the specimen when the text says so."""

    why: NoValue
    quality: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Neither a number nor known words; `impossible` for a number that cannot be."""

    impossible: bool = False


Value = Number | Limit | Absent | Unreadable

_WORDS: dict[str, Absent | Limit] = {
    "nd": Absent(NoValue.EMPTY),
    "nf": Absent(NoValue.EMPTY),
    "voircommentaire": Absent(NoValue.EMPTY),
    "nondetecte": Limit("<", None),
    "encours": Absent(NoValue.PENDING),
    "hemolyse": Absent(NoValue.UNUSABLE, "HEM"),
    "hem": Absent(NoValue.UNUSABLE, "HEM"),
    "coagule": Absent(NoValue.UNUSABLE, "COAG"),
    "lipemique": Absent(NoValue.UNUSABLE, "LIP"),
    "icterique": Absent(NoValue.UNUSABLE, "ICT"),
    "qns": Absent(NoValue.UNUSABLE, "QNS"),
    "quantiteinsuffisante": Absent(NoValue.UNUSABLE, "QNS"),
    "nr": Absent(NoValue.UNUSABLE, "NR"),
    "echantillonnonrecu": Absent(NoValue.UNUSABLE, "NR"),
    "nonrecu": Absent(NoValue.UNUSABLE, "NR"),
}


def number_of(text: str) -> Decimal | None:
    """The number that a text is, with comma or dot, without exponent or thousands.

    >>> number_of("14,2"), number_of("1e5"), number_of("1 234,5")
    (Decimal('14.2'), None, None)
    """
    return Decimal(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def value_of(text: str) -> Value:
    """What the text in the value column says.

    >>> value_of("<0,1"), value_of("inf. à 0,1"), value_of("hémolysé")
    (Limit(comparator='<', limit=Decimal('0.1')), Limit(comparator='<', limit=Decimal('0.1')), \
Absent(why=<NoValue.UNUSABLE: 'unusable'>, quality='HEM'))
    """
    if not text.strip("-–— ."):
        return Absent(NoValue.EMPTY)
    number = number_of(text)
    if number is not None:
        return Number(number)
    word = normalised(text)
    if word in _IMPOSSIBLE:
        return Unreadable(impossible=True)
    if word in _WORDS:
        return _WORDS[word]
    compared = _COMPARED.fullmatch(text)
    return _limit(compared) if compared is not None else Unreadable()


def _limit(compared: re.Match[str]) -> Value:
    sign = compared["below"] or compared["above"]
    comparator = {"≤": "<=", "≥": ">=", "<=": "<=", ">=": ">="}.get(sign, "<" if compared["below"] else ">")
    rest = (compared["lower"] or compared["upper"]).strip()
    if normalised(rest) in _LIMIT_NAMES:
        return Limit(comparator, None)
    limit = number_of(rest)
    return Limit(comparator, limit) if limit is not None and limit >= 0 else Unreadable()
