"""The pages agree with each other and with the house: links lead somewhere, lists are whole."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from docs_cases import DOCS, PAGES, ROOT, blocks, name_of, prose, spans
from pydantic import BaseModel

from config.language import Language
from config.schema import LabFile, ProtocolFile, SiteFile, StaffFile
from config.settings import Settings, load_settings
from notifications.outbox.states import State
from scheduler.domain.facts import KINDS
from scheduler.domain.flags import SEVERITY, FlagCode
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.speech import plain_speaker
from scheduler.engine.account.accounts import Role
from scheduler.intake.findings import State as RowState
from scheduler.intake.findings import Verdict

_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_TABLE_WORD = re.compile(r"^\| ([^|]+) \|", re.MULTILINE)
ROOMS = ("config", "pk", "scheduler", "notifications", "templates", "tests", "benchmarks", "deploy")


def _page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def _anchors(page: Path) -> set[str]:
    """The names that a heading of this page can be linked by, as GitHub makes them."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page.read_text("utf-8"))):
        plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading).strip().lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.add(name if name not in found else f"{name}-1")
    return found


def _links(page: Path) -> Iterator[str]:
    for marked, written in _LINK.findall(prose(page.read_text("utf-8"))):
        target = marked or written
        if not re.match(r"[a-z]+:", target):
            yield target


def test_every_link_between_pages_leads_to_a_file_and_a_heading() -> None:
    broken = []
    for page in PAGES:
        for target in _links(page):
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and anchor not in _anchors(file)):
                broken.append(f"{name_of(page)}: {target}")
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        files = [(page.parent / one.partition("#")[0]).resolve() for one in _links(page)]
        todo += [file for file in files if file.is_file()]
        todo += [one for file in files if file.is_dir() for one in file.glob("*.md")]
    assert sorted(name_of(page) for page in set(PAGES) - reached) == []


def test_every_picture_is_shown_somewhere_and_small() -> None:
    shown = {(page.parent / one).resolve() for page in PAGES for one in _links(page)}
    pictures = set((DOCS / "img").iterdir())
    assert pictures - shown == set()
    assert {one.name: one.stat().st_size for one in pictures if one.stat().st_size > 150_000} == {}


def test_the_settings_of_the_readme_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = blocks((ROOT / "README.md").read_text("utf-8"), "toml")
    (settings,) = [one for one in shown if one.startswith("database")]
    (staff,) = [one for one in shown if one.startswith("[[staff]]")]
    for name in [name for name in os.environ if name.startswith("MPA_")]:
        monkeypatch.delenv(name)
    (tmp_path / "settings.toml").write_text(settings, "utf-8")
    loaded = load_settings(config=tmp_path)
    assert (loaded.mail.transport, loaded.mail.security) == ("smtp", "starttls")
    assert str(loaded.intake.folder) == "/var/lib/mpa-monitor/lab"
    assert StaffFile.model_validate(tomllib.loads(staff)["staff"][0]).roles == ("coordinator",)


def _settings() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            yield from (f"{name}.{one}" for one in group.model_fields)
        else:
            yield name


def _keys(shape: type[BaseModel]) -> Iterator[str]:
    """The keys of a file of the configuration, as they are written in it."""
    for name, field in shape.model_fields.items():
        yield field.alias or name
        for one in (field.annotation, *get_args(field.annotation)):
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from _keys(one)


@pytest.mark.parametrize("shape", [ProtocolFile, SiteFile, LabFile])
def test_every_key_of_a_file_is_documented(shape: type[BaseModel]) -> None:
    pages = "".join(_page(f"{name}.md") for name in ("protocol-format", "lab-files", "messages"))
    written = set(re.findall(r"\w+", "".join(re.findall(r"```.*?```|`[^`]+`", pages, re.DOTALL))))
    assert sorted(set(_keys(shape)) - written) == []


def test_every_setting_is_documented_with_its_variable() -> None:
    rows = set()
    for page in (DOCS / "operations.md", DOCS / "console.md"):
        rows |= set(re.findall(r"^\| (\S+) \| `(MPA_\w+)` \|", page.read_text("utf-8"), re.MULTILINE))
    named = {variable.removeprefix("MPA_").lower().replace("__", ".") for _, variable in rows}
    assert named == set(_settings())
    assert {(key, variable) for key, variable in rows if key not in ("–", f"`{_dotted(variable)}`")} == set()


def _dotted(variable: str) -> str:
    return variable.removeprefix("MPA_").lower().replace("__", ".")


def test_every_folder_with_code_is_named_in_the_architecture() -> None:
    drawn = _page("architecture.md").partition("## The rooms")[2].partition("\n## ")[0]
    tracked = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix == ".py"]
    folders = {path.relative_to(ROOT).parent for path in tracked if "__pycache__" not in path.parts}
    named = {folder for folder in folders if f"{folder.name}/" in drawn}
    assert sorted(map(str, folders - named)) == []


def _glossary() -> set[str]:
    """The words that have a line in the glossary."""
    cells = _TABLE_WORD.findall(_page("glossary.md"))
    return {word.strip(" `*") for cell in cells for word in cell.split(",")}


def test_every_word_of_a_vocabulary_has_its_line_in_the_glossary() -> None:
    words = {*VisitStatus, *KINDS, *FlagCode, *Role, *Verdict, *RowState}
    assert sorted(words - _glossary()) == []


def test_the_glossary_calls_each_flag_as_the_program_does_and_gives_its_severity() -> None:
    row = re.compile(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \| (now|soon|know) \| ([^|]+) \|$", re.MULTILINE)
    said = {
        code: (english, severity, french)
        for code, english, severity, french in row.findall(_page("glossary.md"))
    }
    english, french = map(plain_speaker, (Language.EN, Language.FR))
    assert said == {
        str(code): (english.status(code), SEVERITY[code].name.lower(), french.status(code))
        for code in FlagCode
    }


def test_every_state_of_a_mail_has_its_line() -> None:
    assert {str(one) for one in State} - set(spans(_page("messages.md"))) == set()
