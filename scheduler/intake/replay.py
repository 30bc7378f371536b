"""A refused file judged again: the same bytes, on the order of a named person, after the configuration or the program
was put right. What is on record stays; the judgement is a file of its own that names the refused one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from scheduler.domain.flags import FlagCode
from scheduler.domain.reason import Param, Reason, because
from scheduler.intake.arrival import Arrival
from scheduler.intake.findings import Verdict
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.folder.moving import content_of
from scheduler.intake.ingest import Handle, Outcome, ingest, outcome_of, read_arrival
from scheduler.intake.step import Desk
from scheduler.intake.study import IntakeStudy
from scheduler.store import audit
from scheduler.store.database import Transact
from scheduler.store.flags import close_flag
from scheduler.store.lab.files import file_by_hash, file_flag_key, lab_file
from scheduler.store.lab.originals import replay_hash
from scheduler.store.tables import LabFileRow

__all__ = ["ReplayRefusedError", "replay"]


class ReplayRefusedError(ValueError):
    """The file cannot be judged again."""

    def __init__(self, code: str, **params: Param) -> None:
        self.reasons: list[Reason] = [because(code, **params)]
        super().__init__(code)


def replay(
    boxes: Sequence[tuple[DropFolder, IntakeStudy]],
    transact: Transact,
    number: int,
    by: str,
    reason: str,
    now: datetime,
    handle: Handle,
) -> Outcome:
    """Judges a refused file again, in the folder that it came by, and writes its receipts. Done twice it is refused the
    second time, so that nothing is recorded twice. Raises ReplayRefusedError."""
    before = transact(lambda session: _refused(session, number))
    folder, study = next((box, study) for box, study in boxes if study.receives(before.lab))
    arrival = _arrival(folder, before)
    reading = read_arrival(arrival, study)

    def record(session: Session) -> Outcome:
        _refused(session, number)  # somebody may have been faster
        outcome = ingest(session, arrival, study, now, handle, reading)
        if outcome.known:  # refused again in the same words, for its folder
            raise ReplayRefusedError("replay.done", file=number, later=outcome.file_id)
        row = lab_file(session, outcome.file_id)
        assert row is not None
        row.receipt = {**row.receipt, "replay_of": {"file": number, "original": before.archived_as}}
        # what is wrong with it, if anything still is, the new judgement says
        close_flag(session, file_flag_key(FlagCode.FILE_QUARANTINED, before.site_id, before.sha256), now)
        detail: dict[str, Any] = {"as": outcome.file_id, "verdict": outcome.verdict.value}
        audit.append(
            session,
            now,
            "lab_file_replayed",
            "lab_file",
            str(number),
            detail,
            actor=by,
            source="cli",
            reason=reason,
        )
        return outcome_of(row, known=False)

    outcome: Outcome = transact(record)
    Desk(folder, study, now, transact, handle).resume(outcome)
    return outcome


def _refused(session: Session, number: int) -> LabFileRow:
    """The row of a file that can be judged again."""
    row = lab_file(session, number)
    if row is None:
        raise ReplayRefusedError("replay.unknown", file=number)
    if row.verdict != Verdict.QUARANTINED:
        raise ReplayRefusedError("replay.accepted", file=number, name=row.original_name)
    later = file_by_hash(session, replay_hash(row.sha256))
    if later is not None and later.id is not None:
        raise ReplayRefusedError("replay.done", file=number, later=later.id)
    if row.archived_as is None:
        raise ReplayRefusedError("replay.unfinished", file=number)
    return row


def _arrival(folder: DropFolder, row: LabFileRow) -> Arrival:
    """The original of a refused file, under a hash that says that it is judged again."""
    path = folder.root / str(row.archived_as)
    limit = folder.limits.max_bytes
    try:
        content = content_of(path, limit)
    except OSError as error:
        raise ReplayRefusedError("replay.gone", name=row.original_name) from error
    if row.size > limit:
        raise ReplayRefusedError("replay.large", name=row.original_name, limit=limit // 1_000_000)
    if content is None or len(content) != row.size:
        raise ReplayRefusedError("replay.gone", name=row.original_name)
    return Arrival(row.original_name, row.size, replay_hash(row.sha256), content)
