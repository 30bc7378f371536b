"""`status`: whether the service is alive and what is waiting; as words, JSON or metrics."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from config.defects import Defect
from config.language import Language
from scheduler.domain.speech import Speaker
from scheduler.engine.alive import STALE
from scheduler.runtime.cli.output import FAILURE, AsJson, console, json_out, program_of, refusing, table
from scheduler.runtime.cli.prometheus import exposition
from scheduler.runtime.program import Program
from scheduler.store.operations import (
    CLOCK,
    CONFIGURATION,
    TIME_SOURCE,
    heartbeat_of,
    heartbeats,
)
from scheduler.store.restored import POSSIBLY_SENT
from scheduler.store.standing import first_zone, standing

__all__ = ["status"]


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
        found, zone = program.database.read(lambda session: (_status(session, program), first_zone(session)))
    if prometheus:
        typer.echo(exposition(found), nl=False)
    elif as_json:
        json_out(found)
    else:
        _print_status(program, Speaker(program.settings.language, zone), found)
    raise typer.Exit(0 if found["healthy"] else FAILURE)


def _status(session: Session, program: Program) -> dict[str, Any]:
    now = program.clock.now()
    beats = [row for row in heartbeats(session) if row.service != CLOCK]
    clock = heartbeat_of(session, CLOCK)
    held = clock.detail if clock is not None and clock.failures else None
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
    subjects = standing(session, now)
    running = bool(services) and not any(one["stale"] or one["failures"] for one in services)
    files = heartbeat_of(session, CONFIGURATION)
    defects = files.failures if files is not None else 0
    mails = dict(program.mail_backlog(session, now))
    return {
        "now": now,
        "healthy": running and held is None and not subjects.parked and not _in_doubt(mails) and not defects,
        "services": services,
        "clock_held": held,
        "configuration": {
            "defects": defects,
            "first": _defect(files.detail, program.settings.language) if files is not None else "",
        },
        "clock_source": _clock_source(session),
        "subjects": subjects.subjects,
        "subjects_due": subjects.due,
        "next_wake": subjects.next_wake,
        "parked": [{"subject": code, "why": why} for code, why in subjects.parked],
        "mails": mails,
        "mails_leave": program.settings.mail.transport == "smtp",
        "drop_folder": str(program.settings.intake.folder),
        "waiting_files": _waiting(program.settings.intake.folder / "in"),
    }


def _defect(noted: str, language: Language) -> str:
    """The noted defect for a reader of `language`; what another version noted otherwise is shown as it is."""
    try:
        return Defect.from_json(noted).line(language)
    except (ValueError, LookupError, TypeError, AttributeError):
        return noted


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


def _print_status(program: Program, speaker: Speaker, found: dict[str, Any]) -> None:
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
