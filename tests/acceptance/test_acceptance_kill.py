"""Killed at any moment and started again, a rehearsal ends as if nothing had happened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
from acceptance_cases import Nursery, short_study
from sqlalchemy import MetaData, Table, select

from scheduler.store import audit
from scheduler.store.database import Database

KILLS = int(os.environ.get("MPA_TEST_KILLS", "50"))
SUBJECTS, SEED = "4", "7"

# Tables that are not compared, and why.
LEFT_OUT = {
    "delivery": "one row an attempt: a mail in flight at a kill is attempted again",
    "heartbeat": "how often and when the services breathed",
    "review": "salts are random; the chain that covers them is verified instead",
    "alembic_version": "not ours",
}
# Columns that are not compared, and why.
MAY_DIFFER = {
    "flag": {"id": "numbered in the order of writing"},
    "audit": {
        "prev_hash": "covers the random salt of a reason",
        "hash": "covers the random salt of a reason",
        "reason_hash": "covers a random salt",
    },
    "outbox": {
        "id": "numbered in the order of writing",
        "lease_owner": "names the process",
        "lease_token": "is random",
        "lease_until": "ends with the process",
        "attempts": "a mail in flight at a kill is attempted again",
        "uncertain": "says so of a mail that was in flight at a kill",
        "not_before": "a mail in flight at a kill waits before it is sent again",
        "sent_at": "a mail in flight at a kill is settled by its second attempt",
        "reason": "says so of a mail that was in flight at a kill",
        "last_code": "of the last attempt",
        "last_text": "of the last attempt",
    },
}


def contents(out: Path) -> dict[str, list[dict[str, Any]]]:
    """Every table as rows in an order that does not depend on their numbers."""
    db = Database(f"sqlite:///{out / 'study.db'}")
    metadata = MetaData()
    metadata.reflect(db.engine)
    found = {}
    with db.engine.connect() as connection:
        for name, table in metadata.tables.items():
            if name not in LEFT_OUT:
                found[name] = sorted(_rows(connection, table, MAY_DIFFER.get(name, {})), key=repr)
    db.close()
    return found


def _rows(connection: Any, table: Table, without: dict[str, str]) -> Iterator[dict[str, Any]]:
    for row in connection.execute(select(table)).mappings():
        yield {name: value for name, value in row.items() if name not in without}


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder and the hash of its bytes."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def mails(out: Path) -> dict[str, list[str]]:
    """The Message-IDs in each Maildir."""
    found: dict[str, list[str]] = {}
    for path in (out / "mail").glob("*/new/*"):
        head = path.read_text("utf-8", "replace").partition("\n\n")[0]
        message_id = next(line for line in head.splitlines() if line.lower().startswith("message-id:"))
        found.setdefault(path.parent.parent.name, []).append(message_id.partition(":")[2].strip())
    return found


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


def killed_until_done(nursery: Nursery, command: list[str], log: Path, span_s: float) -> int:
    """Kills the rehearsal at random moments and resumes it until it ends; how often it was killed."""
    random = Random(20250901)
    kills = 0
    code = nursery.live(command, random.uniform(0, span_s), log)
    while code != 0:
        assert code is None, f"the rehearsal failed by itself with {code}:\n{log.read_text('utf-8')[-3000:]}"
        kills += 1
        assert kills < 20 * KILLS, "the rehearsal makes no progress"
        span = random.uniform(0, span_s) if kills < KILLS * 20 else None
        code = nursery.live([*command, "--resume"], span, log)
    return kills


@pytest.fixture(scope="module")
def both(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same rehearsal undisturbed, and killed at least so many times."""
    home = tmp_path_factory.mktemp("kill")
    config = short_study(home / "config")
    whole, torn, log = home / "whole", home / "torn", home / "log"
    import time

    def command(out: Path) -> list[str]:
        return [
            "--config", str(config), "demo", "--out", str(out), "--subjects", SUBJECTS, "--seed", SEED, "--quiet",
        ]  # fmt: skip

    began = time.monotonic()
    assert nursery.live(command(whole), None, log) == 0, log.read_text("utf-8")
    lasted = time.monotonic() - began
    kills = killed_until_done(nursery, command(torn), log, span_s=max(1.0, 2 * lasted / KILLS))
    print("lasted", lasted, "killed", kills, "all", time.monotonic() - began)
    assert kills >= KILLS
    return whole, torn


@pytest.mark.process
@pytest.mark.timeout(600)
def test_a_killed_rehearsal_ends_in_the_state_of_the_undisturbed_one(both: tuple[Path, Path]) -> None:
    whole, torn = map(contents, both)
    assert whole.keys() == torn.keys()
    for table, rows in whole.items():
        assert torn[table] == rows, table


@pytest.mark.process
def test_no_mail_is_lost_and_none_is_there_twice(both: tuple[Path, Path]) -> None:
    whole, torn = both
    assert files(torn / "mail") == files(whole / "mail")
    for out in both:
        delivered = sorted(one for box in mails(out).values() for one in box)
        assert len(set(delivered)) == len(delivered)
        rows = contents(out)["outbox"]
        assert sorted(row["message_id"] for row in rows if row["state"] == "sent") == delivered
        assert {row["state"] for row in rows} <= {"sent", "cancelled", "expired"}


@pytest.mark.process
def test_every_dropped_file_is_put_away_exactly_once(both: tuple[Path, Path]) -> None:
    whole, torn = both
    for room in ("in", "work", "archive", "quarantine", "duplicates", "receipts"):
        assert files(torn / "lab" / room) == files(whole / "lab" / room), room
    assert not files(torn / "lab" / "in")
    assert not files(torn / "lab" / "work")
    assert not files(torn / "lab" / "duplicates")


@pytest.mark.process
def test_the_audit_chain_survives_every_kill(both: tuple[Path, Path]) -> None:
    for out in both:
        db = Database(f"sqlite:///{out / 'study.db'}")
        count, _, breaks = db.transact(audit.verify)
        db.close()
        assert count > 100
        assert breaks == []
