"""Puts reasons, dates and numbers into the reader's language and the site's time zone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal
from babel.units import format_unit

from config.language import Language, translator
from scheduler.domain.reason import Param, Reason
from scheduler.domain.sentences import SENTENCES
from scheduler.domain.words import word_of

if TYPE_CHECKING:
    from scheduler.domain.civil import Period
    from scheduler.domain.protocol import Protocol

__all__ = ["Speaker", "plain_speaker", "speaker_for"]

_DATE = {Language.EN: "d MMMM y", Language.FR: "d MMMM y"}
_DAY = {Language.EN: "EEEE d MMMM y", Language.FR: "EEEE d MMMM y"}
# Fields that hold an English phrase of a data file: whose patients, and the names of equations and models.
_PHRASES = frozenset({"disease", "comedication", "equation", "model"})
_FIRST = re.compile(r"^(\D*)1 ")
_MOMENT = {Language.EN: "d MMMM y 'at' HH:mm", Language.FR: "d MMMM y 'à' HH:mm"}


@dataclass(frozen=True)
class Speaker:
    """Says things to one reader. `names` gives visits and assessments their labels, `sentences` those of other packages
    and those that this reader is told otherwise."""

    language: Language
    zone: ZoneInfo
    names: Mapping[str, str] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)

    def text(self, english: str, **params: Param) -> str:
        """An English sentence in the reader's language, its fields filled; a field …_id is shown as it is typed."""
        words = {name: value if name.endswith("_id") else self._word(value) for name, value in params.items()}
        translate = translator(self.language)
        words |= {name: translate(str(words[name])) for name in _PHRASES & words.keys()}
        return translate(english).format(**words)

    def say(self, reason: Reason) -> str:
        """The sentence of a reason. An unknown code is shown as it is rather than hidden."""
        english = self.sentences.get(reason.code) or SENTENCES.get(reason.code)
        if english is None:
            return f"{reason.code} {dict(reason.params)}"
        return self.text(english, **dict(reason.params))

    def name(self, identifier: str) -> str:
        """The label of a visit or assessment."""
        return self.names.get(identifier, identifier)

    def status(self, code: str) -> str:
        """What a status or another code is called."""
        return translator(self.language)(word_of(code))

    def date(self, day: dt.date) -> str:
        return self._first(format_date(day, _DATE[self.language], locale=self.language.value))

    def month(self, day: dt.date, *, short: bool = False) -> str:
        """The month of a day, abbreviated; `short` to one letter."""
        return format_date(day, "LLLLL" if short else "LLL", locale=self.language.value)

    def day(self, day: dt.date) -> str:
        """A date with its weekday."""
        return self._first(format_date(day, _DAY[self.language], locale=self.language.value))

    def moment(self, instant: dt.datetime) -> str:
        """An instant in the site's zone; a naive one is already local."""
        local = instant.astimezone(self.zone) if instant.tzinfo is not None else instant
        return self._first(format_datetime(local, _MOMENT[self.language], locale=self.language.value))

    def _first(self, text: str) -> str:
        """French says "1er septembre"."""
        return _FIRST.sub(r"\g<1>1er ", text, count=1) if self.language is Language.FR else text

    def clock(self, instant: dt.datetime) -> str:
        """The local time of day."""
        local = instant.astimezone(self.zone) if instant.tzinfo is not None else instant
        return format_time(local.time(), "HH:mm", locale=self.language.value)

    def period(self, period: Period) -> str:
        """A period of the protocol in words: 6 months, 42 days, 30 minutes."""
        parts = [("month", period.months), ("day", period.days), ("minute", period.minutes)]
        said = [format_unit(n, f"duration-{unit}", locale=self.language.value) for unit, n in parts if n]
        return " ".join(said) or format_unit(0, "duration-day", locale=self.language.value)

    def ago(self, seconds: float) -> str:
        """How long ago something was."""
        elapsed = dt.timedelta(seconds=-max(seconds, 1))
        return format_timedelta(elapsed, add_direction=True, locale=self.language.value)

    def number(self, value: float, digits: int = 1) -> str:
        return format_decimal(
            value, format=f"0.{'0' * digits}" if digits else "0", locale=self.language.value
        )

    def listed(self, texts: Iterable[str]) -> str:
        """Several texts as one, parted by semicolons as the language writes them."""
        return ("\u202f; " if self.language is Language.FR else "; ").join(texts)

    def _word(self, value: Param) -> str:
        if isinstance(value, dt.datetime):
            return self.moment(value)
        if isinstance(value, dt.date):
            return self.date(value)
        if isinstance(value, Reason):
            return self.say(value)
        if isinstance(value, tuple):
            return self.listed(self.say(one) for one in value)
        if isinstance(value, float):
            return format_decimal(value, format="0.###", locale=self.language.value)
        return self.names.get(value, value) if isinstance(value, str) else str(value)


def plain_speaker(language: Language) -> Speaker:
    """A speaker for what can be said without a study: no dates, no visits."""
    return Speaker(language, ZoneInfo("UTC"))


def speaker_for(
    language: Language, zone: ZoneInfo, protocol: Protocol, sentences: Mapping[str, str] | None = None
) -> Speaker:
    """A speaker that knows the protocol's labels; `sentences` adds codes of other packages."""
    names = {one.id: one.label[language] for one in protocol.encounters}
    names |= {one.id: one.label[language] for one in protocol.activities}
    return Speaker(language, zone, names, sentences or {})
