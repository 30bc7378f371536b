"""Every page of help is French for whoever asks for French, and English comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from words_cases import FRENCH, command, without_french

import main
from config.language import Language
from scheduler.runtime.cli.localise import frame_words, help_texts, localise, normalised


@pytest.fixture
def french_command() -> Iterator[Any]:
    french = command()
    localise(french, Language.FR)
    yield french
    localise(command(), Language.EN)


def test_every_help_text_has_its_french() -> None:
    assert without_french(help_texts(command())) == []


def test_every_frame_word_has_its_french() -> None:
    assert without_french(frame_words()) == []


def test_no_help_text_stays_english(french_command: Any) -> None:
    english = {one for one in help_texts(command()) if FRENCH.get(one) != one}
    assert set(help_texts(french_command)) & english == set()


def _paths(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, one in getattr(group, "commands", {}).items():
        yield from _paths(one, (*path, name))


def _shown(group: Any, path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    group.main([*path, "--help"], prog_name="mpa-monitor", standalone_mode=False)
    return capsys.readouterr().out


_ENGLISH = re.compile(
    r"\b(the|and|of|is|are|was|were|has|have|been|not|this|that|with|from|until|since|before|after|when|what|who|why|"
    r"visit|visits|subject|subjects|window|booked|record|records|mail|mails|sample|result|results|missing|file|files|"
    r"today|by|at|to|for|it|every|one|usage|required|default|show|message|exit|commands|help|options:|database)\b",
    re.IGNORECASE,
)
# Commands, arguments, options, types, columns of files and defaults are the same in both languages.
_KEPT = re.compile(
    r"^ Utilisation\W.*$|^│ \*? *[\w.-]+(?=  )|--[\w-]+|<[^>]*>|(?<!\w)'[^'\n]*'|«[^»]*»"
    r"|colonnes\W+[^)]*\)|var/\w+|\w+=\S+",
    re.MULTILINE,
)


def test_the_first_page_of_help_is_french(
    french_command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    french_command.main(["--language", "fr", "--help"], prog_name="mpa-monitor", standalone_mode=False)
    page = capsys.readouterr().out
    for english in [*help_texts(command()), *frame_words()]:
        if FRENCH[english] != english and len(english) > 8:
            assert english.strip() not in page
    for name, one in french_command.commands.items():
        assert re.search(rf"\b{name} +{re.escape(one.help.split()[0])}", page), name
    for section in main.CONTENTS:
        assert FRENCH[section.title] in page
    assert FRENCH["Usage: "] + "mpa-monitor" in page


@pytest.mark.parametrize("path", list(_paths(command())), ids=" ".join)
def test_no_page_of_help_has_english_words(
    path: tuple[str, ...],
    french_command: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    page = _shown(french_command, path, capsys)
    assert FRENCH["Usage: "] in page
    assert [line.strip() for line in _KEPT.sub("", page).splitlines() if _ENGLISH.search(line)] == []


def test_english_comes_back(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    before = _shown(command(), ("book",), capsys)
    localise(command(), Language.FR)
    back = command()
    localise(back, Language.EN)
    assert _shown(back, ("book",), capsys) == before


def test_a_help_text_is_looked_up_as_typer_shows_it() -> None:
    assert normalised("One\n    line.\n\n    Another\n    one.") == "One line.\n\nAnother one."
    assert normalised("One\nline.\n\n\f\nhidden") == "One line."
