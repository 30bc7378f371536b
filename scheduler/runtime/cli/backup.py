"""Commands that save a study and make it again."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from scheduler.engine.backup import Backup, BackupRefusedError, back_up
from scheduler.engine.restore import restore
from scheduler.runtime.cli.output import BAD_INPUT, FAILURE, fail, program_of, refusing
from scheduler.runtime.program import Program
from scheduler.store import audit
from scheduler.store.copying import CopyRefusedError

__all__ = ["backup_command", "restore_command"]


@contextmanager
def _saying(program: Program) -> Iterator[None]:
    """Turns a refusal into a sentence and exit code 2, a disk that fails into 1."""
    speaker = program.speaker()
    try:
        yield
    except (BackupRefusedError, CopyRefusedError) as error:
        fail("\n".join([speaker.say(error.reason), speaker.text("Nothing was written.")]), BAD_INPUT)
    except OSError as error:
        words = "{file_id} cannot be written or read: {why}"
        fail(speaker.text(words, file_id=str(error.filename or "-"), why=error.strerror or ""), FAILURE)


def backup_command(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(help="Folder to make; below a folder that exists, one named by date and time.")
    ],
) -> None:
    """Save the study while the service runs: database, drop folder, configuration, with checksums. Replaces nothing."""
    program = program_of(context)
    with refusing(program), _saying(program):
        db, now = program.database, program.clock.now()
        target = out / f"mpa-monitor-{now:%Y%m%dT%H%M%SZ}" if out.is_dir() else out
        settings = program.settings
        made = back_up(db, settings.intake.folder, settings.config, target, now)
        detail = {"rows": made.rows, "head": made.head, "files": made.files}
        db.transact(
            lambda session: audit.append(
                session, now, "backed_up", "database", "-", detail, actor=getpass.getuser(), source="cli"
            )
        )
    _say_backup(program, made)


def _say_backup(program: Program, made: Backup) -> None:
    speaker = program.speaker()
    words = "Saved in {path_id}: {files} files, {megabytes} MB, audit chain intact to {anchor_id}."
    megabytes = speaker.number(made.bytes / 1_000_000)
    anchor = f"{made.rows}:{made.head}"
    typer.echo(
        speaker.text(words, path_id=str(made.path), files=made.files, megabytes=megabytes, anchor_id=anchor)
    )
    for name in made.left_out:
        words = "Not saved, because it holds a password: {file_id}. Keep it in another safe place."
        typer.echo(speaker.text(words, file_id=name), err=True)
    words = "It holds personal data of the staff and the study's results: keep it encrypted, elsewhere."
    typer.echo(speaker.text(words))


def restore_command(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FROM", help="Folder of a backup.")],
) -> None:
    """Make the study again from a backup, in the place that the settings name, which must be empty."""
    program = program_of(context)
    with refusing(program), _saying(program):
        settings, db = program.settings, program.bare_database
        done = restore(
            source, db, settings.intake.folder, settings.config, getpass.getuser(), program.clock.now()
        )
    speaker = program.speaker()
    words = "Restored from the backup of {at}: audit chain intact to {anchor_id}, {files} files of the drop folder."
    anchor = f"{done.rows}:{done.head}"
    typer.echo(speaker.text(words, at=done.backup_at, anchor_id=anchor, files=done.files))
    if done.config is None:
        words = "The configuration in use was left as it is; that of the backup lies in {path_id}."
        typer.echo(speaker.text(words, path_id=str(source / "config")))
    words = (
        "Mails sent after {at} are not on record. {count} that may have left are held, "
        "and so will be reminders due since."
    )
    typer.echo(speaker.text(words, at=done.backup_at, count=done.possibly_sent))
    words = "Look at them with 'mpa-monitor outbox possibly-sent'; it also says how to go on."
    typer.echo(speaker.text(words))
