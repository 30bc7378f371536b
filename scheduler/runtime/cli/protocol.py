"""Commands about the protocol files: check them, show the visits with their dates."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from scheduler.domain.timeline import PlannedVisit
from scheduler.engine.recording.moments import parse_day
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

__all__ = ["check", "show"]


def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Check every file of the configuration directory; all defects at once. Exit code 2 when there are any."""
    program = program_of(context)
    with refusing(program):
        study = program.study
    names = [f"{one.id} {one.version}" for one, _ in study.protocols.values()]
    if as_json:
        json_out(
            {
                "protocols": names,
                "sites": sorted(study.sites),
                "laboratories": sorted(study.labs),
                "defects": [],
            }
        )
    else:
        words = "No defects. Protocols: {protocols}. Sites: {sites}. Laboratories: {labs}."
        sites, labs = ", ".join(sorted(study.sites)), ", ".join(sorted(study.labs))
        typer.echo(program.speaker().text(words, protocols=", ".join(names), sites=sites, labs=labs))


def show(
    context: typer.Context,
    inclusion: Annotated[
        str | None, typer.Option(help="Dates for this inclusion date; today if absent.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="Site; the first if absent.")] = None,
    as_json: AsJson = False,
) -> None:
    """The visits of the protocol with the dates they would have."""
    program = program_of(context)
    with refusing(program):
        sites = program.study.sites
        name = site or next(iter(sites))
        if name not in sites:
            fail(program.speaker().text("There is no site '{site}'.", site=name), BAD_INPUT)
        baseline = parse_day(inclusion) if inclusion else program.clock.now().date()
        rows = _planned_rows(program, name, baseline)
    if as_json:
        json_out([{**row, "reminders": dict(row["reminders"])} for row in rows])
        return
    speaker = program.speaker()
    title = program.study.newest[1].title[program.settings.language]
    made = table(program, title, ["Visit", "Target", "Window", "Overdue", "Missed from", "Reminders"], [])
    for row in rows:
        window = f"{speaker.date(row['first'])} – {speaker.date(row['last'])}"
        reminders = "\n".join(f"{rule}: {speaker.moment(at)}" for rule, at in row["reminders"])
        made.add_row(
            speaker.name(row["visit"]), speaker.day(row["target"]), window, speaker.moment(row["overdue"]),
            speaker.moment(row["missed"]), reminders,
        )  # fmt: skip
    console().print(made)


def _planned_rows(program: Program, site: str, baseline: date) -> list[dict[str, Any]]:
    sha256, protocol = program.study.newest
    plan = program.database_free_plan(site, sha256)
    rows, targets = [], dict[str, date]()
    for encounter in protocol.encounters:
        anchor = encounter.timing.relative_to
        found: PlannedVisit = plan.planned(encounter, targets[anchor] if anchor else baseline, False, False)
        targets[encounter.id] = found.derivation.unshifted
        rows.append(
            {
                "visit": encounter.id,
                "target": found.target,
                "first": found.first,
                "last": found.last,
                "overdue": found.overdue_at,
                "missed": found.missed_at,
                "reminders": [(slot.rule.id, slot.due_at) for slot in found.slots],
            }
        )
    return rows
