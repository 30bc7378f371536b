"""What left lately for one person, and what is put off: the brake counts both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, union_all
from sqlmodel import Session

from notifications.outbox.calm import BURST_SPAN
from notifications.outbox.states import State
from notifications.outbox.verdict import Settle
from scheduler.store.tables import DeliveryRow, OutboxRow

__all__ = ["taken_instants"]

_OUTBOX = OutboxRow.__table__
_DELIVERY = DeliveryRow.__table__

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
_PUT_OFF = select(_OUTBOX.c.address, _OUTBOX.c.not_before).where(
    _OUTBOX.c.state == State.PENDING.value,
    _OUTBOX.c.not_before > bindparam("now"),
    _OUTBOX.c.address.in_(bindparam("addresses", expanding=True)),
)


def taken_instants(
    session: Session, coming: Mapping[str, int], per_hour: int, now: datetime
) -> dict[str, list[datetime]]:
    """When mails left in the last hour and to when others are put off, for each address that the brake may hold.

    These are the addresses that would get more than `per_hour` with those coming. Those under way count as now.
    """
    if not coming:
        return {}
    asked: dict[str, Any] = {"addresses": list(coming), "since": now - BURST_SPAN}
    connection = session.connection()
    together = Counter(coming)
    for address, count in connection.execute(_LEFT_COUNTS, asked):
        together[address] += count
    found: dict[str, list[datetime]] = {one: [] for one in coming if together[one] > per_hour}
    if found:
        for address, left_at in connection.execute(_LEFT_AT, {**asked, "addresses": list(found)}):
            found[address].append(min(left_at, now))
        for address, leaves_at in connection.execute(_PUT_OFF, {"addresses": list(found), "now": now}):
            found[address].append(leaves_at)
    return found
