"""`python -m pk nca`: non-compartmental analysis of profiles given as JSON."""

import argparse

from pk.command.json_parser import add_json_parser
from pk.command.nca_record import analysed

_DESCRIPTION = """Non-compartmental analysis of concentration-time profiles.

Reads one JSON object, or one per line, from standard input; writes one line of JSON for each to standard output,
in the same order. A line that cannot be used gives an object with status "error" and reasons; the others are still
analysed and the exit code is 0. Times are hours after the dose, concentrations mg/L."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `python -m pk`."""
    summary = "analyse profiles given as JSON on standard input"
    add_json_parser(
        commands, "nca", summary, _DESCRIPTION, lambda records: [analysed(one) for one in records]
    )
