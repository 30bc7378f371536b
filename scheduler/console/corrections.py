"""Correct an earlier record, or take it back. The old one stays on record with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.actions import CORRECTORS
from scheduler.console.entry import Entry, Matter, answer, not_here, who
from scheduler.console.page import Asked, Page, as_typed
from scheduler.console.participation import regimen_fields
from scheduler.console.sheet import Field, Group, Kind, Sheet
from scheduler.domain.corrections import effective
from scheduler.domain.facts import Corrected, Enrolled, Fact, What
from scheduler.domain.protocol import Activity
from scheduler.domain.reason import Reason, RefusedError, because
from scheduler.domain.speech import Speaker
from scheduler.domain.trial.eligibility import ITEMS
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.moments import read_field
from scheduler.engine.recording.request import Done
from scheduler.engine.recording.typed_assessments import read_number, read_whole
from scheduler.store.rows import payload_of
from scheduler.store.subjects import load_history

__all__ = ["PAGES"]

_GROUPS = ("regimen", "sites")  # values that belong together, shown field by field
_FIELD_OF: Mapping[str, str] = {
    "refused_dose_mg": "dose_mg",
    "refused_interval": "interval_h",
    "refused_measured": "measured",
    "refused_measured_unit": "measured_unit",
    "refused_out_of_range": "value",
    "refused_not_whole": "value",
    "refused_total": "value",
    "refused_total_of_some": "value",
    "refused_value_missing": "value",
}
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
    say, payload = matter.speaker, payload_of(fact.what)
    fields = tuple(
        _field(matter, name, value)
        for name, value in payload.items()
        if name not in _GROUPS and _is_simple(value)
    )
    groups = [Group(fields), *_regimen_group(say, payload), *_sites_group(matter, payload)]
    before = {field.name: field.value for group in groups for field in group.fields}

    def whats(sheet: Sheet) -> Sequence[What]:
        """Nothing is recorded anew: what was typed is read by `record`."""
        if sheet.words("why") is not None and not _changes(sheet, before) and not sheet.raw("take_back"):
            sheet.note("", say.text("Nothing was changed."))
        return []

    def record(session: Session, sheet: Sheet, _: Sequence[What]) -> Sequence[Done]:
        changed = _read(_changes(sheet, before), payload, asked.now, matter)
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
        groups=[*groups, Group(tuple(last))],
        whats=whats,
        intro=intro,
        beside=lambda reason: _beside(reason, payload),
        record=record,
    )


def _is_simple(value: Any) -> bool:
    """Whether it is one value, to be typed into one field."""
    return value is None or isinstance(value, str | int | float | bool)


def _regimen_group(say: Speaker, payload: Mapping[str, Any]) -> Iterator[Group]:
    """The regimen of a record, field by field; empty where none is known."""
    if "regimen" in payload:
        known = payload["regimen"] or {}
        fields = (
            replace(field, name=f"regimen.{field.name}", value=_plain(known.get(field.name)))
            for field in regimen_fields(say, required=False)
        )
        yield Group(tuple(fields), say.text("Regimen"))


def _sites_group(matter: Matter, payload: Mapping[str, Any]) -> Iterator[Group]:
    """The scores of the sites of a score; those that were not recorded are empty."""
    activity = _activity(matter, payload)
    if activity is not None and activity.sites:
        known = {site: str(score) for site, score in payload["sites"]}
        scores = tuple((str(score), str(score)) for score in range(activity.site_maximum + 1))
        fields = (
            Field(f"sites.{site}", matter.speaker.status(site), Kind.RADIO, known.get(site, ""), scores, required=False)
            for site in activity.sites
        )  # fmt: skip
        note = matter.speaker.text("The total follows when it is left as it is.")
        yield Group(tuple(fields), matter.speaker.name(activity.id), note, sums=True)


def _activity(matter: Matter, payload: Mapping[str, Any]) -> Activity | None:
    """What an assessment was of, by the protocol version that its visit follows."""
    plan = matter.timeline.visit(str(payload.get("visit", "")))
    return plan.protocol.activity(str(payload.get("item", ""))) if plan is not None else None


def _plain(value: object) -> str:
    """A value as it is typed: whole numbers without their decimals."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _beside(reason: Reason, payload: Mapping[str, Any]) -> str:
    """The field of a refusal, where the engine says which it is; of a group the first one."""
    site = reason.get("site_id")
    if reason.code == "refused_site_score":
        return f"sites.{site}"
    field = _FIELD_OF.get(reason.code) or str(reason.get("field") or "")
    if field == "regimen":
        return "regimen.formulation"
    return field if field in payload or "regimen" not in payload else f"regimen.{field}"


def _field(matter: Matter, name: str, value: Any) -> Field:
    say = matter.speaker
    if name in _MOMENTS and isinstance(value, str):
        local = datetime.fromisoformat(value)
        local = local.astimezone(say.zone) if local.tzinfo is not None else local
        return Field(name, say.text("Date and time"), Kind.MOMENT, local.strftime("%Y-%m-%dT%H:%M"))
    label = say.say(because(f"item_{name}")) if name in ITEMS else say.status(name)
    label = label[:1].upper() + label[1:]
    text = _plain(value)
    kind = Kind.DAY if name in _DAYS else Kind.AREA if name == "reason" else Kind.TEXT
    return Field(name, label, kind, text, required=False)


def _changes(sheet: Sheet, before: Mapping[str, str]) -> dict[str, str]:
    """The fields in which something else stands now."""
    return {name: sheet.raw(name) for name, value in before.items() if sheet.raw(name) != value.strip()}


def _read(
    changes: Mapping[str, str], payload: Mapping[str, Any], now: datetime, matter: Matter
) -> dict[str, Any]:
    """The fields as a record holds them; an emptied one holds nothing, of a group all stand. Raises RefusedError."""
    zone = matter.speaker.zone
    single = {name: value for name, value in changes.items() if name.partition(".")[0] not in _GROUPS}
    read = {name: read_field(name, value, now, zone)[1] if value else None for name, value in single.items()}
    regimen = _of_group(changes, "regimen")
    if regimen:
        whole = {
            **(payload["regimen"] or {}),
            **{name: _number(name, text) for name, text in regimen.items()},
        }
        read["regimen"] = whole if any(value is not None for value in whole.values()) else None
    sites = _of_group(changes, "sites")
    if sites:
        read |= _rescored(sites, payload, matter, total_typed="value" in read)
    return read


def _of_group(changes: Mapping[str, str], group: str) -> dict[str, str]:
    return {name.partition(".")[2]: value for name, value in changes.items() if name.startswith(f"{group}.")}


def _number(name: str, text: str) -> object:
    if not text:
        return None
    return text if name == "formulation" else read_number(text)


def _rescored(
    changed: Mapping[str, str], payload: Mapping[str, Any], matter: Matter, *, total_typed: bool
) -> dict[str, Any]:
    """The sites with the changed ones, and the total that follows from them unless one was typed."""
    activity = _activity(matter, payload)
    assert activity is not None
    scores = dict(payload["sites"]) | {site: read_whole(text) for site, text in changed.items() if text}
    scores = {site: scores[site] for site in activity.sites if site in scores}
    made: dict[str, Any] = {"sites": list(scores.items())}
    if not total_typed:
        made["value"] = float(sum(scores.values())) if len(scores) == len(activity.sites) else None
    return made


PAGES = (
    Page("/subjects/{subject}/records/{number}/correct", CORRECTORS, _correct, posts=True, keeps=as_typed),
)
