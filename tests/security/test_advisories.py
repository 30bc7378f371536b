"""`make check` asks for advisories where somebody answers, says so in one line where not, and waits for nobody long."""

from __future__ import annotations

import importlib.util
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

_FILE = Path(__file__).with_name("advisories.py")


@pytest.fixture
def advisories() -> ModuleType:
    spec = importlib.util.spec_from_file_location("advisories", _FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def service(answer: bytes) -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_that_speaks_of_vulnerabilities_can_be_asked(advisories: ModuleType) -> None:
    with service(json.dumps({"info": {}, "vulnerabilities": []}).encode()) as url:
        assert advisories.reachable(url)


@pytest.mark.parametrize("answer", [b"", b"<html>log in first</html>", b"{}", b"[]"])
def test_a_proxy_that_answers_something_else_cannot(advisories: ModuleType, answer: bytes) -> None:
    with service(answer) as url:
        assert not advisories.reachable(url)


def test_nobody_and_somebody_silent_are_not_waited_for(advisories: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began, url = time.monotonic(), f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert not advisories.reachable(url, within_s=0.2)
    assert not advisories.reachable(url, within_s=0.2)
    assert time.monotonic() - began < 3


def test_the_same_packages_are_asked_about_once_a_day(advisories: ModuleType) -> None:
    day = datetime(2026, 11, 29, 8, tzinfo=UTC)
    assert advisories.today(b"a==1", day) == advisories.today(b"a==1", day.replace(hour=23))
    assert advisories.today(b"a==1", day) != advisories.today(b"a==2", day)
    assert advisories.today(b"a==1", day) != advisories.today(b"a==1", day.replace(day=30))


def test_what_is_found_of_whom_is_said_in_one_line(
    advisories: ModuleType,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(advisories, "ASKED", tmp_path / "asked")
    monkeypatch.setattr(advisories, "reachable", lambda: False)
    assert advisories.main(["--reachable"]) == 1
    assert capsys.readouterr().out == (
        "The service of advisories cannot be reached from here: they were not looked at.\n"
    )


def test_a_package_that_the_service_does_not_know_is_no_package_without_an_advisory(
    advisories: ModuleType,
) -> None:
    """As where a mirror has no page for each version: pip-audit passes over what it does not find."""
    passed_over = {"name": "a", "skip_reason": "Dependency not found on PyPI"}
    fine = {"name": "b", "version": "1", "vulns": []}
    bad = {"name": "c", "version": "2", "vulns": [{"id": "PYSEC-1"}]}
    assert advisories.judged([passed_over]) is None
    assert advisories.judged([passed_over, fine]) == (1, ["a"], [])
    assert advisories.judged([fine, bad]) == (2, [], ["c 2: PYSEC-1"])
