"""A site with one of its staff and a subject, for the tests of the audit."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from scheduler.store.tables import ProtocolVersionRow, SiteRow, StaffRow, SubjectRow


def staffed(session: Session, noon: datetime) -> None:
    session.add(SiteRow(id="cochin", name="Hôpital Cochin", zone="Europe/Paris"))
    session.add(SiteRow(id="reunion", name="CHU de La Réunion", zone="Indian/Reunion"))
    session.add(ProtocolVersionRow(sha256="0" * 64, protocol="p", version="1", text="", recorded_at=noon))
    session.flush()
    session.add(
        StaffRow(
            id="nurse-1",
            site_id="cochin",
            name="x",
            email="x@x.example",
            language="fr",
            roles=["coordinator", "nurse"],
        )
    )
    session.add(SubjectRow(code="MPA-0042-7", site_id="reunion", protocol_sha256="0" * 64, enrolled_at=noon))
    session.flush()
