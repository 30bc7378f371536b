"""The table of contents of the command line: every command can be loaded, and a help says the same of it before."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import insert
from typer.testing import CliRunner

import main
from config.language import Language
from config.settings import DEFAULT_DIR
from scheduler.runtime.cli.contents import Entry, Lazy, Section, command_line
from scheduler.runtime.cli.localise import localise
from scheduler.store.database import Database
from scheduler.store.tables import SiteRow


@pytest.fixture
def command() -> Any:
    """The command line, none of its commands loaded."""
    return typer.main.get_command(main.app)


def groups(command: Any) -> Iterator[Lazy]:
    yield command
    for one in command.commands.values():
        if isinstance(one, Lazy):
            yield from groups(one)


def listing(group: Lazy) -> str:
    return group.get_help(group.make_context("mpa-monitor", [], resilient_parsing=True))


def test_every_command_of_the_contents_can_be_loaded_under_its_name(command: Any) -> None:
    for group in groups(command):
        entries = [one for part in group.sections for one in part.entries]
        assert [one.name for one in entries] == list(group.commands)
        assert [group.commands[one.name].name for one in entries] == list(group.commands)
        assert all(group.commands[one.name].help for one in entries)


def test_a_help_says_of_a_command_what_the_command_says_of_itself(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says it without loading one."""
    for group in groups(typer.main.get_command(main.app)):
        listing(group)
        before = capsys.readouterr().out
        for name, one in group.commands.items():  # loads them
            first = one.help.split("\n\n")[0].split()[:3]
            assert " ".join(first) in " ".join(before.split()), name


def test_a_help_loads_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    app = command_line(
        (
            Section(
                "Here",
                (Entry("gone", "config.language:translator"), Entry("lost", "config.files:read_files")),
            ),
        )
    )
    group = typer.main.get_group(app)
    listing(group)
    assert "Here" in capsys.readouterr().out
    assert not group.lazy._made


def test_a_name_that_is_not_there_is_answered_with_those_that_are_near() -> None:
    for language, said in (
        (Language.EN, "Did you mean 'check'?"),
        (Language.FR, "Vouliez-vous dire 'check'\u202f?"),
    ):
        command: Any = typer.main.get_command(main.app)
        localise(command, language)
        group = command.commands["lab"]
        with pytest.raises(typer.TyperException) as refused:
            group.resolve_command(group.make_context("lab", ["chek"]), ["chek"])
        assert str(refused.value.message).endswith(said)
    localise(typer.main.get_command(main.app), Language.EN)


def test_a_command_is_in_the_readers_language_however_late_it_is_loaded(command: Any) -> None:
    localise(command, Language.FR)
    assert not command.lazy._made
    assert command.commands["status"].help.startswith("Dire si le service fonctionne")
    assert command.commands["lab"].commands["files"].help.startswith("Les fichiers reçus")
    localise(typer.main.get_command(main.app), Language.EN)


def test_status_answers_while_the_files_of_the_study_are_broken(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon goes on with the files that it read; whether it does is then asked most."""
    with sqlite_db.engine.begin() as connection:
        connection.execute(insert(SiteRow.__table__).values(id="cochin", name="Cochin", zone="Europe/Paris"))
    shutil.copytree(DEFAULT_DIR, tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "config" / "sites" / "broken.toml").write_text("id = ", "utf-8")
    monkeypatch.setenv("MPA_DATABASE", str(sqlite_db.url))
    asked = ["--config", str(tmp_path / "config")]
    done = CliRunner().invoke(main.app, [*asked, "status"])
    assert done.exit_code == 1 and "It has never run on this database" in done.output
    done = CliRunner().invoke(main.app, [*asked, "board"])
    assert done.exit_code == 2 and "sites/broken.toml" in done.output


def test_the_collector_passes_over_what_a_command_is_made_of(command: Any) -> None:
    """`main` stops it for the loading; once a command is there, it works again, but not on what was loaded."""
    context = typer.Context(command)
    gc.disable()
    try:
        before = gc.get_freeze_count()
        command.get_command(context, "status")
        assert gc.isenabled()
        kept = gc.get_freeze_count()
        assert kept > before
        command.get_command(context, "status")
        assert gc.get_freeze_count() <= kept  # one that was called from elsewhere keeps nothing
    finally:
        gc.enable()
        gc.unfreeze()
