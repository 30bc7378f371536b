"""What the intake tests share: the study, a database with subjects, files with overridable parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from config.files import read_files
from config.schema import LabFile
from config.settings import DEFAULT_DIR
from scheduler.clock import ManualClock
from scheduler.domain.events import DomainEvent
from scheduler.domain.protocol import Protocol
from scheduler.domain.protocol_file.compile import compile_protocol
from scheduler.domain.reason import because, to_json
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.folder.rooms import Limits
from scheduler.intake.layout.columns import COLUMNS
from scheduler.intake.step import IntakeReport, intake_step
from scheduler.intake.study import Context, IntakeStudy, intake_study
from scheduler.store.database import Database, Transact
from scheduler.store.lab.values import KnownSubject, KnownVisit, Records
from scheduler.store.tables import (
    AuditRow,
    LabFileRow,
    LabResultVersionRow,
    ProtocolVersionRow,
    SiteRow,
    SubjectRow,
    VisitRow,
)

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 1, 16, 8, 0, tzinfo=UTC)
SUBJECT, OTHER = "MPA-0042-7", "MPA-0001-3"

ROW: dict[str, str] = {
    "study_id": "MPA-AUC",
    "subject_id": SUBJECT,
    "visit": "V2",
    "timepoint": "H0",
    "specimen_id": "26015-00871-1",
    "collected_at": "15/01/2026 07:55",
    "reported_at": "15/01/2026 14:25",
    "analyte": "23905-3",
    "value": "1,85",
    "unit": "mg/L",
    "status": "F",
    "method": "LCMSMS",
    "matrix": "PLASMA_EDTA",
    "laboratory": "CCH-PHARMACO",
}
H0 = ROW
H30 = {
    **ROW,
    "timepoint": "H30",
    "specimen_id": "26015-00871-2",
    "collected_at": "15/01/2026 08:31",
    "value": "14,2",
}
H2 = {
    **ROW,
    "timepoint": "H2",
    "specimen_id": "26015-00871-3",
    "collected_at": "15/01/2026 10:02",
    "value": "6,40",
}
THREE = (H0, H30, H2)


@cache
def protocol() -> Protocol:
    files, defects = read_files(DEFAULT_DIR)
    assert not defects, defects
    source = files.protocols[0].content
    names = {one.template for one in (*source.reminders, *source.notices)}
    compiled, found = compile_protocol(source, "protocol", names, "key")
    assert compiled is not None, found
    return compiled


@cache
def _shipped_lab() -> LabFile:
    files, _ = read_files(DEFAULT_DIR)
    return files.labs[0].content


def lab_file(**changes: Any) -> LabFile:
    return _shipped_lab().model_copy(update=changes)


def a_study(**changes: Any) -> IntakeStudy:
    return intake_study(protocol(), [lab_file(**changes)], "cochin")


VISIT = KnownVisit(date(2026, 1, 15), date(2026, 1, 8), date(2026, 1, 22))


def known(*results: Any, active: bool = True, **visit: Any) -> Records:
    """The subject on record, W6 planned for 15 January 2026 unless said otherwise."""
    return Records({SUBJECT: KnownSubject(active, {"W6": replace(VISIT, **visit)})}, results)


def context(records: Records | None = None, study: IntakeStudy | None = None, now: datetime = NOW) -> Context:
    return Context(study or a_study(), now, records if records is not None else known())


def csv_text(
    rows: Iterable[Mapping[str, str]] = THREE,
    delimiter: str = ";",
    newline: str = "\r\n",
    french: bool = True,
    trailer: bool | None = True,
    decimal: str = ",",
) -> str:
    """A file in the study's layout with the columns that the rows have."""
    rows = [dict(row) for row in rows]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    header = [COLUMNS[name][0] if french and name in COLUMNS else name for name in columns]
    lines = [delimiter.join(header)]
    for row in rows:
        for name in ("value", "lloq", "uloq"):
            if name in row:
                row[name] = row[name].replace(",", decimal)
        lines.append(delimiter.join(row.get(name, "") for name in columns))
    if trailer:
        lines.append(f"#FIN{delimiter}{len(rows)}" if french else f"#END{delimiter}{len(rows)}")
    return newline.join(lines) + newline


def csv_bytes(rows: Iterable[Mapping[str, str]] = THREE, encoding: str = "cp1252", **form: Any) -> bytes:
    return csv_text(rows, **form).encode(encoding)


def found_site(db: Database) -> None:
    """The site and the protocol version that subjects belong to."""

    def fill(session: Session) -> None:
        session.add(SiteRow(id="cochin", name="Cochin", zone="Europe/Paris"))
        session.add(ProtocolVersionRow(sha256="p", protocol="x", version="1", text="", recorded_at=NOW))

    db.transact(fill)


def enrol(db: Database, code: str = SUBJECT, target: date = date(2026, 1, 15), **visit: Any) -> None:
    def fill(session: Session) -> None:
        session.add(SubjectRow(code=code, site_id="cochin", protocol_sha256="p", enrolled_at=NOW))
        session.flush()
        session.add(
            VisitRow(
                subject=code,
                visit="W6",
                status=visit.pop("status", "planned"),
                reason=to_json(because("status_planned")),
                target=target,
                first=date.fromordinal(target.toordinal() - 7),
                last=date.fromordinal(target.toordinal() + 7),
                missing=[],
                **visit,
            )
        )

    db.transact(fill)


@dataclass
class Bench:
    """A drop folder with everything behind it; `step` waits until what lies in it has settled."""

    root: Path
    db: Database
    study: IntakeStudy = field(default_factory=a_study)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    events: list[DomainEvent] = field(default_factory=list)
    folder: DropFolder = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process over the same folder and database."""
        self.folder = DropFolder(self.root, Limits(settle_s=30, min_free_bytes=0, min_free_share=0))

    def handle(self, session: Session, events: Sequence[DomainEvent], now: datetime) -> None:
        self.events.extend(events)

    def turn(self, folder: DropFolder) -> AbstractContextManager[Transact]:
        """Every folder is ours to look at."""
        return nullcontext(self.db.transact)

    def drop(self, name: str, content: bytes) -> Path:
        path = self.root / "in" / name
        path.write_bytes(content)
        return path

    def look(self, transact: Any = None) -> IntakeReport:
        """One step, ten seconds later."""
        self.clock.move_to(datetime.fromtimestamp(self.clock.now().timestamp() + 10, UTC))
        return intake_step(self.folder, self.study, self.clock, transact or self.db.transact, self.handle)

    def step(self, transact: Any = None) -> IntakeReport:
        """Steps until a file that lay still has been taken; the last report."""
        report = self.look(transact)
        for _ in range(5):
            if report.files:
                return report
            report = self.look(transact)
        return report

    def names(self, room: str) -> list[str]:
        return sorted(path.name for path in (self.root / room).iterdir())

    def versions(self) -> list[LabResultVersionRow]:
        return self.rows(LabResultVersionRow)

    def trail(self) -> list[tuple[str, str, str]]:
        return [(row.action, row.entity, row.entity_id) for row in self.rows(AuditRow)]

    def files(self) -> list[LabFileRow]:
        return self.rows(LabFileRow)

    def rows(self, table: Any) -> list[Any]:
        return self.db.transact(lambda session: list(session.exec(select(table)).all()))

    def contents(self) -> list[tuple[Any, ...]]:
        """What is on record, without what depends on when it came."""
        versions = sorted(
            (v.row_no, v.state, v.subject, v.visit, v.timepoint, v.conc_mg_l) for v in self.versions()
        )
        files = sorted((f.original_name, f.sha256, f.verdict) for f in self.files())
        return [*files, *versions]
