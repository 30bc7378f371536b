"""Commands that record: enrolment, appointments, the sampling day, assessments, corrections."""

from __future__ import annotations

import csv
import getpass
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from sqlmodel import Session

from scheduler.domain.facts import (
    Attended,
    Corrected,
    DoseGiven,
    Enrolled,
    FlagAcknowledged,
    Formulation,
    Intercurrent,
    Occurred,
    Paused,
    Regimen,
    RegimenChanged,
    Resumed,
    SampleDrawn,
    SampleNotDrawn,
    Source,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.moments import parse_day, parse_instant, parse_local, read_field
from scheduler.engine.recording.named import encounter_of, find_subject
from scheduler.engine.recording.request import Done, Who
from scheduler.engine.recording.typed_assessments import read_assessments, read_number, read_pair
from scheduler.runtime.cli.eligibility import answers_from
from scheduler.runtime.cli.output import done, program_of, refusing
from scheduler.runtime.program import Program

__all__ = ["add_commands"]

Subject = Annotated[str, typer.Argument(help="Subject code, as MPA-0042-7.")]
Visit = Annotated[str, typer.Argument(help="Visit, as W6 or V2.")]
At = Annotated[
    str | None, typer.Option("--at", help="Local time of the site, as '2026-01-15 08:31'; now if absent.")
]
When = Annotated[str, typer.Option("--at", help="Local time of the site, as '2026-01-15 08:30'.")]
Why = Annotated[str, typer.Option("--reason", help="Why.")]
By = Annotated[str | None, typer.Option("--by", help="Who observed it; the account if absent.")]


def add_commands(app: typer.Typer) -> None:
    """Adds the recording commands."""
    for function in (
        enrol, book, move, cancel, attend, dose, draw, assess, regimen, intercurrent, pause, resume, withdraw, correct,
        acknowledge,
    ):  # fmt: skip
        app.command()(function)


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
            _enrol_many(program, from_, _who(by))
            return
        if subject is None or inclusion is None:
            raise RefusedError([because("refused_enrol_incomplete")])
        answers = answers_from(program, eligibility) if eligibility is not None else None

        def step(session: Session) -> Done:
            outcome = _enrol_one(session, program, given, _who(by))
            if answers is None:
                return replace(outcome, warnings=(because("warned_no_eligibility"),))
            also = engine.record(
                session,
                program.study,
                outcome.subject,
                answers,
                _who(by),
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


def _enrol_many(program: Program, path: Path, who: Who) -> None:
    """Enrol every row of a file, or none: all refusals of all rows are said at once."""
    rows = _read_rows(path)

    def step(session: Session) -> int:
        reasons = []
        for number, row in enumerate(rows, 2):
            try:
                with session.begin_nested():
                    _enrol_one(session, program, row, who)
            except RefusedError as error:
                reasons += [because("refused_row", row=number, why=reason) for reason in error.reasons]
        if reasons:
            raise RefusedError(reasons)
        return len(rows)

    count = program.database.transact(step)
    typer.echo(program.speaker().text("{count} subjects enrolled.", count=count))


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


def book(
    context: typer.Context,
    subject: Subject,
    visit: Visit,
    at: When,
    by: By = None,
) -> None:
    """Give a visit a date; the coordinators get a calendar entry."""
    _say(context, subject, visit, by, lambda name, moment: VisitBooked(name, moment.local(at)))


def move(
    context: typer.Context,
    subject: Subject,
    visit: Visit,
    at: When,
    reason: Why,
    by: By = None,
) -> None:
    """Give a booked visit another date."""
    _say(context, subject, visit, by, lambda name, moment: VisitMoved(name, moment.local(at), reason))


def cancel(
    context: typer.Context,
    subject: Subject,
    visit: Visit,
    reason: Why,
    for_good: Annotated[
        bool, typer.Option("--for-good", help="The visit will not take place at all.")
    ] = False,
    by: By = None,
) -> None:
    """Take an appointment back; the visit stays due unless --for-good."""
    _say(context, subject, visit, by, lambda name, moment: VisitCancelled(name, reason, for_good))


def attend(context: typer.Context, subject: Subject, visit: Visit, at: At = None, by: By = None) -> None:
    """Record that a visit took place."""
    _say(context, subject, visit, by, lambda name, moment: Attended(name, moment.instant(at)))


def dose(
    context: typer.Context,
    subject: Subject,
    visit: Visit,
    mg: Annotated[float, typer.Option(help="mg of this dose.")],
    formulation: Annotated[Formulation, typer.Option(help="mmf or ec_mps.")],
    interval_h: Annotated[float, typer.Option(help="Hours between doses.")],
    at: At = None,
    by: By = None,
) -> None:
    """Record the dose of the sampling day; H30 and H2 are reckoned from it."""
    _say(
        context, subject, visit, by,
        lambda name, moment: DoseGiven(name, moment.instant(at), mg, formulation, interval_h),
    )  # fmt: skip


def draw(
    context: typer.Context,
    subject: Subject,
    visit: Visit,
    timepoint: Annotated[str, typer.Argument(help="H0, H30 or H2.")],
    tube: Annotated[str | None, typer.Option(help="Number on the tube.")] = None,
    at: At = None,
    not_drawn: Annotated[
        str | None, typer.Option("--not-drawn", help="Why the sample was not drawn.")
    ] = None,
    by: By = None,
) -> None:
    """Record a draw with its real time and tube, or that it was not drawn and why."""
    if (tube is None) == (not_drawn is None):
        with refusing(program_of(context)):
            raise RefusedError([because("refused_tube_or_reason")])
    point = timepoint.strip().upper()
    if not_drawn is not None:
        why = not_drawn
        _say(
            context,
            subject,
            visit,
            by,
            lambda name, moment: SampleNotDrawn(name, point, moment.instant(at), why),
        )
    else:
        number = tube or ""
        _say(
            context,
            subject,
            visit,
            by,
            lambda name, moment: SampleDrawn(name, point, moment.instant(at), number),
        )


def assess(
    context: typer.Context,
    subject: Subject,
    visit: Visit,
    values: Annotated[list[str], typer.Argument(help="As mrss=18 fvc=78.5 dlco=61.")],
    at: At = None,
    by: By = None,
) -> None:
    """Record assessments, with how they were made.

    mrss by site (mrss.face=2 …) or as a total, mrss.assessor; fvc.measured='2.51 L', fvc.equation=…,
    dlco.hb_corrected=yes.
    """
    program = program_of(context)
    protocol = program.study.newest[1]
    with refusing(program):
        for text in values:
            read_pair(text)
        _say_all(
            program, subject, visit, by,
            lambda name, moment: read_assessments(values, name, moment.instant(at), protocol),
        )  # fmt: skip


def regimen(
    context: typer.Context,
    subject: Subject,
    mg: Annotated[float, typer.Option(help="mg per dose.")],
    formulation: Annotated[Formulation, typer.Option(help="mmf or ec_mps.")],
    interval_h: Annotated[float, typer.Option(help="Hours between doses.")],
    reason: Why,
    at: At = None,
    by: By = None,
) -> None:
    """Record a change of treatment; steady state is reckoned from it."""
    new = Regimen(formulation, mg, interval_h)
    _say(context, subject, None, by, lambda name, moment: RegimenChanged(moment.instant(at), new, reason))


def intercurrent(
    context: typer.Context,
    subject: Subject,
    event: Annotated[Occurred, typer.Option(help="organ_failure, rescue_treatment or mmf_stopped.")],
    reason: Why,
    at: At = None,
    by: By = None,
) -> None:
    """Record what changes the meaning of the endpoint at one year; the protocol says how it counts."""
    _say(context, subject, None, by, lambda name, moment: Intercurrent(moment.instant(at), event, reason))


def pause(context: typer.Context, subject: Subject, reason: Why, at: At = None, by: By = None) -> None:
    """Put participation on hold: no reminders, nothing overdue, until 'resume'."""
    _say(context, subject, None, by, lambda name, moment: Paused(moment.instant(at), reason))


def resume(context: typer.Context, subject: Subject, reason: Why, at: At = None, by: By = None) -> None:
    """Take participation up again; the original dates go on."""
    _say(context, subject, None, by, lambda name, moment: Resumed(moment.instant(at), reason))


def withdraw(
    context: typer.Context,
    subject: Subject,
    cause: Annotated[Withdrawal, typer.Option(help="consent, death, lost or other.")],
    reason: Why,
    at: At = None,
    by: By = None,
) -> None:
    """Record that the subject left the study: later visits are no longer due."""
    _say(context, subject, None, by, lambda name, moment: Withdrawn(moment.instant(at), cause, reason))


def correct(
    context: typer.Context,
    subject: Subject,
    number: Annotated[int, typer.Argument(help="Number of the record; 'explain' lists them.")],
    reason: Why,
    set_: Annotated[list[str] | None, typer.Option("--set", help="field=value; may be repeated.")] = None,
    take_back: Annotated[bool, typer.Option("--take-back", help="The record is wrong as a whole.")] = False,
    by: By = None,
) -> None:
    """Correct an earlier record, or take it back; the old one stays on record with the reason."""
    program = program_of(context)
    with refusing(program):
        if bool(set_) == take_back:
            raise RefusedError([because("refused_set_or_take_back")])

        def step(session: Session) -> Done:
            now = program.clock.now()
            zone = program.zone_of(session, subject)
            fields = (
                None if take_back else dict(read_field(*read_pair(text), now, zone) for text in set_ or ())
            )
            return engine.correct(
                session, program.study, subject, number, fields, reason, _who(by), now, program.handle
            )

        outcome = program.database.transact(step)
        done(program, outcome, f"{program.speaker().status(Corrected.kind)}, {subject} {number}")


def acknowledge(
    context: typer.Context,
    flag: Annotated[int, typer.Argument(help="Number of the flag; 'flags' lists them.")],
    reason: Why,
    by: By = None,
) -> None:
    """Note that a flag was seen and what was decided."""
    program = program_of(context)
    with refusing(program):
        outcome = program.database.transact(
            lambda session: engine.acknowledge(
                session, program.study, flag, reason, _who(by), program.clock.now(), program.handle
            )
        )
        done(program, outcome, f"{program.speaker().status(FlagAcknowledged.kind)}, {flag}")


class _Moment:
    """Reads what was typed as times of the subject's site."""

    def __init__(self, now: datetime, zone: ZoneInfo) -> None:
        self.now = now
        self.zone = zone

    def instant(self, text: str | None) -> datetime:
        return parse_instant(text, self.now, self.zone)

    def local(self, text: str) -> datetime:
        return parse_local(text, self.now, self.zone)


def _say(context: typer.Context, subject: str, visit: str | None, by: str | None, what: Any) -> None:
    program = program_of(context)
    with refusing(program):
        _say_all(program, subject, visit, by, lambda name, moment: [what(name, moment)])


def _say_all(program: Program, subject: str, visit: str | None, by: str | None, whats: Any) -> None:
    """Record facts of one subject, all or none."""

    def step(session: Session) -> list[tuple[Done, What]]:
        row = find_subject(session, subject)
        now = program.clock.now()
        moment = _Moment(now, program.zone_of(session, subject))
        name = visit
        if visit is not None:
            name = encounter_of(session, program.study, row, visit).id
        return [
            (engine.record(session, program.study, subject, what, _who(by), now, program.handle), what)
            for what in whats(name, moment)
        ]

    for outcome, what in program.database.transact(step):
        label = program.speaker().status(what.kind)
        done(program, outcome, f"{label}, {subject}" + (f" {visit.upper()}" if visit else ""))


def _who(by: str | None) -> Who:
    return Who(by or getpass.getuser(), Source.CLI)


def _formulation(text: str) -> Formulation:
    try:
        return Formulation(text.strip().lower())
    except ValueError:
        known = ", ".join(Formulation)
        raise RefusedError([because("refused_choice", text=text, known=known)]) from None
