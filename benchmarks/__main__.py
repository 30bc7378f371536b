"""Runs the benchmarks and writes benchmarks/results.md: `make bench`, or `python -m benchmarks 100 400 1600`."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import (
    console,
    crowd,
    daemon,
    lab_fhir,
    lab_hl7,
    lab_intake,
    mails,
    persisted_jobs,
    pk_estimate,
    pk_map,
    pk_posterior,
    queues,
    rehearsal,
    target,
    timeline,
)

RESULTS = Path(__file__).parent / "results.md"


def main(sizes: list[int]) -> None:
    """Every measurement in one run, so that the ratios are of one machine in one hour."""
    parts = [_head()]
    for title, measure in (
        ("Timeline", lambda: _timeline(timeline.measure())),
        ("Reminders: persisted jobs beside ours", lambda: _jobs(persisted_jobs.measure())),
        ("10,000 reminders on job queues and ours", lambda: _figures(queues.measure())),
        ("100,000 enrolled, 5,000 due in one minute", lambda: _figures(crowd.measure())),
        ("The outbox to a mail server", lambda: _figures(mails.measure())),
        ("The daemon with 10,000 enrolled patients", lambda: _daemon(daemon.measure())),
        ("The console with 10,000 enrolled patients", lambda: _figures(console.measure())),
        ("Most probable individuals", lambda: _figures(pk_map.measure())),
        ("Intervals", lambda: _figures(pk_posterior.measure())),
        ("python -m pk estimate, 10,000 lines", lambda: _figures(pk_estimate.measure())),
        ("Exposure and outcome, simulated", lambda: _figures(target.measure())),
        ("Laboratory files, from the drop folder to committed rows", lambda: _figures(lab_intake.measure())),
        ("HL7 reader", lambda: _figures(lab_hl7.measure())),
        ("FHIR reader, workbooks, files meant to harm", lambda: _figures(lab_fhir.measure())),
        ("A whole year", lambda: _years([rehearsal.measure(size) for size in sizes])),
    ):
        print(title, "…", flush=True)
        parts.append(f"## {title}\n\n{measure()}")
        RESULTS.write_text("\n\n".join(parts) + "\n", "utf-8")


def _head() -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    machine = f"{platform.system()} {platform.release()}, Python {platform.python_version()}, 2 virtual cores, shared"
    return (
        "# Measured\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip() or 'unknown'}, {machine}. "
        "The machine is noisy: read ratios rather than single times. `make bench` measures again."
    )


def _table(columns: list[str], rows: list[list[Any]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _figures(found: Mapping[str, Any]) -> str:
    """Any figures, one a row, the names of groups before theirs."""
    return _table(["figure", "measured"], [[name, f"{value:,.4g}"] for name, value in _flat(found)])


def _flat(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name} · ")
        else:
            yield f"{before}{name}", value


def _timeline(found: dict[str, Any]) -> str:
    share = ", ".join(f"{name} {part:.0%}" for name, part in found["share"].items())
    rows = [
        [
            "build_timeline + assess + diff, subjects per second on one core",
            f"{found['subjects_per_s']:,.0f}",
            f"{found['goal_subjects_per_s']:,}",
        ],
        ["microseconds per subject", f"{found['us_per_subject']:.1f}", ""],
        ["facts and results per subject, mean", f"{found['facts_per_subject_mean']:.1f}", ""],
        ["share of the time", share, ""],
    ]
    return _table(["figure", "measured", "goal"], rows)


def _jobs(found: dict[str, dict[str, float]]) -> str:
    theirs, ours = found["persisted jobs"], found["mpa-monitor"]
    rows = [
        [what, f"{theirs[key]:.3f}", f"{ours[key]:.3f}", f"{ours[key] / theirs[key]:.2f}"]
        for what, key in (
            ("enrol 1,000 patients, s", "enrol_s"),
            ("start again, s", "restart_s"),
            ("one morning's reminders, s", "fire_s"),
        )
    ]
    return (
        f"{int(theirs['jobs']):,} persisted APScheduler jobs (SQLAlchemyJobStore) against our engine, both on "
        f"SQLite with WAL and synchronous=FULL; ours writes facts, derived visits, the audit chain "
        f"and the mails of two people besides. {int(theirs['fired'])} and {int(ours['fired'])} patients fall due.\n\n"
        + _table(["", "one job per reminder", "mpa-monitor", "ours / theirs"], rows)
    )


def _daemon(found: dict[str, float]) -> str:
    return _table(
        ["figure", "measured", "goal"],
        [
            ["enrolments per second (whole engine, 500 per transaction)", f"{found['enrol_per_s']:.0f}", ""],
            ["start to ready, s", f"{found['ready_s']:.2f}", "< 3"],
            ["idle, % of a core", f"{found['idle_cpu_percent']:.2f}", "< 1"],
            ["resident memory, MB", f"{found['resident_mb']:.0f}", "< 250"],
            [
                f"lateness of {int(found['reminders'])} due reminders, median, s",
                f"{found['lateness_median_s']:.3f}",
                "",
            ],
            ["lateness, p99, s", f"{found['lateness_p99_s']:.3f}", "< 1"],
        ],
    )


def _years(found: list[dict[str, float]]) -> str:
    first, first_cpu = found[0]["ms_per_subject"], found[0]["cpu_ms_per_subject"]
    rows = [
        [
            f"{int(one['subjects']):,}", f"{one['wall_s']:.0f}", f"{one['ms_per_subject']:.0f}",
            f"{one['ms_per_subject'] / first:.2f}", f"{one['cpu_ms_per_subject']:.0f}",
            f"{one['cpu_ms_per_subject'] / first_cpu:.2f}", f"{one['peak_mb']:.0f}", f"{int(one['facts']):,}",
            f"{int(one['mails']):,}", f"{int(one['files']):,}",
        ]
        for one in found
    ]  # fmt: skip
    columns = [
        "patients",
        "wall, s",
        "ms per patient",
        "against the first",
        "processor, ms per patient",
        "against the first",
        "peak, MB",
        "facts",
        "mails",
        "lab files",
    ]
    return _table(columns, rows)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [500, 2000, 8000])
