"""What the commands that read and write JSON lines share: their parser, their schemas, their run."""

import argparse
import sys
from importlib.resources import files

from pk.command.jsonlines import Batch, transform


def add_json_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    description: str,
    batch: Batch,
) -> None:
    """Add a command that gives every JSON object of standard input to `batch` and writes a line for each.

    Its schemas are the package's files `schemas/NAME-input.json` and `schemas/NAME-output.json`.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
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

    def run(asked: argparse.Namespace) -> int:
        if asked.schema is not None:
            sys.stdout.write(schema_text(f"{name}-{asked.schema}"))
        else:
            transform(sys.stdin.buffer, sys.stdout.buffer, batch)
        return 0

    parser.set_defaults(run=run)


def schema_text(name: str) -> str:
    """Return a JSON schema of the package as text.

    >>> schema_text("nca-input").startswith("{")
    True
    """
    return files("pk").joinpath("schemas", f"{name}.json").read_text(encoding="utf-8")
