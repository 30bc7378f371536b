"""The data that a study collected of one subject, as groups of items with their origin: what an export writes. Pure.

Nothing that the program derives is among it: no window, no status, no AUC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from scheduler.domain import facts
from scheduler.domain.corrections import effective
from scheduler.domain.history import History
from scheduler.domain.results import ResultVersion, current_results

__all__ = ["FREE_TEXT", "Group", "Origin", "assessment_group", "collected"]

FREE_TEXT = frozenset({"REASON", "ASSESSOR"})
"""Items in which people write what they want: a name could stand there."""

Value = str | float | int | bool | date | datetime | Decimal | None
Items = Iterable[tuple[str, Value]]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who recorded a group and when, by which door, and under which number; `reason` is why it was corrected, where
    free text is asked for."""

    recorded_at: datetime
    recorded_by: str
    source: str
    number: int
    corrected: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Items recorded together. `visit` is None for what concerns the subject; values are text as it is exported."""

    visit: str | None
    name: str
    items: tuple[tuple[str, str], ...]
    origin: Origin


def assessment_group(item: str) -> str:
    """The name of the group of an assessment."""
    return f"ASSESS_{item.upper()}"


def collected(
    history: History, zone: ZoneInfo, laboratories: Mapping[int, str], *, free_text: bool = False
) -> tuple[Group, ...]:
    """What holds of a subject after all corrections, in the order of recording; then the results in force.

    Times are the site's, with their offset. `laboratories` names who sent a result, by the result's number.
    """
    whats = [fact.what for fact in history.facts]
    corrections = {what.fact_id: what for what in whats if isinstance(what, facts.Corrected)}
    found = [_of_fact(fact, corrections.get(fact.id), free_text) for fact in effective(history.facts)]
    found += [
        _of_result(result.version, laboratories)
        for results in current_results(history.results).values()
        for result in results.values()
    ]
    groups = (
        Group(visit, name, tuple(_written(items, zone, free_text)), origin)
        for visit, name, items, origin in filter(None, found)
    )
    return tuple(one for one in groups if one.items)


_Raw = tuple[str | None, str, Items, Origin]


def _of_fact(fact: facts.Fact, correction: facts.Corrected | None, free_text: bool) -> _Raw | None:
    origin = Origin(
        fact.recorded_at,
        fact.recorded_by,
        fact.source.value,
        fact.id,
        correction is not None,
        correction.reason if correction is not None and free_text else None,
    )
    what = fact.what
    match what:
        case facts.Enrolled():
            regimen = _regimen(what.regimen) if what.regimen is not None else []
            items = [("BASELINE", what.baseline), ("TREATMENT_START", what.treatment_start), *regimen]
            return None, "ENROLMENT", items, origin
        case facts.EligibilityAssessed():
            answers = [(one.name.upper(), getattr(what, one.name)) for one in fields(what)]
            return None, "ELIGIBILITY", answers, origin
        case facts.RegimenChanged():
            items = [("AT", what.at), *_regimen(what.regimen), ("REASON", what.reason)]
            return None, "REGIMEN", items, origin
        case facts.Paused() | facts.Resumed():
            items = [("EVENT", what.kind), ("AT", what.at), ("REASON", what.reason)]
            return None, "PARTICIPATION", items, origin
        case facts.Withdrawn():
            items = [("EVENT", what.kind), ("AT", what.at), ("CAUSE", what.cause), ("REASON", what.reason)]
            return None, "PARTICIPATION", items, origin
        case facts.Intercurrent():
            items = [("EVENT", what.event), ("AT", what.at), ("REASON", what.reason)]
            return None, "INTERCURRENT", items, origin
        case facts.VisitBooked() | facts.VisitMoved() | facts.VisitCancelled():
            return what.visit, "APPOINTMENT", _appointment(what), origin
        case facts.Attended():
            return what.visit, "VISIT", [("ATTENDED_AT", what.at)], origin
        case facts.DoseGiven():
            regimen = _regimen(facts.Regimen(what.formulation, what.dose_mg, what.interval_h))
            return what.visit, "DOSE", [("AT", what.at), *regimen], origin
        case facts.SampleDrawn():
            items = [("POINT", what.timepoint), ("DRAWN", "yes"), ("AT", what.at), ("TUBE", what.tube)]
            return what.visit, "SAMPLE", items, origin
        case facts.SampleNotDrawn():
            items = [("POINT", what.timepoint), ("DRAWN", "no"), ("AT", what.at), ("REASON", what.reason)]
            return what.visit, "SAMPLE", items, origin
        case facts.Assessed():
            return what.visit, assessment_group(what.item), _assessment(what), origin
        case facts.FlagAcknowledged() | facts.ProtocolApplied() | facts.Corrected():
            return None  # the work of the team, not data of the subject
    assert_never(what)


def _regimen(regimen: facts.Regimen) -> list[tuple[str, Value]]:
    return [
        ("FORMULATION", regimen.formulation), ("DOSE_MG", regimen.dose_mg), ("INTERVAL_H", regimen.interval_h),
    ]  # fmt: skip


def _appointment(
    what: facts.VisitBooked | facts.VisitMoved | facts.VisitCancelled,
) -> list[tuple[str, Value]]:
    match what:
        case facts.VisitBooked():
            return [("EVENT", what.kind), ("LOCAL", what.local)]
        case facts.VisitMoved():
            return [("EVENT", what.kind), ("LOCAL", what.local), ("REASON", what.reason)]
        case facts.VisitCancelled():
            return [("EVENT", what.kind), ("FINAL", what.final), ("REASON", what.reason)]


def _assessment(what: facts.Assessed) -> list[tuple[str, Value]]:
    return [
        ("AT", what.at), ("VALUE", what.value), ("UNIT", what.unit), ("MEASURED", what.measured),
        ("MEASURED_UNIT", what.measured_unit), ("EQUATION", what.equation), ("HB_CORRECTED", what.hb_corrected),
        ("ASSESSOR", what.assessor), *((f"SITE_{site.upper()}", score) for site, score in what.sites),
    ]  # fmt: skip


def _of_result(version: ResultVersion, laboratories: Mapping[int, str]) -> _Raw:
    items: list[tuple[str, Value]] = [
        ("POINT", version.timepoint), ("TUBE", version.specimen), ("STATUS", version.status),
        ("CONC_MG_L", version.conc_mg_l), ("BELOW_LLOQ", version.below_lloq), ("LLOQ_MG_L", version.lloq_mg_l),
        ("ABOVE_ULOQ", version.above_uloq), ("METHOD", version.method), ("COLLECTED_AT", version.collected_at),
        ("REPORTED_AT", version.reported_at),
    ]  # fmt: skip
    sender = laboratories.get(version.id, "laboratory")
    return version.visit, "RESULT", items, Origin(version.recorded_at, sender, "laboratory", version.id)


def _written(items: Items, zone: ZoneInfo, free_text: bool) -> Iterator[tuple[str, str]]:
    """The items that have a value."""
    for name, value in items:
        if value is not None and (free_text or name not in FREE_TEXT):
            yield name, _text(value, zone)


def _text(value: Value, zone: ZoneInfo) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            local = value.astimezone(zone) if value.tzinfo is not None else value
            return local.isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case StrEnum():
            return value.value
        case float():
            return f"{value:g}" if value == round(value, 6) else repr(value)
        case _:
            return str(value)
