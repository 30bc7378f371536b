"""Who holds a role at a site, and who was already told about an appointment."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from notifications.states import State
from scheduler.domain.protocol import Trigger
from scheduler.store.tables import OutboxRow, StaffRow

__all__ = ["active_staff", "told_of_appointment", "with_roles"]


def active_staff(session: Session, site: str) -> list[StaffRow]:
    """Everyone who works at the site now."""
    query = (
        select(StaffRow).where(StaffRow.site_id == site, col(StaffRow.active).is_(True)).order_by(StaffRow.id)
    )
    return list(session.exec(query))


def with_roles(session: Session, site: str, roles: Collection[str]) -> list[StaffRow]:
    """The active staff of the site who hold at least one of the roles; each person once."""
    return [one for one in active_staff(session, site) if set(one.roles) & set(roles)]


def told_of_appointment(session: Session, subject: str, visit: str, local: datetime) -> frozenset[str]:
    """The staff who were sent a mail that named this appointment, or may have been."""
    query = select(OutboxRow).where(
        OutboxRow.subject == subject,
        OutboxRow.visit == visit,
        col(OutboxRow.state).in_((State.SENT, State.UNCERTAIN, State.LEASED)) | col(OutboxRow.uncertain),
    )
    return frozenset(row.staff_id for row in session.exec(query) if _names(row, local))


def _names(row: OutboxRow, local: datetime) -> bool:
    facts = row.facts
    if facts.get("trigger") == Trigger.BOOKING:
        return bool(facts.get("target") == local.date().isoformat())
    return bool(facts.get("new_local") == local.isoformat(timespec="minutes"))
