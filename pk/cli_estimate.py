"""`python -m pk estimate`: exposures of occasions given as JSON, by population models and other methods."""

import argparse
import sys
import tomllib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files
from multiprocessing import cpu_count

from pk.jsonlines import JsonObject, transform

_DESCRIPTION = """Exposure (AUC0-12) of mycophenolic acid by a population model, the average over models,
limited-sampling equations or the observed area.

Reads one JSON object, or one per line, from standard input; writes one line of JSON for each to standard output,
in the same order. A line that cannot be used gives an object with status "error" and reasons; the others are still
estimated and the exit code is 0. Times are hours after the dose of interest, concentrations mg/L."""


_SHARE = 1_000
"""Records that are worth a process of their own."""

_MOST_PROCESSES = 4


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `python -m pk`."""
    parser = commands.add_parser(
        "estimate",
        help="estimate exposures from JSON on standard input",
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
        transform(sys.stdin.buffer, sys.stdout.buffer, estimated)
    return 0


def schema(side: str) -> str:
    """Return the JSON schema of "input" or "output" as text."""
    return files("pk").joinpath("schemas", f"estimate-{side}.json").read_text(encoding="utf-8")


def estimated(records: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the result of every record with the shipped models and equations.

    Many records are shared out among processes, which changes no number: none depends on its companions.
    Where the system allows no further processes, this one does it all.
    """
    shares = min(_MOST_PROCESSES, cpu_count(), len(records) // _SHARE)
    if shares < 2:
        return _estimated(records)
    ends = [len(records) * i // shares for i in range(shares + 1)]
    parts = [records[ends[i] : ends[i + 1]] for i in range(shares)]
    try:
        with ProcessPoolExecutor(shares) as pool:
            return [result for part in pool.map(_estimated, parts) for result in part]
    except (OSError, ImportError, NotImplementedError):
        return _estimated(records)


def _estimated(records: Sequence[JsonObject]) -> list[JsonObject]:
    """The same in this process. numpy and the models are loaded here: other commands start without them."""
    from pk.estimate_record import Models
    from pk.estimate_result import estimated as with_models
    from pk.regression import equations_from_mapping
    from pk.shipped import shipped_models

    text = files("config").joinpath("regressions.toml").read_text(encoding="utf-8")
    return with_models(records, Models(shipped_models()), equations_from_mapping(tomllib.loads(text)))
