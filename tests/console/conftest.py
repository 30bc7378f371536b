"""A console for each test."""

from __future__ import annotations

from datetime import datetime

import pytest
from config_cases import copy_of_config, fields_replaced
from console_cases import Browser, House, quick_hashes

from notifications.words.render import template_names
from scheduler.clock import ManualClock
from scheduler.engine.study import Study, load_study
from scheduler.store.database import Database

__all__ = ["quick_hashes"]


@pytest.fixture
def house(sqlite_db: Database, study: Study, noon: datetime) -> House:
    return House(sqlite_db, study, ManualClock(noon))


@pytest.fixture(scope="session")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study at a second site, where there is no subject."""
    directory = copy_of_config(tmp_path_factory.mktemp("sites") / "config")
    text = (directory / "sites" / "cochin.toml").read_text("utf-8")
    other = fields_replaced(text, id='"lyon"', name='"Hospices civils, Lyon"').replace('-1"', '-9"')
    (directory / "sites" / "lyon.toml").write_text(other.replace("coordinator-2", "coordinator-8"), "utf-8")
    return load_study(directory, template_names())


@pytest.fixture
def furnished(sqlite_db: Database, two_sites: Study, noon: datetime) -> House:
    """A console with a subject and flags at one site, and a second site without."""
    made = House(sqlite_db, two_sites, ManualClock(noon))
    made.furnish()
    return made


@pytest.fixture
def desk(furnished: House) -> tuple[House, Browser]:
    """That console, and a coordinator's browser."""
    return furnished, furnished.signed_in()
