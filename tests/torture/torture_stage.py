"""An installation on which the campaign plays: database, drop folder, mail server, clock, daemons to start and kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acceptance_cases import clean_environment, wait_until
from torture_clock import SharedClock

from scheduler.store.database import Database

__all__ = ["Daemon", "Forks", "Peer", "Stage", "pause"]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CERTIFICATE = ROOT / "tests" / "notifications" / "data" / "peer-for-tests-only.pem"
PATH_OF_CHILDREN = os.pathsep.join(map(str, (HERE, HERE.parent / "acceptance", HERE.parent, ROOT)))


def pause(seconds: float) -> None:
    time.sleep(seconds)


class _Child:
    """A process that answers one JSON line to each."""

    def __init__(self, arguments: Sequence[str], cwd: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments], cwd=cwd, env=clean_environment(PYTHONPATH=PATH_OF_CHILDREN),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.hello = self._hear()

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "a process of the campaign is gone"
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process.stdout.close()


class Forks(_Child):
    """Starts the real command by forking a warm process."""

    def __init__(self, home: Path) -> None:
        super().__init__([str(HERE / "torture_nursery.py")], home)

    def start(self, order: Mapping[str, Any]) -> int:
        return int(self.ask(**order)["pid"])

    def code(self, pid: int) -> int | None:
        """How a child ended; None while it lives."""
        found: int | None = self.ask(poll=pid)["code"]
        return found


class Peer(_Child):
    """The mail server, and what it kept."""

    def __init__(self, home: Path, encrypted: bool = False) -> None:
        self.log = home / "kept.jsonl"
        self.log.touch()
        way = "starttls" if encrypted else "plain"
        super().__init__([str(HERE / "torture_smtp.py"), str(self.log), str(CERTIFICATE), way], home)
        self.port = int(self.hello["port"])
        self.is_up = True

    def begin(self, log: Path) -> None:
        """For another stage: nothing kept, no faults, and there."""
        log.touch()
        self.log, self.is_up = log, True
        self.ask(log=str(log))

    def up(self, wanted: bool) -> None:
        if wanted != self.is_up:
            self.ask(up=wanted)
            self.is_up = wanted

    def misbehave(self, phase: str, kind: str, times: int = 1) -> None:
        self.ask(fault=[phase, kind], times=times)

    def answer_after(self, latency_s: float) -> None:
        """How long every reply takes: a server at some distance."""
        self.ask(latency_s=latency_s)

    def faults_left(self) -> int:
        return int(self.ask()["left"])

    @property
    def kept(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@dataclass
class Daemon:
    """A life of `mpa-monitor run`."""

    pid: int
    err: Path
    born: float = field(default_factory=time.monotonic)
    code: int | None = None

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.born

    def signal(self, number: int) -> None:
        if self.code is None:
            os.kill(self.pid, number)


class Stage:
    """One installation. Its commands and daemons are forks of the warm process, with the stage's clock."""

    def __init__(
        self, home: Path, forks: Forks, peer: Peer, config: Path, database: str, **settings: str
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.forks, self.peer, self.database = home, forks, peer, database
        peer.begin(home / "kept.jsonl")
        self.clock = SharedClock(home / "clock")
        self._clock = "" if settings.pop("real_clock", "") else str(home / "clock")
        self.lab = home / "lab"
        self.settings = {
            "MPA_DATABASE": database, "MPA_CONFIG": str(config), "MPA_INTAKE__FOLDER": str(self.lab),
            "MPA_INTAKE__POLL_S": "0.3", "MPA_INTAKE__SETTLE_S": "0", "MPA_DAEMON__LONGEST_WAIT_S": "0.3",
            "MPA_DAEMON__GIVE_UP_AFTER": "10", "MPA_MAIL__TRANSPORT": "smtp", "MPA_MAIL__HOST": "localhost",
            "MPA_MAIL__PORT": str(self.peer.port), "MPA_MAIL__SECURITY": "none", "MPA_MAIL__TIMEOUT_S": "1",
            "MPA_MAIL__AUC_PICTURE": "false", **settings,
        }  # fmt: skip
        self.lives = 0
        self._db: Database | None = None

    @property
    def db(self) -> Database:
        """The database as the campaign looks at it."""
        if self._db is None:
            self._db = Database(self.database, writer_thread=False)
        return self._db

    def start(self, *commands: Sequence[str], **more: Any) -> Daemon:
        """Start a child; `mpa-monitor run` when no commands are given."""
        self.lives += 1
        err = self.home / f"err-{self.lives}.txt"
        order = {
            "commands": [list(one) for one in commands] or [["run"]], "cwd": str(self.home),
            "settings": self.settings, "out": str(self.home / f"out-{self.lives}.txt"), "err": str(err),
            "clock": self._clock, **more,
        }  # fmt: skip
        return Daemon(self.forks.start(order), err)

    def poll(self, daemon: Daemon) -> int | None:
        """How a daemon ended; None while it lives."""
        if daemon.code is None:
            daemon.code = self.forks.code(daemon.pid)
        return daemon.code

    def kill(self, daemon: Daemon) -> None:
        daemon.signal(signal.SIGKILL)
        wait_until(lambda: self.poll(daemon) is not None, 20, "the killed process is gone")

    def stop(self, daemon: Daemon, within_s: float = 30) -> int:
        """Ask a daemon to end; its exit code."""
        daemon.signal(signal.SIGTERM)
        wait_until(lambda: self.poll(daemon) is not None, within_s, "the daemon ends")
        assert daemon.code is not None
        return daemon.code

    def do(self, *commands: Sequence[str], tick: Callable[[], None] = lambda: None) -> str:
        """Commands that must succeed, one after the other; `tick` is called meanwhile. What they said."""
        child = self.start(*commands)
        deadline = time.monotonic() + 120
        while self.poll(child) is None:
            assert time.monotonic() < deadline, commands
            tick()
            pause(0.02)
        said = (self.home / child.err.name.replace("err", "out")).read_text("utf-8")
        assert child.code == 0, (commands, child.code, said, child.err.read_text("utf-8")[-3000:])
        return said

    def drop(self, name: str, content: bytes) -> None:
        """As a careful sender: written elsewhere, then renamed; with the time of the stage."""
        inbox = self.lab / "in"
        inbox.mkdir(parents=True, exist_ok=True)
        draft, at = self.home / "draft", self.clock.now().timestamp()
        draft.write_bytes(content)
        os.utime(draft, (at, at))
        draft.rename(inbox / name)

    def move_folder(self, place: Path) -> None:
        """From now on the drop folder is there."""
        self.lab = place
        self.settings["MPA_INTAKE__FOLDER"] = str(place)

    def close(self) -> None:
        """Look at the database no longer, until it is looked at again."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def remove(self) -> None:
        self.close()
        shutil.rmtree(self.home, ignore_errors=True)
