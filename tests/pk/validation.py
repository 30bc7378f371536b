"""Runs the reference tests and writes docs/validation.md: `make validation`, or `python tests/pk/validation.py`.

With --check nothing is run or written: the page must list exactly the comparisons that the tests declare.
"""

import json
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from agreement import REFERENCE, Comparison, Method

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "validation.md"
COLUMNS = ("compared", "with", "values", "largest deviation", "allowed", "share used")

HOW_TO_READ = """\
A test compares this list with the reference tests that exist; every figure is of the run named above.

- *Largest deviation*: |found − expected| / |expected|. Left out are values so small that of two tolerances the
  absolute one decides.
- *Allowed*: the tolerances of the tests, relative unless a unit or a word says otherwise. Of two for one value the
  larger counts.
- *Share used*: how much of its tolerance the worst value took.

Cases that Hypothesis draws are new in each run, so those figures differ a little. The methods are described in
[pk-methods.md](pk-methods.md), those of exposure and outcome in [target-methods.md](target-methods.md)."""

NOT_VALIDATED = """\
## What this does not show

- **No comparison with patients.** No estimate was compared with an AUC measured from a full profile of mycophenolic
  acid. The test data are two other drugs (theophylline, indometacin), worked cases and simulated patients.
- **Nothing in systemic sclerosis.** No equation and no model was derived or evaluated in that disease, and there were
  no data of it to compare with: the trial that is followed ended with 2 participants ([study.md](study.md)).
- **The models are transcriptions.** A file that holds the numbers that were read may still hold them wrong, and where
  an article is known only from another work, an error of that work is repeated here. Each file of `config/models/`
  says what was not seen and what had to be assumed (dose basis, reading of the variances); see
  [pk-methods.md](pk-methods.md#population-models).
- **Agreement is arithmetic.** A closed form that agrees with a matrix exponential solves the equations right. Whether
  they describe a person is another question; none of the models has enterohepatic recirculation.
- **No other MAP program was run beside this one.** The references are searches and integrations written for the tests.
- **How far the estimates are off**, with the right model and with a wrong one, is simulated in
  [pk-methods.md](pk-methods.md), not shown here.
- Laboratory assays, their bias and their differences.
- **No target.** Published tables and formulas of exposure and outcome are reproduced; that there is a threshold of
  exposure in systemic sclerosis is not shown by anything here.
"""


@dataclass(slots=True)
class Row:
    """The agreement of all tests of one comparison."""

    values: int = 0
    relative: float | None = None
    used: float = 0.0
    excess: float | None = None
    allowed: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add(self, record: dict[str, Any]) -> None:
        self.values += record["values"]
        self.relative = _largest(self.relative, record["relative"])
        self.used = max(self.used, record["used"])
        self.excess = _largest(self.excess, record["excess"])
        for kind, (low, high) in record["allowed"].items():
            lowest, highest = self.allowed.get(kind, (low, high))
            self.allowed[kind] = (min(low, lowest), max(high, highest))

    def cells(self) -> list[str]:
        return [f"{self.values:,}", self._deviation(), self._allowed(), f"{_figure(100 * self.used)} %"]

    def _deviation(self) -> str:
        parts = [] if self.relative is None else [_figure(self.relative)]
        if self.excess is not None:
            parts.append("none above" if self.excess <= 0 else f"above by {_figure(self.excess)}")
        return ", ".join(parts) or "–"

    def _allowed(self) -> str:
        parts = []
        for kind, (low, high) in sorted(self.allowed.items(), key=lambda one: (one[0] != "relative", one[0])):
            span = _figure(low) if low == high else f"{_figure(low)} to {_figure(high)}"
            if kind == "relative":
                parts.append(span if high else "exactly equal")
            elif "printed" in kind:
                parts.append(kind)
            else:
                parts.append(f"{span} {kind}".strip() + ("" if kind else " absolute"))
        return "; ".join(parts)


class Collector:
    """A pytest plugin: which comparisons the tests declare, and what their tests recorded."""

    def __init__(self) -> None:
        self.declared: set[Comparison] = set()
        self.rows: dict[Comparison, Row] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        marks = (item.get_closest_marker(REFERENCE) for item in session.items)
        self.declared = {mark.args[0] for mark in marks if mark is not None}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            for name, recorded in report.user_properties:
                if name == REFERENCE:
                    comparison, record = json.loads(recorded)
                    self.rows.setdefault(Comparison(*comparison), Row()).add(record)


def _largest(one: float | None, other: float | None) -> float | None:
    both = [number for number in (one, other) if number is not None]
    return max(both, default=None)


def _figure(number: float) -> str:
    if number == 0:
        return "0"
    return f"{number:.2g}" if number >= 1e-3 else f"{number:.1e}".replace(".0e", "e").replace("e-0", "e-")


def page(rows: dict[Comparison, Row], made: str) -> str:
    """The whole document."""
    parts = [
        "# What the estimates were checked against",
        f"{made} Generated from the reference tests by `make validation`, not edited by hand.",
        HOW_TO_READ,
    ]
    for method in Method:
        table = sorted((one, row) for one, row in rows.items() if one.method == method)
        if table:
            parts.append(f"## {method}")
            lines = [[one.what, one.source, *row.cells()] for one, row in table]
            parts.append(
                "\n".join(f"| {' | '.join(line)} |" for line in [COLUMNS, ["---"] * len(COLUMNS), *lines])
            )
    return "\n\n".join([*parts, NOT_VALIDATED])


def listed(document: str) -> set[Comparison]:
    """The comparisons that a page lists."""
    found, method = set(), ""
    for line in document.splitlines():
        if line.startswith("## "):
            method = line[3:]
        elif line.startswith("| "):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if len(cells) == len(COLUMNS) and cells[0] not in (COLUMNS[0], "---"):
                found.add(Comparison(method, cells[0], cells[1]))
    return found


def _made() -> str:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout.strip()

    changed = (
        " with changes not yet committed" if git("status", "--porcelain", "pk", "config", "tests/pk") else ""
    )
    used = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "hypothesis"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {git('rev-parse', '--short', 'HEAD') or 'unknown'}{changed}, "
        f"Python {platform.python_version()}, {used}, {platform.system()} {platform.machine()}."
    )


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say what it lacks; 0 if all is well."""
    collector = Collector()
    # Without the root on the path `pk` would be this folder, as `python -m pytest` does not take it to be.
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        "pythonpath=.",
        "-m",
        REFERENCE,
        str(Path(__file__).parent),
    ]
    check = arguments == ["--check"]
    outcome = pytest.main([*options, "--collect-only"] if check else options, plugins=[collector])
    if outcome != pytest.ExitCode.OK:
        return int(outcome)
    if check:
        there = listed(PAGE.read_text("utf-8"))
        for one in sorted(collector.declared - there):
            print(f"not in {PAGE.name}: {one}", file=sys.stderr)
        for one in sorted(there - collector.declared):
            print(f"in {PAGE.name}, of no test: {one}", file=sys.stderr)
        return int(there != collector.declared)
    PAGE.write_text(page(collector.rows, _made()), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
