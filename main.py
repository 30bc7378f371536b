"""The command line of mpa-monitor: its table of contents, and the program that its commands work with."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from config.defects import ConfigurationInvalidError
from config.language import Language
from scheduler.runtime.cli.contents import Entry, Group, Section, command_line
from scheduler.runtime.cli.localise import language_asked, localise, option_asked

if TYPE_CHECKING:
    from sqlmodel import Session

    from config.settings import Settings
    from scheduler.domain.speech import Speaker
    from scheduler.runtime.program import Program

__all__ = ["CONTENTS", "app", "main", "make_program"]


def _entries(module: str, *names: str) -> tuple[Entry, ...]:
    """Commands of one module; 'name=function' where the function is called otherwise."""
    pairs = [one.partition("=") for one in names]
    return tuple(Entry(name, f"{module}:{function or name.replace('-', '_')}") for name, _, function in pairs)


_CLI = "scheduler.runtime.cli"
_MAILS = "notifications.commands.mails"
CONTENTS = (
    Section("Patients", (
        *_entries(f"{_CLI}.enrol", "enrol"),
        *_entries(f"{_CLI}.visit", "book", "move", "cancel", "attend", "dose", "draw", "assess"),
        *_entries(f"{_CLI}.participation", "regimen", "intercurrent", "pause", "resume", "withdraw"),
        *_entries(f"{_CLI}.correct", "correct", "acknowledge"),
        Group("eligibility", "Eligibility: ACR/EULAR 2013 classification, skin and lung arms.",
              _entries(f"{_CLI}.eligibility", "check", "record")),
    )),
    Section("What stands where", (
        *_entries(f"{_CLI}.read", "board", "visits", "flags", "explain=explain_command"),
        *_entries(f"{_CLI}.overview", "overview"),
        *_entries(f"{_CLI}.report", "report"),
        *_entries(f"{_CLI}.export", "export=export_command"),
    )),
    Section("Exposure and outcome", (
        *_entries(f"{_CLI}.auc", "auc"),
        *_entries(f"{_CLI}.trial", "exposures", "endpoints"),
        *_entries(f"{_CLI}.target", "target"),
    )),
    Section("Laboratory and mails", (
        *_entries(f"{_CLI}.read", "results"),
        Group("lab", "Laboratory files.", (
            *_entries(f"{_CLI}.lab", "check", "files", "template"),
            *_entries(f"{_CLI}.lab_reconciliation", "reconciliation"),
            *_entries(f"{_CLI}.lab_review", "held", "review"),
            *_entries(f"{_CLI}.lab_replay", "replay"),
        )),
        Group("outbox", "The mails: sent, waiting, failed.", (
            *_entries(_MAILS, "list=list_", "show", "retry", "release", "cancel"),
            *_entries("notifications.commands.doubt", "possibly-sent"),
        )),
        Group("template", "The mail templates.", _entries(_MAILS, "preview=preview_")),
    )),
    Section("Study and rehearsal", (
        *_entries(f"{_CLI}.rehearse", "demo"),
        Group("protocol", "Protocol files.", (
            *_entries(f"{_CLI}.protocol", "check", "show"),
            *_entries(f"{_CLI}.rehearse", "rehearse"),
            *_entries(f"{_CLI}.amendment", "diff", "apply"),
        )),
    )),
    Section("The service", (
        *_entries(f"{_CLI}.operate", "init", "run"),
        *_entries("composition", "web"),
        *_entries(f"{_CLI}.status", "status"),
        *_entries(f"{_CLI}.operate", "confirm-clock", "rebuild"),
        *_entries(f"{_CLI}.backup", "backup=backup_command", "restore=restore_command"),
        Group("db", "Whole databases.", _entries(f"{_CLI}.databases", "copy")),
        Group("user", "Accounts of the console.",
              _entries(f"{_CLI}.users", "add", "reset", "disable", "enable", "list=list_")),
        Group("audit", "The audit trail.", _entries(f"{_CLI}.audit", "verify", "export=export_trail")),
    )),
)  # fmt: skip

app = command_line(
    CONTENTS,
    name="mpa-monitor",
    help="Visit scheduler and notification service for studies that follow drug exposure. "
    "Research software, not a medical device.",
)


@app.callback()
def options(
    context: typer.Context,
    database: Annotated[str | None, typer.Option(help="Database URL; MPA_DATABASE.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration directory; MPA_CONFIG.")] = None,
    language: Annotated[Language | None, typer.Option(help="fr or en; MPA_LANGUAGE.")] = None,
) -> None:
    """Visit scheduler and notification service. Research software, not a medical device."""
    if context.resilient_parsing:
        return
    from config.settings import language_to_fail_in, load_settings
    from scheduler.runtime.cli.output import BAD_INPUT, fail

    try:
        settings = load_settings(database=database, config=config, language=language)
    except ConfigurationInvalidError as error:
        fail(error.told(language_to_fail_in(language, config)), BAD_INPUT)
    context.obj = make_program(settings)


def make_program(settings: Settings) -> Program:
    """The program for these settings. What other packages than the scheduler give to it is loaded when it is used."""
    from scheduler.clock import SystemClock
    from scheduler.runtime.program import Program

    return Program(
        settings=settings,
        templates=_templates,
        make_handle=_make_handle,
        make_works=_make_works,
        mail_backlog=_mail_backlog,
        mail_rows=_mail_rows,
        mail_sentences=_mail_sentences,
        clock=SystemClock(),
    )


def _templates() -> tuple[str, ...]:
    from notifications.words.render import template_names

    return template_names()


def _make_handle(settings: Settings, study: Any) -> Any:
    from notifications.outbox.handlers import make_handler

    return make_handler(study.protocol_of, settings.mail.domain)


def _make_works(program: Program) -> Any:
    from composition import make_works

    return make_works(program)


def _mail_backlog(session: Session, now: datetime) -> dict[str, object]:
    from notifications.outbox.backlog import backlog

    found = backlog(session, now)
    return {
        "waiting": found.waiting,
        "overdue": found.overdue,
        "oldest_due": found.oldest_due,
        "counts": found.counts,
        "left": found.left,
        "uncertain": found.uncertain,
    }


def _mail_rows(session: Session, speaker: Speaker) -> list[dict[str, object]]:
    from notifications.commands.tables import outbox_rows
    from notifications.outbox.ledger import list_outbox

    return outbox_rows(list_outbox(session, limit=1_000_000), speaker)


def _mail_sentences() -> Mapping[str, str]:
    from notifications.words.sentences import MAIL_SENTENCES

    return MAIL_SENTENCES


def main() -> None:
    """The command `mpa-monitor`."""
    gc.disable()  # until the command is loaded: what is loaded stays, and going through it again and again takes time
    command = typer.main.get_command(app)
    language = language_asked(sys.argv[1:])
    localise(command, language)
    try:
        command()
    except Exception as error:
        last_words = _last_words(error, sys.argv[1:])
        if last_words is None:
            raise
        text, code = last_words
        typer.echo(text, err=True)
        sys.exit(code)


def _last_words(error: Exception, words: Sequence[str]) -> tuple[str, int] | None:
    """What is said of an error that ends a command, and its exit code; None when it is a defect of the program."""
    from sqlalchemy.exc import DBAPIError

    from config.settings import language_to_fail_in
    from scheduler.domain.reason import because
    from scheduler.domain.speech import plain_speaker
    from scheduler.runtime.cli.output import BAD_INPUT, FAILURE
    from scheduler.store.database import StoreError

    language = language_to_fail_in(option_asked(words, "--language"), option_asked(words, "--config"))
    if isinstance(error, ConfigurationInvalidError):
        return error.told(language), BAD_INPUT
    if isinstance(error, StoreError):
        return plain_speaker(language).say(error.reason), FAILURE
    if isinstance(
        error, DBAPIError
    ):  # the database failed in the middle of a command: nothing of it was kept
        return plain_speaker(language).say(because("store_failed", error_id=str(error.orig).strip())), FAILURE
    return None


if __name__ == "__main__":
    main()
