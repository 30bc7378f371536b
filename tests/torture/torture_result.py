"""What a part of the campaign came to, as a line that can be added up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["Result", "read_results"]


@dataclass
class Result:
    """`number` is that of the plan (T3a …), `on` the database, `disturbed` how often something was done to a run.

    `broken` holds what the oracle objects to, `skipped` why something could not be run here.
    """

    number: str
    what: str
    on: str = ""
    runs: int = 0
    disturbed: int = 0
    mails: int = 0
    duplicates: int = 0
    doubtful: int = 0
    to_a_person: int = 0
    late: int = 0
    ended_1: int = 0
    longest_s: float = 0.0
    broken: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    at: str = ""
    commit: str = ""

    def append_to(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(self), ensure_ascii=False) + "\n")


def read_results(path: Path) -> list[Result]:
    if not path.exists():
        return []
    return [Result(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
