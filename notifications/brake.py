"""What left lately for one person: the brake counts it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, func, select, union_all
from sqlmodel import Session

from notifications.calm import BURST_SPAN
from notifications.states import State
from notifications.verdict import Settle
from scheduler.store.tables import DeliveryRow, OutboxRow

__all__ = ["left_lately"]

_OUTBOX: Table = OutboxRow.__table__  # type: ignore[attr-defined]
_DELIVERY: Table = DeliveryRow.__table__  # type: ignore[attr-defined]

# What left is looked for among the attempts, whose rows are small: those of the outbox carry the mails.
_LEFT = union_all(
    select(_OUTBOX.c.address, _DELIVERY.c.finished_at)
    .join(_OUTBOX, _OUTBOX.c.id == _DELIVERY.c.outbox_id)
    .where(
        _DELIVERY.c.finished_at > bindparam("since"),
        _DELIVERY.c.outcome == Settle.SENT.value,
        _OUTBOX.c.address.in_(bindparam("addresses", expanding=True)),
    ),
    select(_OUTBOX.c.address, _OUTBOX.c.lease_until).where(
        _OUTBOX.c.state == State.LEASED.value, _OUTBOX.c.address.in_(bindparam("addresses", expanding=True))
    ),
).subquery()
_LEFT_COUNTS = select(_LEFT.c.address, func.count()).group_by(_LEFT.c.address)
_LEFT_AT = select(_LEFT.c.address, _LEFT.c.finished_at)


def left_lately(
    session: Session, coming: Mapping[str, int], per_hour: int, now: datetime
) -> dict[str, list[datetime]]:
    """When mails left in the last hour, for each address that would get more than `per_hour` with those coming.

    Those under way count as now.
    """
    if not coming:
        return {}
    asked: dict[str, Any] = {"addresses": list(coming), "since": now - BURST_SPAN}
    connection = session.connection()
    counts = connection.execute(_LEFT_COUNTS, asked)
    asked["addresses"] = [one for one, count in counts if count + coming[one] > per_hour]
    found: dict[str, list[datetime]] = {}
    if asked["addresses"]:
        for address, left_at in connection.execute(_LEFT_AT, asked):
            found.setdefault(address, []).append(min(left_at, now))
    return found
