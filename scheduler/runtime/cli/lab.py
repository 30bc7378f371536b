"""Commands about laboratory files: the dry run, and what was received."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from scheduler.intake.check import check_file
from scheduler.intake.study import IntakeStudy, intake_study
from scheduler.runtime.cli.output import (
    BAD_INPUT,
    AsJson,
    console,
    fail,
    json_out,
    program_of,
    refusing,
    table,
)
from scheduler.runtime.program import Program
from scheduler.store.database import Database, StoreError
from scheduler.store.lab.files import lab_files
from scheduler.store.revision import check_schema
from scheduler.whole_files import write_whole

__all__ = ["check", "files", "template"]


def check(
    context: typer.Context,
    file: Annotated[list[Path], typer.Argument(help="Files as the laboratory sends them.")],
) -> None:
    """Say what would become of files, one JSON line each. A dry run: nothing is touched, nothing recorded."""
    program = program_of(context)
    unreadable = False
    with refusing(program):
        db = _database_if_any(program)
        for path in file:
            try:
                found = _check_one(path, _study(program, _folder(path, program)), program, db)
            except OSError as error:
                unreadable = True
                words = "{file} cannot be read: {why}"
                typer.echo(program.speaker().text(words, file=str(path), why=error.strerror or ""), err=True)
                continue
            typer.echo(json.dumps(found, ensure_ascii=False))
    if unreadable:
        raise typer.Exit(BAD_INPUT)


def _study(program: Program, folder: str | None = None) -> IntakeStudy:
    site = next(iter(program.study.sites))
    return intake_study(program.study.newest[1], program.study.labs.values(), site, folder)


def _folder(path: Path, program: Program) -> str | None:
    """The laboratories' folder in which a file lies; one that lies elsewhere is judged as if in the right one."""
    inside, where = (program.settings.intake.folder / "in").resolve(), path.resolve().parent
    if where == inside:
        return ""
    return where.name if where.parent == inside else None


def _check_one(path: Path, study: IntakeStudy, program: Program, db: Database | None) -> dict[str, object]:
    now, language = program.clock.now(), program.settings.language
    if db is None:
        return check_file(path, study, now, language)
    return db.read(lambda session: check_file(path, study, now, language, session))


def _database_if_any(program: Program) -> Database | None:
    """The database when it is there and has our schema; a dry run does without one, and creates none."""
    url = program.bare_database.url
    if program.bare_database.is_sqlite and (not url.database or not Path(url.database).exists()):
        return None
    try:
        program.bare_database.ping()
        check_schema(program.bare_database)
    except StoreError:
        return None
    return program.bare_database


def files(context: typer.Context, as_json: AsJson = False) -> None:
    """The files received, newest last, and what became of each."""
    program = program_of(context)
    with refusing(program):
        rows: list[dict[str, Any]] = program.database.read(_file_rows)
    if as_json:
        json_out(rows)
        return
    speaker = program.speaker()
    made = table(
        program, "Laboratory files", ["No.", "File", "Received", "Verdict", "Accepted", "Held", "Ignored"], []
    )
    for row in rows:
        counts = (str(row["accepted"]), str(row["held"]), str(row["ignored"]))
        verdict = f"{speaker.status(row['verdict'])} {row['code'] or ''}".strip()
        made.add_row(str(row["id"]), row["name"], speaker.moment(row["received"]), verdict, *counts)
    console().print(made)


def template(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Excel file (.xlsx) to write; an older one is replaced.")],
) -> None:
    """Write the Excel workbook that a laboratory fills in, in French and English."""
    from scheduler.intake.template import template_workbook  # only this command needs to write workbooks

    program = program_of(context)
    with refusing(program):
        content = template_workbook(_study(program))
    speaker = program.speaker()
    try:
        write_whole(out, content)
    except OSError as error:
        words = "{file} cannot be written: {why}"
        fail(speaker.text(words, file=str(out), why=error.strerror or ""), BAD_INPUT)
    typer.echo(speaker.text("Written: {file}", file=str(out)))


def _file_rows(session: Session) -> list[dict[str, Any]]:
    return [
        {
            "id": row.id,
            "name": row.original_name,
            "sha256": row.sha256,
            "received": row.received_at,
            "verdict": row.verdict,
            "code": row.code,
            "accepted": row.accepted,
            "held": row.held,
            "ignored": row.ignored,
            "archived_as": row.archived_as,
            "replay_of": row.receipt["replay_of"]["file"] if "replay_of" in row.receipt else None,
        }
        for row in lab_files(session)
    ]
