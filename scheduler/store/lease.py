"""Leases: a matter that one daemon at a time may be at, for a while, by the database's clock.

Whoever holds one names its token in every transaction. A daemon that was frozen for longer than the lease finds it in
other hands, and what it still wanted to write is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import bindparam, delete, func, select, update
from sqlmodel import Session

from scheduler.domain.reason import because
from scheduler.store.database import StoreError
from scheduler.store.tables import LeaseRow
from scheduler.store.upsert import Upsert

__all__ = ["Lease", "LeaseLostError", "give_back", "keep", "take"]

_LEASE = LeaseRow.__table__
_STANDING = select(_LEASE.c.until).where(_LEASE.c.matter == bindparam("this"))
_FREE = _STANDING.with_for_update(skip_locked=True)
_ADD = Upsert(_LEASE, lambda new: new.on_conflict_do_nothing())
_TAKE_OVER = update(_LEASE).where(_LEASE.c.matter == bindparam("this"))
_OURS = _TAKE_OVER.where(_LEASE.c.token == bindparam("held"))
_END = delete(_LEASE).where(_LEASE.c.matter == bindparam("this"), _LEASE.c.token == bindparam("held"))


class LeaseLostError(StoreError):
    """The lease went to another daemon, and nothing was written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A matter that is ours while the token holds."""

    matter: str
    token: str
    lasts: timedelta


def take(session: Session, matter: str, owner: str, lasts: timedelta, now: datetime) -> Lease | None:
    """The lease on a matter; None while another daemon's runs. `now` counts where the database has no clock."""
    lease, connection = Lease(matter, token_hex(8), lasts), session.connection()
    values = {"owner": owner, "token": lease.token, "until": _clock(session, now) + lasts}
    if connection.execute(_STANDING, {"this": matter}).first() is None:
        added = connection.execute(_ADD.on(connection), {"matter": matter, **values})
        return lease if added.rowcount else None
    until = connection.execute(_FREE, {"this": matter}).scalar()  # None while its holder writes
    if until is None or until > _clock(session, now):
        return None
    connection.execute(_TAKE_OVER, {"this": matter, **values})
    return lease


def keep(session: Session, lease: Lease, now: datetime) -> None:
    """Prolong a lease; until the end of the transaction nobody can take it. Raises LeaseLostError."""
    until = _clock(session, now) + lease.lasts
    values = {"this": lease.matter, "held": lease.token, "until": until}
    if not session.connection().execute(_OURS, values).rowcount:
        raise LeaseLostError(because("store_lease_lost", matter_id=lease.matter))


def give_back(session: Session, lease: Lease) -> None:
    """End a lease of ours, if it still is."""
    session.connection().execute(_END, {"this": lease.matter, "held": lease.token})


def _clock(session: Session, now: datetime) -> datetime:
    if session.get_bind().dialect.name == "sqlite":
        return now
    found: datetime = session.connection().execute(select(func.clock_timestamp())).scalar_one()
    return found
