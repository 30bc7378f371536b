"""Sites and their people: the tables follow the files, and the audit says what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from config.schema import ContactFile, SiteFile, StaffFile
from scheduler.store import audit
from scheduler.store.tables import SiteRow, StaffRow

__all__ = ["staff_row", "sync_site"]


def staff_row(site: str, person: StaffFile | ContactFile, roles: Sequence[str]) -> StaffRow:
    """A person of a site's or a laboratory's file as a row."""
    return StaffRow(
        id=person.id, site_id=site, name=person.name, email=person.email, language=person.language,
        roles=list(roles), active=person.active,
    )  # fmt: skip


def sync_site(session: Session, site: SiteFile, people: Sequence[StaffRow], now: datetime) -> None:
    """Bring the rows of a site and of its people in line with the files; every difference has its audit row."""
    row = session.get(SiteRow, site.id)
    if row is None or (row.name, row.zone) != (site.name, site.zone):
        old = (row.name, row.zone) if row is not None else (None, None)
        changes = {"name": (old[0], site.name), "zone": (old[1], site.zone)}
        session.merge(SiteRow(id=site.id, name=site.name, zone=site.zone))
        session.flush()
        audit.append(session, now, "site_configured", "site", site.id, changes=_only_new(changes))
    known = {one.id: one for one in session.exec(select(StaffRow).where(StaffRow.site_id == site.id))}
    for person in people:
        before = known.pop(person.id, None)
        if before is not None and _facts_of(person) == _facts_of(before):
            continue
        changes, private = _changes_of(person, before)
        session.merge(person)
        audit.append(session, now, "staff_configured", "staff", person.id, {"also": private}, changes=changes)
    for gone in known.values():
        if gone.active:
            gone.active = False
            session.add(gone)
            audit.append(session, now, "staff_left", "staff", gone.id, changes={"active": (True, False)})


def _changes_of(person: StaffRow, before: StaffRow | None) -> tuple[dict[str, tuple[Any, Any]], list[str]]:
    """What changed about a person: old and new value, and of name and address only that they did."""
    changes = {
        name: (getattr(before, name) if before is not None else None, getattr(person, name))
        for name in ("roles", "language", "active", "site_id")
    }
    private = [
        name
        for name in ("name", "email")
        if before is not None and getattr(before, name) != getattr(person, name)
    ]
    return _only_new(changes), private


def _only_new(changes: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    return {name: pair for name, pair in changes.items() if pair[0] != pair[1]}


def _facts_of(person: StaffRow) -> tuple[object, ...]:
    return person.name, person.email, person.language, person.roles, person.active
