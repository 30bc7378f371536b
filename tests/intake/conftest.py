from __future__ import annotations

from pathlib import Path

import pytest
from intake_cases import Bench, enrol, found_site

from scheduler.store.database import Database


@pytest.fixture
def bench(sqlite_db: Database, tmp_path: Path) -> Bench:
    """A drop folder and a database that knows one subject."""
    found_site(sqlite_db)
    enrol(sqlite_db)
    return Bench(tmp_path / "drop", sqlite_db)


@pytest.fixture
def bench_on_both(db: Database, tmp_path: Path) -> Bench:
    """The same, once on SQLite and once on PostgreSQL."""
    found_site(db)
    enrol(db)
    return Bench(tmp_path / "drop", db)
