"""Every command that README, docs, mails and sentences name is one that the command line understands."""

from __future__ import annotations

import re
import shlex

import pytest
from docs_cases import (
    PAGES,
    PROGRAM,
    command_line,
    commands_in,
    leaves,
    name_of,
    options_of,
    refuse_nothing,
    spans,
    typed_lines,
    what_is_wrong,
)

from config.language import Language, catalogue, translator
from notifications.words.preview import preview
from notifications.words.render import template_names
from notifications.words.sentences import LINKED_SENTENCES, MAIL_SENTENCES
from scheduler.domain.sentences import SENTENCES
from scheduler.domain.sentences.pages import PAGE_SENTENCES
from scheduler.intake.sentences import SENTENCES as LAB_SENTENCES

# What a mail leaves to its reader, and something that may stand there.
BLANKS = {
    "NUMBER": "12",
    "MG": "1000",
    "HOURS": "12",
    "VALUE": "18",
    "TUBE": "27004-00311-1",
    "FOLDER": "report",
    "FILE": "anchor.eml",
}


def test_every_line_to_type_is_understood() -> None:
    found = [(typed, words) for typed in typed_lines() for words in commands_in(typed.line)]
    assert len(found) > 40
    for typed, words in found:
        try:
            refuse_nothing(words)
        except Exception as error:  # noqa: BLE001 - whatever a command raises is what is told
            pytest.fail(f"{typed}\n{error}")


def test_every_command_in_the_text_of_a_page_exists() -> None:
    """Placeholders may stand in it, and what it needs may be missing; its name and its options are checked."""
    first = {path[0] for path, _ in leaves(command_line())}
    found = [
        (name_of(page), span)
        for page in PAGES
        for span in spans(page.read_text("utf-8"))
        if span.startswith(f"{PROGRAM} ") or (span.split()[0] in first and " --" in span)
    ]
    assert len(found) > 100
    assert [(page, wrong) for page, span in found if (wrong := what_is_wrong(span))] == []


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("template", template_names())
def test_every_command_of_a_mail_is_understood(template: str, language: Language) -> None:
    say = translator(language)
    blanks = {say(english): value for english, value in BLANKS.items()}
    _, text, _ = preview(template, language)
    for line in re.findall(rf"^ {{4}}({PROGRAM} .+)$", text, re.MULTILINE):
        words = shlex.split(line.replace("mmf/ec_mps", "mmf"))
        filled = [re.sub(r"[^\W\d_]+$", lambda one: blanks.get(one[0], one[0]), word) for word in words]
        refuse_nothing(filled)


ALL_SENTENCES = {**SENTENCES, **LAB_SENTENCES, **MAIL_SENTENCES}


def _quoted(text: str) -> list[str]:
    """The commands that a sentence names: in quotes, or by the name of the program."""
    names = "|".join(sorted({path[0] for path, _ in leaves(command_line())}, key=len, reverse=True))
    in_quotes = re.findall(rf"'((?:{PROGRAM} )?(?:{names})(?: [^']*)?)'", text)
    return [*in_quotes, *re.findall(rf"{PROGRAM} [a-z][\w {{}}-]*", text)]


def test_every_command_of_a_sentence_exists() -> None:
    named = {code: _quoted(text) for code, text in ALL_SENTENCES.items()}
    assert sum(map(len, named.values())) > 25
    wrong = {code: what_is_wrong(one) for code, found in named.items() for one in found if what_is_wrong(one)}
    assert wrong == {}


# Said on the command line alone; or no page does it.
NO_PAGE = {
    "refused_account_known", "refused_account_unknown", "refused_copy_chain",
    "refused_enrol_incomplete", "refused_fact_unknown", "refused_file_or_interactive", "refused_nobody_enrolled",
    "refused_one_decision", "refused_other_site", "refused_reason_missing", "refused_row_unknown",
    "refused_tube_or_reason", "refused_version_elsewhere", "refused_void_enrolment", "replay.unknown",
    "store_daemon_works", "store_earlier", "store_empty", "store_no_folder", "warned_no_eligibility",
}  # fmt: skip


def test_a_reader_of_pages_is_told_pages_and_no_commands() -> None:
    on_pages = {**ALL_SENTENCES, **LINKED_SENTENCES, **PAGE_SENTENCES}
    assert {code for code, text in on_pages.items() if _quoted(text) or " --" in text} == NO_PAGE
    assert PAGE_SENTENCES.keys() | LINKED_SENTENCES.keys() <= ALL_SENTENCES.keys()


def test_every_option_that_is_named_anywhere_exists() -> None:
    known = options_of(command_line())
    for _, command in leaves(command_line()):
        known |= options_of(command)
    texts = [*ALL_SENTENCES.values(), *catalogue(Language.FR), *catalogue(Language.FR).values()]
    named = {one for text in texts for one in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)}
    assert len(named) > 10
    assert named - known == set()


def test_every_command_stands_in_the_list_of_operations() -> None:
    text = next(page for page in PAGES if page.name == "operations.md").read_text("utf-8")
    listed = set(spans(text.partition("\n## Commands\n")[2].partition("\n## ")[0]))
    assert {" ".join(path) for path, _ in leaves(command_line())} - listed == set()
