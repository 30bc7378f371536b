"""What the store promises, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, SQLModel, select

from scheduler.domain.facts import Enrolled, Formulation, Regimen, Source
from scheduler.store import audit
from scheduler.store.database import Database, StoreError
from scheduler.store.revision import check_schema
from scheduler.store.schema import differences, migrate
from scheduler.store.subjects import add_fact, due_subjects, load_history, next_wake, wake
from scheduler.store.tables import APPEND_ONLY, FactRow, HeartbeatRow, ProtocolVersionRow, SiteRow, SubjectRow


def _subject(session: Session, code: str, at: datetime, next_wake: datetime | None = None) -> None:
    session.merge(SiteRow(id="cochin", name="Cochin", zone="Europe/Paris"))
    if session.get(ProtocolVersionRow, "0" * 64) is None:
        session.add(ProtocolVersionRow(sha256="0" * 64, protocol="p", version="1", text="", recorded_at=at))
    session.flush()
    session.add(
        SubjectRow(code=code, site_id="cochin", protocol_sha256="0" * 64, enrolled_at=at, next_wake=next_wake)
    )
    session.flush()


def test_the_migrations_give_exactly_the_declared_tables(db: Database) -> None:
    check_schema(db)
    with db.engine.connect() as connection:
        assert differences(connection) == []


def test_migrating_twice_changes_nothing(db: Database) -> None:
    assert migrate(db) == migrate(db)


def test_an_empty_database_is_refused_with_what_to_do(tmp_path) -> None:  # type: ignore[no-untyped-def]
    db = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(StoreError, match="mpa-monitor init"):
        check_schema(db)
    db.close()


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(StoreError, match="sqlite or postgresql"):
        Database("mysql://nowhere/x")


@given(
    instant=st.datetimes(
        datetime(1999, 1, 1),  # noqa: DTZ001
        datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from(
            [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-11))]
        ),
    )
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_instant_comes_back_as_it_went_in(db: Database, instant: datetime) -> None:
    db.transact(lambda session: session.merge(HeartbeatRow(service="x", at=instant)))
    found = db.transact(lambda session: session.get(HeartbeatRow, "x"))
    assert found is not None
    assert found.at == instant
    assert found.at.tzinfo is UTC


def test_a_naive_instant_is_refused(db: Database) -> None:
    with pytest.raises(Exception, match="needs its zone"):
        db.transact(lambda session: session.merge(HeartbeatRow(service="x", at=datetime(2026, 1, 1))))  # noqa: DTZ001


def test_a_step_that_fails_leaves_nothing(db: Database, noon: datetime) -> None:
    def step(session: Session) -> None:
        _subject(session, "MPA-0042-7", noon)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        db.transact(step)
    assert db.transact(lambda session: session.get(SubjectRow, "MPA-0042-7")) is None


def test_facts_come_back_as_they_were_recorded(db: Database, noon: datetime) -> None:
    what = Enrolled(noon.date(), None, Regimen(Formulation.MMF, 1000, 12))

    def step(session: Session) -> None:
        _subject(session, "MPA-0042-7", noon)
        add_fact(session, "MPA-0042-7", what, noon, "a nurse", Source.CLI)

    db.transact(step)
    history = db.transact(lambda session: load_history(session, "MPA-0042-7"))
    assert [fact.what for fact in history.facts] == [what]
    assert history.facts[0].recorded_by == "a nurse"


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_append_only_tables_refuse_every_change(db: Database, noon: datetime, table: str) -> None:
    _fill(db, noon)
    statements = [f"UPDATE {table} SET {_column(table)} = {_column(table)}", f"DELETE FROM {table}"]
    if db.is_sqlite:
        statements.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
        if table in _OTHER_KEYS:
            statements.append(_with_another_key(db, table))
    else:
        statements.append(f"TRUNCATE {table} CASCADE")
    for statement in statements:
        with pytest.raises(DatabaseError, match="append-only"):
            db.transact(lambda session, statement=statement: session.execute(text(statement)))


_OTHER_KEYS = ("protocol_version", "lab_result", "lab_review", "lab_proposal", "exposure")


def _with_another_key(db: Database, table: str) -> str:
    """Replaces the rows by others that have the same values where these must be unique."""
    columns = [column.name for column in SQLModel.metadata.tables[table].columns]
    key = "sha256" if table == "protocol_version" else "id"
    values = ", ".join(
        "'other'" if one == key == "sha256" else "7" if one == key else f'"{one}"' for one in columns
    )
    names = ", ".join(f'"{one}"' for one in columns)
    return f"INSERT OR REPLACE INTO {table} ({names}) SELECT {values} FROM {table}"


def _column(table: str) -> str:
    return {"protocol_version": "text", "audit": "actor"}.get(table, "id")


def _fill(db: Database, noon: datetime) -> None:
    """One row in every append-only table."""

    def step(session: Session) -> None:
        _subject(session, "MPA-0042-7", noon)
        add_fact(session, "MPA-0042-7", Enrolled(noon.date()), noon, "x", Source.CLI)
        audit.append(session, noon, "tried", "test", "1")
        quote = "'x'"
        at = "0" if session.get_bind().dialect.name == "sqlite" else "now()"
        for statement in (
            "INSERT INTO lab_file (id, sha256, size, original_name, site_id, received_at, verdict, accepted, held, "
            f"ignored, receipt) VALUES (1, {quote}, 1, {quote}, {quote}, {at}, {quote}, 0, 0, 0, '{{}}')",
            "INSERT INTO lab_result (id, lab, specimen, analyte, subject, visit, timepoint) "
            f"VALUES (1, {quote}, {quote}, {quote}, 'MPA-0042-7', {quote}, {quote})",
            "INSERT INTO lab_result_version (id, file_id, row_no, state, subject, visit, timepoint, lab, specimen, "
            "analyte, value_raw, unit_raw, below_lloq, above_uloq, method, matrix, recorded_at, findings, "
            "content_hash) "
            f"VALUES (1, 1, 1, {', '.join([quote] * 9)}, false, false, {quote}, {quote}, {at}, '[]', {quote})",
            'INSERT INTO lab_review (id, version_id, decision, "by", at, audit_seq, "before", "after") '
            f"VALUES (1, 1, {quote}, {quote}, {at}, 1, '{{}}', '{{}}')",
            'INSERT INTO lab_proposal (id, version_id, decision, timepoint, "by", at, audit_seq) '
            f"VALUES (1, 1, {quote}, {quote}, {quote}, {at}, 1)",
            "INSERT INTO exposure (id, subject, visit, version, method, reasons, notes, computed_at) "
            f"VALUES (1, 'MPA-0042-7', {quote}, 1, {quote}, '[]', '[]', {at})",
            f'INSERT INTO acknowledgement (id, flag_key, "by", reason, at) VALUES (1, {quote}, {quote}, {quote}, {at})',
        ):
            session.execute(text(statement))

    db.transact(step)


def test_the_subject_waiting_longest_is_due_first_and_parked_ones_never(db: Database, noon: datetime) -> None:
    def step(session: Session) -> None:
        _subject(session, "late", noon, noon - timedelta(hours=2))
        _subject(session, "later", noon, noon - timedelta(hours=1))
        _subject(session, "not yet", noon, noon + timedelta(hours=1))
        _subject(session, "never", noon, None)
        _subject(session, "poison", noon, noon - timedelta(hours=3))
        poison = session.get(SubjectRow, "poison")
        assert poison is not None
        poison.parked = "ValueError"

    db.transact(step)
    codes = db.transact(lambda session: [row.code for row in due_subjects(session, noon, 10)])
    assert codes == ["late", "later"]
    assert db.transact(next_wake) == noon - timedelta(hours=2)


def test_waking_only_ever_brings_forward(db: Database, noon: datetime) -> None:
    db.transact(lambda session: _subject(session, "s", noon, noon))
    db.transact(lambda session: wake(session, "s", noon + timedelta(days=1)))
    assert db.transact(next_wake) == noon
    db.transact(lambda session: wake(session, "s", noon - timedelta(days=1)))
    assert db.transact(next_wake) == noon - timedelta(days=1)


def test_facts_keep_their_subject(db: Database, noon: datetime) -> None:
    with pytest.raises(DatabaseError):
        db.transact(lambda session: add_fact(session, "nobody", Enrolled(noon.date()), noon, "x", Source.CLI))
    assert db.transact(lambda session: list(session.exec(select(FactRow)))) == []


async def test_without_a_writer_thread_a_step_runs_at_once_and_holds_as_well(
    sqlite_url: str, noon: datetime
) -> None:
    db = Database(sqlite_url, writer_thread=False)
    await db.run(lambda session: _subject(session, "kept", noon))

    def step(session: Session) -> None:
        _subject(session, "lost", noon)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        await db.run(step)
    assert db.transact(lambda session: list(session.exec(select(SubjectRow.code)))) == ["kept"]
    assert await db.call(lambda: 7) == 7
    db.close()


@pytest.mark.parametrize(("durable", "synchronous"), [(True, {2, 3}), (False, {0})])
def test_only_a_rehearsal_does_not_wait_for_the_disk(
    sqlite_url: str, durable: bool, synchronous: set[int]
) -> None:
    db = Database(sqlite_url, durable=durable)
    found = db.transact(lambda session: session.connection().exec_driver_sql("PRAGMA synchronous").scalar())
    assert found in synchronous
    db.close()
