"""Commands about held rows: which wait and why, and what a person decides of one."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from config.language import Language
from scheduler.domain.reason import Reason, because
from scheduler.domain.speech import Speaker
from scheduler.intake.held.review import Decision, UndecidableError
from scheduler.intake.held.review import review as decide
from scheduler.intake.held.waiting import HeldRow, waiting_rows
from scheduler.intake.study import IntakeStudy, intake_study
from scheduler.runtime.cli.output import AsJson, console, json_out, program_of, refuse, refusing, table
from scheduler.runtime.program import Program

__all__ = ["held", "review"]


def _study(program: Program) -> IntakeStudy:
    return intake_study(program.study.newest[1], program.study.labs.values(), next(iter(program.study.sites)))


def held(context: typer.Context, as_json: AsJson = False) -> None:
    """The rows of laboratory files that wait, oldest first: since when, why, and what settles each."""
    program = program_of(context)
    with refusing(program):
        study, now = _study(program), program.clock.now()
        rows = program.database.read(lambda session: waiting_rows(session, study, now))
    if as_json:
        english, french = (program.speaker(language=one) for one in (Language.EN, Language.FR))
        json_out([_plain(row, english, french) for row in rows])
        return
    speaker = program.speaker()
    made = table(program, "Held rows", ["No.", "Since", "File", "Row", "About", "Why", "What settles it"], [])
    for row in rows:
        why = "\n".join(speaker.say(one) for one in row.why)
        number, line = str(row.number), str(row.row)
        made.add_row(
            number, speaker.moment(row.since), row.file, line, _about(row), why, speaker.say(row.settles)
        )
    console().print(made)


def _about(row: HeldRow) -> str:
    """Subject, visit, sampling point and tube, as far as they are named."""
    entry = row.entry
    return " ".join(filter(None, (entry.subject, entry.visit, entry.timepoint, entry.specimen)))


def _plain(row: HeldRow, english: Speaker, french: Speaker) -> dict[str, Any]:
    def both(reason: Reason) -> dict[str, str]:
        return {"code": reason.code, "en": english.say(reason), "fr": french.say(reason)}

    entry = row.entry
    return {
        "id": row.number,
        "file_id": row.file_id,
        "file": row.file,
        "row": row.row,
        "since": row.since,
        "laboratory": entry.lab,
        "subject": entry.subject,
        "visit": entry.visit,
        "timepoint": entry.timepoint,
        "specimen": entry.specimen,
        "status": entry.status,
        "why": [both(one) for one in row.why],
        "settles": both(row.settles),
        "proposed_by": row.proposed_by,
    }


def review(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="Number of the row; 'lab held' lists them.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    accept: Annotated[bool, typer.Option("--accept", help="Use the row as it stands.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Do not use the row.")] = False,
    reassign: Annotated[
        str | None,
        typer.Option(help="Use it for another sampling time of the same visit: H0, H30 or H2."),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who decided it; the account if absent.")] = None,
) -> None:
    """Decide a held row: use it as it stands, for another sampling time, or not at all. No value is changed."""
    program = program_of(context)
    who = by or getpass.getuser()
    chosen = [
        decision
        for decision, given in (
            (Decision.ACCEPT, accept),
            (Decision.REJECT, reject),
            (Decision.REASSIGN, reassign is not None),
        )
        if given
    ]
    with refusing(program):
        if len(chosen) != 1:
            refuse(program, [because("refused_one_decision")])
        study, now = _study(program), program.clock.now()
        by_two = program.settings.intake.two_reviewers
        try:
            done = program.database.transact(
                lambda session: decide(
                    session, study, number, chosen[0], reason, who, now, reassign or "", by_two=by_two
                )
            )
        except UndecidableError as error:
            refuse(program, error.reasons)
    speaker = program.speaker()
    what = because(f"decision_{done.decision}", timepoint=done.timepoint)
    if done.proposed:
        words = "Row No. {number}, proposed: {what}. It is done when another person decides the same."
        typer.echo(speaker.text(words, number=str(done.row), what=what))
        return
    typer.echo(speaker.text("Row No. {number}: {what}.", number=str(done.row), what=what))
