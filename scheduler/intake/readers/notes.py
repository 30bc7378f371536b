"""Reads the notes of a message: those that only name a visit or a sampling time, and those that are comments."""

from __future__ import annotations

import re
from collections.abc import Iterable

from scheduler.intake.layout.columns import known_names, normalised
from scheduler.intake.readers.reading import Setting

__all__ = ["named_in", "sorted_notes"]

_MAY_NAME = frozenset(
    {"visit", "timepoint", "method", "matrix", "lloq", "uloq", "specimen_quality", "replaces"}
)
_NAMES = known_names({})
_PAIR = re.compile(r"\s*([^\W\d]\w*)\s*[:=]\s*([^\s;:=]+)\s*;?")
_BETWEEN_WORDS = re.compile(r"[\s;,/]+")
_MOST_WORDS = 2  # a visit and a sampling time
_MOST_PARTS = _MOST_WORDS + 2  # with what may stand before and after them


def sorted_notes(
    notes: Iterable[tuple[str, str]], setting: Setting
) -> tuple[list[tuple[str, str, str]], str]:
    """What the notes name, as (column, field, text), and the other notes as one comment. A note is its field and
    its text. Free text is never searched for words: "compared with H0" says nothing about its own sample."""
    named: list[tuple[str, str, str]] = []
    comments = []
    for field, text in notes:
        found = named_in(text, setting)
        named += [(column, field, value) for column, value in found]
        if not found and text.strip():
            comments.append(text.strip())
    return named, " ".join(comments)


def named_in(text: str, setting: Setting) -> list[tuple[str, str]]:
    """The columns that a note fills when it says nothing else, as "V2 H30" or "visite: V2; temps: H30"."""
    return _pairs(text) or _words(text, setting)


def _pairs(text: str) -> list[tuple[str, str]]:
    if ":" not in text and "=" not in text:
        return []
    found, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _PAIR.match(text, place)
        column = _NAMES.get(normalised(match[1])) if match is not None else None
        if match is None or column not in _MAY_NAME or column is None:
            return []
        found.append((column, match[2]))
        place = match.end()
    return found


def _words(text: str, setting: Setting) -> list[tuple[str, str]]:
    words = [word for word in _BETWEEN_WORDS.split(text, maxsplit=_MOST_PARTS) if word]
    if len(words) > _MOST_WORDS:
        return []
    columns = [setting.words.get(normalised(word), ("", ""))[0] for word in words]
    if not words or "" in columns or len(set(columns)) < len(columns):
        return []
    return list(zip(columns, words, strict=True))
