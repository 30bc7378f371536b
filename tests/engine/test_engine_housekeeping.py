"""What housekeeping notices, and that it says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from scheduler.engine import housekeeping
from scheduler.engine.housekeeping import Finding, inspect, note
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.flags import open_flags


def housekeeping_step(db: Database, site: str, folders: tuple[Path, ...], now: datetime) -> list[Finding]:
    """As the daemon does it."""
    findings = list(inspect(db, folders))
    db.transact(lambda session: note(session, site, findings, now))
    db.checkpoint()
    return findings


def _codes(db: Database) -> list[str]:
    return db.transact(lambda session: [f"{flag.code}:{flag.reason['code']}" for flag in open_flags(session)])


def test_a_healthy_installation_raises_nothing(db: Database, noon: datetime, tmp_path: Path) -> None:
    assert housekeeping_step(db, "cochin", (tmp_path,), noon) == []
    assert _codes(db) == []


def test_a_broken_audit_chain_is_flagged_once_and_closes_when_it_holds_again(
    db: Database, noon: datetime
) -> None:
    db.transact(lambda session: audit.append(session, noon, "did", "thing", "1"))
    off = ["DROP TRIGGER audit_no_update"] if db.is_sqlite else ["ALTER TABLE audit DISABLE TRIGGER ALL"]

    def alter(actor: str) -> None:
        def step(session: Session) -> None:
            for statement in off:
                session.execute(text(statement))
            session.execute(text("UPDATE audit SET actor = :actor"), {"actor": actor})

        db.transact(step)
        off.clear()

    alter("somebody else")
    for hour in (0, 1):
        found = housekeeping_step(db, "cochin", (), noon + timedelta(hours=hour))
        assert [one.matter for one in found] == ["audit"]
    assert _codes(db) == ["storage_trouble:flag_audit_broken"]
    alter("daemon")
    assert housekeeping_step(db, "cochin", (), noon + timedelta(hours=2)) == []
    assert _codes(db) == []


def test_a_disk_that_is_nearly_full_is_flagged(
    db: Database, noon: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "LEAST_FREE_BYTES", 2**63)
    assert [one.matter for one in housekeeping_step(db, "cochin", (tmp_path,), noon)] == ["disk"]
    assert _codes(db) == ["storage_trouble:flag_disk_nearly_full"]


def test_a_damaged_database_file_is_noticed(sqlite_db: Database, noon: datetime) -> None:
    def damage(session: Session) -> None:
        session.execute(text("PRAGMA writable_schema=ON"))
        session.execute(text("UPDATE sqlite_master SET rootpage = 2 WHERE name = 'heartbeat'"))

    sqlite_db.transact(damage)
    sqlite_db.engine.dispose()
    assert "database" in [one.matter for one in housekeeping_step(sqlite_db, "cochin", (), noon)]
