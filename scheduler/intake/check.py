"""A dry run over one file: what would become of it. Nothing is written, moved or recorded."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from config.language import Language
from scheduler.domain.reason import Reason, because
from scheduler.intake.arrival import Arrival
from scheduler.intake.bounded import Bounds, read_bounded
from scheduler.intake.findings import FileVerdict, State, Verdict, rule_of
from scheduler.intake.folder.rooms import MAX_BYTES
from scheduler.intake.ingest import judge
from scheduler.intake.receipts import speakers
from scheduler.intake.shown import safe_name
from scheduler.intake.study import IntakeStudy
from scheduler.store.lab.files import file_by_hash

__all__ = ["check_file"]

_BOUNDS = Bounds()


def check_file(
    path: Path,
    study: IntakeStudy,
    now: datetime,
    language: Language,
    session: Session | None = None,
    max_bytes: int = MAX_BYTES,
    bounds: Bounds = _BOUNDS,
) -> dict[str, object]:
    """The verdict that the intake would give. Without a session the rules about records are left out."""
    arrival = _arrival(path, max_bytes)
    known = (
        file_by_hash(session, arrival.sha256) if session is not None and arrival.content is not None else None
    )
    if known is not None:
        verdict = FileVerdict(Verdict.IGNORED, because("F-05", at=known.received_at))
    else:
        verdict = judge(session, read_bounded(arrival, study, bounds), study, now)
    return _answer(path, verdict, study, language)


def _arrival(path: Path, max_bytes: int) -> Arrival:
    name = safe_name(path.name)
    size = path.stat().st_size
    if not path.is_file():
        return Arrival(name, 0, "", None, because("F-02", name=name))
    if size > max_bytes:
        return Arrival(name, size, "", None, because("F-04", limit=max_bytes // 1_000_000))
    return Arrival.of(name, path.read_bytes())


def _answer(path: Path, verdict: FileVerdict, study: IntakeStudy, language: Language) -> dict[str, object]:
    both = speakers(study.home_zone)
    speaker = both.fr if language is Language.FR else both.en
    reason = verdict.decisive

    def told(one: Reason) -> dict[str, str]:
        return {"code": rule_of(one), "reason": speaker.say(one)}

    return {
        "file": str(path),
        "verdict": verdict.verdict.value,
        "code": rule_of(reason) if reason is not None else "",
        "reason": speaker.say(reason) if reason is not None else "",
        "accepted": verdict.count(State.ACCEPTED),
        "held": verdict.count(State.HELD),
        "ignored": verdict.count(State.IGNORED),
        "notes": [told(note) for note in verdict.notes],
        "rows": [
            {"row": row.row, "verdict": row.state.value, **told(one.reason)}
            for row in verdict.rows
            for one in row.findings
        ],
    }
