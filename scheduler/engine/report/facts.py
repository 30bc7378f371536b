"""The records of a subject for people: as rows with whether they still hold, and each in a sentence."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, assert_never

from sqlmodel import Session

from pk.values.profile import Formulation as PkFormulation
from scheduler.domain.corrections import effective
from scheduler.domain.facts import (
    Assessed,
    Attended,
    Corrected,
    DoseGiven,
    EligibilityAssessed,
    Enrolled,
    Fact,
    FlagAcknowledged,
    Intercurrent,
    Paused,
    ProtocolApplied,
    Regimen,
    RegimenChanged,
    Resumed,
    SampleDrawn,
    SampleNotDrawn,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    What,
    Withdrawn,
)
from scheduler.domain.pictures import decimal_sign
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.store.rows import payload_of
from scheduler.store.subjects import load_history

__all__ = ["assessed_text", "dosing_said", "fact_lines", "fact_said", "plain"]


def fact_lines(session: Session, subject: str) -> list[dict[str, Any]]:
    """Every record of a subject with its number, and whether it still holds."""
    facts = load_history(session, subject).facts
    holding = {fact.id: fact for fact in effective(facts)}
    return [_fact_line(fact, holding) for fact in facts]


def _fact_line(fact: Fact, holding: dict[int, Fact]) -> dict[str, Any]:
    what = fact.what
    now = holding.get(fact.id)
    if isinstance(what, Corrected):
        state = "correction"
    elif now is None:
        state = "taken back"
    else:
        state = "holds" if now.what == what else "corrected"
    return {
        "number": fact.id,
        "kind": what.kind,
        "state": state,
        "content": payload_of(what),
        "recorded_at": fact.recorded_at,
        "recorded_by": fact.recorded_by,
        "source": fact.source.value,
    }


def dosing_said(given: Regimen | DoseGiven, speaker: Speaker) -> str:
    """Drug, dose and interval."""
    words = "{formulation} {dose} mg every {hours} h"
    formulation = PkFormulation(given.formulation.value).label
    return speaker.text(words, formulation=formulation, dose=given.dose_mg, hours=given.interval_h)


def fact_said(what: What, speaker: Speaker) -> str:
    """What was recorded, in the reader's language; of which visit is not said again."""
    match what:
        case Enrolled():
            return speaker.text("enrolled, inclusion on {on}", on=what.baseline)
        case VisitBooked():
            return speaker.text("appointment on {at}", at=what.local)
        case VisitMoved():
            return speaker.text("appointment moved to {at}: {why}", at=what.local, why=what.reason)
        case VisitCancelled():
            final = "visit cancelled for good: {why}"
            return speaker.text(final if what.final else "appointment cancelled: {why}", why=what.reason)
        case Attended():
            return speaker.text("attended on {at}", at=what.at)
        case DoseGiven():
            return speaker.text("dose on {at}: {dose}", at=what.at, dose=dosing_said(what, speaker))
        case SampleDrawn():
            words = "{point} drawn on {at}, tube {tube_id}"
            return speaker.text(words, point=what.timepoint, at=what.at, tube_id=what.tube)
        case SampleNotDrawn():
            return speaker.text("{point} not drawn: {why}", point=what.timepoint, why=what.reason)
        case Assessed():
            return f"{speaker.name(what.item)}: {assessed_text(what, speaker)}"
        case EligibilityAssessed():
            return speaker.text("eligibility as known on {on}", on=what.on)
        case Intercurrent():
            return f"{speaker.say(because(f'event_{what.event}'))}, {speaker.moment(what.at)}: {what.reason}"
        case RegimenChanged():
            words = "from {at}: {dose}; {why}"
            return speaker.text(words, at=what.at, dose=dosing_said(what.regimen, speaker), why=what.reason)
        case Paused():
            return speaker.text("on hold from {at}: {why}", at=what.at, why=what.reason)
        case Resumed():
            return speaker.text("participation resumed on {at}: {why}", at=what.at, why=what.reason)
        case Withdrawn():
            words, cause = "withdrawn on {at} ({cause}): {why}", because(f"withdrawal_{what.cause}")
            return speaker.text(words, at=what.at, cause=cause, why=what.reason)
        case ProtocolApplied():
            words = "protocol version {version} from {on}: {why}"
            return speaker.text(words, version=what.version, on=what.on, why=what.reason)
        case FlagAcknowledged():
            return speaker.text("flag acknowledged: {why}", why=what.reason)
        case Corrected():
            if what.instead is None:
                return speaker.text("record {number} taken back: {why}", number=what.fact_id, why=what.reason)
            words = "record {number} corrected to: {now}; {why}"
            now = fact_said(what.instead, speaker)
            return speaker.text(words, number=what.fact_id, now=now, why=what.reason)
    assert_never(what)


def assessed_text(one: Assessed, speaker: Speaker) -> str:
    """A value with its unit and how it came about."""
    parts = [
        f"{plain(one.value, speaker)} {speaker.status(one.unit)}".strip() if one.value is not None else "–"
    ]
    if one.measured is not None:
        parts.append(f"{plain(one.measured, speaker)} {one.measured_unit}")
    if one.sites:
        parts.append(", ".join(f"{speaker.status(site)} {score}" for site, score in one.sites))
    if one.assessor is not None:
        parts.append(speaker.text("assessor: {name_id}", name_id=one.assessor))
    if one.equation is not None:
        parts.append(speaker.text("equation: {name_id}", name_id=one.equation))
    if one.hb_corrected is not None:
        parts.append(
            speaker.text("corrected for haemoglobin" if one.hb_corrected else "not corrected for haemoglobin")
        )
    return speaker.listed(parts)


def plain(value: float | Decimal, speaker: Speaker) -> str:
    """A number as it was given, with the reader's decimal sign."""
    digits = f"{value:f}" if isinstance(value, Decimal) else f"{value:g}"
    return digits.replace(".", decimal_sign(speaker))
