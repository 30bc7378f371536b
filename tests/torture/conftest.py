"""The short campaign uses the same parts as the whole one; what they share with other rooms of tests is found here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(Path(__file__).parent), str(_TESTS / "acceptance")]
sys.path += [str(_TESTS / name) for name in ("notifications", "engine")]

from torture_ground import Ground  # noqa: E402


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground.at(tmp_path_factory.mktemp("t") / "ground")
    yield made
    made.close()
