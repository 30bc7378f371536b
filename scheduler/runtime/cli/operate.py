"""Commands for whoever runs the service: set up, run, status, verification, rebuild."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import func
from sqlmodel import Session, col, select

from config.fingerprint import configuration_hash
from config.logs import configure_logs
from scheduler.domain.speech import Speaker
from scheduler.engine.alive import STALE
from scheduler.engine.reconcile import rebuild as rebuild_subject
from scheduler.engine.recording.named import find_subject
from scheduler.runtime.cli.output import FAILURE, console, fail, json_out, program_of, refusing, table
from scheduler.runtime.cli.prometheus import exposition
from scheduler.runtime.program import Program, keep_what_is_loaded
from scheduler.runtime.timesource import time_source
from scheduler.runtime.work import DIGEST, INTAKE
from scheduler.store import audit
from scheduler.store.operations import (
    CLOCK,
    CONFIGURATION,
    TIME_SOURCE,
    beat,
    heartbeat_of,
    heartbeats,
    only_daemon,
)
from scheduler.store.restored import POSSIBLY_SENT
from scheduler.store.schema import migrate
from scheduler.store.subjects import next_wake, wake_all
from scheduler.store.tables import SubjectRow

__all__ = ["add_commands"]

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def add_commands(app: typer.Typer) -> None:
    """Adds the operating commands."""
    for function in (init, run, status, rebuild):
        app.command()(function)
    app.command("confirm-clock")(confirm_clock)


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


def status(
    context: typer.Context,
    as_json: AsJson = False,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="As metrics for the textfile collector of node-exporter.")
    ] = False,
) -> None:
    """Whether the service is alive and what is waiting. Exit code 1 when something needs a person."""
    program = program_of(context)
    with refusing(program):
        found = program.database.read(lambda session: _status(session, program))
    if prometheus:
        typer.echo(exposition(found), nl=False)
    elif as_json:
        json_out(found)
    else:
        _print_status(program, found)
    raise typer.Exit(0 if found["healthy"] else FAILURE)


def _status(session: Session, program: Program) -> dict[str, Any]:
    now = program.clock.now()
    beats = [row for row in heartbeats(session) if row.service != CLOCK]
    clock = heartbeat_of(session, CLOCK)
    held = clock.detail if clock is not None and clock.failures else None
    parked = session.exec(
        select(SubjectRow.code, SubjectRow.parked).where(col(SubjectRow.parked).is_not(None))
    )
    services = [
        {
            "service": row.service,
            "at": row.at,
            "age_s": round((now - row.at).total_seconds()),
            "failures": row.failures,
            "detail": row.detail,
            "stale": now - row.at > STALE,
        }
        for row in beats
    ]
    parked_list = [{"subject": code, "why": why} for code, why in parked]
    due = select(func.count()).where(col(SubjectRow.next_wake) <= now, col(SubjectRow.parked).is_(None))
    running = bool(services) and not any(one["stale"] or one["failures"] for one in services)
    files = heartbeat_of(session, CONFIGURATION)
    defects = files.failures if files is not None else 0
    mails = dict(program.mail_backlog(session, now))
    return {
        "now": now,
        "healthy": running and held is None and not parked_list and not _in_doubt(mails) and not defects,
        "services": services,
        "clock_held": held,
        "configuration": {"defects": defects, "first": files.detail if files is not None else ""},
        "clock_source": _clock_source(session),
        "subjects": session.exec(select(func.count()).select_from(SubjectRow)).one(),
        "subjects_due": session.exec(due).one(),
        "next_wake": next_wake(session),
        "parked": parked_list,
        "mails": mails,
        "mails_leave": program.settings.mail.transport == "smtp",
        "drop_folder": str(program.settings.intake.folder),
        "waiting_files": _waiting(program.settings.intake.folder / "in"),
    }


def _in_doubt(mails: Mapping[str, Any]) -> int:
    """How many mails may have left before the database was restored."""
    return int(mails["counts"].get(POSSIBLY_SENT, 0))


def _clock_source(session: Session) -> dict[str, Any] | None:
    """What keeps the clock right, as last looked at; None when nobody has looked yet."""
    mark = heartbeat_of(session, TIME_SOURCE)
    return {**json.loads(mark.detail), "at": mark.at} if mark is not None else None


def _print_clock(speaker: Speaker, found: dict[str, Any] | None) -> None:
    if found is None:
        return
    words = "Whether a time service keeps the clock right is not known here."
    if found["synchronised"]:
        words = "A time service keeps the clock right, to within {error_ms} ms (looked at on {at})."
    elif found["synchronised"] is not None:
        words = "No time service keeps the clock right (looked at on {at}): install one, such as chrony."
    error_ms = math.ceil((found["largest_error_us"] or 0) / 1000)
    typer.echo(speaker.text(words, error_ms=error_ms, at=speaker.moment(found["at"])))


def _waiting(folder: Path) -> int:
    with suppress(OSError):
        return sum(1 for entry in (*folder.iterdir(), *folder.glob("*/*")) if entry.is_file())
    return 0


def _print_status(program: Program, found: dict[str, Any]) -> None:
    speaker = program.speaker()
    headline = "The service is running." if found["healthy"] else "The service needs attention."
    typer.echo(speaker.text(headline))
    if not found["services"]:
        typer.echo(speaker.text("It has never run on this database: start it with 'mpa-monitor run'."))
    if found["clock_held"]:
        words = "Sending is held: {why}. If the clock is right, run 'mpa-monitor confirm-clock'."
        typer.echo(speaker.text(words, why=found["clock_held"]))
    if _in_doubt(found["mails"]):
        words = (
            "{count} mails may have left before the database was restored: "
            "settle them with 'mpa-monitor outbox possibly-sent'."
        )
        typer.echo(speaker.text(words, count=_in_doubt(found["mails"])))
    if found["configuration"]["defects"]:
        words = "The files have {count} defects and are not used; those read before go on. The first: {first}"
        said = {"count": str(found["configuration"]["defects"]), "first": found["configuration"]["first"]}
        typer.echo(speaker.text(words, **said))
    if not found["mails_leave"]:
        words = "Mails are kept in {folder} and not sent. To send them, set MPA_MAIL__TRANSPORT=smtp."
        typer.echo(speaker.text(words, folder=str(program.settings.mail.maildir)))
    for one in found["parked"]:
        words = "{subject} is parked ({why}): see 'flags'; acknowledging the flag releases it."
        typer.echo(speaker.text(words, subject=one["subject"], why=one["why"]))
    _print_clock(speaker, found["clock_source"])
    made = table(program, "Services", ["Service", "Last sign of life", "Failures"], [])
    for one in found["services"]:
        age = speaker.ago(one["age_s"])
        made.add_row(speaker.status(one["service"]), age, f"{one['failures']} {one['detail']}".strip())
    console().print(made)
    upcoming = speaker.moment(found["next_wake"]) if found["next_wake"] is not None else "–"
    typer.echo(
        speaker.text(
            "{subjects} subjects, {due} due now; next on {upcoming}. Mails waiting: {mails}. Files waiting: {files}.",
            subjects=found["subjects"],
            due=found["subjects_due"],
            upcoming=upcoming,
            mails=str(found["mails"].get("waiting", 0)),
            files=found["waiting_files"],
        )
    )
    _print_uncertain(speaker, found["mails"])


def _print_uncertain(speaker: Speaker, mails: Mapping[str, Any]) -> None:
    """How often the server's answer was lost, which is when a mail may arrive twice."""
    if mails.get("uncertain"):
        percent = speaker.number(100 * mails["uncertain"] / mails["left"]) if mails["left"] else "–"
        words = "Of {left} mails that left, {uncertain} had no answer at first or at all ({percent}%)."
        typer.echo(speaker.text(words, left=mails["left"], uncertain=mails["uncertain"], percent=percent))


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
