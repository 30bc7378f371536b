"""The two languages. English sentences stand in the code and templates; French ones in templates/locale/fr/*.po."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

__all__ = ["LOCALE_DIR", "TEMPLATE_DIR", "Language", "catalogue", "counter", "translator"]

TEMPLATE_DIR = Path(__file__).parent.parent / "templates"
LOCALE_DIR = TEMPLATE_DIR / "locale"


class Language(StrEnum):
    EN = "en"
    FR = "fr"


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """English sentence → sentence in `language`; empty for English."""
    found: dict[str, str] = {}
    for path in sorted((LOCALE_DIR / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language.value):
                if isinstance(message.id, str) and message.id and isinstance(message.string, str):
                    found[message.id] = message.string
    return found


def translator(language: Language) -> Callable[[str], str]:
    """The function that gives an English sentence in `language`; a sentence without translation stays English."""
    sentences = catalogue(language)

    def translate(sentence: str) -> str:
        return sentences.get(sentence) or sentence

    return translate


def counter(language: Language) -> Callable[[str, str, int], str]:
    """The function that gives, of an English sentence for one and one for several, that for a number in `language`.

    French speaks of none as of one.
    """
    translate = translator(language)
    few = (0, 1) if language is Language.FR else (1,)

    def count(one: str, many: str, number: int) -> str:
        return translate(one if number in few else many)

    return count
