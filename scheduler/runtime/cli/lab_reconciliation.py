"""`lab reconciliation`: what was drawn and what the laboratory sent, tube by tube."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from config.schema import LabFile
from scheduler.domain.civil import local_date, start_of_day
from scheduler.domain.discreet import discreet_tube
from scheduler.domain.reconciliation import Line, discreet_place, table_of
from scheduler.domain.spreadsheet import csv_bytes
from scheduler.engine.recording.moments import parse_day
from scheduler.runtime.cli.exported import write_export
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
from scheduler.store.reconciliation import load_tally

__all__ = ["reconciliation"]

Period = tuple[datetime, datetime]


def reconciliation(
    context: typer.Context,
    first: Annotated[str | None, typer.Option("--from", help="First day; six days before the last.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; today if absent.")] = None,
    lab: Annotated[str | None, typer.Option(help="Only this laboratory, by its code.")] = None,
    csv: Annotated[Path | None, typer.Option(help="CSV file to write; an older one is replaced.")] = None,
    as_json: AsJson = False,
) -> None:
    """What was drawn and what the laboratory sent in a period, and all that is missing, held or awaited."""
    program = program_of(context)
    with refusing(program):
        asked = [(one, _period(program, one, first, last)) for one in _labs(program, lab)]
        lines = program.database.read(lambda session: _lines(session, asked))
    if as_json:
        json_out([_plain(program, one, line) for one, line in lines])
        return
    speaker, protocol = program.speaker(), program.study.newest[1]
    header, rows = table_of([line for _, line in lines], speaker, protocol)
    if csv is None:
        made = table(program, "Laboratory reconciliation", [], [])
        for column in header:
            made.add_column(column, overflow="fold")
        for row in rows:
            made.add_row(*row)
        console().print(made)
        return
    write_export(program, csv, csv_bytes(header, rows), "reconciliation")


def _labs(program: Program, code: str | None) -> list[LabFile]:
    labs = program.study.labs
    if code is None:
        return list(labs.values())
    if code not in labs:
        words = "There is no laboratory {code}. Known: {known}."
        fail(program.speaker().text(words, code=code, known=", ".join(sorted(labs))), BAD_INPUT)
    return [labs[code]]


def _period(program: Program, lab: LabFile, first: str | None, last: str | None) -> Period:
    """The days asked for, in the zone of the laboratory's site."""
    zone = program.study.calendars[lab.site].zone
    end = parse_day(last) if last is not None else local_date(program.clock.now(), zone)
    start = parse_day(first) if first is not None else end - timedelta(days=6)
    return start_of_day(start, zone), start_of_day(end + timedelta(days=1), zone)


def _lines(session: Session, asked: list[tuple[LabFile, Period]]) -> list[tuple[LabFile, Line]]:
    return [(lab, line) for lab, period in asked for line in load_tally(session, lab.site, lab.code, *period)]


def _plain(program: Program, lab: LabFile, line: Line) -> dict[str, Any]:
    speaker = program.speaker()
    subject, visit, point = discreet_place(line.place, program.study.newest[1])
    return {
        "laboratory": lab.code,
        "subject": subject,
        "visit": visit,
        "point": point,
        "tube": discreet_tube(line.tube) if line.tube else None,
        "state": line.state.value,
        "drawn": line.drawn_at,
        "received": line.received_at,
        "status": line.status,
        "reasons": [speaker.say(reason) for reason in line.reasons],
    }
