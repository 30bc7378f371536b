"""The command that writes the report of one subject into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from scheduler.domain.speech import Speaker
from scheduler.engine.picture.curve import CurveSketch, curve_sketches
from scheduler.engine.recording.named import find_subject
from scheduler.engine.report.page import report_page
from scheduler.engine.report.patient_report import PatientReport, patient_report
from scheduler.runtime.cli.exported import write_export
from scheduler.runtime.cli.output import program_of, refusing

__all__ = ["report"]


def report(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Subject code.")],
    out: Annotated[Path, typer.Option(help="HTML file to write; an older one is replaced.")],
) -> None:
    """One subject's visits, samples, AUCs, pictures and flags as one HTML file, to read or to print."""
    program = program_of(context)
    with refusing(program):

        def step(session: Session) -> tuple[PatientReport, dict[str, CurveSketch], Speaker]:
            row = find_subject(session, subject)
            speaker = program.speaker(program.zone_of(session, subject))
            found = patient_report(session, program.study, row, speaker, program.clock.now())
            return found, curve_sketches(session, program.study, row, speaker), speaker

        found, sketches, speaker = program.database.read(step)
    drawn = found.with_curves({visit: sketch.picture() for visit, sketch in sketches.items()})
    write_export(program, out, report_page(drawn, speaker).encode("utf-8"), "report", subject)
