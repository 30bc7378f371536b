"""What the commands that record have in common: their options, who says it, times of the subject's site."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from sqlmodel import Session

from scheduler.domain.facts import Source, What
from scheduler.domain.protocol import Protocol
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.moments import parse_instant, parse_local
from scheduler.engine.recording.named import encounter_of, find_subject, protocol_of_visit
from scheduler.engine.recording.request import Done, Who
from scheduler.runtime.cli.output import done, program_of, refusing
from scheduler.runtime.program import Program

__all__ = ["At", "By", "Subject", "Visit", "When", "Why", "record_all", "record_one", "recorder"]

Subject = Annotated[str, typer.Argument(help="Subject code, as MPA-0042-7.")]
Visit = Annotated[str, typer.Argument(help="Visit, as W6 or V2.")]
At = Annotated[
    str | None, typer.Option("--at", help="Local time of the site, as '2026-01-15 08:31'; now if absent.")
]
When = Annotated[str, typer.Option("--at", help="Local time of the site, as '2026-01-15 08:30'.")]
Why = Annotated[str, typer.Option("--reason", help="Why.")]
By = Annotated[str | None, typer.Option("--by", help="Who observed it; the account if absent.")]


@dataclass(frozen=True, slots=True)
class Moment:
    """Reads what was typed as times of the subject's site. `protocol` is the version that the visit follows."""

    now: datetime
    zone: ZoneInfo
    protocol: Protocol

    def instant(self, text: str | None) -> datetime:
        return parse_instant(text, self.now, self.zone)

    def local(self, text: str) -> datetime:
        return parse_local(text, self.now, self.zone)


# What was typed becomes facts when the visit's identifier (None without a visit) and the site's zone are known.
One = Callable[[Any, Moment], What]
Many = Callable[[Any, Moment], Iterable[What]]


def record_one(context: typer.Context, subject: str, visit: str | None, by: str | None, what: One) -> None:
    """Record a fact of one subject, and say so."""
    program = program_of(context)
    with refusing(program):
        record_all(program, subject, visit, by, lambda name, moment: [what(name, moment)])


def record_all(program: Program, subject: str, visit: str | None, by: str | None, whats: Many) -> None:
    """Record facts of one subject, all or none, and say so of each."""

    def step(session: Session) -> list[tuple[Done, What]]:
        row = find_subject(session, subject)
        now = program.clock.now()
        name = encounter_of(session, program.study, row, visit).id if visit is not None else None
        protocol = protocol_of_visit(session, program.study, row, name)
        moment = Moment(now, program.zone_of(session, subject), protocol)
        return [
            (engine.record(session, program.study, subject, what, recorder(by), now, program.handle), what)
            for what in whats(name, moment)
        ]

    for outcome, what in program.database.transact(step):
        label = program.speaker().status(what.kind)
        done(program, outcome, f"{label}, {subject}" + (f" {visit.upper()}" if visit else ""))


def recorder(by: str | None) -> Who:
    """Who records at the command line: the one named, else the account."""
    return Who(by or getpass.getuser(), Source.CLI)
