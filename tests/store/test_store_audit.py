"""What the audit says of a change, on both databases."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import sha256

import pytest
from audit_cases import staffed
from sqlmodel import Session, select

from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.tables import AuditRow, ReviewRow


def written(db: Database) -> list[AuditRow]:
    return db.transact(lambda session: list(session.exec(select(AuditRow).order_by(AuditRow.seq))))  # type: ignore[arg-type]


def test_rows_added_together_are_those_added_one_by_one(db: Database, noon: datetime) -> None:
    def step(session: Session) -> None:
        staffed(session, noon)
        audit.append(session, noon, "reconciled", "subject", "MPA-0042-7", {"visits": ["W6 due"]})
        audit.append_all(
            session, noon, "reconciled", {"MPA-0042-7": {"visits": ["W6 due"]}, "gone": {"n": 1}}
        )
        audit.append_all(session, noon, "reconciled", {})

    db.transact(step)
    alone, together, _ = (row.model_dump(exclude={"seq", "prev_hash", "hash"}) for row in written(db))
    assert together == alone
    assert db.read(audit.verify)[2] == []


def test_a_row_says_who_in_which_role_where_and_what_was_and_is(db: Database, noon: datetime) -> None:
    def step(session: Session) -> None:
        staffed(session, noon)
        changes = {"dose_mg": (1000, 1500)}
        audit.append(
            session,
            noon,
            "corrected",
            "subject",
            "MPA-0042-7",
            actor="nurse-1",
            source="cli",
            changes=changes,
            reason="slip",
        )
        audit.append(session, noon, "reconciled", "subject", "MPA-0042-7")
        audit.append(session, noon, "backed_up", "database", "-", actor="root", source="cli")
        given = {"role": "monitor", "organisation": "Sponsor"}
        audit.append(session, noon, "signed_in", "session", "1", actor="m", source="console", **given)

    db.transact(step)
    assert [(row.role, row.organisation, row.zone, row.changes) for row in written(db)] == [
        ("coordinator, nurse", "Hôpital Cochin", "Indian/Reunion", {"dose_mg": [1000, 1500]}),
        ("service", None, "Indian/Reunion", None),
        (None, None, "Europe/Paris", None),
        ("monitor", "Sponsor", "Europe/Paris", None),
    ]
    assert db.transact(audit.verify)[2] == []


def test_rows_from_before_role_and_organisation_still_verify(db: Database, noon: datetime) -> None:
    def step(session: Session) -> None:
        row = {
            "seq": 1,
            "at": noon.isoformat(),
            "actor": "a",
            "source": "cli",
            "action": "did",
            "entity": "thing",
        }
        row |= {
            "entity_id": "1",
            "detail": {"n": 1},
            "reason_hash": None,
            "app_version": "0",
            "prev_hash": "0" * 64,
        }
        content = f'[1,"{noon.isoformat()}","a","cli","did","thing","1",{{"n":1}},null,"0"]'
        hashed = sha256(("0" * 64 + content).encode()).hexdigest()
        session.add(AuditRow(**{**row, "at": noon}, form=1, hash=hashed))
        session.flush()
        audit.append(session, noon, "did", "thing", "2")

    db.transact(step)
    assert db.transact(audit.verify)[2] == []


def test_free_text_stays_out_of_the_chain(db: Database, noon: datetime) -> None:
    db.transact(lambda session: audit.append(session, noon, "did", "thing", "1", {"n": 1}, reason="why é"))
    (row,) = written(db)
    assert "why" not in str(row.model_dump())
    assert db.transact(lambda session: session.get(ReviewRow, 1)).text == "why é"


def test_two_writers_give_one_chain(db: Database, noon: datetime) -> None:
    def write(number: int) -> None:
        db.transact(lambda session: audit.append(session, noon, "did", "thing", str(number)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(40)))
    count, _, breaks = db.transact(audit.verify)
    assert (count, breaks) == (40, [])


def test_another_program_cannot_replace_a_row_either(sqlite_db: Database, noon: datetime) -> None:
    sqlite_db.transact(lambda session: audit.append(session, noon, "did", "thing", "1"))
    other = sqlite3.connect(str(sqlite_db.url.database))  # no recursive_triggers here
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        other.execute("INSERT OR REPLACE INTO audit SELECT * FROM audit")
    other.close()
