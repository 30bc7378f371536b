"""`python -m pk`: the exposures of three concentrations, or a command that reads JSON or CSV (see --help)."""

import argparse
import sys
from collections.abc import Sequence

from pk.command import concentrations, estimate, nca, target

COMMANDS = (estimate, nca, target)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, or print the estimates, and return 0; bad input ends with exit code 2 and a sentence."""
    parser = build_parser()
    asked = parser.parse_args(argv)
    if asked.command is None:
        return concentrations.run(asked, parser)
    if concentrations.samples_of(asked):
        parser.error(f"the command {asked.command} takes no --c0, --c30 or --c2")
    return int(asked.run(asked))


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pk",
        allow_abbrev=False,
        description=f"MPA exposure from H0, H30 and H2 by every method that applies. {concentrations.DISCLAIMER}",
    )
    concentrations.add_options(parser)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
