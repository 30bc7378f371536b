"""`python -m pk nca`: non-compartmental analysis of profiles given as JSON."""

import argparse
import sys
from importlib.resources import files

from pk.jsonlines import transform
from pk.nca_record import analysed

_DESCRIPTION = """Non-compartmental analysis of concentration-time profiles.

Reads one JSON object, or one per line, from standard input; writes one line of JSON for each to standard output,
in the same order. A line that cannot be used gives an object with status "error" and reasons; the others are still
analysed and the exit code is 0. Times are hours after the dose, concentrations mg/L."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `python -m pk`."""
    parser = commands.add_parser(
        "nca",
        help="analyse profiles given as JSON on standard input",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--schema",
        nargs="?",
        const="input",
        choices=["input", "output"],
        help="print the JSON schema of the input (or of the output) and stop",
    )
    parser.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    """Transform standard input to standard output, or print a schema; returns 0."""
    if asked.schema is not None:
        sys.stdout.write(schema(asked.schema))
    else:
        transform(sys.stdin.buffer, sys.stdout.buffer, lambda records: [analysed(one) for one in records])
    return 0


def schema(side: str) -> str:
    """Return the JSON schema of "input" or "output" as text."""
    return files("pk").joinpath("schemas", f"nca-{side}.json").read_text(encoding="utf-8")
