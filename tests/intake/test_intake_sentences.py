"""What the intake says: every code has a sentence, every sentence its French with the same fields."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

import scheduler
from config.language import Language, catalogue
from scheduler.intake.findings import Verdict
from scheduler.intake.layout.codes import QUALITIES
from scheduler.intake.receipts import speakers
from scheduler.intake.sentences import SENTENCES

SCHEDULER = Path(scheduler.__file__).parent
PUT_TOGETHER = ("quality.", "verdict.", "lacks_", "decision_")  # codes whose end is the word of a list
CODE = re.compile(r'"((?:[FRSDE]-[A-Z0-9]+|folder|note)(?:\.[a-z]+)?)"')


def _sources() -> list[Path]:
    """What uses the sentences."""
    return [path for path in (SCHEDULER / "intake").rglob("*.py") if path.parent.name != "sentences"]


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
        for path in _sources()
        for code in CODE.findall(path.read_text("utf-8"))
        if code not in ("R-06", "folder", "note") or code in SENTENCES
    }
    used |= {f"quality.{name}" for name in QUALITIES if name != "OK"} | {f"verdict.{one}" for one in Verdict}
    assert used <= set(SENTENCES)
    assert len(used) > 80


def test_each_sentence_is_used() -> None:
    elsewhere = [SCHEDULER / "domain" / "subject_code.py", SCHEDULER / "runtime" / "cli" / "lab_review.py"]
    text = "".join(path.read_text("utf-8") for path in [*_sources(), *elsewhere])
    unused = [code for code in SENTENCES if f'"{code}"' not in text and not code.startswith(PUT_TOGETHER)]
    assert unused == []


def test_an_unknown_code_is_not_hidden() -> None:
    from scheduler.domain.reason import because

    assert "R-99" in speakers(ZoneInfo("Europe/Paris")).fr.say(because("R-99", row=1))
