"""The study of the mail tests, on a migrated database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import laboratory_cases
import notif_cases as cases
import pytest

from notifications.delivery.maildir import MaildirTransport


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[cases.Study]:
    """A study on SQLite."""
    made = cases.make_study(sqlite_url)
    yield made
    made.db.close()


@pytest.fixture
def either(database_url: str) -> Iterator[cases.Study]:
    """A study on SQLite, then one on PostgreSQL."""
    made = cases.make_study(database_url)
    yield made
    made.db.close()


@pytest.fixture
def lab_desk(database_url: str) -> Iterator[cases.Study]:
    """The study with contacts of two laboratories, on SQLite, then on PostgreSQL."""
    made = cases.make_study(database_url, laboratory_cases.PEOPLE)
    yield made
    made.db.close()


@pytest.fixture
def box(tmp_path: Path) -> MaildirTransport:
    """Mail put in folders."""
    return MaildirTransport(tmp_path / "mail")
