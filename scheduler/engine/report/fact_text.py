"""A record in a sentence, for people."""

from __future__ import annotations

from typing import assert_never

from pk.values.profile import Formulation as PkFormulation
from scheduler.domain.facts import (
    Assessed,
    Attended,
    Corrected,
    DoseGiven,
    EligibilityAssessed,
    Enrolled,
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
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.engine.report.assessment_text import assessed_text

__all__ = ["dosing_said", "fact_said"]


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
