"""Killed at any moment and started again, a rehearsal ends as if nothing had happened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import pytest
from acceptance_cases import Nursery, short_study
from sqlalchemy import MetaData, Table, select

from scheduler.store import audit
from scheduler.store.database import Database

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

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


def mails(out: Path) -> list[str]:
    """The Message-IDs of everything delivered."""
    found = []
    for path in (out / "mail").glob("*/*/*"):
        head = path.read_text("utf-8", "replace").partition("\n\n")[0]
        line = next(line for line in head.splitlines() if line.lower().startswith("message-id:"))
        found.append(line.partition(":")[2].strip())
    return found


def killed_until_done(nursery: Nursery, command: list[str], log: Path, random: Random, span_s: float) -> int:
    """Kills the rehearsal at random moments and resumes it until it ends; how often it was killed."""
    kills = 0
    code = nursery.live(command, random.uniform(0, span_s), log)
    while code is None:
        kills += 1
        code = nursery.live([*command, "--resume"], random.uniform(0, span_s), log)
    assert code == 0, f"the rehearsal failed by itself:\n{log.read_text('utf-8')[-3000:]}"
    return kills


def test_a_rehearsal_killed_at_fifty_moments_ends_as_the_undisturbed_one(tmp_path: Path) -> None:
    """One test, because all of it looks at the same two rehearsals: nothing lost, nothing double, nothing different."""
    config, log = short_study(tmp_path / "config"), tmp_path / "log"

    def command(out: Path) -> list[str]:
        return [
            "--config", str(config), "demo", "--out", str(out), "--subjects", SUBJECTS, "--seed", SEED, "--quiet",
        ]  # fmt: skip

    with Nursery(tmp_path) as nursery:
        began = monotonic()
        assert nursery.live(command(tmp_path / "whole"), None, log) == 0, log.read_text("utf-8")
        span_s = (monotonic() - began) / 16
        random, kills, torn = Random(20250901), 0, list[Path]()
        while kills < KILLS:  # a rehearsal takes about sixty kills; more of them take more rehearsals
            torn.append(tmp_path / f"torn-{len(torn)}")
            kills += killed_until_done(nursery, command(torn[-1]), log, random, span_s)
    for out in torn:
        same_state(tmp_path / "whole", out)
        no_mail_lost_and_none_twice(tmp_path / "whole", out)
        every_file_put_away_once(tmp_path / "whole", out)
    for out in (tmp_path / "whole", *torn):
        the_audit_chain_holds(out)


def same_state(whole: Path, torn: Path) -> None:
    expected, found = contents(whole), contents(torn)
    assert expected.keys() == found.keys()
    for table, rows in expected.items():
        assert found[table] == rows, table


def no_mail_lost_and_none_twice(whole: Path, torn: Path) -> None:
    assert files(torn / "mail") == files(whole / "mail")
    delivered = mails(torn)
    assert len(set(delivered)) == len(delivered)
    rows = contents(torn)["outbox"]
    assert sorted(row["message_id"] for row in rows if row["state"] == "sent") == sorted(delivered)
    assert {row["state"] for row in rows} <= {"sent", "cancelled", "expired"}


def every_file_put_away_once(whole: Path, torn: Path) -> None:
    for room in ("in", "work", "archive", "quarantine", "duplicates", "receipts"):
        assert files(torn / "lab" / room) == files(whole / "lab" / room), room
    for room in ("in", "work", "duplicates"):
        assert not files(torn / "lab" / room), room


def the_audit_chain_holds(out: Path) -> None:
    db = Database(f"sqlite:///{out / 'study.db'}")
    count, _, breaks = db.transact(audit.verify)
    db.close()
    assert count > 100
    assert breaks == []
