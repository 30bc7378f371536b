"""The command that writes the collected data of the study into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from scheduler.engine.export.collected import Export, ExportFormat, export, note_export
from scheduler.runtime.cli.output import BAD_INPUT, fail, program_of, refusing
from scheduler.runtime.cli.overview import check_site
from scheduler.runtime.cli.recording import recorder
from scheduler.whole_files import write_pieces

__all__ = ["export_command"]


def export_command(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="File to write; an older one is replaced.")],
    file_format: Annotated[
        ExportFormat, typer.Option("--format", help="csv: one line a value; odm: CDISC ODM-XML 2.0.")
    ] = ExportFormat.CSV,
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    free_text: Annotated[
        bool,
        typer.Option(
            "--free-text", help="Also what people wrote as reasons: look first whether it names a person."
        ),
    ] = False,
) -> None:
    """The collected data and who recorded each value when: subjects, visits, doses, samples, results, assessments."""
    program = program_of(context)
    speaker = program.speaker()
    asked, now = Export(file_format, site, free_text), program.clock.now()
    with refusing(program):
        check_site(program, site)

        def step(session: Session) -> None:
            write_pieces(out, export(session, program.study, asked, now))

        try:
            program.database.read(step)
        except OSError as error:
            words = "{file} cannot be written: {why}"
            fail(speaker.text(words, file=str(out), why=error.strerror or ""), BAD_INPUT)
        who = recorder(None)
        program.database.transact(lambda session: note_export(session, asked, who, now))
    typer.echo(speaker.text("Written: {file}", file=str(out)))
