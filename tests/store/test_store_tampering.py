"""Whoever tampers with the audit is found out, and what was done is named, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from audit_cases import staffed
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session

from scheduler.domain.sentences import SENTENCES
from scheduler.store import audit
from scheduler.store.audit_chain import Head
from scheduler.store.database import Database
from scheduler.store.tables import AuditRow

ROWS = 9


@dataclass(frozen=True)
class Tampering:
    """What somebody does who may do everything, and the row that must be named."""

    act: Callable[[Session], None]
    row: int
    also: frozenset[int] = frozenset()


def _chained(db: Database, noon: datetime) -> Database:
    """A chain of rows, some of them with changes and reasons."""

    def step(session: Session) -> None:
        staffed(session, noon)
        for number in range(ROWS):
            reason = f"because {number}" if number % 3 == 0 else None
            at = noon + timedelta(minutes=number)
            changes = {"field": (number, number + 1)} if number % 2 else None
            detail = {"n": number, "é": 'x"'}
            audit.append(session, at, "did", "thing", str(number), detail, changes=changes, reason=reason)

    db.transact(step)
    return db


@pytest.fixture
def chain(db: Database, noon: datetime) -> Database:
    return _chained(db, noon)


@contextmanager
def _defenceless(db: Database) -> Iterator[Session]:
    """A session in which the triggers and foreign keys are off; whatever is done in it is taken back."""
    connection = db.engine.connect()
    session = Session(connection)
    try:
        if db.is_sqlite:
            names = session.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
            )
            for name in names.scalars().all():
                session.execute(text(f"DROP TRIGGER {name}"))
            session.execute(text("PRAGMA defer_foreign_keys=ON"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        yield session
    finally:
        session.rollback()
        session.close()
        connection.close()


def _edit(column: str, value: str, row: int, rehash: bool) -> Tampering:
    def act(session: Session) -> None:
        session.execute(text(f"UPDATE audit SET {column} = {value} WHERE seq = {row}"))
        if rehash:
            _rehash(session, row)

    return Tampering(act, row)


def _rehash(session: Session, row: int) -> None:
    """What a thorough forger does: the row's own hash is made to fit again."""
    session.expire_all()
    found = session.get(AuditRow, row)
    assert found is not None
    covered = {**found.model_dump(), "at": found.at.isoformat()}
    session.execute(
        text("UPDATE audit SET hash = :hash WHERE seq = :row"), {"hash": audit.hash_of(covered), "row": row}
    )


def _remove(row: int, renumber: bool) -> Tampering:
    def act(session: Session) -> None:
        session.execute(text(f"DELETE FROM audit WHERE seq = {row}"))
        if renumber:
            for later in range(row + 1, ROWS + 1):
                _move(session, later, later - 1)

    return Tampering(act, row)


def _move(session: Session, old: int, new: int) -> None:
    session.execute(text(f"UPDATE review SET audit_seq = {new} WHERE audit_seq = {old}"))
    session.execute(text(f"UPDATE audit SET seq = {new} WHERE seq = {old}"))


def _insert(row: int, rehash: bool) -> Tampering:
    """A row slipped in before row `row`, the later ones being renumbered."""

    def act(session: Session) -> None:
        for later in range(ROWS, row - 1, -1):
            _move(session, later, later + 1)
        names = [column for column in AuditRow.model_fields if column != "seq"]
        copied = ", ".join(names)
        source = row + 1 if row < 2 else row - 1
        session.execute(
            text(f"INSERT INTO audit (seq, {copied}) SELECT {row}, {copied} FROM audit WHERE seq = {source}")
        )
        session.execute(text(f"UPDATE audit SET action = 'never done', reason_hash = NULL WHERE seq = {row}"))
        before = f"(SELECT hash FROM audit WHERE seq = {row - 1})" if row > 1 else f"'{'0' * 64}'"
        session.execute(text(f"UPDATE audit SET prev_hash = {before} WHERE seq = {row}"))
        if rehash:
            _rehash(session, row)

    return Tampering(act, row)


def _swap(row: int) -> Tampering:
    def act(session: Session) -> None:
        session.execute(text("DELETE FROM review"))
        for old, new in ((row, 99), (row + 1, row), (99, row + 1)):
            _move(session, old, new)

    return Tampering(act, row, frozenset({row + 2, *range(1, ROWS + 1, 3)}))


def _reason(row: int, statement: str) -> Tampering:
    return Tampering(lambda session: session.execute(text(statement.format(row=row))) and None, row)


WORDS = st.text("abé'\"{}=+0", min_size=1, max_size=6).map(lambda word: "'" + word.replace("'", "''") + "'")
COLUMNS = (
    "actor", "role", "organisation", "zone", "source", "action", "entity", "entity_id", "app_version", "prev_hash",
    "hash", "reason_hash",
)  # fmt: skip
NUMBERS = st.integers(1, ROWS)
INNER = st.integers(1, ROWS - 1)
EDITS = st.one_of(
    st.builds(_edit, st.sampled_from(COLUMNS), WORDS, NUMBERS, st.just(False)),
    st.builds(_edit, st.sampled_from(COLUMNS[:9]), WORDS, INNER, st.just(True)),
    st.builds(
        _edit,
        st.just("detail"),
        st.sampled_from(["'{\"n\": 77}'", "'[]'", "'{\"n\":  1}'"]),
        NUMBERS,
        st.just(False),
    ),
    st.builds(
        _edit,
        st.just("changes"),
        st.sampled_from(["'{\"field\": [1, 77]}'", "'{}'"]),
        NUMBERS,
        st.just(False),
    ),
    st.builds(_edit, st.just("form"), st.sampled_from(["1", "3"]), NUMBERS, st.just(False)),
)
TAMPERINGS = st.one_of(
    EDITS,
    st.builds(_remove, INNER, st.booleans()),
    st.builds(_insert, st.integers(1, ROWS), st.booleans()),
    st.builds(_swap, INNER),
    st.builds(
        _reason,
        st.sampled_from([1, 4, 7]),
        st.just("UPDATE review SET text = 'other' WHERE audit_seq = {row}"),
    ),
    st.builds(_reason, st.sampled_from([1, 4, 7]), st.just("DELETE FROM review WHERE audit_seq = {row}")),
    st.builds(
        _reason,
        st.sampled_from([2, 3, 5]),
        st.just("INSERT INTO review (audit_seq, salt, text) VALUES ({row}, 's', 't')"),
    ),
)


@given(tampering=TAMPERINGS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_edited_removed_or_slipped_in_is_found_and_named(
    chain: Database, tampering: Tampering
) -> None:
    with _defenceless(chain) as session:
        before = session.execute(text("SELECT * FROM audit ORDER BY seq")).all()
        beside = session.execute(text("SELECT * FROM review ORDER BY audit_seq")).all()
        tampering.act(session)
        session.expire_all()
        after = session.execute(text("SELECT * FROM audit ORDER BY seq")).all()
        assume(
            after != before
            or session.execute(text("SELECT * FROM review ORDER BY audit_seq")).all() != beside
        )
        _, _, breaks = audit.verify(session)
        named = {one.seq for one in breaks}
        assert breaks
        assert tampering.row in named
        assert named <= {tampering.row - 1, tampering.row, tampering.row + 1} | tampering.also
    assert chain.read(audit.verify)[2] == []


@pytest.mark.parametrize("value", ["'soon'", "x'00ff'", "9.5e300"])
def test_what_nobody_can_read_any_more_is_a_changed_row(
    sqlite_db: Database, noon: datetime, value: str
) -> None:
    with _defenceless(_chained(sqlite_db, noon)) as session:
        session.execute(text(f"UPDATE audit SET at = {value}, detail = {value} WHERE seq = 4"))
        assert [one.seq for one in audit.verify(session)[2]] == [4]


def test_an_instant_without_end_is_a_changed_row(postgresql_url: str, noon: datetime) -> None:
    db = Database(postgresql_url)
    with _defenceless(_chained(db, noon)) as session:
        session.execute(text("UPDATE audit SET at = 'infinity' WHERE seq = 4"))
        assert [one.seq for one in audit.verify(session)[2]] == [4]
    db.close()


def test_a_cut_tail_verifies_and_the_anchor_finds_it(chain: Database) -> None:
    anchor = chain.read(audit.head)
    with _defenceless(chain) as session:
        session.execute(text(f"DELETE FROM review WHERE audit_seq > {ROWS - 3}"))
        session.execute(text(f"DELETE FROM audit WHERE seq > {ROWS - 3}"))
        assert audit.verify(session)[2] == []
        (found,) = audit.anchor_problems(session, [anchor])
        assert (found.seq, found.why.code) == (ROWS, "audit_tail_cut")
        assert "cut off" in found.problem


def test_a_tail_that_was_written_anew_does_not_fit_the_anchor(chain: Database, noon: datetime) -> None:
    anchor = chain.read(audit.head)
    with _defenceless(chain) as session:
        session.execute(text(f"DELETE FROM audit WHERE seq = {ROWS}"))
        audit.append(session, noon, "did", "something else", "1")
        session.flush()
        assert audit.verify(session)[2] == []
        assert [one.why.code for one in audit.anchor_problems(session, [anchor])] == ["audit_rewritten"]


def test_an_anchor_holds_however_much_is_written_after_it(chain: Database, noon: datetime) -> None:
    anchor = chain.read(audit.head)
    chain.transact(lambda session: audit.append(session, noon, "did", "thing", "later"))
    assert (
        chain.read(lambda session: audit.anchor_problems(session, [anchor, Head(1, _hash(session, 1))])) == []
    )


def _hash(session: Session, row: int) -> str:
    found = session.get(AuditRow, row)
    assert found is not None
    return found.hash


@pytest.mark.parametrize(
    ("statement", "row", "code"),
    [
        ("UPDATE audit SET actor = 'somebody else' WHERE seq = 3", 3, "audit_row_changed"),
        ("UPDATE audit SET detail = '{\"n\": 7}' WHERE seq = 2", 2, "audit_row_changed"),
        ("DELETE FROM audit WHERE seq = 3", 3, "audit_row_removed"),
        ("UPDATE review SET text = 'another reason' WHERE audit_seq = 4", 4, "audit_reason_changed"),
        ("DELETE FROM review WHERE audit_seq = 4", 4, "audit_reason_removed"),
        ("INSERT INTO review (audit_seq, salt, text) VALUES (2, 's', 't')", 2, "audit_reason_added"),
    ],
)
def test_what_was_done_is_named(chain: Database, statement: str, row: int, code: str) -> None:
    with _defenceless(chain) as session:
        session.execute(text(statement))
        (found,) = audit.verify(session)[2]
        assert (found.seq, found.why.code) == (row, code)
        assert found.problem == SENTENCES[code]
