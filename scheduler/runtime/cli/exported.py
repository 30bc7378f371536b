"""Files that leave the database: written whole, and put on record in the audit."""

from __future__ import annotations

import getpass
from pathlib import Path

import typer

from scheduler.runtime.cli.output import BAD_INPUT, fail
from scheduler.runtime.program import Program
from scheduler.store import audit
from scheduler.whole_files import write_whole

__all__ = ["write_export"]


def write_export(
    program: Program,
    path: Path,
    content: bytes,
    what: str,
    subject: str | None = None,
    *,
    mode: int | None = None,
    to_stderr: bool = False,
) -> None:
    """Write a file and note in the audit that it was; stop with a sentence when it cannot be written."""
    speaker = program.speaker()
    try:
        write_whole(path, content, mode)
    except OSError as error:
        words = "{file} cannot be written: {why}"
        fail(speaker.text(words, file=str(path), why=error.strerror or ""), BAD_INPUT)
    about = ("subject", subject) if subject is not None else ("study", "-")
    detail = {"what": what, "kind": path.suffix.removeprefix(".")}
    program.database.transact(
        lambda session: audit.append(
            session, program.clock.now(), "exported", *about, detail, actor=getpass.getuser(), source="cli"
        )
    )
    typer.echo(speaker.text("Written: {file}", file=str(path)), err=to_stderr)
