"""What the intake says: every code has a sentence, every sentence its French with the same fields."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

import scheduler.intake
from config.language import Language, catalogue
from scheduler.intake.codes import QUALITIES
from scheduler.intake.findings import Verdict
from scheduler.intake.receipts import speakers
from scheduler.intake.sentences import SENTENCES

SOURCES = Path(scheduler.intake.__file__).parent
CODE = re.compile(r'"((?:[FRSDE]-[A-Z0-9]+|folder|note)(?:\.[a-z]+)?)"')


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("code", SENTENCES)
def test_each_sentence_has_a_french_translation_with_the_same_fields(code: str) -> None:
    english = SENTENCES[code]
    french = catalogue(Language.FR).get(english)
    assert french
    assert french != english
    assert fields(french) == fields(english)


def test_each_code_in_the_sources_has_a_sentence() -> None:
    used = {
        code
        for path in SOURCES.rglob("*.py")
        if path.name != "sentences.py"
        for code in CODE.findall(path.read_text("utf-8"))
        if code not in ("R-06", "folder", "note") or code in SENTENCES
    }
    used |= {f"quality.{name}" for name in QUALITIES if name != "OK"} | {f"verdict.{one}" for one in Verdict}
    assert used <= set(SENTENCES)
    assert len(used) > 80


def test_each_sentence_is_used() -> None:
    text = "".join(path.read_text("utf-8") for path in SOURCES.rglob("*.py") if path.name != "sentences.py")
    domain = (SOURCES.parent / "domain" / "subject_code.py").read_text("utf-8")
    unused = [code for code in SENTENCES if f'"{code}"' not in text + domain]
    assert [code for code in unused if not code.startswith(("quality.", "verdict."))] == []


def test_an_unknown_code_is_not_hidden() -> None:
    from scheduler.domain.reason import because

    assert "R-99" in speakers(ZoneInfo("Europe/Paris")).fr.say(because("R-99", row=1))
