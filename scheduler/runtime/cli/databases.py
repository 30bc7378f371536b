"""Commands about whole databases: moving a study from one to another."""

from __future__ import annotations

from contextlib import closing
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from scheduler.runtime.cli.output import BAD_INPUT, AsJson, fail, json_out, program_of, refuse, refusing
from scheduler.runtime.program import Program
from scheduler.store.copying import CopyRefusedError, copy_study
from scheduler.store.database import Database

__all__ = ["copy"]


def copy(
    context: typer.Context,
    source: Annotated[str, typer.Option("--from", help="URL of the database that holds the study.")],
    target: Annotated[str, typer.Option("--to", help="URL of an empty database.")],
    as_json: AsJson = False,
) -> None:
    """Copy a study to another database, SQLite or PostgreSQL: everything, verified, or nothing. No daemon may run."""
    program = program_of(context)
    with (
        refusing(program),
        closing(_database(program, source)) as old,
        closing(_database(program, target)) as new,
    ):
        if old.url == new.url:
            fail(program.speaker().text("Both are the same database."), BAD_INPUT)
        if new.is_sqlite and new.url.database:
            Path(new.url.database).parent.mkdir(parents=True, exist_ok=True)
        try:
            done = copy_study(old, new, program.clock.now())
        except CopyRefusedError as error:
            refuse(program, [error.reason])
        where = new.url.render_as_string()
    if as_json:
        json_out({"rows": done.rows, "head": done.head, "to": where})
        return
    speaker = program.speaker()
    for name, count in filter(itemgetter(1), done.rows.items()):
        typer.echo(f"{name:22} {count:>10,}")
    words = "Copied to {database}: {count} rows, the audit chain is intact, head {head}. Start the service there only."
    typer.echo(speaker.text(words, database=where, count=sum(done.rows.values()), head=done.head))


def _database(program: Program, url: str) -> Database:
    try:
        make_url(url)
    except ArgumentError:
        words = "'{url_id}' is not the URL of a database; sqlite:///FILE or postgresql://USER@HOST/NAME is."
        fail(program.speaker().text(words, url_id=url), BAD_INPUT)
    return Database(url)
