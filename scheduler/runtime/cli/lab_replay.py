"""The command that has a refused file judged again."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from scheduler.intake.replay import ReplayRefusedError
from scheduler.intake.replay import replay as judge_again
from scheduler.runtime.cli.output import program_of, refuse, refusing
from scheduler.runtime.works import intake_boxes

__all__ = ["replay"]


def replay(
    context: typer.Context,
    file: Annotated[int, typer.Argument(help="Number of the file; 'lab files' lists them.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    by: Annotated[str | None, typer.Option("--by", help="Who decided it; the account if absent.")] = None,
) -> None:
    """Judge a refused file again, the same bytes, after the configuration or the program was put right."""
    program = program_of(context)
    who = by or getpass.getuser()
    with refusing(program):
        try:
            outcome = judge_again(
                intake_boxes(program),
                program.database.transact,
                file,
                who,
                reason,
                program.clock.now(),
                program.handle,
            )
        except ReplayRefusedError as error:
            refuse(program, error.reasons)
    speaker = program.speaker()
    words = "File No. {file} was judged again as No. {number}: {verdict} {code}"
    said = speaker.text(
        words,
        file=str(file),
        number=str(outcome.file_id),
        verdict=speaker.status(outcome.verdict),
        code=outcome.code,
    )
    typer.echo(said.rstrip())
