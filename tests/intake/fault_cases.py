"""What is left of a file after the world was against it."""

from __future__ import annotations

import os
from typing import Any

import pytest
from intake_cases import Bench

CALLS = {
    "open": "open",
    "rename": "rename",
    "link": "link",
    "unlink": "unlink",
    "flush": "fsync",
    "name": "replace",
}


class World:
    """Calls of the system that fail while `is_bad`, for the file a.csv and what belongs to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
        self.is_bad, self.asked, self.number = True, 0, number
        real = getattr(os, call)

        def failing(*args: Any, **options: Any) -> Any:
            # a descriptor is a file being written, of which there are no others
            about_it = any(isinstance(one, int) or "a.csv" in os.fspath(one) for one in args[:2])
            if self.is_bad and about_it:
                self.asked += 1
                raise OSError(number, os.strerror(number))
            return real(*args, **options)

        monkeypatch.setattr(os, call, failing)


def codes(bench: Bench, looks: int) -> list[str]:
    return [alert.reason.code for _ in range(looks) for alert in bench.look().alerts]


def is_done(bench: Bench, content: bytes) -> None:
    """Accepted once, archived once, told once, and nothing else left anywhere."""
    (file,) = bench.files()
    assert (file.verdict, len(bench.versions())) == ("accepted", 3)
    assert [f"archive/{name}" for name in bench.names("archive")] == [file.archived_as]
    assert (bench.root / str(file.archived_as)).read_bytes() == content
    assert len(bench.names("receipts")) == 2
    for room in ("in", "work", "duplicates", "quarantine"):
        assert bench.names(room) == []
