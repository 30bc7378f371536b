"""`python -m pk target`: does exposure go with the outcome? On anybody's CSV file."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from pk.command.json_parser import schema_text
from pk.command.options import number
from pk.values.jsontypes import JsonObject
from pk.values.reason import Reason

if TYPE_CHECKING:
    from pk.target.question import Question

_DESCRIPTION = """Does exposure go with the outcome, and can a threshold be named?

Reads a CSV file (semicolon, tab or comma; decimal point or comma) with one row per patient and says what that many
patients allow, and nothing else. If file or columns cannot be used, that is said and the exit code is 2."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `python -m pk`."""
    parser = commands.add_parser(
        "target",
        help="association of exposure and outcome in a CSV file, and cutpoints where they can be had",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    option = parser.add_argument
    option("--csv", metavar="FILE", help="the file")
    option("--exposure", metavar="COL", help="column with the exposure, a number of 0 or more")
    option("--outcome", metavar="COL", help="column with the outcome: 0 and 1, or any number")
    option("--baseline", metavar="COL", help="column with a baseline value to adjust for")
    option(
        "--adverse-events",
        metavar="COL",
        help="column with 1 for an adverse event, 0 for none: for an upper bound",
    )
    option(
        "--direction",
        choices=["higher", "lower"],
        default="higher",
        help="which exposure is expected with response, stated before looking; default: higher",
    )
    option(
        "--outcome-kind",
        choices=["auto", "binary", "continuous"],
        default="auto",
        help="default: auto, which takes nothing but 0 and 1 for binary",
    )
    option("--responder", metavar="RULE", help="makes responders of a continuous outcome, as '<=-5'")
    option("--cuts", type=_cuts, metavar="LIST", help="cuts chosen beforehand; default: 30,35,45,60")
    option("--plan", nargs=2, type=number, metavar=("LOW", "HIGH"), help="patients needed to tell them apart")
    option("--seed", type=_seed, default=1, metavar="N", help="of the random numbers, 0 or more; default: 1")
    option(
        "--unlock-tier",
        action="store_true",
        help="numbers that so few patients forbid, to check methods only",
    )
    option("--json", action="store_true", help="print JSON")
    option("--schema", action="store_true", help="print the JSON schema of the output and stop")
    parser.set_defaults(run=run, usage_error=parser.error)


def run(asked: argparse.Namespace) -> int:
    """Print the answer and return 0; return 2 if file or question cannot be used."""
    if asked.schema:
        sys.stdout.write(schema_text("target-output"))
        return 0
    absent = [f"--{name}" for name in ("csv", "exposure", "outcome") if getattr(asked, name) is None]
    if absent:
        asked.usage_error(f"{', '.join(absent)} must be given")
    from pk.target.question import answer
    from pk.target.report.record import answered, refused
    from pk.target.report.statements import paragraphs

    try:
        with open(asked.csv, "rb") as file:  # noqa: PTH123 - pk stays free of pathlib
            said = answer(file.read(), _question(asked))
    except OSError as problem:
        said = (Reason.of("target_file_unreadable", file=asked.csv, why=problem.strerror or ""),)
    if isinstance(said, tuple):
        if asked.json:
            _print(refused(said))
        else:
            _say(said, sys.stderr)
        return 2
    if asked.json:
        _print(answered(said))
    else:
        for i, lines in enumerate(paragraphs(said)):
            sys.stdout.write("\n" if i else "")
            _say(lines, sys.stdout)
    return 0


def _question(asked: argparse.Namespace) -> "Question":
    from pk.target.asked import Direction, OutcomeKind
    from pk.target.cut.prespecified import LITERATURE_CUTS
    from pk.target.findings import Settings
    from pk.target.question import Question

    return Question(
        exposure=asked.exposure,
        outcome=asked.outcome,
        baseline=asked.baseline,
        events=asked.adverse_events,
        kind=OutcomeKind(asked.outcome_kind),
        rule=asked.responder,
        tell_apart=None if asked.plan is None else (asked.plan[0], asked.plan[1]),
        settings=Settings(
            direction=Direction(asked.direction),
            cuts=asked.cuts or LITERATURE_CUTS,
            seed=asked.seed,
            unlock_tier=asked.unlock_tier,
        ),
    )


def _print(content: JsonObject) -> None:
    sys.stdout.write(json.dumps(content, allow_nan=False, indent=2) + "\n")


def _say(reasons: Sequence[Reason], to: TextIO) -> None:
    to.writelines(f"{one.text()}\n" for one in reasons)


def _cuts(text: str) -> tuple[float, ...]:
    return tuple(sorted({number(one) for one in text.split(",")}))


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)
