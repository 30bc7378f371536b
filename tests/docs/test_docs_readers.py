"""The pages for coordinators and laboratories use the words of the console and the mails, and print on two pages."""

from __future__ import annotations

import os
import re
import subprocess
import unicodedata
from pathlib import Path

import pytest
from docs_cases import DOCS, spans
from markdown_it import MarkdownIt

from config.language import Language, catalogue
from scheduler.console.actions import Verb
from scheduler.console.routes import PAGES
from scheduler.domain.flags import FlagCode
from scheduler.domain.words import word_of
from scheduler.intake.layout.columns import COLUMNS
from scheduler.intake.sentences import SENTENCES

BOTH = [(who, language) for who in ("coordinators", "laboratories") for language in Language]
_STYLE = (
    "body{font:9.5pt sans-serif} @page{size:A4;margin:12mm} table{border-collapse:collapse} "
    "td,th{border:1px solid #999;padding:1px 4px;text-align:left} pre{white-space:pre-wrap;overflow-wrap:anywhere}"
)
_BLANK = re.compile(r"%\(\w+\)[sd]|\{[^}]*\}")


def _page(who: str, language: Language) -> str:
    return (DOCS / f"for-{who}.{language}.md").read_text("utf-8")


def _plain(text: str) -> str:
    """A text without the differences of its spaces, apostrophes and capital letters."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").split()).lower().rstrip(".")


def _shown(language: Language) -> list[str]:
    """Whatever console and mails say in a language."""
    french = catalogue(Language.FR)
    if language is Language.FR:
        return list(french.values())
    names = [*Verb, *FlagCode, *(page.nav for page in PAGES if page.nav is not None)]
    return [*french, *map(word_of, names)]


def _unknown(texts: list[str], language: Language) -> list[str]:
    """The texts that are neither said nor the beginning of what is said; what is filled in is left open."""
    shown = [_plain(one) for one in _shown(language)]
    forms = [re.compile(".+".join(map(re.escape, _BLANK.split(one)))) for one in shown if _BLANK.sub("", one)]
    return [
        text
        for text in texts
        if not any(one.startswith(_plain(text)) for one in shown)
        and not any(form.fullmatch(_plain(text)) for form in forms)
    ]


@pytest.mark.parametrize("language", list(Language))
def test_what_is_bold_for_coordinators_stands_in_the_console(language: Language) -> None:
    labels = re.findall(r"\*\*(.+?)\*\*", _page("coordinators", language))
    assert len(labels) > 30
    assert _unknown([one for one in labels if one not in ("gras", "bold")], language) == []


@pytest.mark.parametrize(("who", "language"), BOTH)
def test_what_is_quoted_is_the_subject_of_a_mail(who: str, language: Language) -> None:
    quoted = [one or other for one, other in re.findall(r"«\s([^»]+)\s»|“([^”]+)”", _page(who, language))]
    columns = {"guillemets", "quotes", "francais", "english"}
    assert len(quoted) > 4
    assert _unknown([one for one in quoted if one not in columns], language) == []


@pytest.mark.parametrize("language", list(Language))
def test_rules_and_columns_for_laboratories_exist(language: Language) -> None:
    text = _page("laboratories", language)
    rules = set(re.findall(r"\b[FRS]-\d\d(?:\.\w+)?", text))
    assert len(rules) > 8
    assert {
        one for one in rules if not any(code == one or code.startswith(f"{one}.") for code in SENTENCES)
    } == set()
    assert {one for one in spans(text) if re.fullmatch(r"[a-z]+_[a-z_]+", one)} <= _columns()


def _columns() -> set[str]:
    return {name for canonical, others in COLUMNS.items() for name in (canonical, *others)}


@pytest.mark.parametrize(("who", "language"), BOTH)
def test_it_prints_on_two_pages_at_most(who: str, language: Language, tmp_path: Path) -> None:
    browser = next(
        (one for one in ("/usr/bin/chromium", "/usr/bin/google-chrome") if Path(one).exists()), None
    )
    if browser is None:
        if os.environ.get("CI"):
            pytest.fail("NO BROWSER: printing needs Chromium (apt-get install chromium)")
        pytest.skip("NO BROWSER: printing needs Chromium (apt-get install chromium)")
    body = MarkdownIt("commonmark").enable("table").render(_page(who, language))
    page, printed = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_text(f'<!DOCTYPE html><meta charset="utf-8"><style>{_STYLE}</style>{body}', "utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run(
        [*command, f"--print-to-pdf={printed}", page.as_uri()], check=True, capture_output=True, timeout=60
    )
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) <= 2
