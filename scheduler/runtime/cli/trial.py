"""Commands about the study's question: endpoints and exposure summaries, as tables, JSON or a data set."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlmodel import Session

from scheduler.domain.speech import Speaker
from scheduler.domain.spreadsheet import guarded
from scheduler.domain.trial.definitions import LUNG_RESPONSE, SKIN_RESPONSE, Measure
from scheduler.engine.recording.named import find_subject
from scheduler.engine.report.endpoints import endpoint_record, endpoint_rows
from scheduler.engine.report.exposure_summaries import exposure_record, summary_rows
from scheduler.runtime.cli.exported import write_export
from scheduler.runtime.cli.output import AsJson, console, holds_word, json_out, program_of, refusing, table
from scheduler.runtime.program import Program

__all__ = ["endpoint_table", "endpoints", "exposure_table", "exposures"]

Row = Mapping[str, Any]
AsCsv = Annotated[
    Path | None, typer.Option("--csv", help="CSV file to write: one line a subject, empty where missing.")
]
OneSubject = Annotated[str | None, typer.Argument(help="Subject code; all if absent.")]


def endpoints(
    context: typer.Context, subject: OneSubject = None, csv_file: AsCsv = None, as_json: AsJson = False
) -> None:
    """Endpoints at one year: changes, and every response definition with why it cannot be evaluated. With a subject:
    one line a definition."""
    program = program_of(context)
    with refusing(program):
        rows = program.database.read(lambda session: _endpoints(session, program, subject))
        if csv_file is not None:
            _write(program, csv_file, [endpoint_record(row) for row in rows], "endpoints")
        if as_json:
            json_out(rows)
        elif csv_file is None:
            out = console()
            for one in [definition_table(program, rows[0])] if subject else [endpoint_table(program, rows)]:
                out.print(one)


def exposures(
    context: typer.Context, subject: OneSubject = None, csv_file: AsCsv = None, as_json: AsJson = False
) -> None:
    """Exposure over the year, one line a subject, by actual dates; the CSV file has the endpoints beside it."""
    program = program_of(context)
    with refusing(program):
        rows = program.database.read(lambda session: _exposures(session, program, subject))
        if csv_file is not None:
            outcomes = program.database.read(lambda session: _endpoints(session, program, subject))
            joined = [
                exposure_record(row) | endpoint_record(outcome)
                for row, outcome in zip(rows, outcomes, strict=True)
            ]
            _write(program, csv_file, joined, "exposures")
        if as_json:
            json_out(rows)
        elif csv_file is None:
            console().print(exposure_table(program, rows))


def _endpoints(session: Session, program: Program, subject: str | None) -> list[dict[str, Any]]:
    if subject is not None:
        find_subject(session, subject)
    return endpoint_rows(session, program.study, program.speaker(), subject)


def _exposures(session: Session, program: Program, subject: str | None) -> list[dict[str, Any]]:
    if subject is not None:
        find_subject(session, subject)
    return summary_rows(session, program.study, program.speaker(), subject)


def _write(program: Program, path: Path, records: Sequence[Row], what: str) -> None:
    """The records as CSV in UTF-8: comma, point, empty where missing."""
    made = io.StringIO()
    if records:
        writer = csv.DictWriter(made, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in one.items()} for one in records)
    write_export(program, path, made.getvalue().encode("utf-8"), what, to_stderr=True)


def _cell(value: Any) -> Any:
    """A text is never a formula; a number stays a number, with its sign."""
    return guarded(value) if isinstance(value, str) else value


def endpoint_table(program: Program, rows: Sequence[Row]) -> Table:
    """One line a subject: arms, changes, responses. What is analyst-chosen is said below."""
    speaker = program.speaker()
    columns = ["Subject", "Eligible", "Arms"]
    made = table(program, "Endpoints at one year (research use, not a medical device)", columns, [])
    for measure in Measure:
        made.add_column(speaker.name(measure.value), justify="right")
    made.add_column(speaker.text("Skin response"))
    made.add_column(speaker.text("Lung response"))
    made.add_column(speaker.text("Response"))
    for row in rows:
        eligibility = row["eligibility"]
        held = {one["id"]: one["holds"] for one in row["outcomes"]}
        made.add_row(
            row["subject"],
            eligibility["status_text"] if eligibility else speaker.text("not recorded"),
            ", ".join(speaker.status(arm) for arm in eligibility["arms"]) if eligibility else "",
            *(_course(row["changes"][measure.value], speaker) for measure in Measure),
            holds_word(held[SKIN_RESPONSE], speaker),
            holds_word(held[LUNG_RESPONSE], speaker),
            holds_word(row["response"], speaker),
        )
    words = (
        "Response: '{rule_id}' of the protocol. Analyst-chosen: the registry does not say what improvement is. "
        "– cannot be evaluated; 'endpoints SUBJECT' says why."
    )
    made.caption = speaker.text(words, rule_id=", ".join(sorted({row["composite_rule"] for row in rows})))
    made.caption_justify = "left"
    return made


def definition_table(program: Program, row: Row) -> Table:
    """Every definition of one subject."""
    speaker = program.speaker()
    columns = ["Definition", "Meaning", "Says", "Holds", "Evidence", "Why it cannot be evaluated, remarks"]
    made = table(program, f"{row['subject']}", columns, [])
    for one in row["outcomes"]:
        remarks = speaker.listed([*one["why"], *one["flags"]])
        made.add_row(
            one["id"] + (" *" if one["primary"] else ""),
            one["text"],
            one["sense_text"],
            holds_word(one["holds"], speaker),
            one["evidence_text"],
            remarks,
        )
    first, last = row["window"]
    words = "* the protocol's. One year: {target}, from {first} to {last}."
    made.caption = speaker.text(words, target=row["target"], first=first, last=last)
    made.caption_justify = "left"
    return made


def _course(change: Row, speaker: Speaker) -> str:
    """Baseline and change: 18 → 12 (−6)."""
    ends = [change[side]["value"] if change[side] else None for side in ("baseline", "after")]
    shown = " → ".join("–" if one is None else _short(one, speaker) for one in ends)
    if change["absolute"] is None:
        return shown
    return f"{shown} ({_signed(change['absolute'], speaker)})"


def _short(value: float, speaker: Speaker) -> str:
    return speaker.number(value, 0 if value == int(value) else 1)


def _signed(value: float, speaker: Speaker) -> str:
    sign = {True: "+", False: "−"}[value >= 0]
    return sign + _short(abs(value), speaker)


def exposure_table(program: Program, rows: Sequence[Row]) -> Table:
    """One line a subject; what the columns are and the remarks stand below."""
    speaker = program.speaker()
    columns = [
        "Subject",
        "Occasions",
        "Weeks 6–26",
        "Weeks 0–52",
        "Week 12",
        "Mean",
        "Lowest",
        "CV, %",
        "Reliability",
    ]
    made = table(program, "Exposure over the year, mg·h/L (research use, not a medical device)", columns, [])
    remarks = []
    for row in rows:
        metrics = [row[name] for name in ("twa_6_26", "twa_0_52", "auc_w12", "mean_all", "min", "cv_percent")]
        reliability = "" if row["reliability"] is None else speaker.number(row["reliability"], 2)
        cells = ["–" if one is None else speaker.number(one) for one in metrics]
        made.add_row(row["subject"], str(row["occasions"]), *cells, reliability)
        if row["flags_text"]:
            flags = speaker.listed(row["flags_text"])
            remarks.append(speaker.text("{what}: {answer}", what=row["subject"], answer=flags))
    words = (
        "Time-weighted means by actual dates; weeks 6–26 is the primary one. "
        "Reliability from an ICC in lupus nephritis."
    )
    made.caption, made.caption_justify = "\n".join([speaker.text(words), *remarks]), "left"
    return made
