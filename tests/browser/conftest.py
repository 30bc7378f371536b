"""A real browser on a console that is really served; the clock is the tests'.

Without a browser on this machine the tests are skipped, which pytest says; where `CI` is set they fail instead.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import uvicorn
from browser_cases import Served
from console_cases import House, quick_hashes
from playwright.sync_api import Browser, sync_playwright

from scheduler.clock import ManualClock
from scheduler.console.server import behind_proxies
from scheduler.engine.study import Study
from scheduler.store.database import Database

__all__ = ["quick_hashes"]

USUAL_PLACES = (
    "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable",
    "/snap/bin/chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)  # fmt: skip


@pytest.fixture(scope="module")  # its loop must be gone before a test of another module runs one
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    path = next((one for one in USUAL_PLACES if Path(one).exists()), None)
    if path is None:
        told = "NO BROWSER: the console's browser tests need Chromium (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def served(chromium: Browser, sqlite_db: Database, study: Study, noon: datetime) -> Iterator[Served]:
    """The console on a free port of this machine, served as in use."""
    house = House(sqlite_db, study, ManualClock(noon))
    house.furnish()
    assert house.app is not None
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            behind_proxies(house.app, house.settings.console),
            log_config=None,
            lifespan="off",
            access_log=False,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        found = Served(house, f"http://127.0.0.1:{door.getsockname()[1]}", chromium)
        yield found
        for context in list(chromium.contexts):
            context.close()
        server.should_exit = True
        thread.join(20)
    assert found.complaints == []
