"""One step of the intake: look, take what is ready, record it, put it away, tell the laboratory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from errno import EBUSY
from functools import cached_property, partial
from itertools import takewhile

from sqlmodel import Session

from scheduler.clock import Clock
from scheduler.domain.reason import Reason, because
from scheduler.intake.acknowledgement import acknowledgements
from scheduler.intake.arrival import Arrival
from scheduler.intake.findings import Verdict
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.folder.rooms import Alert, Claimed, Room
from scheduler.intake.held.recheck import recheck_held
from scheduler.intake.ingest import Handle, Outcome, ingest, known_outcome, read_arrival
from scheduler.intake.receipts import Speakers, reason_text, receipt_csv, receipt_json, speakers
from scheduler.intake.study import IntakeStudy
from scheduler.store.database import DATABASE_TROUBLE, Transact
from scheduler.store.lab.files import mark_archived, unfinished_files
from scheduler.store.lab.held import files_with_stale_receipt, mark_receipt_written
from scheduler.store.tables import LabFileRow

__all__ = ["Desk", "FileReport", "IntakeReport", "Turn", "intake_step", "intake_steps"]

Turn = Callable[[DropFolder], AbstractContextManager[Transact | None]]
"""The transactions of a folder while it is ours to look at; None while another daemon is at it."""

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
    """What one step did. `waiting` counts the files that another step must look at soon, `more` those among them that
    only had to wait because there were so many."""

    files: tuple[FileReport, ...]
    promoted: tuple[int, ...]
    waiting: int
    alerts: tuple[Alert, ...]
    more: int = 0


def intake_step(
    folder: DropFolder,
    study: IntakeStudy,
    clock: Clock,
    transact: Transact,
    handle: Handle,
    within_s: float = _STEP_S,
) -> IntakeReport:
    """One look at the folder and everything that follows. What is wrong with one file never stops the others."""
    now, begun = clock.now(), clock.monotonic()
    scan = folder.scan(now, begun)
    taken = [*folder.claimed(), *filter(None, map(folder.claim, scan.ready))]
    desk = Desk(folder, study, now, transact, handle)
    in_time = takewhile(lambda _: clock.monotonic() - begun < within_s, taken)
    files = tuple(desk.process(claimed) for claimed in in_time)
    promoted, unfinished, settled = transact(desk.look_after)
    alerts = [*scan.alerts, *filter(None, map(desk.resume, unfinished))]
    for outcome in settled:
        desk.tell_anew(outcome)
    left = len(taken) - len(files)
    waiting = scan.waiting + folder.left_over()
    return IntakeReport(files, promoted, waiting, tuple(alerts), scan.more + left)


def intake_steps(
    boxes: Sequence[tuple[DropFolder, IntakeStudy]],
    clock: Clock,
    turn: Turn,
    handle: Handle,
) -> list[IntakeReport | None]:
    """One step of each folder that is ours to look at. They share the time of one, so that none keeps the others
    waiting for long."""
    within_s, reports = _STEP_S / len(boxes), list[IntakeReport | None]()
    for folder, study in boxes:
        with turn(folder) as transact:
            if transact is None:
                reports.append(None)
            else:
                reports.append(intake_step(folder, study, clock, transact, handle, within_s))
    return reports


@dataclass(frozen=True)
class Desk:
    """What every file of one step shares."""

    folder: DropFolder
    study: IntakeStudy
    now: datetime
    transact: Transact
    handle: Handle

    @cached_property
    def say(self) -> Speakers:
        return speakers(self.study.home_zone)

    def process(self, claimed: Claimed) -> FileReport:
        """A claimed file from reading to receipt; an interrupted one is simply done again."""
        try:
            return self._read_and_record(claimed)
        except OSError as error:  # the world's fault, not the file's: tried again as long as it takes
            self.folder.note_trouble(claimed, error)
            return FileReport(claimed.name, "failed", error=type(error).__name__)
        except DATABASE_TROUBLE as error:
            return FileReport(claimed.name, "failed", error=type(error).__name__)
        except Exception as error:  # noqa: BLE001
            return self._failed(claimed, type(error).__name__)

    def _read_and_record(self, claimed: Claimed, fault: Reason | None = None) -> FileReport:
        arrival = self.folder.read(claimed)
        if arrival is None:
            self.folder.note_trouble(claimed, OSError(EBUSY, "still changing"))
            return FileReport(claimed.name, "waiting")
        return self._record(claimed, arrival if fault is None else replace(arrival, fault=fault))

    def _failed(self, claimed: Claimed, error: str) -> FileReport:
        """A file at fault itself is tried once more, then quarantined."""
        if self.folder.count_failure(claimed) < _FAILURES:
            return FileReport(claimed.name, "failed", error=error)
        try:
            return self._read_and_record(claimed, because("E-POISON", error=error))
        except Exception as again:  # noqa: BLE001
            return FileReport(claimed.name, "failed", "E-POISON", error=type(again).__name__)

    def _record(self, claimed: Claimed, arrival: Arrival) -> FileReport:
        reading = read_arrival(arrival, self.study)  # beside the database, which others need meanwhile
        step = partial(
            ingest,
            arrival=arrival,
            study=self.study,
            now=self.now,
            handle=self.handle,
            reading=reading,
        )
        outcome: Outcome = self.transact(step)
        if outcome.known and (outcome.finished or outcome.name != claimed.name or _is_replay(outcome)):
            # told first: a file without a row is finished when it is put away
            self._tell(outcome, claimed.name, duplicate=True)
            self._acknowledge(outcome, claimed.name, arrival.content)
            name = _archive_name(claimed.at, outcome.sha256, claimed.name)
            self.folder.put_away(claimed, Room.DUPLICATES, name)
            return FileReport(claimed.name, "duplicate", "F-05", outcome.file_id)
        room, name = _place(outcome)
        self._finish(outcome, room, self.folder.put_away(claimed, room, name), arrival.content)
        return FileReport(claimed.name, outcome.verdict.value, outcome.code, outcome.file_id)

    def _finish(self, outcome: Outcome, room: Room, placed: str, content: bytes | None) -> None:
        """Note, receipts, and last of all the mark that nothing more is to be done."""
        note = f"{placed}.reason.txt"
        if outcome.verdict is Verdict.QUARANTINED:
            self.folder.write(room, note, reason_text(outcome.receipt, self.say))
        elif room is Room.QUARANTINE:  # judged again, and refused no longer
            (self.folder.at(room) / note).unlink(missing_ok=True)
        self._tell(outcome, outcome.name, duplicate=False)
        self._acknowledge(outcome, outcome.name, content)
        self.transact(partial(mark_archived, file_id=outcome.file_id, name=f"{room.value}/{placed}"))
        self.folder.note_finished(placed)

    def _tell(self, outcome: Outcome, name: str, duplicate: bool) -> None:
        base = f"{name}.{outcome.sha256[:8]}.receipt"
        table = receipt_csv(outcome.receipt, self.say, duplicate)
        self.folder.write(Room.RECEIPTS, f"{base}.csv", table)
        self.folder.write(Room.RECEIPTS, f"{base}.json", receipt_json(outcome.receipt, self.say, duplicate))

    def _acknowledge(self, outcome: Outcome, name: str, content: bytes | None) -> None:
        """Answers the messages of an HL7 file, where the laboratory wants it."""
        found = acknowledgements(content, outcome.receipt, self.study, self.say) if content else None
        if found is not None:
            self.folder.write(Room.RECEIPTS, f"{name}.{outcome.sha256[:8]}.ack.hl7", found)

    def look_after(self, session: Session) -> tuple[tuple[int, ...], list[Outcome], list[Outcome]]:
        """Rows that can be accepted by now, files of this folder that were recorded but not put away, and those whose
        receipt no longer holds."""
        promoted = recheck_held(session, self.study, self.now)
        unfinished, settled = (
            [one for row in rows if self.study.receives((one := known_outcome(session, row)).lab)]
            for rows in (unfinished_files(session), files_with_stale_receipt(session))
        )
        return promoted, unfinished, [one for one in settled if one.finished]

    def tell_anew(self, outcome: Outcome) -> None:
        """Writes the receipts of a file over the old ones, and its answer while the original is there, then clears the
        mark that they are due: a stop in between leaves them due. So does a row that was settled meanwhile."""
        name = f"{outcome.name}.{outcome.sha256[:8]}"
        if self.folder.rests(name):
            return
        try:
            self._tell(outcome, outcome.name, duplicate=False)
            self._acknowledge(outcome, outcome.name, self._original(outcome))
            self.transact(partial(_mark_told, outcome=outcome))
            self.folder.note_finished(name)
        except OSError as error:
            self.folder.note_unfinished(name, error)
        except DATABASE_TROUBLE:
            return

    def _original(self, outcome: Outcome) -> bytes | None:
        """The content of a file that was put away; None when it is not kept any more."""
        room, _, name = (outcome.archived_as or "").partition("/")
        return self.folder.original(Room(room), name) if name and self.folder.has(Room(room), name) else None

    def resume(self, outcome: Outcome) -> Alert | None:
        """Finishes a file that had been moved before its receipts were written."""
        room, name = _place(outcome)
        if self.folder.rests(name):
            return None
        try:
            if not _is_replay(outcome) and self.folder.holds(outcome.name):
                return None  # taken up from there
            if self.folder.has(room, name):
                self._finish(outcome, room, name, self.folder.original(room, name))
            elif not self.folder.held():
                return Alert(outcome.name, because("folder.lost", name=outcome.name))
        except OSError as error:
            self.folder.note_unfinished(name, error)
        except DATABASE_TROUBLE:
            return None
        return None


def _mark_told(session: Session, outcome: Outcome) -> None:
    row = session.get(LabFileRow, outcome.file_id)
    if row is not None and known_outcome(session, row).receipt == outcome.receipt:
        mark_receipt_written(session, outcome.file_id)


def _place(outcome: Outcome) -> tuple[Room, str]:
    """Where the original of a file belongs; that of one that was judged again stays where it is."""
    if _is_replay(outcome):
        room, _, name = outcome.receipt["replay_of"]["original"].partition("/")
        return Room(room), name
    room = Room.QUARANTINE if outcome.verdict is Verdict.QUARANTINED else Room.ARCHIVE
    return room, _archive_name(outcome.received_at, outcome.sha256, outcome.name)


def _is_replay(outcome: Outcome) -> bool:
    return "replay_of" in outcome.receipt


def _archive_name(received_at: datetime, sha256: str, name: str) -> str:
    """The name that a file has for ever: when it came, what it holds, what it was called."""
    return f"{received_at.astimezone(UTC):%Y%m%dT%H%M%SZ}_{sha256[:8]}_{name}"
