"""A study begun with any earlier program goes on with this one: nothing lost, nothing rewritten, nothing sent again."""

from __future__ import annotations

import lzma
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from acceptance_cases import short_study
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, column, create_engine, insert, inspect, select, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel
from sqlmodel import select as select_rows
from upgrade_case import CASES, LAST

from config.settings import IntakeSettings, MailSettings, load_settings
from main import make_program
from scheduler.clock import ManualClock
from scheduler.engine.reconcile import rebuild
from scheduler.runtime.program import Program
from scheduler.store import audit
from scheduler.store.audit_chain import Head
from scheduler.store.copying import _set_sequence
from scheduler.store.database import Database, StoreError
from scheduler.store.revision import check_schema, revision_of
from scheduler.store.schema import _config, differences, migrate
from scheduler.store.subjects import wake_all
from scheduler.store.tables import OutboxRow, SubjectRow

EARLIER = sorted(one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions())[:-1]
BEGIN, END = LAST + timedelta(hours=1), LAST + timedelta(hours=30)
ENDS = {"sent", "cancelled", "expired", "failed", "uncertain"}
_numbers = count()

Rows = dict[str, list[dict[str, Any]]]


def test_every_earlier_schema_has_its_case() -> None:
    """Whoever adds a migration first makes a case of the schema before it: tests/acceptance/upgrade_case.py."""
    assert sorted(path.name.partition(".")[0] for path in CASES.glob("*.sql.xz")) == EARLIER


# --- a database as an earlier program left it -----------------------------------------------------------------------


def unpacked(revision: str, path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(lzma.decompress((CASES / f"{revision}.sql.xz").read_bytes()).decode())
    return f"sqlite:///{path}"


def tables_of(db: Database) -> list[Any]:
    """The tables and columns of then, with the types that they have now."""
    there = inspect(db.engine)
    return [
        table(one.name, *(column(each.name, _plain(each.type)) for each in one.columns if each.name in names))
        for one in SQLModel.metadata.sorted_tables
        if there.has_table(one.name)
        for names in [{each["name"] for each in there.get_columns(one.name)}]
    ]


def _plain(kind: Any) -> Any:
    return JSON(none_as_null=True) if isinstance(kind, JSON) else kind


def rows_of(db: Database, tables: list[Any]) -> Rows:
    with db.engine.connect() as connection:
        return {
            one.name: sorted((dict(row) for row in connection.execute(select(one)).mappings()), key=repr)
            for one in tables
        }


def moved_to_postgresql(old: Database, url: str, revision: str) -> None:
    """The same rows in a database that has the schema of then."""
    tables = tables_of(old)
    rows = rows_of(old, tables)
    with closing(Database(url)) as new, new.engine.begin() as connection:
        command.upgrade(_config(connection), revision)
        for one in tables:
            if rows[one.name]:
                connection.execute(insert(one), rows[one.name])
            _set_sequence(connection, SQLModel.metadata.tables[one.name])


@pytest.fixture
def empty_postgresql_url(postgresql_server: Any) -> str:
    url, name = make_url(postgresql_server.get_uri()), f"upgraded_{next(_numbers)}"
    engine = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


@dataclass(frozen=True)
class Begun:
    """A study that an earlier program began, this program with its files, and what is in its database."""

    db: Database
    program: Program
    tables: list[Any]
    before: Rows
    mails: Path

    def states(self) -> dict[str, str]:
        return {row["message_id"]: row["state"] for row in self.before["outbox"]}

    def delivered(self) -> Counter[str]:
        """How often each mail has come to somebody since."""
        heads = [path.read_text("utf-8", "replace").partition("\n\n")[0] for path in self.mails.glob("*/*/*")]
        lines = [
            line for head in heads for line in head.splitlines() if line.lower().startswith("message-id:")
        ]
        return Counter(line.partition(":")[2].strip() for line in lines)


@pytest.fixture
def begun(kind: str, revision: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Begun]:
    url = unpacked(revision, tmp_path / "study.db")
    if kind == "postgresql":
        target = request.getfixturevalue("empty_postgresql_url")
        with closing(Database(url)) as old:
            moved_to_postgresql(old, target, revision)
        url = target
    with closing(Database(url)) as db:
        tables = tables_of(db)
        before = rows_of(db, tables)
        (used,) = {row["text"] for row in before["protocol_version"]}
        program = with_the_files_of_then(used, url, tmp_path)
        yield Begun(db, program, tables, before, tmp_path / "mail")
        program.bare_database.close()


def with_the_files_of_then(protocol: str, url: str, folder: Path) -> Program:
    """A used protocol is never edited: an upgraded installation has it as it was."""
    config = short_study(folder / "config")
    (config / "protocols" / "sclerosis-mpa-auc.toml").write_text(protocol, "utf-8")
    changed = {
        "mail": MailSettings(
            transport="maildir", maildir=folder / "mail", domain="rehearsal.example", auc_picture=False
        ),
        "intake": IntakeSettings(folder=folder / "lab"),
    }
    settings = load_settings(config=config, database=url).model_copy(update=changed)
    return replace(make_program(settings), clock=ManualClock(BEGIN))


# --- and what this program makes of it ------------------------------------------------------------------------------


def initialised(program: Program) -> None:
    """What `mpa-monitor init` does."""
    migrate(program.bare_database)
    program.database.transact(lambda session: wake_all(session, BEGIN))
    program.database.transact(lambda session: program.study.sync(session, BEGIN))


async def lived(program: Program) -> None:
    """All the work of the service until the end."""
    works, clock = program.make_works(program), program.clock
    assert isinstance(clock, ManualClock)
    due = {work.name: BEGIN for work in works}
    while due and min(due.values()) <= END:
        clock.move_to(max(clock.now(), min(due.values())))
        for work in works:
            if due.get(work.name, END + timedelta(1)) <= clock.now():
                del due[work.name]
                upcoming = await work.step(clock.now())
                due |= {name: clock.now() for name in work.wakes}
                due |= {work.name: upcoming} if upcoming is not None else {}


def head_of(rows: Rows) -> Head:
    last = max(rows["audit"], key=lambda row: row["seq"])
    return Head(last["seq"], last["hash"])


def refuses_changes(db: Database) -> None:
    for name in ("audit", "fact", "exposure", "lab_result_version"):
        with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {name}"))


EACH = [(kind, revision) for kind in ("sqlite", "postgresql") for revision in EARLIER]
SOME = [one for one in EACH if one[0] == "sqlite" or one[1] in (EARLIER[0], EARLIER[-1])]


@pytest.mark.parametrize(("kind", "revision"), EACH)
def test_its_rows_stay_as_they_are_and_its_audit_chain_holds(begun: Begun) -> None:
    with pytest.raises(StoreError, match="Run 'mpa-monitor init' to bring it up"):
        check_schema(begun.db)
    migrate(begun.db)
    check_schema(begun.db)
    with begun.db.engine.connect() as connection:
        assert differences(connection) == []
    assert rows_of(begun.db, begun.tables) == begun.before
    head = head_of(begun.before)
    assert begun.db.read(audit.verify) == (head.seq, head.hash, [])
    refuses_changes(begun.db)


@pytest.mark.parametrize(("kind", "revision"), SOME)
async def test_it_goes_on_where_it_was_and_sends_no_mail_again(begun: Begun) -> None:
    initialised(begun.program)
    await lived(begun.program)
    nothing_is_lost(begun)
    what_is_derived_follows_from_the_facts(begun)
    mails_that_left_stay_and_those_that_waited_leave_once(begun)


def nothing_is_lost(begun: Begun) -> None:
    after, head = rows_of(begun.db, begun.tables), head_of(begun.before)
    for name in (
        "fact",
        "lab_result",
        "lab_result_version",
        "lab_file",
        "exposure",
        "audit",
        "acknowledgement",
    ):
        assert [row for row in begun.before[name] if row not in after[name]] == [], name
    assert begun.db.read(audit.verify)[2] == []
    assert begun.db.read(lambda session: audit.anchor_problems(session, [head])) == []


def what_is_derived_follows_from_the_facts(begun: Begun) -> None:
    db, study = begun.db, begun.program.study
    parked = db.read(
        lambda session: [row.code for row in session.exec(select_rows(SubjectRow)) if row.parked]
    )
    assert parked == []
    for code in [row["code"] for row in begun.before["subject"]]:
        again = db.transact(
            lambda session, code=code: rebuild(session, study, session.get_one(SubjectRow, code), END)
        )
        assert again == [], code


def mails_that_left_stay_and_those_that_waited_leave_once(begun: Begun) -> None:
    states, came = begun.states(), begun.delivered()
    assert not [one for one, state in states.items() if state == "sent" and one in came]
    assert max(came.values()) == 1
    waiting = {one for one, state in states.items() if state not in ENDS}
    rows = begun.db.read(lambda session: list(session.exec(select_rows(OutboxRow))))
    now = {row.message_id: row for row in rows}
    assert len(waiting & came.keys()) >= 2
    for one in waiting:
        assert now[one].state in ENDS or now[one].not_before > END, (one, now[one].state)
        assert (now[one].state == "sent") is (one in came), (one, now[one].state)
    assert set(Counter(row.key for row in rows).values()) == {1}


@pytest.mark.parametrize(("kind", "revision"), [("sqlite", EARLIER[0]), ("postgresql", EARLIER[0])])
def test_a_migration_that_fails_leaves_the_database_as_it_was(
    begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stops the last of several migrations, none of them is kept."""
    run_all = command.upgrade

    def fails(*arguments: Any) -> None:
        run_all(*arguments)
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", fails)
        with pytest.raises(OSError, match="no space"):
            migrate(begun.db)
    assert revision_of(begun.db) == EARLIER[0]
    assert rows_of(begun.db, begun.tables) == begun.before
    with begun.db.engine.connect() as connection:
        assert sorted(inspect(connection).get_table_names()) == sorted([*begun.before, "alembic_version"])
    migrate(begun.db)
    check_schema(begun.db)
