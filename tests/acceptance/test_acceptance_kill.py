"""Killed at any moment and started again, a rehearsal ends as if nothing had happened."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
from acceptance_cases import Nursery, short_study
from sqlalchemy import MetaData, Table, select

from scheduler.store import audit
from scheduler.store.database import Database

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("MPA_TEST_KILLS", "50"))
KILLS_OF_ONE = 56  # of one rehearsal; more kills take more rehearsals
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
# Mails that are not compared: an anchor names the chain as it is when the service looks at the hour. Whoever looks
# after a kill may do so before another work of that hour adds its row, and has one more to send the next day.
ANCHOR = "audit_anchor"


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


def letters(out: Path) -> dict[str, str]:
    """Every file of the Maildirs and the hash of its bytes, without the anchors."""
    rows = contents(out)["outbox"]
    anchors = [row["message_id"].encode() for row in rows if row["template"] == ANCHOR]
    assert anchors
    return {
        name: found
        for name, found in files(out / "mail").items()
        if not any(one in (out / "mail" / name).read_bytes() for one in anchors)
    }


def look(out: Path, question: str) -> Any:
    """One value from the database of a rehearsal that runs or was killed; None when there is none yet."""
    try:
        with closing(sqlite3.connect(f"file:{out / 'study.db'}?mode=ro", uri=True)) as connection:
            row = connection.execute(question).fetchone()
    except sqlite3.OperationalError:  # not there yet, or without tables
        return None
    return row[0] if row is not None else None


def in_flight(out: Path) -> bool:
    """Whether a mail was handed over when the process was killed, and its second attempt is not over."""
    return bool(
        look(out, "SELECT count(*) FROM outbox WHERE uncertain AND state IN ('pending', 'retry', 'leased')")
        or look(out, "SELECT count(*) FROM delivery WHERE phase = 'data' AND finished_at IS NULL")
    )


def performed(out: Path) -> int:
    """How many steps of its script a rehearsal has performed."""
    return int(look(out, "SELECT detail FROM heartbeat WHERE service = 'rehearsal'") or 0)


def killed_until_done(nursery: Nursery, command: list[str], out: Path, steps: int, random: Random) -> int:
    """Kills the rehearsal at random moments and resumes it until it ends; how often it was killed.

    A life lasts longer or shorter so that the kills are spread over the whole script. A mail that was in flight at
    a kill is let go out again before the next one: in flight at two kills it would be left to a person, as meant.
    """
    kills, span_s = 0, 1.0
    done = nursery.live(command, random.uniform(0, span_s))
    while done is None:
        kills += 1
        behind = kills / KILLS_OF_ONE > performed(out) / steps
        span_s = min(span_s * 1.15, 20.0) if behind else max(span_s * 0.87, 0.1)
        seconds = random.uniform(0, span_s) if kills < 1.3 * KILLS_OF_ONE else None
        spared = partial(in_flight, out) if in_flight(out) else bool
        done = nursery.live([*command, "--resume"], seconds, spared=spared)
    assert done.code == 0, done.err[-3000:]
    return kills


def test_a_rehearsal_killed_at_fifty_moments_ends_as_the_undisturbed_one(
    nursery: Nursery, tmp_path: Path
) -> None:
    """One test, because all of it looks at the same two rehearsals: nothing lost, nothing double, nothing different."""
    config = short_study(tmp_path / "config")

    def command(out: Path) -> list[str]:
        return [
            "--config", str(config), "demo", "--out", str(out), "--subjects", SUBJECTS, "--seed", SEED, "--quiet",
        ]  # fmt: skip

    whole = tmp_path / "whole"
    undisturbed = nursery.live(command(whole))
    assert undisturbed is not None and undisturbed.code == 0, undisturbed
    random, kills, torn = Random(20250901), 0, list[Path]()
    while kills < KILLS:
        torn.append(tmp_path / f"torn-{len(torn)}")
        kills += killed_until_done(nursery, command(torn[-1]), torn[-1], performed(whole), random)
    for out in torn:
        same_state(whole, out)
        no_mail_lost_and_none_twice(whole, out)
        every_file_put_away_once(whole, out)
    for out in (whole, *torn):
        the_audit_chain_holds(out)


def same_state(whole: Path, torn: Path) -> None:
    expected, found = contents(whole), contents(torn)
    assert expected.keys() == found.keys()
    for table, rows in expected.items():
        compared = [[one for one in each if one.get("template") != ANCHOR] for each in (found[table], rows)]
        assert compared[0] == compared[1], table


def no_mail_lost_and_none_twice(whole: Path, torn: Path) -> None:
    assert letters(torn) == letters(whole)
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
