"""A desk on each of the two databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_desk import Desk

from scheduler.engine.study import Study
from scheduler.store.database import Database


@pytest.fixture
def desk(db: Database, study: Study) -> Iterator[Desk]:
    """Whatever a test does, the audit chain holds afterwards."""
    made = Desk(db, study)
    yield made
    assert made.audit_holds()
