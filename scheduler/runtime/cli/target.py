"""The command that asks anybody's CSV file whether exposure goes with the outcome."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pk.target.asked import Direction, OutcomeKind
from pk.values.reason import Reason
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.engine.report.page import target_page
from scheduler.runtime.cli.exported import write_export
from scheduler.runtime.cli.output import BAD_INPUT, AsJson, fail, json_out, program_of, refusing
from scheduler.runtime.program import Program
from scheduler.whole_files import write_whole

if TYPE_CHECKING:  # the numerics are loaded by whoever asks
    from pk.target.pace import Step
    from pk.target.question import Answer, Question

__all__ = ["target"]

OutFolder = Annotated[
    Path | None, typer.Option(help="Folder for the report of the study itself: target.html and target.json.")
]
Events = Annotated[
    str | None, typer.Option(help="Column with 1 for an adverse event and 0 for none: for an upper bound.")
]
StatedDirection = Annotated[
    Direction, typer.Option(help="Exposure expected with response, stated before looking.")
]
Kind = Annotated[OutcomeKind, typer.Option(help="auto takes nothing but 0 and 1 for binary.")]
Rule = Annotated[
    str | None, typer.Option(help="Rule that makes responders of a continuous outcome, as '<=-5'.")
]
Cuts = Annotated[
    str | None, typer.Option(help="Cuts chosen beforehand, as '30,35,45,60', which is the default.")
]
Apart = Annotated[
    tuple[float, float] | None, typer.Option(help="Two exposures: how many patients tell them apart.")
]
Unlocked = Annotated[
    bool, typer.Option("--unlock-tier", help="Numbers that so few patients forbid, to check methods only.")
]


def target(
    context: typer.Context,
    csv: Annotated[Path | None, typer.Option(help="CSV file with one row per patient.")] = None,
    exposure: Annotated[
        str | None, typer.Option(help="Column with the exposure, a number of 0 or more.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(help="Column with the outcome: 0 and 1, or any number.")
    ] = None,
    out: OutFolder = None,
    baseline: Annotated[str | None, typer.Option(help="Column with a baseline value to adjust for.")] = None,
    adverse_events: Events = None,
    direction: StatedDirection = Direction.HIGHER,
    outcome_kind: Kind = OutcomeKind.AUTO,
    responder: Rule = None,
    cuts: Cuts = None,
    plan: Apart = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random numbers.")] = 1,
    unlock_tier: Unlocked = False,
    as_json: AsJson = False,
) -> None:
    """Whether exposure goes with the outcome, in a CSV file or with --out in the study itself, and a cutpoint where so
    many patients allow one."""
    from pk.target.findings import Settings
    from pk.target.question import Question

    program = program_of(context)
    with refusing(program):
        speaker = program.speaker()
    if out is not None:
        given = (csv, exposure, outcome, baseline, adverse_events, responder, cuts, plan)
        changed = direction is not Direction.HIGHER or outcome_kind is not OutcomeKind.AUTO
        if any(one is not None for one in given) or changed or unlock_tier or as_json:
            words = "--out is for the study's own data: of the other options it takes --seed only."
            fail(speaker.text(words), BAD_INPUT)
        _study(program, out, seed, speaker)
        return
    if csv is None or exposure is None or outcome is None:
        words = "Give --out for the study itself, or --csv with --exposure and --outcome."
        fail(speaker.text(words), BAD_INPUT)
    question = Question(
        exposure=exposure,
        outcome=outcome,
        baseline=baseline,
        events=adverse_events,
        kind=outcome_kind,
        rule=responder,
        tell_apart=plan,
        settings=Settings(direction=direction, cuts=_cuts(cuts, speaker), seed=seed, unlock_tier=unlock_tier),
    )
    _file(csv, question, speaker, as_json=as_json)


def _file(csv: Path, question: Question, speaker: Speaker, *, as_json: bool) -> None:
    """The answer of a file as sentences or JSON."""
    from pk.target.pace import STEPS
    from pk.target.question import Answer
    from pk.target.report.record import answered, refused
    from pk.target.report.statements import paragraphs

    with _watched(STEPS, speaker) as step:
        said = _asked(csv, question, step)
    if as_json:
        json_out(
            answered(said, lambda one: _worded(one, speaker))
            if isinstance(said, Answer)
            else refused(said, lambda one: _worded(one, speaker))
        )
    elif isinstance(said, Answer):
        parts = ("\n".join(_worded(one, speaker) for one in lines) for lines in paragraphs(said))
        typer.echo("\n\n".join(parts))
    else:
        fail("\n".join(_worded(one, speaker) for one in said), BAD_INPUT)
    if not isinstance(said, Answer):
        raise typer.Exit(BAD_INPUT)


def _study(program: Program, out: Path, seed: int, speaker: Speaker) -> None:
    """The report of the study's own data as two files."""
    from scheduler.engine.target.report import PARTS, target_json, target_report

    with refusing(program), _watched(PARTS, speaker) as step:
        report = program.database.read(
            lambda session: target_report(session, program.study, speaker, seed, step)
        )
    document = json.dumps(target_json(report, speaker), ensure_ascii=False, indent=2, allow_nan=False)
    made = {"target.html": target_page(report, speaker), "target.json": document + "\n"}
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / "target.json", made["target.json"].encode("utf-8"))
    except OSError as error:
        words = "{file} cannot be written: {why}"
        fail(speaker.text(words, file=str(out), why=error.strerror or ""), BAD_INPUT)
    write_export(program, out / "target.html", made["target.html"].encode("utf-8"), "target")


@contextmanager
def _watched(total: int, speaker: Speaker) -> Iterator[Step]:
    """Shows on the terminal how far the computation has come; nothing where nobody watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(speaker.text("Computing"), total=total)
        yield lambda: bar.advance(task)


def _asked(csv: Path, question: Question, step: Step) -> Answer | tuple[Reason, ...]:
    try:
        content = csv.read_bytes()
    except OSError as error:
        return (Reason.of("target_file_unreadable", file=str(csv), why=error.strerror or ""),)
    from pk.target.question import answer

    return answer(content, question, step)


def _worded(reason: Reason, speaker: Speaker) -> str:
    return speaker.say(because(reason.code, **dict(reason.params)))


def _cuts(text: str | None, speaker: Speaker) -> tuple[float, ...]:
    from pk.target.cut.prespecified import LITERATURE_CUTS

    if text is None:
        return LITERATURE_CUTS
    try:
        found = tuple(sorted({float(one) for one in text.split(",")}))
    except ValueError:
        found = (math.nan,)
    if not all(map(math.isfinite, found)):
        fail(speaker.text("{cuts} is no list of numbers such as 30,35,45,60.", cuts=text), BAD_INPUT)
    return found
