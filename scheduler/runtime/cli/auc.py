"""The command that shows exposures: one line a visit for everybody, every method for one subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlmodel import Session

from scheduler.domain.exposure import Bounds
from scheduler.domain.pictures import range_of
from scheduler.domain.speech import Speaker
from scheduler.engine.recording.named import encounter_of, find_subject
from scheduler.engine.report.aucs import auc_rows, weights_said
from scheduler.runtime.cli.output import AsJson, console, json_out, program_of, refusing, table
from scheduler.runtime.program import Program

__all__ = ["auc", "auc_overview"]

Row = Mapping[str, Any]


def auc(
    context: typer.Context,
    subject: Annotated[str | None, typer.Argument(help="Subject code; all if absent.")] = None,
    visit: Annotated[str | None, typer.Argument(help="Visit; all if absent.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Superseded versions too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Exposures: the value that counts, or why there is none. With a subject: every method and its remarks."""
    program = program_of(context)
    with refusing(program):
        rows = program.database.read(lambda session: _rows(session, program, subject, visit, history=history))
        if as_json:
            json_out(rows)
        elif subject is None and not history:
            console().print(auc_overview(program, rows))
        else:
            console().print(auc_table(program, rows))


def _rows(
    session: Session, program: Program, subject: str | None, visit: str | None, *, history: bool
) -> list[dict[str, Any]]:
    if subject is None:
        return auc_rows(session, program.speaker(), history=history)
    row = find_subject(session, subject)
    name = encounter_of(session, program.study, row, visit).id if visit is not None else None
    return auc_rows(session, program.speaker(), row.code, name, history=history)


def auc_table(program: Program, rows: Sequence[Row]) -> Table:
    """Every estimate, the one that counts first; what is remarked on several of them stands below, once."""
    speaker = program.speaker()
    columns = [
        "Subject", "Visit", "Version", "Method", "Quantity", "mg·h/L", "90% interval", "AUC0-24", "AUC per g",
        "Remarks",
    ]  # fmt: skip
    made = table(program, "Exposure to MPA (research use, not a medical device)", columns, [])
    notes: dict[str, int] = {}
    for row in rows:
        if row["value"] is None and not row["primary"]:
            continue
        marks = sorted(notes.setdefault(note, len(notes) + 1) for note in row["notes"])
        remarks = speaker.listed(row["reasons"]) or " ".join(f"({mark})" for mark in marks)
        made.add_row(
            row["subject"], speaker.name(row["visit"]), _version(row, speaker), row["method_text"],
            row["quantity"] or "", _value(row, speaker), _interval(row, speaker), _number(row["auc_0_24"], speaker),
            _number(row["per_g"], speaker), remarks, style="" if row["in_force"] else "dim",
        )  # fmt: skip
    below = [*_apart(rows, speaker), *_refused(rows, speaker)]
    below += [f"({mark}) {note}" for note, mark in notes.items()]
    made.caption, made.caption_justify = "\n".join([*below, _bands(program)]), "left"
    return made


def _version(row: Row, speaker: Speaker) -> str:
    number = str(row["version"])
    return number if row["in_force"] else f"{number} ({speaker.text('superseded')})"


def _apart(rows: Iterable[Row], speaker: Speaker) -> list[str]:
    """Of every visit, how far the methods lie apart and what the models count for in the average."""
    lines = []
    for row in rows:
        if row["disagreement"] is not None and row["in_force"]:
            lines.append(_of(row, row["disagreement"]["text"], speaker))
        if row["weights"] and row["in_force"]:
            weights = weights_said(row["weights"], speaker)
            lines.append(
                _of(row, speaker.text("weights in the average: {weights}", weights=weights), speaker)
            )
    return lines


def _of(row: Row, text: str, speaker: Speaker) -> str:
    """A remark with the visit of which it is made."""
    return speaker.text(
        "{what}: {answer}", what=f"{row['subject']}, {speaker.name(row['visit'])}", answer=text
    )


def _refused(rows: Iterable[Row], speaker: Speaker) -> list[str]:
    """The methods that give no value, each reason once with the visits for which it holds."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["value"] is None and not row["primary"] and row["in_force"]:
            found.setdefault((row["method_text"], " ".join(row["reasons"])), []).append(
                speaker.name(row["visit"])
            )
    return [
        speaker.text(
            "{visits}: no value by {method}: {why}", method=method, visits=", ".join(visits), why=why
        )
        for (method, why), visits in found.items()
    ]


def auc_overview(program: Program, rows: Sequence[Row]) -> Table:
    """The AUC0-12 that counts of every subject at every visit; below, by which method, and why some have none."""
    speaker = program.speaker()
    encounters = program.study.newest[1].encounters
    made = table(program, "AUC0-12 of MPA, mg·h/L (research use, not a medical device)", ["Subject"], [])
    for encounter in encounters:
        made.add_column(speaker.name(encounter.id), justify="right")
    counting = [row for row in rows if row["primary"]]
    marks = _marks(counting)
    cells: dict[str, dict[str, str]] = {}
    for row in counting:
        cells.setdefault(row["subject"], {})[row["visit"]] = _cell(row, marks, speaker)
    for subject, found in cells.items():
        made.add_row(subject, *(found.get(encounter.id, "") for encounter in encounters))
    below = [*_methods(counting, marks, speaker), *_exceptions(counting, speaker), _bands(program)]
    made.caption, made.caption_justify = "\n".join(below), "left"
    return made


def _marks(counting: Iterable[Row]) -> dict[str, str]:
    """A letter for every method but the one that counts most often."""
    methods = Counter(row["method_text"] for row in counting if row["value"] is not None)
    letters = ["", *(f"({letter})" for letter in "abcdefghijklmnopqrstuvwxyz")]
    return dict(zip((method for method, _ in methods.most_common()), letters, strict=False))


def _cell(row: Row, marks: Mapping[str, str], speaker: Speaker) -> str:
    """The value with the mark of its method and its version; its 90 % interval on a second line."""
    amended = f"(v{row['version']})" if row["version"] > 1 else ""
    first = " ".join(filter(None, [_value(row, speaker), marks.get(row["method_text"]), amended]))
    return "\n".join(filter(None, [first, _interval(row, speaker)]))


def _methods(counting: Sequence[Row], marks: Mapping[str, str], speaker: Speaker) -> list[str]:
    lines = [f"{mark} {method}" for method, mark in marks.items() if mark]
    if marks:
        lines.insert(0, speaker.text("Unless marked: {method}", method=next(iter(marks))))
    if any(row["bounds"] == Bounds.INTERVAL_90 for row in counting):
        lines.append(speaker.text("Below a value: its 90% interval"))
    return lines


def _exceptions(counting: Iterable[Row], speaker: Speaker) -> list[str]:
    """Why a visit has no value, or what is to be known of it."""
    said = [(row, speaker.listed(row["reasons"]) or row["remark"]) for row in counting]
    return [_of(row, text, speaker) for row, text in said if text]


def _value(row: Row, speaker: Speaker) -> str:
    """The value, with what a sample below quantification leaves open."""
    if row["value"] is None:
        return "–"
    value = speaker.number(row["value"])
    if row["bounds"] == Bounds.BELOW_LLOQ:
        value += f" [{range_of(speaker, row['low'], row['high'])}]"
    return value


def _interval(row: Row, speaker: Speaker) -> str:
    return range_of(speaker, row["low"], row["high"]) if row["bounds"] == Bounds.INTERVAL_90 else ""


def _number(value: float | None, speaker: Speaker) -> str:
    return speaker.number(value) if value is not None else ""


def _bands(program: Program) -> str:
    """The borrowed reference bands, named as such."""
    speaker = program.speaker()
    bands = []
    for one in program.study.newest[1].bands:
        limits = [
            speaker.number(limit, 0) for limit in (one.low_mg_h_l, one.high_mg_h_l) if limit is not None
        ]
        bands.append(f"{one.label[program.settings.language]} {' – '.join(limits)}")
    words = "Borrowed reference bands, never a target of this disease: {bands} mg·h/L"
    return speaker.text(words, bands=speaker.listed(bands))
