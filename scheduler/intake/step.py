"""One step of the intake: look, take what is ready, record it, put it away, tell the laboratory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile

from sqlmodel import Session

from scheduler.clock import Clock
from scheduler.domain.reason import because
from scheduler.intake.findings import Verdict
from scheduler.intake.folder import Alert, Claimed, DropFolder, Room
from scheduler.intake.ingest import Arrival, Audit, Handle, Outcome, ingest, outcome_of, read_arrival
from scheduler.intake.receipts import Speakers, reason_text, receipt_csv, receipt_json, speakers
from scheduler.intake.recheck import recheck_held
from scheduler.intake.study import IntakeStudy
from scheduler.store.database import Transact
from scheduler.store.lab import DATABASE_TROUBLE, unfinished_files
from scheduler.store.lab_writing import mark_archived

__all__ = ["FileReport", "IntakeReport", "intake_step"]

_WORLD = (OSError, *DATABASE_TROUBLE)  # not the file's fault: tried again as long as it takes
_FAILURES = 2
_STEP_S = 30.0  # after which a step takes no further file, so that a stop is never far away


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file in this step; `verdict` is "duplicate", "waiting" or "failed" when not decided."""

    name: str
    verdict: str
    code: str = ""
    file_id: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What one step did. `waiting` counts the files that another step must look at soon."""

    files: tuple[FileReport, ...]
    promoted: tuple[int, ...]
    waiting: int
    alerts: tuple[Alert, ...]


def intake_step(
    folder: DropFolder, study: IntakeStudy, clock: Clock, transact: Transact, handle: Handle, audit: Audit
) -> IntakeReport:
    """One look at the folder and everything that follows. What is wrong with one file never stops the others."""
    now, begun = clock.now(), clock.monotonic()
    scan = folder.scan(now, begun)
    taken = [*folder.claimed(), *filter(None, map(folder.claim, scan.ready))]
    desk = _Desk(folder, study, now, transact, handle, audit)
    in_time = takewhile(lambda _: clock.monotonic() - begun < _STEP_S, taken)
    files = tuple(desk.process(claimed) for claimed in in_time)
    promoted, unfinished = transact(desk.look_after)
    alerts = [*scan.alerts, *folder.unread_alerts(), *filter(None, map(desk.resume, unfinished))]
    again = sum(one.verdict in ("waiting", "failed") for one in files)
    waiting = scan.waiting + again + len(taken) - len(files)
    return IntakeReport(files, promoted, waiting, tuple(alerts))


class _Desk:
    """What every file of one step shares."""

    def __init__(
        self,
        folder: DropFolder,
        study: IntakeStudy,
        now: datetime,
        transact: Transact,
        handle: Handle,
        audit: Audit,
    ) -> None:
        self.folder, self.study, self.now, self.transact = folder, study, now, transact
        self.handle, self.audit = handle, audit
        self.say: Speakers = speakers(study.home_zone)

    def process(self, claimed: Claimed) -> FileReport:
        """A claimed file from reading to receipt; an interrupted one is simply done again."""
        try:
            arrival = self.folder.read(claimed)
            if arrival is None:
                return FileReport(claimed.name, "waiting")
            return self._record(claimed, arrival)
        except _WORLD as error:
            return FileReport(claimed.name, "failed", error=type(error).__name__)
        except Exception as error:
            return self._failed(claimed, type(error).__name__)

    def _failed(self, claimed: Claimed, error: str) -> FileReport:
        """A file at fault itself is tried once more, then quarantined."""
        if self.folder.count_failure(claimed) < _FAILURES:
            return FileReport(claimed.name, "failed", error=error)
        try:
            arrival = self.folder.read(claimed)
            if arrival is None:
                return FileReport(claimed.name, "waiting")
            return self._record(claimed, replace(arrival, fault=because("E-POISON", error=error)))
        except Exception as again:
            return FileReport(claimed.name, "failed", "E-POISON", error=type(again).__name__)

    def _record(self, claimed: Claimed, arrival: Arrival) -> FileReport:
        reading = read_arrival(arrival, self.study)  # beside the database, which others need meanwhile
        step = partial(
            ingest,
            arrival=arrival,
            study=self.study,
            now=self.now,
            handle=self.handle,
            audit=self.audit,
            reading=reading,
        )
        outcome: Outcome = self.transact(step)
        if outcome.known and outcome.finished:
            self.folder.put_away(
                claimed, Room.DUPLICATES, _archive_name(self.now, outcome.sha256, claimed.name)
            )
            self._tell(outcome, claimed.name, duplicate=True)
            return FileReport(claimed.name, "duplicate", "F-05", outcome.file_id)
        room = _room(outcome)
        name = _archive_name(outcome.received_at, outcome.sha256, outcome.name)
        self._finish(outcome, room, self.folder.put_away(claimed, room, name))
        return FileReport(claimed.name, outcome.verdict.value, outcome.code, outcome.file_id)

    def _finish(self, outcome: Outcome, room: Room, placed: str) -> None:
        """Note, receipts, and last of all the mark that nothing more is to be done."""
        if room is Room.QUARANTINE:
            self.folder.write(room, f"{placed}.reason.txt", reason_text(outcome.receipt, self.say))
        self._tell(outcome, outcome.name, duplicate=False)
        self.transact(partial(mark_archived, file_id=outcome.file_id, name=f"{room.value}/{placed}"))

    def _tell(self, outcome: Outcome, name: str, duplicate: bool) -> None:
        base = f"{name}.{outcome.sha256[:8]}.receipt"
        table = receipt_csv(outcome.receipt, self.say, duplicate)
        self.folder.write(Room.RECEIPTS, f"{base}.csv", table)
        self.folder.write(Room.RECEIPTS, f"{base}.json", receipt_json(outcome.receipt, self.say, duplicate))

    def look_after(self, session: Session) -> tuple[tuple[int, ...], list[Outcome]]:
        """Rows that can be accepted by now, and files that were recorded but not put away."""
        promoted = recheck_held(session, self.study, self.now, self.audit)
        return promoted, [outcome_of(row, known=True) for row in unfinished_files(session)]

    def resume(self, outcome: Outcome) -> Alert | None:
        """Finishes a file that had been moved before its receipts were written."""
        room, name = _room(outcome), _archive_name(outcome.received_at, outcome.sha256, outcome.name)
        if (self.folder.at(room) / name).exists():
            self._finish(outcome, room, name)
            return None
        if self.folder.claimed():
            return None  # it is still in the work folder
        return Alert(outcome.name, because("folder.lost", name=outcome.name))


def _room(outcome: Outcome) -> Room:
    return Room.QUARANTINE if outcome.verdict is Verdict.QUARANTINED else Room.ARCHIVE


def _archive_name(received_at: datetime, sha256: str, name: str) -> str:
    """The name that a file has for ever: when it came, what it holds, what it was called."""
    return f"{received_at.astimezone(UTC):%Y%m%dT%H%M%SZ}_{sha256[:8]}_{name}"
