"""A backup is made under a working service, is whole or refused, and what it cannot know is held after a restore."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from notifications.messages.message import Message
from notifications.outbox import ledger, posting
from notifications.outbox.states import OPEN, State
from scheduler.domain.facts import Enrolled, Formulation, Regimen, Source
from scheduler.engine.backup import MANIFEST, BackupRefusedError, back_up
from scheduler.engine.recording import record
from scheduler.engine.recording.request import Who
from scheduler.engine.restore import restore
from scheduler.engine.study import Study
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.restored import OPEN_STATES
from scheduler.store.tables import FactRow, OutboxRow, StaffRow

CODE = subject_code(1)
WHO = Who("coordinator-1", Source.CLI)
REMINDER = Message("visit_soon", ("coordinator",), "reminder|x", "reminder|x", CODE, "W6", "thread|x")


def _enqueue(db: Database, key: str, now: datetime, due: datetime | None = None) -> None:
    message = replace(REMINDER, topic=key, key=key, not_before=due)

    def step(session: Session) -> None:
        people = list(session.exec(select(StaffRow).where(StaffRow.id == "coordinator-1")))
        posting.enqueue(session, message, people, lambda _: {}, "study.example", now)

    db.transact(step)


def _states(db: Database) -> dict[str, str]:
    rows = db.read(lambda session: list(session.exec(select(OutboxRow))))
    return {row.key.partition("|to:")[0]: row.state for row in rows}


@pytest.fixture
def living(db: Database, study: Study, noon: datetime, tmp_path: Path) -> Database:
    """A study with a subject, a mail that left, one that waits and one for later; and a drop folder."""

    def step(session: Session) -> None:
        study.sync(session, noon)
        what = Enrolled(date(2025, 8, 1), date(2025, 6, 1), Regimen(Formulation.MMF, 1000, 12))
        record.enrol(session, study, CODE, "cochin", what, WHO, noon, lambda *_: None)

    db.transact(step)
    for key, due in (
        ("sent", noon),
        ("waiting", noon),
        ("leased", noon),
        ("later", noon + timedelta(days=30)),
    ):
        _enqueue(db, key, noon, due)
    _set(db, "sent", State.SENT)
    _set(db, "leased", State.LEASED)
    for name in ("archive/2025/a.csv", "receipts/a.json", "in/new.csv"):
        path = tmp_path / "lab" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, "utf-8")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text('[mail]\npassword = "hush"\n', "utf-8")
    (tmp_path / "config" / "site.toml").write_text("x = 1\n", "utf-8")
    return db


def _set(db: Database, key: str, state: State) -> None:
    def step(session: Session) -> None:
        row = next(one for one in session.exec(select(OutboxRow)) if one.key.startswith(f"{key}|"))
        row.state = state
        session.add(row)

    db.transact(step)


@pytest.fixture
def other(request: pytest.FixtureRequest, living: Database, tmp_path: Path) -> Iterator[Database]:
    """An empty place on the other kind of database."""
    url = (
        request.getfixturevalue("postgresql_url")
        if living.is_sqlite
        else f"sqlite:///{tmp_path}/new/study.db"
    )
    with closing(Database(url)) as made:
        yield made


def test_what_is_restored_is_what_was_there_on_the_other_database_too(
    living: Database, other: Database, noon: datetime, tmp_path: Path
) -> None:
    head = living.read(audit.head)
    facts = living.read(lambda session: [row.model_dump() for row in session.exec(select(FactRow))])
    made = back_up(living, tmp_path / "lab", tmp_path / "config", tmp_path / "saved", noon)
    done = restore(tmp_path / "saved", other, tmp_path / "new-lab", tmp_path / "new-config", "root", noon)
    assert other.read(lambda session: [row.model_dump() for row in session.exec(select(FactRow))]) == facts
    assert (made.rows, made.head) == (done.rows, done.head) == (head.seq, head.hash)
    assert (
        other.read(audit.verify)[2]
        == other.read(lambda session: audit.anchor_problems(session, [head]))
        == []
    )
    assert (tmp_path / "new-lab" / "archive/2025/a.csv").read_text() == "archive/2025/a.csv"
    assert (tmp_path / "new-config" / "site.toml").exists()
    assert done.files == 3


def test_what_left_is_not_sent_again_and_what_may_have_left_waits_for_a_person(
    living: Database, other: Database, noon: datetime, tmp_path: Path
) -> None:
    back_up(living, tmp_path / "lab", tmp_path / "config", tmp_path / "saved", noon)
    now = noon + timedelta(days=2)
    done = restore(tmp_path / "saved", other, tmp_path / "new-lab", tmp_path / "new-config", "root", now)
    assert done.possibly_sent == 2
    _enqueue(other, "sent", now, noon)  # derived again: it is known
    _enqueue(other, "of the lost days", now, noon + timedelta(days=1))
    _enqueue(other, "of tomorrow", now, now + timedelta(days=1))
    _enqueue(other, "news", now)
    assert _states(other) == {
        "sent": "sent",
        "waiting": "possibly_sent",
        "leased": "possibly_sent",
        "later": "pending",
        "of the lost days": "possibly_sent",
        "of tomorrow": "pending",
        "news": "pending",
    }
    _settles(other, now)


def _settles(db: Database, now: datetime) -> None:
    rows = db.read(lambda session: list(session.exec(select(OutboxRow))))
    known = next(row.message_id for row in rows if row.key.startswith("waiting|"))
    assert db.transact(lambda session: ledger.settle_found(session, lambda one: one == known)) == 1
    assert db.transact(lambda session: ledger.settle_doubt(session, "root", now, send=True)) == 2
    states = _states(db)
    assert (states["waiting"], states["leased"], states["of the lost days"]) == ("sent", "pending", "pending")


def test_a_backup_under_writing_holds_one_moment(living: Database, noon: datetime, tmp_path: Path) -> None:
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            living.transact(lambda session: audit.append(session, noon, "did", "thing", "1", reason="x"))
            written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(20)
        made = back_up(living, tmp_path / "lab", tmp_path / "config", tmp_path / "saved", noon)
    finally:
        stop.set()
        writer.join()
    assert living.read(audit.head).seq >= made.rows
    with closing(Database(f"sqlite:///{tmp_path}/saved/study.db")) as copy:
        assert copy.read(audit.verify) == (made.rows, made.head, [])


def test_only_the_owner_reads_a_backup_and_no_password_is_in_it(
    living: Database, noon: datetime, tmp_path: Path
) -> None:
    made = back_up(living, tmp_path / "lab", tmp_path / "config", tmp_path / "saved", noon)
    assert made.left_out == ("settings.toml",)
    for path in (made.path, *made.path.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
    assert not any(b"hush" in path.read_bytes() for path in made.path.rglob("*") if path.is_file())
    assert sorted(path.name for path in made.path.iterdir()) == ["config", "lab", "manifest.json", "study.db"]


def test_a_backup_replaces_nothing(living: Database, noon: datetime, tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    with pytest.raises(BackupRefusedError) as refused:
        back_up(living, tmp_path / "lab", tmp_path / "config", tmp_path / "saved", noon)
    assert refused.value.reason.code == "refused_backup_exists"
    assert list((tmp_path / "saved").iterdir()) == []


@pytest.fixture
def saved(sqlite_db: Database, study: Study, noon: datetime, tmp_path: Path) -> Path:
    sqlite_db.transact(lambda session: study.sync(session, noon))
    (tmp_path / "lab" / "archive").mkdir(parents=True)
    (tmp_path / "lab" / "archive" / "a.csv").write_text("a", "utf-8")
    (tmp_path / "config").mkdir()
    return back_up(sqlite_db, tmp_path / "lab", tmp_path / "config", tmp_path / "saved", noon).path


def _damage(saved: Path, how: str) -> None:
    manifest = json.loads((saved / MANIFEST).read_text())
    match how:
        case "no_backup":
            (saved / MANIFEST).unlink()
        case "newer":
            (saved / MANIFEST).write_text(json.dumps({**manifest, "format": 2}))
        case "missing":
            (saved / "lab/archive/a.csv").unlink()
        case "changed":
            (saved / "lab/archive/a.csv").write_text("b")
        case "added":
            (saved / "lab/archive/b.csv").write_text("b")
        case "other":
            (saved / MANIFEST).write_text(json.dumps({**manifest, "audit": {"rows": 1, "head": "0" * 64}}))


@pytest.mark.parametrize("how", ["no_backup", "newer", "missing", "changed", "added", "other"])
def test_a_backup_that_is_not_what_was_saved_is_refused_with_nothing_written(
    saved: Path, tmp_path: Path, noon: datetime, how: str
) -> None:
    _damage(saved, how)
    with (
        closing(Database(f"sqlite:///{tmp_path}/new/study.db")) as place,
        pytest.raises(BackupRefusedError) as refused,
    ):
        restore(saved, place, tmp_path / "new-lab", tmp_path / "config", "root", noon)
    assert refused.value.reason.code == f"refused_restore_{how}"
    assert not (tmp_path / "new").exists() and not (tmp_path / "new-lab").exists()


@pytest.mark.parametrize("full", ["database", "folder"])
def test_a_place_that_is_not_empty_is_left_as_it_is(
    saved: Path, tmp_path: Path, noon: datetime, full: str
) -> None:
    path = tmp_path / "new" / ("study.db" if full == "database" else "lab/in/x.csv")
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with (
        closing(Database(f"sqlite:///{tmp_path}/new/study.db")) as place,
        pytest.raises(BackupRefusedError) as refused,
    ):
        restore(saved, place, tmp_path / "new" / "lab", tmp_path / "config", "root", noon)
    assert refused.value.reason.code == f"refused_restore_{full}"
    assert path.read_text() == "mine"


def test_the_states_that_a_restore_holds_are_those_of_the_outbox() -> None:
    assert set(OPEN_STATES) == {*OPEN, State.LEASED}
