"""Commands that show what stands. Each has --json."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from scheduler.domain.facts import ProtocolApplied
from scheduler.domain.flags import FlagCode
from scheduler.domain.speech import Speaker
from scheduler.engine.recording.named import encounter_of, find_subject
from scheduler.engine.report.explain import Explanation, explain
from scheduler.engine.report.facts import fact_lines
from scheduler.engine.report.rows import board_rows, flag_rows, result_rows, visit_rows
from scheduler.runtime.cli.output import AsJson, console, holds_word, json_out, program_of, refusing, table
from scheduler.runtime.program import Program

__all__ = ["board", "board_table", "explain_command", "flag_table", "flags", "results", "visits"]

OneSubject = Annotated[str | None, typer.Argument(help="Subject code; all if absent.")]

_STYLES = {
    "complete": "green", "overdue": "bold red", "missed": "red", "incomplete": "yellow", "unconfirmed": "bold yellow",
    "booked": "cyan", "window_open": "blue", "awaiting_results": "magenta", "attended": "magenta",
    "cancelled": "dim", "not_applicable": "dim", "planned": "dim",
}  # fmt: skip


def board(
    context: typer.Context,
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every subject, where each visit stands, and the response at one year as the protocol defines it."""
    program = program_of(context)
    with refusing(program):
        rows = program.database.read(lambda session: board_rows(session, program.study, site))
        if as_json:
            json_out(rows)
        else:
            console().print(board_table(program, rows))


def board_table(program: Program, rows: list[dict[str, Any]]) -> Table:
    speaker = program.speaker()
    encounters = program.study.newest[1].encounters
    made = table(program, "Visits", ["Subject", "State"], [])
    for encounter in encounters:
        made.add_column(speaker.name(encounter.id))
    made.add_column(speaker.text("Response"))
    made.add_column(speaker.text("To do"), justify="right")
    for row in rows:
        cells = [Text(speaker.status(row["visits"].get(e.id, "-")), _style(row, e.id)) for e in encounters]
        made.add_row(
            row["subject"],
            speaker.status(row["state"]),
            *cells,
            holds_word(row["response"], speaker),
            str(row["open_flags"] or ""),
        )
    return made


def _style(row: dict[str, Any], visit: str) -> str:
    return _STYLES.get(row["visits"].get(visit, ""), "")


def visits(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Subject code.")],
    as_json: AsJson = False,
) -> None:
    """One subject's visits with dates, windows, draws, and what is missing."""
    program = program_of(context)
    with refusing(program):

        def step(session: Session) -> tuple[list[dict[str, Any]], Speaker]:
            find_subject(session, subject)
            speaker = program.speaker(program.zone_of(session, subject))
            return visit_rows(session, subject, speaker), speaker

        rows, speaker = program.database.read(step)
        if as_json:
            json_out(rows)
            return
        made = table(
            program, f"{subject}", ["Visit", "Status", "Target", "Window", "Booked", "Attended", "Why"], []
        )
        for row in rows:
            window = f"{_show(row['window_first'], speaker)} – {_show(row['window_last'], speaker)}"
            style = _STYLES.get(row["status"], "")
            made.add_row(
                speaker.name(row["visit"]), Text(speaker.status(row["status"]), style), _show(row["target"], speaker),
                window, _show(row["booked"], speaker), _show(row["attended"], speaker), row["reason"],
            )  # fmt: skip
        console().print(made)


def _show(value: date | datetime | None, speaker: Speaker) -> str:
    if value is None:
        return ""
    return speaker.moment(value) if isinstance(value, datetime) else speaker.date(value)


def flags(
    context: typer.Context,
    subject: OneSubject = None,
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones too.")] = False,
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    only: Annotated[
        list[FlagCode] | None, typer.Option(help="Only flags of this kind; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What needs attention, the most urgent first: why, since when, and what closes it."""
    program = program_of(context)
    with refusing(program):

        def step(session: Session) -> list[dict[str, Any]]:
            if subject is not None:
                find_subject(session, subject)
            found = flag_rows(session, program.speaker(), subject, closed=closed, site=site)
            return [row for row in found if not only or row["code"] in only]

        rows = program.database.read(step)
        if as_json:
            json_out(rows)
        else:
            console().print(flag_table(program, rows))


def flag_table(program: Program, rows: list[dict[str, Any]]) -> Table:
    speaker = program.speaker()
    columns = ["No.", "Subject", "Visit", "Flag", "Why", "Since", "What closes it"]
    made = table(program, "Flags", columns, [])
    for row in rows:
        style = {"now": "bold red", "soon": "yellow"}.get(row["severity"], "")
        if row["closed"] is not None or row["acknowledged_by"] is not None:
            style = "dim"
        closes = row["closes"]
        if row["closed"] is not None:
            closes = speaker.text("closed on {at}", at=row["closed"])
        elif row["acknowledged_by"] is not None:
            closes = speaker.text("acknowledged by {who}", who=row["acknowledged_by"])
        made.add_row(
            str(row["id"]), row["subject"] or row["site"], speaker.name(row["visit"] or ""),
            Text(speaker.status(row["code"]), style), row["reason"], speaker.moment(row["since"]), closes,
        )  # fmt: skip
    return made


def _is_about(fact: dict[str, Any], visit: str | None) -> bool:
    """Whether a record bears on a visit; another protocol version bears on all."""
    return visit is None or fact["kind"] == ProtocolApplied.kind or fact["content"].get("visit") == visit


def explain_command(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Subject code.")],
    visit: Annotated[str | None, typer.Argument(help="Visit; all if absent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why every date and status is what it is, and the records with their numbers."""
    program = program_of(context)
    with refusing(program):

        def step(session: Session) -> tuple[list[Explanation], list[dict[str, Any]], Speaker]:
            row = find_subject(session, subject)
            name = encounter_of(session, program.study, row, visit).id if visit is not None else None
            speaker = program.speaker(program.zone_of(session, subject))
            found = explain(session, program.study, row, name, speaker, program.clock.now())
            facts = fact_lines(session, subject)
            return found, [f for f in facts if _is_about(f, name)], speaker

        found, facts, speaker = program.database.read(step)
        if as_json:
            visits_ = [{name: getattr(one, name) for name in Explanation.__slots__} for one in found]
            json_out({"subject": subject, "visits": visits_, "records": facts})
            return
        for one in found:
            _print_explanation(one, speaker)
        _print_facts(program, facts, speaker)


def _print_explanation(one: Explanation, speaker: Speaker) -> None:
    out = console()
    out.print(Text(f"{one.label} ({one.visit}): {speaker.status(one.status)}", "bold"))
    out.print(f"  {one.reason}")
    for step in one.steps:
        out.print(f"  · {step}")
    if one.reminders:
        out.print(f"  {speaker.text('reminders')}:")
    for reminder in one.reminders:
        out.print(f"    {reminder}")
    out.print()


def _print_facts(program: Program, facts: list[dict[str, Any]], speaker: Speaker) -> None:
    made = table(program, "Records", ["No.", "What", "Content", "State", "Recorded", "By"], [])
    for fact in facts:
        content = ", ".join(f"{k}={v}" for k, v in fact["content"].items() if v not in (None, []))
        made.add_row(
            str(fact["number"]), speaker.status(fact["kind"]), content, speaker.status(fact["state"]),
            speaker.moment(fact["recorded_at"]), fact["recorded_by"],
        )  # fmt: skip
    console().print(made)


def results(context: typer.Context, subject: OneSubject = None, as_json: AsJson = False) -> None:
    """Every row the laboratory sent and what became of it."""
    program = program_of(context)
    with refusing(program):
        rows = program.database.read(lambda session: result_rows(session, program.speaker(), subject))
        if as_json:
            json_out(rows)
            return
        speaker = program.speaker()
        columns = ["Subject", "Visit", "Time", "Tube", "Value", "mg/L", "Status", "State", "Drawn", "Remarks"]
        made = table(program, "Results", columns, [])
        for row in rows:
            made.add_row(
                row["subject"], speaker.name(row["visit"]), row["timepoint"], row["specimen"],
                f"{row['value']} {row['unit']}", row["mg_l"] or "", row["status"] or "", speaker.status(row["state"]),
                _show(row["collected"], speaker), "; ".join(row["findings"]),
            )  # fmt: skip
        console().print(made)
