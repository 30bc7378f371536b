"""A study in a real database, through the engine's own calls; every default can be overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel import Session, SQLModel, col, select

from config.language import Language
from notifications.outbox.handlers import make_handler
from notifications.words.sentences import MAIL_SENTENCES
from pk.sentences import SENTENCES as PK_SENTENCES
from scheduler.domain.facts import (
    Attended,
    DoseGiven,
    Enrolled,
    Formulation,
    Regimen,
    SampleDrawn,
    Source,
    VisitBooked,
    What,
)
from scheduler.domain.reason import RefusedError
from scheduler.domain.speech import Speaker, speaker_for
from scheduler.engine.reconcile import Handle, reconcile_step
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.request import Done, Who
from scheduler.engine.study import Study
from scheduler.intake.arrival import Arrival
from scheduler.intake.findings import Verdict
from scheduler.intake.ingest import ingest
from scheduler.intake.sentences import SENTENCES as LAB_SENTENCES
from scheduler.intake.study import intake_study
from scheduler.runtime.rehearsal.labfile import LabRow, lab_file
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.tables import ExposureRow, FactRow, FlagRow, OutboxRow, SamplingRow, SubjectRow, VisitRow

SUBJECT, OTHER = "MPA-0042-7", "MPA-0001-3"
PARIS = ZoneInfo("Europe/Paris")
BASELINE = date(2025, 9, 1)  # a Monday
WHO = Who("a nurse", Source.CLI)
TUBES = {"H0": "T-1", "H30": "T-2", "H2": "T-3"}
VALUES = {"H0": "1.85", "H30": "14.20", "H2": "6.40"}
PAWINSKI = 7.75 + 6.49 * 1.85 + 0.76 * 14.2 + 2.43 * 6.40
EVERYTHING = (
    "subject", "fact", "visit", "sampling", "flag", "reminder", "outbox", "exposure", "acknowledgement", "audit",
    "review", "protocol_version",
)  # fmt: skip


def at(hour: int, minute: int = 0, day: int = 1, month: int = 9, year: int = 2025) -> datetime:
    """A local time of the site, by default on the day of inclusion."""
    return datetime(year, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


DRAWN = {"H0": at(8, 15), "H30": at(8, 50), "H2": at(10, 20)}
DOSE = DoseGiven("INCLUSION", at(8, 20), 1000, Formulation.MMF, 12)
MORNING: tuple[What, ...] = (
    Attended("INCLUSION", at(8, 5)),
    DOSE,
    *(SampleDrawn("INCLUSION", point, moment, TUBES[point]) for point, moment in DRAWN.items()),
)


def speaker(study: Study, language: Language = Language.EN) -> Speaker:
    """Speaks of everything, in the zone of the site."""
    sentences = {**PK_SENTENCES, **LAB_SENTENCES, **MAIL_SENTENCES}
    return speaker_for(language, PARIS, study.newest[1], sentences)


@dataclass
class Desk:
    """Where things are recorded; `now` is moved by the tests."""

    db: Database
    study: Study
    now: datetime = field(default_factory=lambda: at(10, 0, 29, 8))
    handle: Handle | None = None
    files: int = 0

    def __post_init__(self) -> None:
        if self.handle is None:
            self.handle = make_handler(self.study.protocol_of, "study.example")
        self.db.transact(lambda session: self.study.sync(session, self.now))

    def enrol(self, code: str = SUBJECT, **changes: Any) -> Done:
        usual = Enrolled(BASELINE, date(2025, 3, 1), Regimen(Formulation.MMF, 1000, 12))
        what = replace(usual, **changes)
        return self.db.transact(
            lambda session: engine.enrol(
                session, self.study, code, "cochin", what, WHO, self.now, self.handle
            )
        )

    def say(self, what: What, code: str = SUBJECT) -> Done:
        return self.db.transact(
            lambda session: engine.record(session, self.study, code, what, WHO, self.now, self.handle)
        )

    def correct(self, number: int, fields: Mapping[str, Any] | None, code: str = SUBJECT) -> Done:
        return self.db.transact(
            lambda session: engine.correct(
                session, self.study, code, number, fields, "a slip", WHO, self.now, self.handle
            )
        )

    def acknowledge(self, flag: int) -> Done:
        return self.db.transact(
            lambda session: engine.acknowledge(session, self.study, flag, "seen", WHO, self.now, self.handle)
        )

    def sampled(self) -> None:
        """Enrolled, booked, and everything of the first sampling day on record."""
        self.enrol()
        self.say(VisitBooked("INCLUSION", datetime(2025, 9, 1, 8, 0)))  # noqa: DTZ001
        self.now = at(11, 0)
        for what in MORNING:
            self.say(what)

    def lab(self, values: Mapping[str, str] = VALUES, **changes: Any) -> Verdict:
        """A file of the laboratory, and what follows from it."""
        self.files += 1
        rows = [
            LabRow(
                **{
                    "study": "MPA-AUC", "subject": SUBJECT, "visit": "V1", "timepoint": point, "specimen": TUBES[point],
                    "collected_at": DRAWN[point], "reported_at": self.now, "value": value,
                    "result_id": f"R-{point}-{self.files}", **changes,
                }
            )
            for point, value in values.items()
        ]  # fmt: skip
        known = intake_study(self.study.newest[1], self.study.labs.values(), "cochin")
        arrival = Arrival.of(f"{self.files}.csv", lab_file(rows, PARIS))
        outcome = self.db.transact(lambda session: ingest(session, arrival, known, self.now, self.handle))
        self.reconcile()
        return outcome.verdict

    def reconcile(self) -> int:
        assert self.handle is not None
        done, _ = reconcile_step(self.db, self.study, self.now, self.handle)
        return done

    # --- looking

    def rows(self, table: type[SQLModel], **where: Any) -> list[Any]:
        def step(session: Session) -> list[Any]:
            query = select(table)
            for name, value in where.items():
                query = query.where(getattr(table, name) == value)
            return list(session.exec(query))

        return self.db.transact(step)

    def number(self, kind: str) -> int:
        """The newest record of a kind."""
        return max(row.id for row in self.rows(FactRow, kind=kind))

    def status(self, visit: str, code: str = SUBJECT) -> str:
        return str(self.rows(VisitRow, subject=code, visit=visit)[0].status)

    def subject(self, code: str = SUBJECT) -> SubjectRow:
        found: SubjectRow = self.rows(SubjectRow, code=code)[0]
        return found

    def open_flags(self) -> set[str]:
        return {row.code for row in self.rows(FlagRow) if row.closed_at is None}

    def flag(self, code: str) -> FlagRow:
        found: FlagRow = next(row for row in self.rows(FlagRow, code=code) if row.closed_at is None)
        return found

    def mails(self, template: str) -> list[OutboxRow]:
        return self.rows(OutboxRow, template=template)

    def auc(self) -> list[tuple[int, float | None]]:
        """Every version of the AUC0-12 by the equation, or of its withdrawal."""

        def step(session: Session) -> list[tuple[int, float | None]]:
            query = select(ExposureRow).order_by(col(ExposureRow.version))
            rows = [row for row in session.exec(query) if row.method.startswith(("pawinski", "withdrawn"))]
            return [(row.version, row.value) for row in rows]

        return self.db.transact(step)

    def everything(self) -> dict[str, list[Any]]:
        """All that can be recorded, row by row."""
        return {table: self._all(f"SELECT * FROM {table}") for table in EVERYTHING}

    def derived(self) -> list[Any]:
        """Visits, samplings and open flags, whenever and in whatever order they were written."""
        visits = [row.model_dump() for row in self.rows(VisitRow)]
        draws = [row.model_dump() for row in self.rows(SamplingRow)]
        flags = [
            row.model_dump(exclude={"id", "opened_at"}) for row in self.rows(FlagRow) if row.closed_at is None
        ]
        return [sorted(rows, key=repr) for rows in (visits, draws, flags)]

    def _all(self, statement: str) -> list[Any]:
        return self.db.transact(
            lambda session: sorted(map(tuple, session.execute(text(statement))), key=repr)
        )

    def audit_holds(self) -> bool:
        count, _, breaks = self.db.transact(audit.verify)
        return count > 0 and breaks == []


def refused(desk: Desk, *codes: str) -> Any:
    """The call must be refused for exactly these reasons, and leave no trace."""
    before = desk.everything()

    class Check:
        def __enter__(self) -> None: ...

        def __exit__(self, kind: Any, error: Any, _: Any) -> bool:
            assert isinstance(error, RefusedError), f"not refused: {error!r}"
            assert [reason.code for reason in error.reasons] == list(codes)
            assert desk.everything() == before
            return True

    return Check()
