"""The whole way of laboratory files, from the drop folder to committed rows, archive and receipts, on SQLite; AUC is
left out. Rates by processor time are those of one core; wall time has the waiting for the disk in it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from benchmarks.lab_hl7 import a_message
from benchmarks.process import command, run
from config.settings import DEFAULT_DIR
from notifications.words.render import template_names
from scheduler.clock import ManualClock
from scheduler.domain.reason import because, to_json
from scheduler.engine.study import Study, load_study
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.folder.rooms import Limits
from scheduler.intake.step import intake_step
from scheduler.intake.study import intake_study
from scheduler.runtime.rehearsal.cast import subject_code
from scheduler.store.database import Database
from scheduler.store.schema import migrate
from scheduler.store.tables import LabResultVersionRow, SubjectRow, VisitRow

__all__ = ["measure"]

_NOW = datetime(2026, 1, 16, 8, 0, tzinfo=UTC)
_DAY = date(2026, 1, 15)
_TUBES = (("H0", "07:55", "1,85"), ("H30", "08:31", "14,2"), ("H2", "10:02", "6,40"))
_VISITS = (("W6", "V2"), ("W12", "V3"), ("M6", "V4"))
_SUBJECTS = 1500
_HEADER = (
    "etude;code_patient;visite;temps;numero_echantillon;date_heure_prelevement;date_heure_validation;analyse;resultat;"
    "unite;statut;technique;milieu;laboratoire"
)


@dataclass
class Place:
    """A drop folder and a database that knows the subjects, each visit of all of them on one day."""

    root: Path
    db: Database
    study: Study

    def take(self) -> tuple[float, float, int]:
        """Takes everything that lies there: wall and processor seconds of the steps that took files, and the number
        of accepted rows."""
        clock, folder = ManualClock(_NOW), DropFolder(self.root, Limits(settle_s=30, per_scan=1000))
        known = intake_study(self.study.newest[1], self.study.labs.values(), "cochin")
        wall = cpu = 0.0
        before, left = self._accepted(), True
        while left:
            clock.move_to(clock.now() + timedelta(seconds=20))
            begun, worked = time.perf_counter(), time.process_time()
            report = intake_step(folder, known, clock, self.db.transact, lambda *_: None)
            if report.files:
                wall, cpu = wall + time.perf_counter() - begun, cpu + time.process_time() - worked
                assert {one.verdict for one in report.files} == {"accepted"}, report.files[0]
            left = report.waiting > 0
        return wall, cpu, self._accepted() - before

    def _accepted(self) -> int:
        query = select(func.count()).where(col(LabResultVersionRow.state) == "accepted")
        return self.db.read(lambda session: session.exec(query).one())


def _place(folder: Path, study: Study) -> Place:
    db = Database(f"sqlite:///{folder / 'study.db'}", writer_thread=False)
    migrate(db)

    def fill(session: Session) -> None:
        study.sync(session, _NOW)
        study.keep_version(session, study.newest[0], _NOW)
        for no in range(_SUBJECTS):
            session.add(
                SubjectRow(
                    code=subject_code(no), site_id="cochin", protocol_sha256=study.newest[0], enrolled_at=_NOW
                )
            )
        session.flush()
        session.add_all(
            VisitRow(
                subject=subject_code(no), visit=visit, status="planned", missing=[],
                reason=to_json(because("status_planned")), target=_DAY, first=_DAY, last=_DAY,
            )
            for no in range(_SUBJECTS)
            for visit, _ in _VISITS
        )  # fmt: skip

    db.transact(fill)
    (folder / "drop" / "in").mkdir(parents=True)
    return Place(folder / "drop", db, study)


def _lines(code: str, visit: str) -> Iterator[str]:
    for no, (point, clock, value) in enumerate(_TUBES, 1):
        yield (
            f"MPA-AUC;{code};{visit};{point};{code[4:8]}-{visit}-{no};15/01/2026 {clock};15/01/2026 14:25;23905-3;"
            f"{value};mg/L;F;LCMSMS;PLASMA_EDTA;CCH-PHARMACO"
        )


def _csv(lines: list[str]) -> bytes:
    return "\r\n".join([_HEADER, *lines, f"#FIN;{len(lines)}", ""]).encode("cp1252")


def _messages(subjects: range, visit: str = "V2") -> bytes:
    """One message of three results for each subject, in one file."""
    parts = [
        a_message()
        .replace("MPA-0042-7", subject_code(no))
        .replace("26015-00871-", f"{subject_code(no)[4:8]}-{visit}-")
        .replace("26015143000001", f"{no:08}")
        .replace("V2 ", f"{visit} ")
        for no in subjects
    ]
    return "".join(parts).encode("iso8859-15")


def _rates(place: Place, count: int) -> dict[str, float]:
    wall, cpu, rows = place.take()
    assert rows == count, rows
    return {"results": rows, "per_s_wall": round(rows / wall), "per_s_processor": round(rows / cpu)}


def _throughput(study: Study) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mpa-bench-") as name:
        place = _place(Path(name), study)
        inside = place.root / "in"
        for visit, code in _VISITS[:2]:
            lines = [line for no in range(_SUBJECTS) for line in _lines(subject_code(no), code)]
            (inside / f"{visit}.csv").write_bytes(_csv(lines))
        many = _rates(place, 2 * 3 * _SUBJECTS)
        for no in range(500):
            (inside / f"{no}.csv").write_bytes(_csv(list(_lines(subject_code(no), "V4"))))
        few = _rates(place, 3 * 500)
        place.db.close()
    with tempfile.TemporaryDirectory(prefix="mpa-bench-") as name:
        place = _place(Path(name), study)
        (place.root / "in" / "a.hl7").write_bytes(_messages(range(1000)))
        messages = _rates(place, 3000)
        place.db.close()
    per_message = {key: round(value / 3) for key, value in messages.items()}
    return {
        "csv, files of 4,500 results": many,
        "csv, files of three results": few,
        "HL7, one file of 1,000 messages of three results, messages": per_message,
    }


def _scan() -> dict[str, float]:
    """One look at 10,000 files that are at rest, in ms: nothing is taken, for that is another figure."""
    with tempfile.TemporaryDirectory(prefix="mpa-bench-") as name:
        folder = DropFolder(Path(name), Limits(settle_s=0, per_scan=100))
        for no in range(10_000):
            (Path(name) / "in" / f"MPA-AUC_CCH_{no:05}.csv").write_bytes(b"x")
        took: list[tuple[float, float]] = []
        for no in range(12):
            begun, worked = time.perf_counter(), time.process_time()
            scan = folder.scan(_NOW, no * 10.0)
            took.append((time.perf_counter() - begun, time.process_time() - worked))
        assert (len(scan.ready), scan.more) == (100, 9_900)
    return {
        "wall_ms": round(1000 * median(wall for wall, _ in took[3:])),
        "processor_ms": round(1000 * median(cpu for _, cpu in took[3:])),
    }


def _nasty() -> dict[str, bytes]:
    """Text files that cost much to judge, as large as is read."""
    row = next(_lines("MPA-0042-7", "V2"))
    bad = row.replace("mg/L", "g/L").replace("15/01/2026", "31/02/26").replace("CCH-PHARMACO", "é" * 60)
    return {
        "5,000 rows, all held.csv": _csv([bad] * 4_999),
        "5,000 rows, one tube.csv": _csv([row.replace("1,85", f"1,{no:04}") for no in range(4_999)]),
        "one line of 5 MB.csv": b"x;" * 2_499_000,
        "quotes.csv": _HEADER.encode() + b"\r\n" + b'"' * 4_900_000,
        "4.9 MB of line ends.csv": _HEADER.encode() + b"\r\n" * 2_400_000,
        "1,000 messages.hl7": _messages(range(1000)),
        "300,000 segments.hl7": a_message().encode() + b"NTE|1||x\r" * 500_000,
        "5 MB in one field.hl7": a_message().replace("lloq: 0.1", "^~&" * 1_600_000).encode("iso8859-15"),
    }


def _checks() -> dict[str, Any]:
    """Seconds and peak memory of `lab check`, a process of its own for each file."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="mpa-bench-") as folder:
        files = {"10 messages.hl7": _messages(range(10)), **_nasty()}
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        with (Path(folder) / "100 MB.csv").open("wb") as large:
            for _ in range(100):
                large.write(b"x;" * 500_000)
        for path in sorted(Path(folder).iterdir()):
            cost = run(command("lab", "check", str(path)))
            found[path.name] = {
                "wall_s": round(cost.wall_s, 2),
                "processor_s": round(cost.cpu_s, 2),
                "peak_mb": round(cost.peak_mb),
            }
    return found


def measure() -> dict[str, Any]:
    """Results and messages per second, the look at a full folder, and what `lab check` costs at worst."""
    study = load_study(DEFAULT_DIR, template_names())
    return {**_throughput(study), "look at 10,000 files at rest": _scan(), "lab check": _checks()}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
