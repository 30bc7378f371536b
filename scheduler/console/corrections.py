"""Correct an earlier record, or take it back. The old one stays on record with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.actions import CORRECTORS
from scheduler.console.entry import Entry, Matter, answer, not_here, who
from scheduler.console.page import Asked, Page
from scheduler.console.sheet import Field, Group, Kind, Sheet
from scheduler.domain.eligibility import ITEMS
from scheduler.domain.facts import Corrected, Enrolled, Fact, What, effective
from scheduler.domain.reason import because
from scheduler.engine import record as engine
from scheduler.engine.moments import read_field
from scheduler.engine.record import Done, RefusedError
from scheduler.store.rows import payload_of
from scheduler.store.subjects import load_history

__all__ = ["PAGES"]

_DAYS = ("baseline", "treatment_start", "on")
_MOMENTS = ("at", "local")


def _correct(asked: Asked) -> Response:
    number = asked.path["number"]
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return not_here(asked)
    found = asked.desk.database.read(lambda session: _holding(session, asked.path["subject"], int(number)))
    if found is None:
        return not_here(asked)
    return answer(asked, lambda asked, matter: _entry(asked, matter, found))


def _holding(session: Session, subject: str, number: int) -> Fact | None:
    """The record as it holds today; None when there is none of this number, or it is a correction."""
    facts = load_history(session, subject).facts
    held = {fact.id: fact for fact in effective(facts)}
    original = next((fact for fact in facts if fact.id == number), None)
    if original is None or isinstance(original.what, Corrected):
        return None
    return held.get(number, original)


def _entry(asked: Asked, matter: Matter, fact: Fact) -> Entry:
    say = matter.speaker
    fields = tuple(
        _field(matter, name, value) for name, value in payload_of(fact.what).items() if _is_simple(value)
    )
    before = {field.name: field.value for field in fields}

    def whats(sheet: Sheet) -> Sequence[What]:
        """Nothing is recorded anew: what was typed is read by `record`."""
        if sheet.words("why") is not None and not _changes(sheet, before) and not sheet.raw("take_back"):
            sheet.note("", say.text("Nothing was changed."))
        return []

    def record(session: Session, sheet: Sheet, _: Sequence[What]) -> Sequence[Done]:
        changed = _read(_changes(sheet, before), asked.now, matter)
        if sheet.raw("take_back") and changed:
            raise RefusedError([because("refused_set_or_take_back")])
        desk, fields = asked.desk, None if sheet.raw("take_back") else changed
        done = engine.correct(
            session, desk.study, matter.code, fact.id, fields, sheet.raw("why"), who(asked), asked.now, desk.handle
        )  # fmt: skip
        return [done]

    words = "Record {number}: {what}. Recorded on {at} by {by_id}."
    intro = say.text(
        words,
        number=str(fact.id),
        what=say.status(fact.what.kind),
        at=fact.recorded_at,
        by_id=fact.recorded_by,
    )
    last = [Field("why", say.text("Reason of the correction"), Kind.AREA)]
    if not isinstance(fact.what, Enrolled):
        words = "The record is wrong as a whole: take it back"
        last.insert(0, Field("take_back", say.text(words), Kind.CHECK, required=False))
    return Entry(
        title=say.text("Correct a record"),
        button=say.text("Correct"),
        groups=[Group(fields), Group(tuple(last))],
        whats=whats,
        intro=intro,
        beside=lambda reason: str(reason.get("field") or ""),
        record=record,
    )


def _is_simple(value: Any) -> bool:
    """Whether it can be typed: groups of values are corrected by taking the record back."""
    return value is None or isinstance(value, str | int | float | bool)


def _field(matter: Matter, name: str, value: Any) -> Field:
    say = matter.speaker
    if name in _MOMENTS and isinstance(value, str):
        local = datetime.fromisoformat(value)
        local = local.astimezone(say.zone) if local.tzinfo is not None else local
        return Field(name, say.text("Date and time"), Kind.MOMENT, local.strftime("%Y-%m-%dT%H:%M"))
    label = say.say(because(f"item_{name}")) if name in ITEMS else say.status(name)
    label = label[:1].upper() + label[1:]
    text = "" if value is None else str(value)
    kind = Kind.DAY if name in _DAYS else Kind.AREA if name == "reason" else Kind.TEXT
    return Field(name, label, kind, text, required=False)


def _changes(sheet: Sheet, before: Mapping[str, str]) -> dict[str, str]:
    """The fields in which something else stands now."""
    return {name: sheet.raw(name) for name, value in before.items() if sheet.raw(name) != value.strip()}


def _read(changes: Mapping[str, str], now: datetime, matter: Matter) -> dict[str, Any]:
    """The fields as a record holds them; an emptied one holds nothing. Raises RefusedError."""
    zone = matter.speaker.zone
    return {name: read_field(name, value, now, zone)[1] if value else None for name, value in changes.items()}


PAGES = (Page("/subjects/{subject}/records/{number}/correct", CORRECTORS, _correct, posts=True),)
