"""A small study in a real database, for the tests of the mails."""

# ruff: noqa: DTZ001 (appointments are local times without a zone)
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from config.files import read_files
from config.settings import DEFAULT_DIR
from notifications.delivery.step import Mailroom
from notifications.outbox.calm import MailSite
from notifications.outbox.handlers import make_handler
from notifications.outbox.queue import Calm
from notifications.words.letter import Letterhead
from notifications.words.render import template_names
from scheduler.clock import ManualClock
from scheduler.domain.civil import DayCalendar
from scheduler.domain.events import (
    DomainEvent,
    ExposureChanged,
    ExposureMonthDue,
    LabFileTroubled,
    ReminderDue,
    VisitRebooked,
)
from scheduler.domain.facts import Enrolled, Formulation, Regimen
from scheduler.domain.keys import booking_key, exposure_key, exposure_month_key, file_key, reminder_key
from scheduler.domain.protocol import Event, Protocol
from scheduler.domain.protocol_file.compile import compile_protocol
from scheduler.domain.reason import Reason, because, to_json
from scheduler.domain.timeline import Slot
from scheduler.store.database import Database
from scheduler.store.rows import payload_of
from scheduler.store.tables import (
    DeliveryRow,
    FactRow,
    FlagRow,
    LabFileRow,
    OutboxRow,
    ProtocolVersionRow,
    SamplingRow,
    SiteRow,
    StaffRow,
    SubjectRow,
    VisitRow,
)

PARIS = ZoneInfo("Europe/Paris")
DOMAIN = "study.example"
SUBJECT, VISIT = "MPA-0042-7", "W6"
RECORD = 118  # of the enrolment
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Paris
BOOKED = datetime(2026, 3, 5, 8, 30)
DOSE_AT = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
HEAD = Letterhead("SCLERAMAC <mpa@study.example>", "team@study.example", DOMAIN)
ADDRESSES = {
    "coordinator-fr": ("fr", ["coordinator"]),
    "coordinator-en": ("en", ["coordinator"]),
    "investigator": ("fr", ["investigator"]),
    "pharmacist": ("fr", ["pharmacist"]),
    "laboratory": ("fr", ["laboratory"]),
    "data-manager": ("en", ["data_manager"]),
}


@cache
def protocol() -> Protocol:
    """The study's own protocol."""
    files, defects = read_files(DEFAULT_DIR)
    assert not [one for one in defects if one.file.startswith("protocols/")]
    loaded = files.protocols[0]
    made, found = compile_protocol(loaded.content, loaded.name, template_names(), loaded.sha256)
    assert made is not None, found
    return made


def protocol_of(_session: Session, _sha256: str | None) -> Protocol:
    return protocol()


def site(**changes: Any) -> MailSite:
    """Open Monday to Friday, quiet from 20:00 to 06:00."""
    calendar = DayCalendar(PARIS, frozenset({1, 2, 3, 4, 5}), frozenset())
    made = MailSite("cochin", "Hôpital Cochin", calendar, time(20), time(6))
    return replace(made, **changes)


def nothing_against(_session: Session, _row: OutboxRow, _now: datetime) -> Reason | None:
    return None


def room(**changes: Any) -> Mailroom:
    """A mailroom that sends whatever is due."""
    made = Mailroom(
        letterhead=HEAD,
        calm=Calm({"cochin": site()}),
        protocol_of=protocol_of,
        handle=make_handler(protocol_of, DOMAIN),
        recheck=nothing_against,
        owner="test",
    )
    return replace(made, **changes)


@dataclass
class Study:
    """The database with a clock."""

    db: Database
    clock: ManualClock

    def do(self, step: Callable[[Session], Any]) -> Any:
        return self.db.transact(step)

    def tell(self, event: DomainEvent, now: datetime | None = None) -> None:
        handle = make_handler(protocol_of, DOMAIN)
        self.do(lambda session: handle(session, [event], now or self.clock.now()))

    def later(self, **delta: float) -> datetime:
        self.clock.move_to(self.clock.now() + timedelta(**delta))
        return self.clock.now()

    def mails(self, **where: Any) -> list[OutboxRow]:
        rows = self.do(lambda session: list(session.exec(select(OutboxRow).order_by(col(OutboxRow.id)))))
        return [one for one in rows if all(getattr(one, key) == value for key, value in where.items())]

    def mail(self, staff: str = "coordinator-en", **where: Any) -> OutboxRow:
        (found,) = self.mails(staff_id=staff, **where)
        return found

    def attempts(self, outbox_id: int | None = None) -> list[DeliveryRow]:
        rows = self.do(lambda session: list(session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id)))))
        return [one for one in rows if outbox_id is None or one.outbox_id == outbox_id]

    def flags(self, is_open: bool = True) -> list[FlagRow]:
        rows = self.do(lambda session: list(session.exec(select(FlagRow).order_by(col(FlagRow.id)))))
        return [one for one in rows if (one.closed_at is None) is is_open]


def make_study(url: str, staff: dict[str, Any] | None = None) -> Study:
    """A study with one subject, whose visit W6 is booked, in a migrated database."""
    db = Database(url)
    db.transact(lambda session: _fill(session, staff if staff is not None else ADDRESSES))
    return Study(db, ManualClock(NOW))


def _fill(session: Session, staff: dict[str, Any]) -> None:
    session.add(SiteRow(id="cochin", name="Hôpital Cochin", zone="Europe/Paris"))
    session.add(ProtocolVersionRow(sha256="p", protocol="x", version="1", text="", recorded_at=NOW))
    session.flush()
    for name, (language, roles) in staff.items():
        session.add(
            StaffRow(
                id=name, site_id="cochin", name=f"Name of {name}", email=f"{name}@cochin.example",
                language=language, roles=roles,
            )
        )  # fmt: skip
    session.add(SubjectRow(code=SUBJECT, site_id="cochin", protocol_sha256="p", enrolled_at=NOW))
    session.flush()
    session.add(enrolment_row())
    session.add(visit_row())
    for name, low, high in (("H0", -60, 0), ("H30", 20, 40), ("H2", 110, 130)):
        session.add(
            SamplingRow(
                subject=SUBJECT, visit=VISIT, point=name, window_from=DOSE_AT + timedelta(minutes=low),
                window_to=DOSE_AT + timedelta(minutes=high),
            )
        )  # fmt: skip
    session.add(
        LabFileRow(
            id=7, sha256="a" * 64, size=10, original_name="MPA-AUC_1.csv", site_id="cochin", received_at=NOW,
            verdict="quarantined", reason=to_json(because("F-02")), receipt={},
        )
    )  # fmt: skip


def enrolment_row() -> FactRow:
    what = Enrolled(date(2026, 1, 22), None, Regimen(Formulation.MMF, 1000, 12))
    return FactRow(
        id=RECORD, subject=SUBJECT, kind=what.kind, payload=payload_of(what), recorded_at=NOW, recorded_by="test",
        source="cli",
    )  # fmt: skip


def visit_row(**changes: Any) -> VisitRow:
    values: dict[str, Any] = {
        "subject": SUBJECT,
        "visit": VISIT,
        "status": "booked",
        "reason": to_json(because("status_booked", at=NOW)),
        "target": date(2026, 3, 5),
        "first": date(2026, 2, 26),
        "last": date(2026, 3, 12),
        "booked_local": BOOKED.isoformat(),
        "missing": [],
    }
    return VisitRow(**{**values, **changes})


def reminder(
    rule_id: str = "visit_soon", due_at: datetime = NOW, valid: timedelta = timedelta(days=3)
) -> ReminderDue:
    """A reminder of the study that is due now."""
    rule = next(one for one in protocol().reminders if one.id == rule_id)
    point = protocol().point(rule.trigger)
    target = "2026-03-05T08:30+00:00" if point is not None else "2026-03-05"
    key = reminder_key(SUBJECT, VISIT, rule_id, target)
    return ReminderDue(SUBJECT, VISIT, Slot(rule, due_at, due_at + valid, target), key)


def rebooked(
    event: Event = Event.VISIT_BOOKED,
    sequence: int = 0,
    old: datetime | None = None,
    new: datetime | None = BOOKED,
) -> VisitRebooked:
    return VisitRebooked(event, SUBJECT, VISIT, old, new, sequence, booking_key(SUBJECT, VISIT, sequence))


def exposure(event: Event = Event.AUC_AVAILABLE, version: int = 1) -> ExposureChanged:
    return ExposureChanged(event, SUBJECT, VISIT, version, exposure_key(SUBJECT, VISIT, version))


def exposure_month(new: int = 4) -> ExposureMonthDue:
    month, key = date(2026, 3, 1), exposure_month_key("cochin", date(2026, 3, 1))
    return ExposureMonthDue(
        Event.EXPOSURE_MONTH, "cochin", month, NOW, 12, 37, new, NOW + timedelta(days=7), key
    )


def troubled(event: Event = Event.FILE_QUARANTINED) -> LabFileTroubled:
    return LabFileTroubled(event, "cochin", 7, file_key(event, "a" * 64))
