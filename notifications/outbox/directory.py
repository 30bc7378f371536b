"""Who holds a role at a site, and who was already told about an appointment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from notifications.outbox.states import State
from scheduler.domain.events import Days
from scheduler.domain.protocol import Event, Trigger
from scheduler.store.tables import OutboxRow, StaffRow

__all__ = ["Person", "active_staff", "told_of_appointment", "told_of_days", "with_roles"]


class Person(NamedTuple):
    """One of the staff of a site, as mails know them."""

    id: str
    site_id: str
    email: str
    language: str
    roles: Sequence[str]


_ACTIVE = (
    core_select(*(getattr(StaffRow, name) for name in Person._fields))
    .where(col(StaffRow.site_id) == bindparam("site"), col(StaffRow.active).is_(True))
    .order_by(col(StaffRow.id))
)
_TOLD = core_select(col(OutboxRow.staff_id), col(OutboxRow.facts)).where(
    col(OutboxRow.subject) == bindparam("subject"),
    col(OutboxRow.visit) == bindparam("visit"),
    col(OutboxRow.state).in_(
        [State.SENT.value, State.UNCERTAIN.value, State.LEASED.value, State.POSSIBLY_SENT.value]
    )
    | col(OutboxRow.uncertain),
)


def active_staff(session: Session, site: str) -> list[Person]:
    """Everyone who works at the site now; asked once in a transaction, however many subjects are due in it."""
    known: dict[str, list[Person]] = session.info.setdefault("active_staff", {})
    if site not in known:
        known[site] = [Person(*row) for row in session.connection().execute(_ACTIVE, {"site": site})]
    return known[site]


def with_roles(session: Session, site: str, roles: Collection[str]) -> list[Person]:
    """The active staff of the site who hold at least one of the roles; each person once."""
    return [one for one in active_staff(session, site) if set(one.roles) & set(roles)]


def told_of_appointment(session: Session, subject: str, visit: str, local: datetime) -> frozenset[str]:
    """The staff who were sent a mail that named this appointment, or may have been."""
    rows = session.connection().execute(_TOLD, {"subject": subject, "visit": visit})
    return frozenset(row.staff_id for row in rows if _names(row.facts, local))


def told_of_days(
    session: Session, subject: str, visit: str, days: Days | None, booked_local: datetime | None
) -> frozenset[str]:
    """The staff who were sent a mail about a visit on these days, or about its appointment, or may have been.

    None are those who were told that there is no such visit any more.
    """
    rows = session.connection().execute(_TOLD, {"subject": subject, "visit": visit}).all()
    told = {row.staff_id for row in rows if _tells_of(row.facts, days)}
    if booked_local is not None:
        told |= {row.staff_id for row in rows if _names(row.facts, booked_local)}
    return frozenset(told)


def _tells_of(facts: dict[str, Any], days: Days | None) -> bool:
    if facts.get("event") == Event.VISIT_REPLANNED:
        return bool(facts["new_target"] == (days.target.isoformat() if days is not None else None))
    return days is not None and facts.get("target") == days.target.isoformat()


def _names(facts: dict[str, Any], local: datetime) -> bool:
    if facts.get("trigger") == Trigger.BOOKING:
        return bool(facts.get("target") == local.date().isoformat())
    return bool(facts.get("new_local") == local.isoformat(timespec="minutes"))
