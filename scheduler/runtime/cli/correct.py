"""Commands that look back: correct a record, decide about a flag."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlmodel import Session

from scheduler.domain.facts import (
    Corrected,
    FlagAcknowledged,
)
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.moments import read_field
from scheduler.engine.recording.request import Done
from scheduler.engine.recording.typed_assessments import read_pair
from scheduler.runtime.cli.output import done, program_of, refusing
from scheduler.runtime.cli.recording import By, Subject, Why, recorder

__all__ = ["acknowledge", "correct"]


def correct(
    context: typer.Context,
    subject: Subject,
    number: Annotated[int, typer.Argument(help="Number of the record; 'explain' lists them.")],
    reason: Why,
    set_: Annotated[list[str] | None, typer.Option("--set", help="field=value; may be repeated.")] = None,
    take_back: Annotated[bool, typer.Option("--take-back", help="The record is wrong as a whole.")] = False,
    by: By = None,
) -> None:
    """Correct an earlier record, or take it back; the old one stays on record with the reason."""
    program = program_of(context)
    with refusing(program):
        if bool(set_) == take_back:
            raise RefusedError([because("refused_set_or_take_back")])

        def step(session: Session) -> Done:
            now = program.clock.now()
            zone = program.zone_of(session, subject)
            fields = (
                None if take_back else dict(read_field(*read_pair(text), now, zone) for text in set_ or ())
            )
            return engine.correct(
                session, program.study, subject, number, fields, reason, recorder(by), now, program.handle
            )

        outcome = program.database.transact(step)
        done(program, outcome, f"{program.speaker().status(Corrected.kind)}, {subject} {number}")


def acknowledge(
    context: typer.Context,
    flag: Annotated[int, typer.Argument(help="Number of the flag; 'flags' lists them.")],
    reason: Why,
    by: By = None,
) -> None:
    """Note that a flag was seen and what was decided."""
    program = program_of(context)
    with refusing(program):
        outcome = program.database.transact(
            lambda session: engine.acknowledge(
                session, program.study, flag, reason, recorder(by), program.clock.now(), program.handle
            )
        )
        done(program, outcome, f"{program.speaker().status(FlagAcknowledged.kind)}, {flag}")
