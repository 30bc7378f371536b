"""`demo` and `protocol rehearse`: the study played through a year on a simulated clock."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text
from sqlmodel import Session

from config.logs import silence_logs
from config.settings import IntakeSettings, MailSettings
from scheduler.clock import ManualClock
from scheduler.engine.report.aucs import auc_rows
from scheduler.engine.report.rows import board_rows, flag_rows
from scheduler.runtime.cli.auc import auc_overview
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
from scheduler.runtime.cli.read import board_table, flag_table
from scheduler.runtime.program import Program
from scheduler.runtime.rehearsal.cast import cast
from scheduler.runtime.rehearsal.driver import Rehearsal
from scheduler.runtime.work import HOUSEKEEPING
from scheduler.store.schema import migrate

__all__ = ["demo", "prepare", "rehearsal_of", "rehearse"]

_AFTERMATH = timedelta(days=75)
_CONSOLE = "http://127.0.0.1:8000"
"""Where `mpa-monitor web` listens. At the console in use the numbers in the links are those of other subjects."""
_MARKER = "mpa-monitor-rehearsal.json"


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for everything it makes.")] = Path("var/demo"),
    subjects: Annotated[int, typer.Option(min=1, max=9999, help="How many synthetic patients.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed plays the same year.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted rehearsal.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only play; print nothing.")] = False,
) -> None:
    """Rehearse the study: synthetic patients through one protocol year on a simulated clock, by the real engine,
    drop folder, database and mail path."""
    program = program_of(context)
    with refusing(program):
        inner = prepare(program, out, subjects, seed, resume=resume)
        rehearsal = rehearsal_of(inner, subjects, seed)
        with _progress(inner, len(rehearsal.script), quiet) as progress:
            _play(rehearsal, progress)
        if not quiet:
            _print_outcome(inner, out)


def rehearse(
    context: typer.Context,
    subjects: Annotated[int, typer.Option(min=1, max=9999, help="How many synthetic patients.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed plays the same year.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for everything it makes.")] = Path("var/rehearsal"),
    as_json: AsJson = False,
) -> None:
    """Rehearse the configured protocol and print the calendar and the ledger of mails."""
    program = program_of(context)
    with refusing(program):
        inner = prepare(program, out, subjects, seed, resume=False)
        rehearsal = rehearsal_of(inner, subjects, seed)
        with _progress(inner, len(rehearsal.script), as_json) as progress:
            _play(rehearsal, progress)
        if as_json:
            json_out(inner.database.transact(lambda session: _outcome(session, inner)))
        else:
            _print_outcome(inner, out)


def _play(rehearsal: Rehearsal, progress: Callable[[int, datetime], None]) -> None:
    gc.freeze()  # what was loaded so far stays: the collector need not go through it again and again
    asyncio.run(rehearsal.play(progress))


def prepare(program: Program, out: Path, subjects: int, seed: int, *, resume: bool) -> Program:
    """A program of its own in `out`: new database, drop folder and mailboxes, unless a rehearsal is resumed."""
    silence_logs()
    marker = out / _MARKER
    wanted = {"subjects": subjects, "seed": seed}
    if not resume and out.exists() and any(out.iterdir()):
        if not marker.exists():
            words = "{folder} is not empty and was not made by a rehearsal. Choose another folder with --out."
            fail(program.speaker().text(words, folder=str(out)), BAD_INPUT)
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    if not marker.exists():
        draft = marker.with_suffix(".part")
        draft.write_text(json.dumps(wanted), "utf-8")
        draft.replace(marker)  # whole or absent, whenever it is stopped
    elif json.loads(marker.read_text("utf-8")) != wanted:
        words = (
            "The rehearsal in {folder} has other subjects or another seed. Start it anew without --resume."
        )
        fail(program.speaker().text(words, folder=str(out)), BAD_INPUT)
    settings = program.settings.model_copy(
        update={
            "database": f"sqlite:///{out.resolve() / 'study.db'}",
            "mail": MailSettings(
                transport="maildir",
                maildir=out / "mail",
                domain="rehearsal.example",
                auc_picture=program.settings.mail.auc_picture,
            ),
            "intake": IntakeSettings(folder=out / "lab", poll_s=10),
            "console": program.settings.console.model_copy(update={"url": _CONSOLE}),
        }
    )
    start = datetime(2025, 8, 1, tzinfo=program.clock.now().tzinfo)
    inner = program.for_rehearsal(settings, ManualClock(start))
    migrate(inner.bare_database)
    inner.database.transact(lambda session: inner.study.sync(session, start))
    return inner


def rehearsal_of(program: Program, subjects: int, seed: int) -> Rehearsal:
    """The rehearsal of the newest protocol at the first site."""
    study = program.study
    site = next(iter(study.sites))
    plan = program.database_free_plan(site, study.newest[0])
    script = cast(plan, subjects, seed)
    assert isinstance(program.clock, ManualClock)
    return Rehearsal(
        program.database,
        study,
        program.clock,
        [work for work in program.make_works(program) if work.name != HOUSEKEEPING],
        program.handle,
        program.settings.intake.folder / "in",
        site,
        script,
        script[-1].at + _AFTERMATH,
    )


@contextmanager
def _progress(program: Program, total: int, quiet: bool) -> Iterator[Any]:
    if quiet:
        yield lambda _done, _now: None
        return
    speaker = program.speaker()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console()) as bar:
        task = bar.add_task(speaker.text("One year"), total=total)

        def update(done: int, now: datetime) -> None:
            bar.update(task, completed=done, description=speaker.date(now.date()))

        yield update


def _outcome(session: Session, program: Program) -> dict[str, Any]:
    speaker = program.speaker()
    return {
        "board": board_rows(session, program.study),
        "flags": flag_rows(session, speaker),
        "auc": auc_rows(session, speaker),
        "mails": program.mail_rows(session, speaker),
    }


def _print_outcome(program: Program, out: Path) -> None:
    """The board, the flags, the exposures, the ledger of mails, and where everything lies."""
    found = program.database.transact(lambda session: _outcome(session, program))
    speaker = program.speaker()
    ledger = table(program, "Mails", ["Mail", "Sent", "Not sent", "To"], [])
    for row in _ledger(found["mails"]):
        others = ", ".join(f"{count} {speaker.status(state)}" for state, count in row[2].items())
        ledger.add_row(speaker.status(row[0]), str(row[1]), others, row[3])
    where = Text(
        speaker.text(
            "Left in {out}: study.db, lab/ (in work archive quarantine receipts), mail/ (one Maildir per person).",
            out=str(out),
        )
    )
    notice = Text(speaker.text("Synthetic patients. Research software, not a medical device."), "italic")
    tables = (
        board_table(program, found["board"]),
        flag_table(program, found["flags"]),
        auc_overview(program, found["auc"]),
    )
    console().print(Group(*tables, ledger, where, notice))


def _ledger(mails: list[dict[str, Any]]) -> list[tuple[str, int, dict[str, int], str]]:
    """Per kind of mail: how many were sent, how many were not and in which state, to whom."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for mail in mails:
        kinds.setdefault(mail["template"], []).append(mail)
    rows = []
    for kind, group in sorted(kinds.items()):
        sent = sum(one["state"] == "sent" for one in group)
        other: dict[str, int] = {}
        for one in group:
            if one["state"] != "sent":
                other[one["state"]] = other.get(one["state"], 0) + 1
        people = ", ".join(sorted({one["to"] for one in group}))
        rows.append((kind, sent, other, people))
    return rows
