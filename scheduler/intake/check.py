"""A dry run over one file: what would become of it. Nothing is written, moved or recorded."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from config.language import Language
from scheduler.domain.reason import Reason, because
from scheduler.intake.findings import State, Verdict, rule_of
from scheduler.intake.ingest import Arrival, judge, read_arrival
from scheduler.intake.receipts import speakers
from scheduler.intake.rooms import MAX_BYTES
from scheduler.intake.shown import safe_name
from scheduler.intake.study import IntakeStudy
from scheduler.store.lab import file_by_hash

__all__ = ["check_file"]


def check_file(
    path: Path,
    study: IntakeStudy,
    now: datetime,
    language: Language,
    session: Session | None = None,
    max_bytes: int = MAX_BYTES,
) -> dict[str, object]:
    """The verdict that the intake would give. Without a session the rules about records are left out."""
    arrival = _arrival(path, max_bytes)
    known = (
        file_by_hash(session, arrival.sha256) if session is not None and arrival.content is not None else None
    )
    if known is not None:
        return _answer(path, Verdict.IGNORED, because("F-05", at=known.received_at), study, language)
    verdict = judge(session, read_arrival(arrival, study), study, now)
    counts = (verdict.count(State.ACCEPTED), verdict.count(State.HELD), verdict.count(State.IGNORED))
    return _answer(path, verdict.verdict, verdict.decisive, study, language, counts)


def _arrival(path: Path, max_bytes: int) -> Arrival:
    name = safe_name(path.name)
    size = path.stat().st_size
    if not path.is_file():
        return Arrival(name, 0, "", None, because("F-02", name=name))
    if size > max_bytes:
        return Arrival(name, size, "", None, because("F-04", limit=max_bytes // 1_000_000))
    return Arrival.of(name, path.read_bytes())


def _answer(
    path: Path,
    verdict: Verdict,
    reason: Reason | None,
    study: IntakeStudy,
    language: Language,
    counts: tuple[int, int, int] = (0, 0, 0),
) -> dict[str, object]:
    both = speakers(study.home_zone)
    speaker = both.fr if language is Language.FR else both.en
    accepted, held, ignored = counts
    return {
        "file": str(path),
        "verdict": verdict.value,
        "code": rule_of(reason) if reason is not None else "",
        "reason": speaker.say(reason) if reason is not None else "",
        "accepted": accepted,
        "held": held,
        "ignored": ignored,
    }
