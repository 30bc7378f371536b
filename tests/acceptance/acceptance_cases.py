"""What the acceptance tests share: the command as a process, waiting on conditions, a study that ends sooner."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from config_cases import copy_of_config, fields_replaced
from sqlalchemy import text as sql
from sqlmodel import Session

from config.files import read_files
from scheduler.store.database import Database

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
COMMAND = Path(sys.executable).with_name("mpa-monitor")
Found = TypeVar("Found")

_TICK = threading.Event()  # never set: waiting for it is a pause that ends


def wait_until(condition: Callable[[], Found], timeout_s: float = 30.0, what: str = "") -> Found:
    """The first truthy answer of `condition`; fails when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what or condition}")
        _TICK.wait(0.05)


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment without anybody's MPA_ settings, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MPA_")}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", **variables}


@dataclass(frozen=True)
class Finished:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Nursery:
    """A warm process that forks the real command for us: fifty starts in the time of five."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "nursery.py")],
            cwd=home,
            env=clean_environment(PYTHONPATH=str(ROOT)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._unread = b""
        assert self._hear(60) is not None

    def live(
        self,
        arguments: Sequence[str],
        seconds: float | None = None,
        settings: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        spared: Callable[[], bool] = lambda: False,
    ) -> Finished | None:
        """Run the command to its end; None when it was killed, `seconds` after it was no longer spared."""
        out, err = self.home / "nursery.out", self.home / "nursery.err"
        order = {
            "argv": list(arguments),
            "cwd": str(cwd or self.home),
            "settings": dict(settings or {}),
            "out": str(out),
            "err": str(err),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        started = self._hear(20)
        assert started is not None
        ended = None
        while seconds is not None and ended is None and spared():
            ended = self._hear(0.02)
        if ended is None:
            ended = self._hear(300 if seconds is None else seconds)
        if ended is None:
            assert seconds is not None, f"{arguments} did not end"
            os.kill(started["pid"], signal.SIGKILL)
            ended = self._hear(20)
            assert ended is not None
            if ended["code"] == -signal.SIGKILL:
                return None
        return Finished(ended["code"], out.read_text("utf-8"), err.read_text("utf-8"))

    def _hear(self, seconds: float) -> dict[str, int] | None:
        """The next line that the nursery says; None when it says nothing for so long."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + seconds
        while b"\n" not in self._unread:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            said = os.read(descriptor, 4096)
            assert said, "the nursery is gone"
            self._unread += said
        line, _, self._unread = self._unread.partition(b"\n")
        found: dict[str, int] = json.loads(line)
        return found

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


@dataclass(frozen=True)
class Installation:
    """The command with settings of its own, as an operator has them."""

    nursery: Nursery
    home: Path
    settings: Mapping[str, str]

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its site."""
        files, _ = read_files(Path(self.settings["MPA_CONFIG"]))
        return ZoneInfo(files.sites[0].content.zone)

    def __call__(self, *arguments: str) -> Finished:
        """Run a command to its end."""
        done = self.nursery.live(arguments, settings=self.settings, cwd=self.home)
        assert done is not None
        return done

    def ok(self, *arguments: str) -> Finished:
        """A command that must succeed."""
        done = self(*arguments)
        assert done.code == 0, (arguments, done)
        return done

    def refused(self, *arguments: str) -> str:
        """What a command says that must be refused: exit code 2, nothing on stdout."""
        done = self(*arguments)
        assert (done.code, done.out) == (2, ""), (arguments, done)
        return done.err

    def killed_after(self, seconds: float, *arguments: str) -> Finished | None:
        return self.nursery.live(arguments, seconds, self.settings, self.home)

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[str]]:
        """The installed command `mpa-monitor run`; gone at the end, whatever happens."""
        process = subprocess.Popen(
            [str(COMMAND), "run"],
            cwd=self.home,
            env=clean_environment(**self.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=20)


_TABLES = ("subject", "fact", "visit", "sampling", "flag", "reminder", "outbox", "audit", "review")


def stored(at: Installation) -> dict[str, list[Any]]:
    """Everything that a refusal must leave alone."""
    with closing(Database(at.settings["MPA_DATABASE"])) as db:
        return {table: db.read(lambda session, table=table: _rows(session, table)) for table in _TABLES}


def _rows(session: Session, table: str) -> list[Any]:
    return list(session.execute(sql(f"SELECT * FROM {table}")))


_SHORTER = (
    ("P6W", "P7D", "P3W", "P3D"),
    ("P12W", "P7D", "P6W", "P3D"),
    ("P6M", "P14D", "P9W", "P4D"),
    ("P1Y", "P30D", "P12W", "P5D"),
)
_PEOPLE = """
[[staff]]
id = "coordinator-1"
name = "Coordinatrice 1"
email = "coordinator-1@cochin.example"
language = "fr"
roles = ["coordinator", "investigator"]

[[staff]]
id = "data-manager-1"
name = "Data manager 1"
email = "data-manager-1@cochin.example"
language = "en"
roles = ["pharmacist", "laboratory", "data_manager"]
"""


def short_study(directory: Path) -> Path:
    """The study in twelve weeks instead of a year, with two people and two working days a week: fewer mails."""
    copy_of_config(directory)
    file = directory / "protocols" / "sclerosis-mpa-auc.toml"
    text = file.read_text("utf-8")
    for value, width, shorter, narrower in _SHORTER:
        old = f'value = "{value}", relative_to = "INCLUSION", window_lower = "{width}", window_upper = "{width}"'
        assert text.count(old) == 1, old
        new = (
            f'value = "{shorter}", relative_to = "INCLUSION", '
            f'window_lower = "{narrower}", window_upper = "{narrower}"'
        )
        text = text.replace(old, new)
    before, _, digest = text.partition("[digest]")
    text = before + "[digest]" + re.sub(r"to = \[.*\]", 'to = ["data_manager"]', digest)
    file.write_text(text, "utf-8")
    site = directory / "sites" / "cochin.toml"
    text = site.read_text("utf-8").partition("[[staff]]")[0]
    site.write_text(fields_replaced(text, open_weekdays="[1, 4]") + _PEOPLE, "utf-8")
    return directory
