"""Commands for whoever runs the service: set up, run, rebuild, and say that the clock is right."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session, select

from config.fingerprint import configuration_hash
from config.logs import configure_logs
from scheduler.engine.reconcile import rebuild as rebuild_subject
from scheduler.engine.recording.named import find_subject
from scheduler.runtime.cli.output import FAILURE, AsJson, fail, json_out, program_of, refusing
from scheduler.runtime.program import Program, keep_what_is_loaded
from scheduler.runtime.timesource import time_source
from scheduler.runtime.work import DIGEST, INTAKE
from scheduler.store import audit
from scheduler.store.operations import (
    CLOCK,
    CONFIGURATION,
    beat,
    heartbeat_of,
    only_daemon,
)
from scheduler.store.schema import migrate
from scheduler.store.subjects import wake_all
from scheduler.store.tables import SubjectRow

__all__ = ["confirm_clock", "init", "rebuild", "run"]


def init(context: typer.Context) -> None:
    """Create the database or bring it up to this program; check every file first."""
    program = program_of(context)
    with refusing(program):
        study = program.study
        db = program.bare_database
        if db.is_sqlite and db.url.database:
            Path(db.url.database).parent.mkdir(parents=True, exist_ok=True)
        db.ping()
        revision = migrate(db)
        now = program.clock.now()

        def step(session: Session) -> None:
            wake_all(session, now)  # first: who holds a subject may wait for the end of the audit trail
            study.sync(session, now)
            audit.append(
                session, now, "initialised", "database", revision, {"schema": revision}, source="cli"
            )

        db.transact(step)
    speaker = program.speaker()
    typer.echo(speaker.text("Ready: {database}, schema {revision}.", database=str(db.url), revision=revision))


def run(context: typer.Context) -> None:
    """The daemon: reminders, laboratory files, mails, digests. Ends on SIGTERM; exit code 1 when it cannot go on."""
    from scheduler.runtime.daemon import RELOAD, run_daemon  # the alarm and its libraries are for the daemon
    from scheduler.runtime.reload import make_reread, start_anew

    program = program_of(context)
    configure_logs()
    with refusing(program):
        db, study, settings = program.database, program.study, program.settings
        with only_daemon(db):
            db.transact(lambda session: _begin(session, program))
            protocol, works = study.newest[1], program.make_works(program)
            keep_what_is_loaded()
            code = asyncio.run(
                run_daemon(
                    db,
                    works,
                    program.clock,
                    settings.daemon,
                    daily=[(DIGEST, protocol.digest_at, one.zone) for one in study.calendars.values()],
                    every=[(INTAKE, settings.intake.poll_s)],
                    watched=[(INTAKE, settings.intake.folder / "in")],
                    about={
                        "configuration": configuration_hash(settings),
                        "clock_source": time_source().as_json(),
                    },
                    reread=make_reread(program),
                )
            )
        if code == RELOAD:
            db.close()
            start_anew()
    raise typer.Exit(code)


def _begin(session: Session, program: Program) -> None:
    """Sites and staff as in the files, all of which can be used."""
    now = program.clock.now()
    program.study.sync(session, now)
    beat(session, CONFIGURATION, now, 0, "")


def confirm_clock(context: typer.Context) -> None:
    """Tell a daemon that holds everything because of its clock that the clock is right."""
    program = program_of(context)
    with refusing(program):

        def step(session: Session) -> bool:
            row = heartbeat_of(session, CLOCK)
            if row is None or not row.failures:
                return False
            now = program.clock.now()
            beat(session, CLOCK, now, row.failures, "confirmed")
            audit.append(session, now, "clock_confirmed", "daemon", "-", source="cli")
            return True

        if not program.database.transact(step):
            fail(program.speaker().text("The clock is not in question."), FAILURE)
    typer.echo(program.speaker().text("Confirmed; the daemon goes on within 30 s."))


def rebuild(
    context: typer.Context,
    subject: Annotated[str | None, typer.Argument(help="Subject code; all if absent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Delete everything that is derived, derive it again from the facts, and report every difference.
    Exit code 1 when there was one."""
    program = program_of(context)
    found: dict[str, list[str]] = {}
    with refusing(program):
        now = program.clock.now()
        for code in program.database.transact(lambda session: _codes(session, subject)):
            differences = program.database.transact(partial(_rebuild, program=program, code=code, now=now))
            if differences:
                found[code] = differences
        count = len(program.database.transact(lambda session: _codes(session, subject)))
    if as_json:
        json_out({"subjects": count, "differences": found})
    else:
        for code, differences in found.items():
            for one in differences:
                typer.echo(f"{code}: {one}")
        words = "Rebuilt: {count}; with differences: {different}."
        typer.echo(program.speaker().text(words, count=count, different=len(found)))
    raise typer.Exit(FAILURE if found else 0)


def _codes(session: Session, subject: str | None) -> list[str]:
    if subject is not None:
        return [find_subject(session, subject).code]
    return list(session.exec(select(SubjectRow.code).order_by(SubjectRow.code)))


def _rebuild(session: Session, program: Program, code: str, now: datetime) -> list[str]:
    differences = rebuild_subject(session, program.study, find_subject(session, code, to_change=True), now)
    detail = {"differences": len(differences)}
    audit.append(session, now, "rebuilt", "subject", code, detail, source="cli")
    return differences
