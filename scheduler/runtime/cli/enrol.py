"""`enrol`: one subject, or every row of a file, or none."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from scheduler.domain.facts import (
    Enrolled,
    Formulation,
    Regimen,
)
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.moments import parse_day
from scheduler.engine.recording.request import Done, Who
from scheduler.engine.recording.typed_assessments import read_number
from scheduler.runtime.cli.eligibility import answers_from
from scheduler.runtime.cli.output import done, program_of, refusing
from scheduler.runtime.cli.recording import By, recorder
from scheduler.runtime.program import Program

__all__ = ["enrol"]


def enrol(
    context: typer.Context,
    subject: Annotated[str | None, typer.Argument(help="Subject code, as MPA-0042-7.")] = None,
    inclusion: Annotated[str | None, typer.Option(help="Date of the inclusion visit.")] = None,
    site: Annotated[str | None, typer.Option(help="Site; may be left out when there is only one.")] = None,
    treatment_start: Annotated[str | None, typer.Option(help="Date on which MMF was started.")] = None,
    formulation: Annotated[Formulation | None, typer.Option(help="mmf or ec_mps.")] = None,
    dose_mg: Annotated[float | None, typer.Option(help="mg per dose.")] = None,
    interval_h: Annotated[float | None, typer.Option(help="Hours between doses.")] = None,
    from_: Annotated[
        Path | None, typer.Option("--from", help="CSV file with many subjects: all or none.")
    ] = None,
    eligibility: Annotated[
        Path | None,
        typer.Option(help="TOML or JSON file of the eligibility answers; see 'eligibility check'."),
    ] = None,
    by: By = None,
) -> None:
    """Enrol a subject, or many from a CSV file (columns: subject, inclusion, site, treatment_start, formulation,
    dose_mg, interval_h)."""
    program = program_of(context)
    given = {
        "subject": subject,
        "inclusion": inclusion,
        "site": site,
        "treatment_start": treatment_start,
        "formulation": formulation.value if formulation else None,
        "dose_mg": str(dose_mg) if dose_mg is not None else None,
        "interval_h": str(interval_h) if interval_h is not None else None,
    }
    with refusing(program):
        if from_ is not None:
            _enrol_many(program, from_, by)
            return
        if subject is None or inclusion is None:
            raise RefusedError([because("refused_enrol_incomplete")])
        answers = answers_from(program, eligibility) if eligibility is not None else None

        def step(session: Session) -> Done:
            outcome = _enrol_one(session, program, given, recorder(by))
            if answers is None:
                return replace(outcome, warnings=(because("warned_no_eligibility"),))
            also = engine.record(
                session,
                program.study,
                outcome.subject,
                answers,
                recorder(by),
                program.clock.now(),
                program.handle,
            )
            return replace(outcome, warnings=also.warnings)

        outcome = program.database.transact(step)
        done(program, outcome, f"{program.speaker().status(Enrolled.kind)}, {subject}")


def _enrol_one(session: Session, program: Program, row: dict[str, str | None], who: Who) -> Done:
    study = program.study
    site = row.get("site") or (next(iter(study.sites)) if len(study.sites) == 1 else "")
    start, regimen = row.get("treatment_start"), None
    if row.get("formulation") or row.get("dose_mg") or row.get("interval_h"):
        regimen = Regimen(
            _formulation(row.get("formulation") or ""),
            read_number(row.get("dose_mg")),
            read_number(row.get("interval_h")),
        )
    what = Enrolled(parse_day(row.get("inclusion") or ""), parse_day(start) if start else None, regimen)
    code = (row.get("subject") or "").strip()
    return engine.enrol(session, study, code, site, what, who, program.clock.now(), program.handle)


def _enrol_many(program: Program, path: Path, by: str | None) -> None:
    """Enrol every row of a file, or none: all refusals of all rows are said at once."""
    rows = _read_rows(path)

    def step(session: Session) -> int:
        reasons = []
        for number, row in enumerate(rows, 2):
            try:
                with session.begin_nested():
                    _enrol_one(session, program, row, recorder(by))
            except RefusedError as error:
                reasons += [because("refused_row", row=number, why=reason) for reason in error.reasons]
        if reasons:
            raise RefusedError(reasons)
        return len(rows)

    count = program.database.transact(step)
    typer.echo(program.speaker().text("Subjects enrolled: {count}.", count=count))


def _read_rows(path: Path) -> list[dict[str, str | None]]:
    columns = {"subject", "inclusion", "site", "treatment_start", "formulation", "dose_mg", "interval_h"}
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError([because("refused_file", file=path.name, why=str(error))]) from error
    header = text.partition("\n")[0]
    delimiter = max(";,\t", key=header.count)
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter, strict=True)
    found = set(reader.fieldnames or ())
    if not {"subject", "inclusion"} <= found or not found <= columns:
        raise RefusedError([because("refused_columns", file=path.name, known=", ".join(sorted(columns)))])
    try:
        return [{name: (value or "").strip() or None for name, value in row.items()} for row in reader]
    except (csv.Error, AttributeError) as error:
        raise RefusedError([because("refused_file", file=path.name, why=str(error))]) from error


def _formulation(text: str) -> Formulation:
    try:
        return Formulation(text.strip().lower())
    except ValueError:
        known = ", ".join(Formulation)
        raise RefusedError([because("refused_choice", text=text, known=known)]) from None
