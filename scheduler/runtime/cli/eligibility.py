"""Commands about eligibility: what follows from a file of answers, or from answers at a prompt; keeping them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlmodel import Session

from scheduler.domain.facts import EligibilityAssessed
from scheduler.domain.reason import RefusedError, because
from scheduler.domain.trial.answers import read_answers
from scheduler.domain.trial.eligibility import ITEMS, BiologicScope, eligibility_of
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.request import Done
from scheduler.engine.report.endpoints import eligibility_row
from scheduler.runtime.cli.output import (
    BAD_INPUT,
    AsJson,
    console,
    done,
    fail,
    json_out,
    program_of,
    refusing,
    table,
)
from scheduler.runtime.cli.recording import recorder
from scheduler.runtime.program import Program
from scheduler.whole_files import write_whole

__all__ = ["answers_from", "check", "eligibility_table", "record"]

Answers = Annotated[Path, typer.Argument(help="TOML or JSON file: one line an answer, as raynaud = 'yes'.")]


def check(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="TOML or JSON file: one line an answer, as raynaud = 'yes'.")
    ] = None,
    interactive: Annotated[bool, typer.Option("--interactive", help="Ask for every answer.")] = False,
    save: Annotated[Path | None, typer.Option(help="TOML file to write the answers to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Whether somebody is eligible, with every criterion and its reason. Nothing is recorded."""
    program = program_of(context)
    with refusing(program):
        if (file is None) != interactive:
            raise RefusedError([because("refused_file_or_interactive")])
        answers = answers_from(program, file) if file is not None else _asked(program)
        if save is not None:
            _save(program, save, answers)
        row = eligibility_row(answers, eligibility_of(answers, _scope(program)), program.speaker())
        if as_json:
            json_out(row)
        else:
            console().print(eligibility_table(program, row))


def record(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Subject code, as MPA-0042-7.")],
    file: Answers,
    by: Annotated[str | None, typer.Option("--by", help="Who observed it; the account if absent.")] = None,
) -> None:
    """Record the eligibility of a subject who is enrolled already."""
    program = program_of(context)
    with refusing(program):
        answers = answers_from(program, file)

        def step(session: Session) -> Done:
            who = recorder(by)
            now = program.clock.now()
            return engine.record(session, program.study, subject, answers, who, now, program.handle)

        outcome = program.database.transact(step)
        done(program, outcome, f"{program.speaker().status(EligibilityAssessed.kind)}, {subject}")


def answers_from(program: Program, path: Path) -> EligibilityAssessed:
    """The answers of a file. Raises RefusedError with everything that is wrong with it."""
    answers, wrong = read_answers(_content(path), _today(program))
    if answers is None:
        raise RefusedError(wrong)
    return answers


def _content(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text("utf-8-sig")
        content = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise RefusedError([because("refused_file", file=path.name, why=str(error))]) from error
    if not isinstance(content, dict):
        raise RefusedError([because("refused_answers_shape", file=path.name)])
    return content


def _asked(program: Program) -> EligibilityAssessed:
    """The answers of somebody at a prompt; what cannot be is asked again."""
    speaker, today = program.speaker(), _today(program)
    typer.echo(speaker.text("Answer yes, no or unknown; an empty answer is unknown."), err=True)
    given: dict[str, str] = {}
    for item in ITEMS:
        while True:
            prompt = speaker.say(because(f"item_{item}"))
            given[item] = typer.prompt(prompt, default="", show_default=False, err=True)
            _, wrong = read_answers(given, today)
            if not wrong:
                break
            for reason in wrong:
                typer.echo(speaker.say(reason), err=True)
    answers, _ = read_answers(given, today)
    assert answers is not None  # every answer was read before
    return answers


def _save(program: Program, path: Path, answers: EligibilityAssessed) -> None:
    lines = [f'on = "{answers.on.isoformat()}"']
    for item in ITEMS:
        value = getattr(answers, item)
        text = "unknown" if value is None else str(value)
        lines.append(f"{item} = {text}" if isinstance(value, int) else f'{item} = "{text}"')
    try:
        write_whole(path, ("\n".join(lines) + "\n").encode("utf-8"))
    except OSError as error:
        words = "{file} cannot be written: {why}"
        fail(program.speaker().text(words, file=str(path), why=error.strerror or ""), BAD_INPUT)


def _today(program: Program) -> date:
    zone = next(iter(program.study.calendars.values())).zone
    return program.clock.now().astimezone(zone).date()


def _scope(program: Program) -> BiologicScope:
    return program.study.newest[1].endpoints.biologic_scope


def eligibility_table(program: Program, row: Mapping[str, Any]) -> Table:
    """Every criterion with its reason; below, what follows."""
    speaker = program.speaker()
    made = table(program, "Eligibility (research use, not a medical device)", ["Of", "Met", "Why"], [])
    for one in row["criteria"]:
        made.add_row(one["arm_text"], one["met_text"], one["reason"])
    arms = ", ".join(speaker.status(arm) for arm in row["arms"]) or "–"
    words = "{outcome}; arms: {arms}; ACR/EULAR 2013 score {low} to {high} ({status})"
    made.caption = speaker.text(
        words,
        outcome=row["status_text"],
        arms=arms,
        low=row["score_min"],
        high=row["score_max"],
        status=speaker.status(row["classification"]),
    )
    made.caption_justify = "left"
    return made
