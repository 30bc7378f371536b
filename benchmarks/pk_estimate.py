"""`python -m pk estimate` on 10,000 lines through the real process: most probable individuals and their intervals."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import time
from pathlib import Path

LINES = 10_000
MODELS = ("van_hest_2007", "mizaki_2023", "inline")
INLINE = {
    "structure": "two_compartment_first_order_lag",
    "dose_basis": "mg_mmf",
    "theta": {"CL": 20, "V1": 111, "Q": 49, "V2": 388, "ka": 3.6, "tlag": 0.24},
    "omega": {
        "parameters": ["ka", "V1", "Q", "CL"],
        "matrix": [[1.2, 0, 0, 0], [0, 1.3, 0.5, 0.2], [0, 0.5, 0.6, 0.17], [0, 0.2, 0.17, 0.15]],
    },
    "error": {"type": "log_additive", "sigma": 0.44},
}
GOAL_S = 5.0


def measure(lines: int = LINES) -> dict[str, dict[str, float]]:
    """Wall seconds from start to end of the process, by model, with intervals and without."""
    return {
        model: {
            "with_interval_s": _wall_s(_input(lines, model, None)),
            "without_interval_s": _wall_s(_input(lines, model, 0)),
        }
        for model in MODELS
    }


def _input(lines: int, model: str, draws: int | None) -> bytes:
    """Made-up profiles of one visit each: three samples around 1 g twice a day."""
    random_of = random.Random(20020901)
    return b"".join(_line(i, model, draws, random_of) for i in range(lines))


def _line(i: int, model: str, draws: int | None, random_of: random.Random) -> bytes:
    scale = math.exp(random_of.gauss(0, 0.4))
    samples = [
        {
            "time_h": round(time + random_of.uniform(-0.1, 0.1), 3),
            "conc_mg_l": round(min(conc * noise, 49.0), 2),
        }
        for time, conc in ((-0.15, 2.0), (0.5, 9.0), (2.0, 6.0))
        if (noise := scale * math.exp(random_of.gauss(0, 0.3)))
    ]
    record = {
        "id": i,
        "regimen": {"drug": "MMF", "dose_mg": 1000, "interval_h": 12, "steady_state": True},
        "samples": samples,
        "model": INLINE if model == "inline" else model,
        "methods": ["map"],
    }
    if draws is not None:
        record["interval_draws"] = draws
    return json.dumps(record).encode() + b"\n"


def _wall_s(content: bytes) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pk", "estimate"],
        input=content,
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    wall = time.perf_counter() - started
    statuses = {json.loads(line)["status"] for line in done.stdout.splitlines()}
    assert statuses == {"ok"}, statuses
    return wall


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:])), indent=2))
