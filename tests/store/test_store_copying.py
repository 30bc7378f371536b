"""A study is moved from one database to the other whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, text
from sqlmodel import Session, SQLModel

from scheduler.domain.facts import Enrolled, Formulation, Regimen, Source
from scheduler.engine.recording import record
from scheduler.engine.recording.request import Who
from scheduler.engine.study import Study
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.store import audit, copying
from scheduler.store.copying import CopyRefusedError, copy_study
from scheduler.store.database import Database
from scheduler.store.hints import hear
from scheduler.store.operations import only_daemon
from scheduler.store.tables import ExposureRow, HeartbeatRow, OutboxRow

CODE = subject_code(1)
WHO = Who("a nurse", Source.CLI)


@pytest.fixture(params=["sqlite to postgresql", "postgresql to sqlite"])
def both(request: pytest.FixtureRequest, noon: datetime, study: Study) -> Iterator[tuple[Database, Database]]:
    """A database with a small study, and an empty one of the other kind."""
    names = [f"{name}_url" for name in request.param.split(" to ")]
    source, target = (Database(request.getfixturevalue(name)) for name in names)
    fill(source, study, noon)
    yield source, target
    source.close()
    target.close()


def fill(db: Database, study: Study, noon: datetime) -> None:
    def step(session: Session) -> None:
        study.sync(session, noon)
        what = Enrolled(date(2025, 8, 1), date(2025, 6, 1), Regimen(Formulation.MMF, 1000, 12))
        for code in (CODE, subject_code(2)):
            record.enrol(session, study, code, "cochin", what, WHO, noon, lambda *_: None)
        session.add(
            ExposureRow(
                subject=CODE, visit="W6", version=1, method="x", value=0.1 + 0.2, inputs="é",
                reasons=[{"code": "a", "params": {"n": 1.0, "long": 0.1 + 0.2}}],
                notes=[], computed_at=noon + timedelta(microseconds=1),
            )
        )  # fmt: skip
        session.add(
            OutboxRow(
                key="k", topic="t", site_id="cochin", staff_id="s", address="a@b.example", language="fr",
                template="x", message_id="<1@x>", state="sent", created_at=noon, not_before=noon,
                body=b"\x00\xff\r\n", facts={"b": 1, "a": [None, True]},
            )
        )  # fmt: skip

    db.transact(step)
    db.transact(lambda session: audit.append(session, noon, "did", "thing", "1", reason="pourquoi é"))


def contents(db: Database) -> dict[str, list[Any]]:
    """Every row of every table, as values."""

    def step(session: Session) -> dict[str, list[Any]]:
        found = {}
        for table in SQLModel.metadata.sorted_tables:
            rows = session.execute(table.select().order_by(*table.primary_key.columns))
            found[table.name] = [tuple(row) for row in rows]
        return found

    return db.read(step)


def test_what_arrives_is_what_was_there(both: tuple[Database, Database], noon: datetime) -> None:
    source, target = both
    done = copy_study(source, target, noon)
    before, after = contents(source), contents(target)
    assert after["audit"].pop()[4] == "database_copied"
    assert after == before
    assert done.rows["subject"] == 2 and done.rows["outbox"] == 1
    count, _, breaks = target.read(audit.verify)
    assert (count, breaks) == (len(before["audit"]) + 1, [])


def test_the_study_goes_on_in_its_new_place(
    both: tuple[Database, Database], noon: datetime, study: Study
) -> None:
    source, target = both
    copy_study(source, target, noon)
    what = Enrolled(date(2025, 8, 2), date(2025, 6, 1), Regimen(Formulation.MMF, 1000, 12))
    target.transact(
        lambda session: record.enrol(
            session, study, subject_code(3), "cochin", what, WHO, noon, lambda *_: None
        )
    )
    assert target.read(audit.verify)[2] == []


def test_a_database_that_is_not_empty_is_refused(both: tuple[Database, Database], noon: datetime) -> None:
    source, target = both
    target.transact(lambda session: session.merge(HeartbeatRow(service="x", at=noon)))
    with pytest.raises(CopyRefusedError, match="refused_copy_not_empty"):
        copy_study(source, target, noon)
    assert sum(map(len, contents(target).values())) == 1


def test_when_what_arrived_is_not_the_same_nothing_is_kept(
    both: tuple[Database, Database], noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = both
    whole = copying._rows

    def without_one_fact(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
        return (rows[1:] if table.name == "fact" else rows for rows in whole(connection, table))

    monkeypatch.setattr(copying, "_rows", without_one_fact)
    with pytest.raises(CopyRefusedError, match="refused_copy_count"):
        copy_study(source, target, noon)
    assert sum(map(len, contents(target).values())) == 0


def test_a_broken_chain_is_not_carried_on(both: tuple[Database, Database], noon: datetime) -> None:
    source, target = both

    def tamper(session: Session) -> None:
        off = "DROP TRIGGER audit_no_update" if source.is_sqlite else "ALTER TABLE audit DISABLE TRIGGER ALL"
        session.execute(text(off))
        session.execute(text("UPDATE audit SET actor = 'somebody else' WHERE seq = 2"))

    source.transact(tamper)
    with pytest.raises(CopyRefusedError, match="refused_copy_chain"):
        copy_study(source, target, noon)
    assert sum(map(len, contents(target).values())) == 0


async def test_while_a_daemon_works_on_it_a_study_is_not_copied(
    both: tuple[Database, Database], noon: datetime
) -> None:
    source, target = both
    if source.is_sqlite:
        with only_daemon(source), pytest.raises(CopyRefusedError, match="refused_copy_daemon"):
            copy_study(source, target, noon)
    else:
        async with hear(source.engine):
            with pytest.raises(CopyRefusedError, match="refused_copy_daemon"):
                copy_study(source, target, noon)
    assert copy_study(source, target, noon).rows["subject"] == 2
