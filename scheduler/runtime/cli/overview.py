"""The command that shows how the study stands in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table
from sqlmodel import Session

from scheduler.domain.overview import AucSpread, Overview, VisitCount
from scheduler.domain.pictures import range_of
from scheduler.domain.reason import RefusedError, because
from scheduler.domain.speech import Speaker
from scheduler.engine.report.overview import overview_record, study_overview
from scheduler.runtime.cli.output import AsJson, console, json_out, program_of, refusing, table
from scheduler.runtime.program import Program

__all__ = ["check_site", "overview"]


def check_site(program: Program, site: str | None) -> None:
    """Refuses a site that the study does not have."""
    known = program.study.sites
    if site is not None and site not in known:
        raise RefusedError([because("refused_site_unknown", site=site, known=", ".join(sorted(known)))])


def overview(
    context: typer.Context,
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    as_json: AsJson = False,
) -> None:
    """How the study stands: recruitment, visits on time, late and missed, completeness, median AUC; for each site."""
    program = program_of(context)
    with refusing(program):
        check_site(program, site)

        def step(session: Session) -> tuple[Overview, ...]:
            return study_overview(session, program.study, site)

        found = program.database.read(step)
        if as_json:
            json_out([overview_record(one) for one in found])
            return
        out = console()
        for one in found:
            for made in _tables(program, one):
                out.print(made)


def _tables(program: Program, found: Overview) -> Iterator[Table]:
    speaker = program.speaker()
    name = speaker.text("All sites")
    if found.site is not None:
        name = program.study.sites[found.site].name if found.site in program.study.sites else found.site
    states = ", ".join(f"{speaker.status(state)} {count}" for state, count in found.states)
    columns = [
        "Visit", "On time", "Early", "Late", "Overdue now", "Missed", "To come", "Not expected", "Complete", "AUC0-12",
    ]  # fmt: skip
    visits = table(program, "Visits", columns, [_row(one, speaker) for one in found.visits])
    visits.title = speaker.text(
        "{site}: {count} subjects ({states})", site=name, count=found.subjects, states=states
    )
    visits.caption = speaker.text(
        "Complete: of those that took place. AUC0-12: median, quartiles from four on, and how many, in mg·h/L; "
        "research use."
    )
    visits.caption_justify = "left"
    yield visits
    months = [(f"{one.first:%Y-%m}", str(one.new), str(one.total)) for one in found.recruitment]
    yield table(program, "Recruitment", ["Month", "New", "All so far"], months)


def _row(one: VisitCount, speaker: Speaker) -> list[str]:
    complete = "–" if one.complete_percent is None else f"{one.complete} / {one.attended}"
    return [
        speaker.name(one.visit),
        *(str(count) for _, count in one.punctuality),
        complete,
        _auc(one.auc, speaker),
    ]


def _auc(auc: AucSpread, speaker: Speaker) -> str:
    if auc.median is None:
        return "–"
    spread = (
        f" [{range_of(speaker, auc.lower, auc.upper)}]"
        if auc.lower is not None and auc.upper is not None
        else ""
    )
    return f"{speaker.number(auc.median)}{spread} (n={auc.n})"
