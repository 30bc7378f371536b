"""One file, one transaction: the file's row, its results, the flag, the mail, the trail. All of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from scheduler.domain.events import DomainEvent, LabFileTroubled
from scheduler.domain.flags import FlagCode
from scheduler.domain.keys import file_key
from scheduler.domain.protocol import Event
from scheduler.domain.reason import because, from_json, to_json
from scheduler.domain.reconciliation import answered_by_lab
from scheduler.intake.arrival import Arrival
from scheduler.intake.findings import FileVerdict, Severity, State, Verdict, rule_of
from scheduler.intake.held.recheck import close_settled_flags
from scheduler.intake.readers import Fault, Reading, read
from scheduler.intake.receipts import findings_json, receipt_of, settled
from scheduler.intake.rules.identity import without_identity
from scheduler.intake.rules.validate import quarantined, validate
from scheduler.intake.study import Context, IntakeStudy
from scheduler.store import audit
from scheduler.store.flags import close_flag, open_site_flag
from scheduler.store.lab.files import file_by_hash, file_flag_key, quarantine_flag_keys
from scheduler.store.lab.held import mark_said_again, subjects_spoken_of
from scheduler.store.lab.originals import replay_hash
from scheduler.store.lab.records import load_records
from scheduler.store.lab.settled import settlements
from scheduler.store.lab.values import Records
from scheduler.store.lab.writing import NewRow, add_rows
from scheduler.store.subjects import wake
from scheduler.store.tables import LabFileRow

__all__ = [
    "Handle",
    "Outcome",
    "ingest",
    "judge",
    "known_outcome",
    "read_arrival",
    "records_for",
]

Handle = Callable[[Session, Sequence[DomainEvent], datetime], Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file. `known` when its content was on record before; `archived_as` once it was put away; `lab`
    when it came into the folder of one laboratory, or names one only."""

    file_id: int
    sha256: str
    name: str
    verdict: Verdict
    code: str
    received_at: datetime
    receipt: dict[str, Any]
    known: bool
    archived_as: str | None
    lab: str | None

    @property
    def finished(self) -> bool:
        return self.archived_as is not None


def ingest(
    session: Session,
    arrival: Arrival,
    study: IntakeStudy,
    now: datetime,
    handle: Handle,
    reading: Reading | Fault | None = None,
) -> Outcome:
    """Records a file and everything that follows from it; content that is on record already changes nothing.

    A file that takes its time to be read is read before the transaction and comes with its `reading`.
    """
    before = _last_judged(session, arrival.sha256)
    if before is not None:
        return known_outcome(session, before)
    reading = reading or read_arrival(arrival, study)
    verdict = judge(session, reading, study, now)
    if verdict.reason is not None and rule_of(verdict.reason) == "F-20":
        # known by the folder too: the same content in the right folder is another arrival
        here = sha256(f"{arrival.sha256}|in/{study.folder}".encode()).hexdigest()
        arrival, before = replace(arrival, sha256=here), _last_judged(session, here)
        if before is not None:
            return known_outcome(session, before)
    row = _file_row(arrival, study, now, reading, verdict)
    session.add(row)
    session.flush()
    assert row.id is not None
    touched = _store_rows(session, row.id, verdict, now)
    for subject in sorted(touched):
        wake(session, subject, now)
    _flag(session, row, verdict, study, now, handle)
    if touched:
        close_settled_flags(session, now)
    if verdict.verdict is Verdict.ACCEPTED:
        for key in quarantine_flag_keys(session, row.original_name, row.site_id):
            close_flag(session, key, now)
    audit.append(session, now, "lab_file_recorded", "lab_file", str(row.id), _trail(row))
    return outcome_of(row, known=False)


def _last_judged(session: Session, sha: str) -> LabFileRow | None:
    """The file that has this content on record; where it was refused and judged again, the last of those."""
    found, sought = None, file_by_hash(session, sha)
    while sought is not None:
        found, sought = sought, file_by_hash(session, replay_hash(sought.sha256))
    return found


def read_arrival(arrival: Arrival, study: IntakeStudy) -> Reading | Fault:
    """What a file says. Needs no database, and up to ten seconds for one that was built to be slow."""
    if arrival.fault is not None or arrival.content is None:
        return Fault(arrival.fault or because("F-02", name=arrival.name))
    return read(arrival.content, study.aliases, study.setting)


def judge(
    session: Session | None, reading: Reading | Fault, study: IntakeStudy, now: datetime
) -> FileVerdict:
    """The verdict on what a file says; without a session the records are left out."""
    records = records_for(session, reading) if session is not None and isinstance(reading, Reading) else None
    verdict = without_identity(validate(reading, Context(study, now, records)), study)
    astray = next((row.entry.lab for row in verdict.rows if _is_astray(row.entry.lab, study)), None)
    if astray is None:
        return verdict
    where = "/".join(("in", study.labs[astray].folder or ""))
    return quarantined(because("F-20", lab=astray, folder=where), verdict.notes)


def _is_astray(lab: str, study: IntakeStudy) -> bool:
    """Whether a row is that of a laboratory whose folder is another one."""
    return lab in study.labs and not study.receives(lab)


def records_for(session: Session, reading: Reading) -> Records:
    """What is on record about the subjects and specimens that a file names."""
    subjects = {one.text("subject_id") for one in reading.candidates}
    specimens = {one.text("specimen_id") for one in reading.candidates}
    return load_records(session, sorted(subjects), sorted(specimens))


def known_outcome(session: Session, row: LabFileRow) -> Outcome:
    """The outcome of a file on record, its receipt as it stands now."""
    outcome = outcome_of(row, known=True)
    return replace(outcome, receipt=settled(outcome.receipt, settlements(session, outcome.file_id)))


def outcome_of(row: LabFileRow, known: bool) -> Outcome:
    """The outcome that a file's row tells of."""
    assert row.id is not None
    return Outcome(
        row.id,
        row.sha256,
        row.original_name,
        Verdict(row.verdict),
        row.code or "",
        row.received_at,
        row.receipt,
        known,
        row.archived_as,
        row.lab,
    )


def _file_row(
    arrival: Arrival, study: IntakeStudy, now: datetime, reading: Reading | Fault, verdict: FileVerdict
) -> LabFileRow:
    labs = sorted({row.entry.lab for row in verdict.rows} & set(study.labs))
    lab = study.labs[labs[0]] if len(labs) == 1 else study.home
    reason = verdict.decisive
    read_as = reading if isinstance(reading, Reading) else None
    return LabFileRow(
        sha256=arrival.sha256,
        size=arrival.size,
        original_name=arrival.name,
        site_id=lab.site if lab is not None else study.site,
        lab=lab.code if lab is not None else None,
        received_at=now,
        verdict=verdict.verdict.value,
        code=rule_of(reason) if reason is not None else None,
        reason=to_json(reason) if reason is not None else None,
        encoding=read_as.encoding if read_as is not None else None,
        delimiter=read_as.delimiter if read_as is not None else None,
        accepted=verdict.count(State.ACCEPTED),
        held=verdict.count(State.HELD),
        ignored=verdict.count(State.IGNORED),
        receipt=receipt_of(arrival.name, arrival.sha256, now, reading, verdict),
    )


def _store_rows(session: Session, file_id: int, verdict: FileVerdict, now: datetime) -> set[str]:
    """Stores what was accepted or held; returns the subjects whose results changed or are in question.

    Later versions come after earlier ones in the table, as in the laboratory."""
    kept = [row for row in verdict.rows if row.state is not State.IGNORED]
    kept.sort(key=lambda one: (one.entry.reported_at or now, one.row))
    rows = [
        NewRow(file_id, row.row, row.entry, findings_json(row.findings), row.state is State.ACCEPTED)
        for row in kept
    ]
    add_rows(session, rows, now)
    held = [row.entry for row in rows if not row.accepted]
    touched = {row.entry.subject for row in rows if row.accepted}
    if touched:
        mark_said_again(session, {row.entry.specimen for row in rows if row.accepted})
    return touched | subjects_spoken_of(session, held) if held else touched


def _flag(
    session: Session,
    row: LabFileRow,
    verdict: FileVerdict,
    study: IntakeStudy,
    now: datetime,
    handle: Handle,
) -> None:
    """Flag and event for a file that needs somebody's attention."""
    if verdict.verdict is Verdict.QUARANTINED:
        code, event = FlagCode.FILE_QUARANTINED, Event.FILE_QUARANTINED
    elif verdict.verdict is Verdict.HELD:
        code, event = FlagCode.ROWS_HELD, Event.ROWS_HELD
    else:
        return
    assert row.id is not None and row.reason is not None
    why = from_json(row.reason)
    count = {"count": row.held} if code is FlagCode.ROWS_HELD else {}
    reason = because(f"flag_{code}", **count, name=row.original_name, why=why)
    open_site_flag(session, code, file_flag_key(code, row.site_id, row.sha256), row.site_id, reason, now)
    key, sender = file_key(event, row.sha256), row.lab or study.only_lab_of(row.site_id)
    trouble = LabFileTroubled(event, row.site_id, row.id, key, sender, _asks_lab(verdict))
    handle(session, [trouble], now)


def _asks_lab(verdict: FileVerdict) -> bool:
    """Whether there is something about the file that only the laboratory can settle."""
    if verdict.verdict is Verdict.QUARANTINED:
        return True
    holding = [one.reason for row in verdict.rows for one in row.findings if one.severity is Severity.HOLD]
    return bool(answered_by_lab(holding))


def _trail(row: LabFileRow) -> dict[str, Any]:
    return {
        "sha256": row.sha256,
        "verdict": row.verdict,
        "code": row.code,
        "accepted": row.accepted,
        "held": row.held,
        "ignored": row.ignored,
    }
