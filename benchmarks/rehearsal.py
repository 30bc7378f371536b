"""A whole protocol year for so many patients, by the real command: wall time, peak memory, cost per patient."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pysqlite3

from benchmarks.process import command, run

__all__ = ["measure"]


def measure(subjects: int) -> dict[str, float]:
    """One rehearsal in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        out = Path(folder) / "out"
        cost = run(command("demo", "--out", str(out), "--subjects", str(subjects), "--quiet"))
        with pysqlite3.connect(out / "study.db") as connection:
            facts, mails, files = (
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("fact", "outbox", "lab_file")
            )
    return {
        "subjects": subjects,
        "wall_s": cost.wall_s,
        "ms_per_subject": 1000 * cost.wall_s / subjects,
        "cpu_ms_per_subject": 1000 * cost.cpu_s / subjects,
        "peak_mb": cost.peak_mb,
        "facts": facts,
        "mails": mails,
        "files": files,
    }


if __name__ == "__main__":
    for number in map(int, sys.argv[1:] or ["500", "2000", "8000"]):
        print(measure(number), flush=True)
