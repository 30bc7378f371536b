"""Whatever the program says outside mails and laboratory receipts has its French, and no French is left over."""

from __future__ import annotations

import re

import pytest
from words_cases import (
    FRENCH,
    OURS,
    audited_actions,
    command,
    entries,
    fields_of,
    spoken,
    template_words,
    vocabulary,
    without_french,
)

from config.language import LOCALE_DIR
from pk.sentences import SENTENCES as PK_SENTENCES
from scheduler.domain.facts import KINDS
from scheduler.domain.sentences import SENTENCES
from scheduler.domain.sentences.pages import PAGE_SENTENCES
from scheduler.engine.export.audit_trail import ACTIONS
from scheduler.runtime.cli.localise import frame_words, help_texts

# --- sentences of reasons ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentences", [SENTENCES, PAGE_SENTENCES, PK_SENTENCES], ids=["domain", "pages", "pk"]
)
def test_every_reason_has_its_french(sentences: dict[str, str]) -> None:
    missing = without_french(sentences.values())
    assert {code: text for code, text in sentences.items() if text in missing} == {}
    assert [code for code, text in sentences.items() if fields_of(text) != fields_of(FRENCH[text])] == []


# --- sentences, headings and words in the code ------------------------------------------------------------


def test_everything_that_the_code_says_has_its_french() -> None:
    said = spoken()
    assert {one: said[one] for one in without_french(said)} == {}
    assert [one for one in said if fields_of(one) != fields_of(FRENCH[one])] == []


def test_every_word_of_a_vocabulary_has_its_french() -> None:
    words = vocabulary()
    assert {one: words[one] for one in without_french(words)} == {}


def test_every_action_of_the_audit_has_its_word() -> None:
    found = set(audited_actions())
    assert len(found) > 15
    assert found <= {*ACTIONS, *KINDS}


@pytest.mark.parametrize(("folder", "known"), [("report", "Exposure by method"), ("console", "Worklist")])
def test_everything_that_the_pages_say_has_its_french(folder: str, known: str) -> None:
    words = template_words(folder)
    assert known in words
    assert without_french(words) == []
    field = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
    assert [one for one in words if sorted(field.findall(one)) != sorted(field.findall(FRENCH[one]))] == []


def test_the_scan_sees_what_it_must() -> None:
    said = spoken()
    for known in (
        "Nothing was recorded.",  # a literal
        "window: {first} to {last} ({lower} before, {upper} after)",  # through a name
        "{period} before the anchor gives {on}",  # through a choice
        "What closes it",  # a list of headings through a name
        "Verdict",  # a list of headings
        "Mails",  # a title
        "To",  # a loop over headings
        "while {statuses}",  # a name assigned in several branches
        "'{name}' is not a role.",  # a defect of a file
        "the coefficient in h",  # what the remedy of one asks for
        "is 0 here and cannot vary by a factor.",  # a defect through a choice
    ):
        assert known in said


@pytest.mark.parametrize("name", OURS)
def test_french_has_the_same_fields(name: str) -> None:
    differing = {one: french for one, french in entries(name).items() if fields_of(one) != fields_of(french)}
    assert differing == {}


# --- the catalogues themselves ----------------------------------------------------------------------------


def test_no_entry_is_unused() -> None:
    used = {*SENTENCES.values(), *PAGE_SENTENCES.values(), *PK_SENTENCES.values(), *spoken(), *vocabulary()}
    used |= {*help_texts(command()), *frame_words(), *template_words("report"), *template_words("console")}
    assert {name: sorted(entries(name).keys() - used) for name in OURS} == {name: [] for name in OURS}


def test_no_sentence_has_two_french_ones() -> None:
    found: dict[str, dict[str, str]] = {}
    for path in sorted((LOCALE_DIR / "fr").glob("*.po")):
        for english, french in entries(path.stem).items():
            found.setdefault(english, {})[path.stem] = french
    assert {english: by for english, by in found.items() if len(set(by.values())) > 1} == {}
    assert [english for english, by in found.items() if len(by.keys() & set(OURS)) > 1] == []


@pytest.mark.parametrize("name", sorted(path.stem for path in (LOCALE_DIR / "fr").glob("*.po")))
def test_no_sentence_leaves_its_plural_to_the_reader(name: str) -> None:
    left = re.compile(r"\w\((s|es|ies|x|nt)\)")
    assert [one for pair in entries(name).items() for one in pair if left.search(one)] == []


@pytest.mark.parametrize("name", OURS)
def test_french_typography(name: str) -> None:
    for english, french in entries(name).items():
        plain = re.sub(r"\d:\d|\{[^}]*\}|\[/?[a-z]*\]|https?:", "", french)
        assert not re.search(r"[^\u202f][;:!?»](\s|$)|«[^\u202f]| [;:!?»]", plain), english
        assert "  " not in french, english


def test_the_commands_named_in_a_sentence_stay() -> None:
    for name in OURS:
        for english, french in entries(name).items():
            for one in re.findall(r"--[a-z-]+|mpa-monitor(?: [a-z-]+)?", english):
                assert one in french, english
