"""A subject's life in a real database, with the events that would become mails kept in a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from scheduler.domain.events import DomainEvent
from scheduler.domain.facts import (
    Assessed,
    Attended,
    DoseGiven,
    Enrolled,
    Formulation,
    Regimen,
    SampleDrawn,
    Source,
    What,
)
from scheduler.engine import record
from scheduler.engine.reconcile import reconcile_step
from scheduler.engine.record import Done, RefusedError, Who
from scheduler.engine.study import Study
from scheduler.intake.findings import Verdict
from scheduler.intake.ingest import Arrival, ingest
from scheduler.intake.study import intake_study
from scheduler.runtime.rehearsal.labfile import LabRow, lab_file
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.tables import FlagRow, VisitRow

CODE = "MPA-0042-7"
BASELINE = date(2025, 9, 1)  # a Monday
MORNING = datetime(2025, 9, 1, 6, 15, tzinfo=UTC)
DOSE_AT = MORNING + timedelta(minutes=15)
NURSE = Who("nurse", Source.CLI)
PARIS = ZoneInfo("Europe/Paris")
_DRAWN = {"H0": -5, "H30": 30, "H2": 120}
_TABLES = ("subject", "fact", "visit", "sampling", "flag", "reminder", "exposure", "acknowledgement", "audit")


class Desk:
    """Where things are recorded. Each call says when it is made."""

    def __init__(self, db: Database, study: Study) -> None:
        self.db, self.study = db, study
        self.events: list[DomainEvent] = []
        self._sent: dict[str, list[str]] = {}
        db.transact(lambda session: study.sync(session, MORNING - timedelta(days=7)))

    def handle(self, session: Session, event: DomainEvent, now: datetime) -> None:
        self.events.append(event)

    def enrol(self, code: str = CODE) -> Done:
        what = Enrolled(BASELINE, date(2025, 3, 1), Regimen(Formulation.MMF, 1000, 12))
        now = MORNING - timedelta(days=3)
        return self.db.transact(
            lambda session: record.enrol(session, self.study, code, "cochin", what, NURSE, now, self.handle)
        )

    def say(self, what: What, now: datetime, code: str = CODE) -> Done:
        return self.db.transact(
            lambda session: record.record(session, self.study, code, what, NURSE, now, self.handle)
        )

    def correct(self, number: int, fields: Mapping[str, Any] | None, now: datetime) -> Done:
        return self.db.transact(
            lambda session: record.correct(
                session, self.study, CODE, number, fields, "a slip", NURSE, now, self.handle
            )
        )

    def refused(self, what: What, now: datetime, code: str = CODE) -> list[str]:
        """Why a fact is refused; nothing may be stored or said."""
        before, said = self.counts(), len(self.events)
        with pytest.raises(RefusedError) as error:
            self.say(what, now, code)
        assert (self.counts(), len(self.events)) == (before, said)
        return [reason.code for reason in error.value.reasons]

    def inclusion(self) -> None:
        """The whole sampling day as foreseen, recorded at noon."""
        noon = MORNING + timedelta(hours=5)
        self.say(Attended("INCLUSION", MORNING), noon)
        self.say(DoseGiven("INCLUSION", DOSE_AT, 1000, Formulation.MMF, 12), noon)
        for point, minute in _DRAWN.items():
            self.say(SampleDrawn("INCLUSION", point, DOSE_AT + timedelta(minutes=minute), f"T-{point}"), noon)
        for item, value in (("mrss", 18), ("fvc", 80), ("dlco", 62)):
            self.say(Assessed("INCLUSION", item, DOSE_AT + timedelta(hours=3), value, ""), noon)

    def result(self, point: str, value: str, reported: datetime, status: str = "F") -> None:
        """The laboratory reports one value, or a later version of it; what follows is reconciled."""
        known = self._sent.setdefault(point, [])
        row = LabRow(
            study="MPA-AUC",
            subject=CODE,
            visit="V1",
            timepoint=point,
            specimen=f"T-{point}",
            collected_at=DOSE_AT + timedelta(minutes=_DRAWN[point]),
            reported_at=reported,
            value="" if status == "W" else value,
            result_id=f"R-{point}-{len(known) + 1}",
            status=status,
            replaces=known[-1] if known else "",
        )
        known.append(row.result_id)
        labs = intake_study(self.study.newest[1], self.study.labs.values(), "cochin")
        arrival = Arrival.of(f"{row.result_id}.csv", lab_file([row], PARIS))
        outcome = self.db.transact(
            lambda session: ingest(session, arrival, labs, reported, self.handle, audit.append)
        )
        assert outcome.verdict is Verdict.ACCEPTED, outcome
        self.reconcile(reported)

    def reconcile(self, now: datetime) -> int:
        return reconcile_step(self.db, self.study, now, self.handle)

    def status(self, visit: str, code: str = CODE) -> str:
        row = self.db.transact(lambda session: session.get(VisitRow, (code, visit)))
        assert row is not None
        return row.status

    def open_flags(self) -> set[str]:
        """The codes of the open flags, with their detail where they have one."""

        def step(session: Session) -> set[str]:
            rows = session.exec(select(FlagRow).where(col(FlagRow.closed_at).is_(None)))
            return {f"{row.code}:{row.detail}" if row.detail else row.code for row in rows}

        return self.db.transact(step)

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""

        def step(session: Session) -> dict[str, int]:
            return {
                name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in _TABLES
            }

        return self.db.transact(step)
