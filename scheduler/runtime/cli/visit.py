"""Commands that record what happens at a visit: its appointment, attendance, dose, draws, assessments."""

from __future__ import annotations

from typing import Annotated

import typer

from scheduler.domain.facts import (
    Attended,
    DoseGiven,
    Formulation,
    SampleDrawn,
    SampleNotDrawn,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
)
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.recording.typed_assessments import read_assessments, read_pair
from scheduler.runtime.cli.output import program_of, refusing
from scheduler.runtime.cli.recording import At, By, Subject, Visit, When, Why, record_all, record_one

__all__ = ["assess", "attend", "book", "cancel", "dose", "draw", "move"]


def book(
    context: typer.Context,
    subject: Subject,
    visit: Visit,
    at: When,
    by: By = None,
) -> None:
    """Give a visit a date; the coordinators get a calendar entry."""
    record_one(context, subject, visit, by, lambda name, moment: VisitBooked(name, moment.local(at)))


def move(
    context: typer.Context,
    subject: Subject,
    visit: Visit,
    at: When,
    reason: Why,
    by: By = None,
) -> None:
    """Give a booked visit another date."""
    record_one(context, subject, visit, by, lambda name, moment: VisitMoved(name, moment.local(at), reason))


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
    record_one(context, subject, visit, by, lambda name, moment: VisitCancelled(name, reason, for_good))


def attend(context: typer.Context, subject: Subject, visit: Visit, at: At = None, by: By = None) -> None:
    """Record that a visit took place."""
    record_one(context, subject, visit, by, lambda name, moment: Attended(name, moment.instant(at)))


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
    record_one(
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
        record_one(
            context,
            subject,
            visit,
            by,
            lambda name, moment: SampleNotDrawn(name, point, moment.instant(at), why),
        )
    else:
        number = tube or ""
        record_one(
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
    with refusing(program):
        for text in values:
            read_pair(text)
        record_all(
            program, subject, visit, by,
            lambda name, moment: read_assessments(values, name, moment.instant(at), moment.protocol),
        )  # fmt: skip
