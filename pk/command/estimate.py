"""`python -m pk estimate`: exposures of occasions given as JSON, by population models and other methods."""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import cpu_count

from pk.command.json_parser import add_json_parser
from pk.values.jsontypes import JsonObject

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
    summary = "estimate exposures from JSON on standard input"
    add_json_parser(commands, "estimate", summary, _DESCRIPTION, estimated)


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
    from pk.command.estimate_request import Models
    from pk.command.estimate_result import estimated as with_models
    from pk.models.shipped import shipped_models
    from pk.regression.shipped import shipped_equations

    return with_models(records, Models(shipped_models()), shipped_equations())
