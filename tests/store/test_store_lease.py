"""A lease is one daemon's at a time, ends by itself, and whoever lost it writes nothing any more; on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from scheduler.store.database import Database
from scheduler.store.lease import Lease, LeaseLostError, give_back, keep, take
from scheduler.store.operations import beat, heartbeats

LONG = timedelta(minutes=1)
OVER = timedelta(seconds=-1)  # has ended already


def taken(db: Database, noon: datetime, lasts: timedelta = LONG, owner: str = "a") -> Lease | None:
    return db.transact(lambda session: take(session, "intake:", owner, lasts, noon))


def test_a_lease_is_one_daemons_until_it_is_given_back(db: Database, noon: datetime) -> None:
    first = taken(db, noon)
    assert first is not None
    assert taken(db, noon, owner="b") is None
    assert db.transact(lambda session: take(session, "intake:lyon", "b", LONG, noon)) is not None
    db.transact(lambda session: give_back(session, first))
    assert taken(db, noon, owner="b") is not None


def test_what_the_holder_writes_prolongs_its_lease(db: Database, noon: datetime) -> None:
    first = taken(db, noon)
    assert first is not None
    later = noon + timedelta(seconds=59)
    db.transact(lambda session: keep(session, first, later))
    assert taken(db, noon + timedelta(seconds=90), owner="b") is None


def test_a_lease_that_ended_goes_to_the_next_and_its_old_holder_writes_nothing(
    db: Database, noon: datetime
) -> None:
    frozen = taken(db, noon, OVER)
    assert frozen is not None
    second = taken(db, noon, owner="b")
    assert second is not None

    def late(session: Session) -> None:
        beat(session, "late", noon, 0)
        keep(session, frozen, noon)

    with pytest.raises(LeaseLostError, match="intake:"):
        db.transact(late)
    assert db.transact(heartbeats) == []
    db.transact(lambda session: give_back(session, frozen))  # changes nothing
    db.transact(lambda session: keep(session, second, noon))


def test_while_its_holder_writes_nobody_waits_for_a_lease_or_takes_it(
    postgresql_url: str, noon: datetime
) -> None:
    here, there = Database(postgresql_url), Database(postgresql_url)
    held = taken(here, noon, OVER)
    assert held is not None

    def step(session: Session) -> None:
        keep(session, held, noon)
        assert taken(there, noon, owner="b") is None

    here.transact(step)
    assert taken(there, noon, owner="b") is not None  # it had ended before it began
    for db in (here, there):
        db.close()
