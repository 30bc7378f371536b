"""The warm process that starts commands for the acceptance tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from acceptance_cases import Installation, Nursery, short_study
from config_cases import hospital_config


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


@pytest.fixture
def hospital(nursery: Nursery, tmp_path: Path) -> Installation:
    """An installation with its own settings, its database ready."""
    home = tmp_path / "hospital"
    home.mkdir()
    settings = {
        "MPA_DATABASE": f"sqlite:///{home / 'study.db'}",
        "MPA_CONFIG": str(hospital_config(home / "config")),
        "MPA_MAIL__MAILDIR": str(home / "mail"),
        "MPA_INTAKE__FOLDER": str(home / "lab"),
        "MPA_INTAKE__POLL_S": "0.2",
        "MPA_INTAKE__SETTLE_S": "0",
        "MPA_DAEMON__LONGEST_WAIT_S": "0.5",
    }
    made = Installation(nursery, home, settings)
    made.ok("init")
    return made


@pytest.fixture(scope="session")
def rehearsed(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation over a rehearsal, made where a console is in use: something for every reading command."""
    home = tmp_path_factory.mktemp("rehearsed")
    config = short_study(home / "config")
    done = nursery.live(
        ["--config", str(config), "demo", "--out", str(home / "out"), "--subjects", "2", "--quiet"],
        settings={"MPA_CONSOLE__URL": "https://console.hospital.example"},
    )
    assert done is not None and (done.code, done.out) == (0, ""), done
    settings = {
        "MPA_DATABASE": f"sqlite:///{home / 'out' / 'study.db'}",
        "MPA_CONFIG": str(config),
        "MPA_INTAKE__FOLDER": str(home / "out" / "lab"),
    }
    return Installation(nursery, home, settings)
