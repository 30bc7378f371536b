"""How commands speak: tables for people, JSON for programs, refusals on stderr with exit code 2."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from config.defects import ConfigurationInvalidError
from config.language import translator
from scheduler.domain.reason import Reason, RefusedError
from scheduler.domain.speech import Speaker, plain_speaker
from scheduler.runtime.program import Program
from scheduler.store.database import StoreError

if TYPE_CHECKING:
    from scheduler.engine.recording.request import Done

__all__ = [
    "BAD_INPUT",
    "FAILURE",
    "AsJson",
    "console",
    "done",
    "fail",
    "holds_word",
    "json_out",
    "program_of",
    "refuse",
    "refusing",
    "table",
]

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
BAD_INPUT, FAILURE = 2, 1
Row = Mapping[str, Any]


def console() -> Console:
    """The terminal; wide enough for a table when there is none."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def program_of(context: typer.Context) -> Program:
    found = context.find_root().obj
    assert isinstance(found, Program)
    return found


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong on stderr and stop."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def refuse(program: Program, reasons: Iterable[Reason]) -> NoReturn:
    """Say why something was not recorded, and that nothing was."""
    speaker = program.speaker()
    lines = [speaker.say(reason) for reason in reasons]
    fail("\n".join([*lines, speaker.text("Nothing was recorded.")]), BAD_INPUT)


@contextmanager
def refusing(program: Program) -> Iterator[None]:
    """Turns refusals and unusable configuration into a sentence and exit code 2, a broken database into 1."""
    try:
        yield
    except RefusedError as error:
        refuse(program, error.reasons)
    except ConfigurationInvalidError as error:
        fail(error.told(program.settings.language), BAD_INPUT)
    except StoreError as error:
        fail(plain_speaker(program.settings.language).say(error.reason), FAILURE)


def done(program: Program, outcome: Done, what: str) -> None:
    """Confirm a record, with what deserves a second look."""
    speaker = program.speaker()
    typer.echo(speaker.text("Recorded: {what} (record {number}).", what=what, number=str(outcome.number)))
    for warning in outcome.warnings:
        typer.echo(speaker.text("Please check: {what}", what=speaker.say(warning)), err=True)


def json_out(value: Any) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def table(program: Program, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table with translated title and headings."""
    say = translator(program.settings.language)
    made = Table(title=say(title), title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(say(column), overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


def holds_word(holds: bool | None, speaker: Speaker) -> str:
    """Whether a definition holds, in a word; a dash when it cannot be evaluated."""
    if holds is None:
        return "–"
    return speaker.text("yes") if holds else speaker.text("no")
