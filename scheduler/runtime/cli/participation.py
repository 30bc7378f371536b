"""Commands that record what happens between visits: treatment, events that matter, holds, withdrawal."""

from __future__ import annotations

from typing import Annotated

import typer

from scheduler.domain.facts import (
    Formulation,
    Intercurrent,
    Occurred,
    Paused,
    Regimen,
    RegimenChanged,
    Resumed,
    Withdrawal,
    Withdrawn,
)
from scheduler.runtime.cli.recording import At, By, Subject, Why, record_one

__all__ = ["intercurrent", "pause", "regimen", "resume", "withdraw"]


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
    record_one(
        context, subject, None, by, lambda name, moment: RegimenChanged(moment.instant(at), new, reason)
    )


def intercurrent(
    context: typer.Context,
    subject: Subject,
    event: Annotated[Occurred, typer.Option(help="organ_failure, rescue_treatment or mmf_stopped.")],
    reason: Why,
    at: At = None,
    by: By = None,
) -> None:
    """Record what changes the meaning of the endpoint at one year; the protocol says how it counts."""
    record_one(
        context, subject, None, by, lambda name, moment: Intercurrent(moment.instant(at), event, reason)
    )


def pause(context: typer.Context, subject: Subject, reason: Why, at: At = None, by: By = None) -> None:
    """Put participation on hold: no reminders, nothing overdue, until 'resume'."""
    record_one(context, subject, None, by, lambda name, moment: Paused(moment.instant(at), reason))


def resume(context: typer.Context, subject: Subject, reason: Why, at: At = None, by: By = None) -> None:
    """Take participation up again; the original dates go on."""
    record_one(context, subject, None, by, lambda name, moment: Resumed(moment.instant(at), reason))


def withdraw(
    context: typer.Context,
    subject: Subject,
    cause: Annotated[Withdrawal, typer.Option(help="consent, death, lost or other.")],
    reason: Why,
    at: At = None,
    by: By = None,
) -> None:
    """Record that the subject left the study: later visits are no longer due."""
    record_one(context, subject, None, by, lambda name, moment: Withdrawn(moment.instant(at), cause, reason))
