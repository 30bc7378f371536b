"""The endpoints of one subject: changes at one year, every response definition, the composite. Pure; knows no now.

What "improve" means is not in the registry record: every definition that is the study team's own is marked so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from scheduler.domain.civil import local_date
from scheduler.domain.facts import Withdrawal
from scheduler.domain.protocol import TimingType
from scheduler.domain.reason import Reason, because
from scheduler.domain.timeline import Timeline
from scheduler.domain.trial.changes import Change, Happened, Window, change_of, window_of
from scheduler.domain.trial.definitions import (
    LUNG_RESPONSE,
    SKIN_RESPONSE,
    Definition,
    Evidence,
    Measure,
    Sense,
    compared,
    definitions,
    holds,
)
from scheduler.domain.trial.eligibility import Arm, Eligibility, eligibility_of
from scheduler.domain.trial.measurements import measurements_of
from scheduler.domain.trial.settings import (
    Anchor,
    ChangeUnit,
    CompositeRule,
    EndpointSettings,
    EventKind,
    Strategy,
)

__all__ = ["Endpoints", "Outcome", "endpoints_of", "outcomes_of"]

ASSIST = "assist"
_DOMAINS = ((SKIN_RESPONSE, "skin_worse"), (LUNG_RESPONSE, "lung_worse"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one definition says: `holds` is None when it cannot be evaluated, and `why` then says why."""

    id: str
    sense: Sense
    evidence: Evidence
    holds: bool | None
    why: tuple[Reason, ...]
    flags: tuple[Reason, ...] = ()

    @property
    def evaluable(self) -> bool:
        return self.holds is not None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A subject's endpoints. `primary` is the composite that the protocol names; `eligibility` None if not recorded."""

    window: Window
    eligibility: Eligibility | None
    changes: Mapping[Measure, Change]
    outcomes: tuple[Outcome, ...]
    primary: Outcome

    def outcome(self, name: str) -> Outcome:
        """The outcome of a definition or composite rule, by id."""
        return next(one for one in self.outcomes if one.id == name)


def endpoints_of(timeline: Timeline, instead: EndpointSettings | None = None) -> Endpoints:
    """The endpoints as the records stand. Before the year is over most of them cannot be evaluated yet.

    By the settings of the protocol, or by others for an analysis of sensitivity.
    """
    settings, enrolled = instead or timeline.protocol.endpoints, timeline.facts.enrolled
    assert enrolled is not None
    answers = timeline.facts.eligibility
    eligibility = eligibility_of(answers, settings.biologic_scope) if answers is not None else None
    fixed = next(one for one in timeline.visits if one.planned.encounter.timing.type is TimingType.FIXED)
    anchor = fixed.attended_on or enrolled.baseline
    if settings.anchor is Anchor.TREATMENT_START and enrolled.treatment_start is not None:
        anchor = enrolled.treatment_start
    window = window_of(anchor, settings)
    found, happened = tuple(measurements_of(timeline, settings)), _happened(timeline)
    changes = {one: change_of(one, found, fixed.id, window, happened, settings) for one in Measure}
    outcomes = outcomes_of(changes, eligibility, settings)
    primary = next(one for one in outcomes if one.id == settings.composite_rule)
    return Endpoints(window, eligibility, changes, outcomes, primary)


def _happened(timeline: Timeline) -> tuple[Happened, ...]:
    """The events that are on record; a death is recorded as a withdrawal."""
    zone = timeline.zone_calendar.zone
    found = [
        Happened(EventKind(one.event.value), local_date(one.at, zone)) for one in timeline.facts.intercurrent
    ]
    left = timeline.facts.withdrawn
    if left is not None and left.cause is Withdrawal.DEATH:
        found.append(Happened(EventKind.DEATH, local_date(left.at, zone)))
    return tuple(found)


def outcomes_of(
    changes: Mapping[Measure, Change], eligibility: Eligibility | None, settings: EndpointSettings
) -> tuple[Outcome, ...]:
    """What every definition says of these changes, and the composites of them."""
    single = {one.id: _outcome(one, changes, eligibility, settings) for one in definitions(settings)}
    assist = _any_of(ASSIST, Evidence.PUBLISHED, [single["assist_skin"], single["assist_lung"]])
    responses = [single[response] for response, _ in _DOMAINS]
    any_ = _any_of(CompositeRule.ANY, Evidence.ANALYST, responses)
    worse = [single[worse] for response, worse in _DOMAINS if single[response].evaluable]
    return (*single.values(), assist, any_, _no_worsening(any_, worse), _all_of(responses))


def _outcome(
    definition: Definition,
    changes: Mapping[Measure, Change],
    eligibility: Eligibility | None,
    settings: EndpointSettings,
) -> Outcome:
    barred = [*_outside_arm(definition, eligibility), *_low_baseline(definition, changes)]
    found = Outcome(definition.id, definition.sense, definition.evidence, None, tuple(barred))
    if barred:
        return found
    of = [changes[measure] for measure in definition.measures]
    baseline = of[0].baseline
    if definition.sense is not Sense.WORSENED and baseline is not None and baseline.value is not None:
        decided = _by_event(found, of[0], settings)
        if decided is not None:
            return decided
    known = {
        (one.measure, condition.unit): _counted(one, condition.unit, definition)
        for one in of
        for some in definition.alternatives
        for condition in some
    }
    result = holds(definition, known)
    flags = [flag for one in of for flag in one.flags]
    without_dlco = Measure.DLCO in definition.measures and all(
        value is None for (measure, _), value in known.items() if measure is Measure.DLCO
    )
    if result is None:
        why = [reason for one in of for reason in one.why] or [because("endpoint_change_unknown")]
        return replace(found, why=tuple(dict.fromkeys(why)))
    if without_dlco:
        flags.append(because("endpoint_without_dlco"))
    return replace(found, holds=result, flags=tuple(dict.fromkeys(flags)))


def _counted(change: Change, unit: ChangeUnit, definition: Definition) -> Fraction | None:
    """The change in the unit of a condition; a DLCO that must be corrected for haemoglobin counts only then."""
    both = (change.baseline, change.after)
    if (
        definition.hb_required
        and change.measure is Measure.DLCO
        and not all(one is not None and one.hb_corrected for one in both)
    ):
        return None
    return change.in_unit(unit)


def _outside_arm(definition: Definition, eligibility: Eligibility | None) -> list[Reason]:
    if definition.arm is None:
        return []
    if eligibility is None:
        return [because("endpoint_no_eligibility")]
    if definition.arm in eligibility.arms:
        return []
    open_ = definition.arm in eligibility.possible_arms
    return [
        because(
            f"endpoint_arm_{'open' if open_ else 'other'}_{'skin' if definition.arm is Arm.SKIN else 'lung'}"
        )
    ]


def _low_baseline(definition: Definition, changes: Mapping[Measure, Change]) -> list[Reason]:
    if definition.min_baseline is None:
        return []
    baseline = changes[definition.measures[0]].baseline
    operator, floor = definition.min_baseline
    if baseline is None or baseline.value is None or compared(baseline.value, operator, floor):
        return []
    return [
        because(
            "endpoint_low_baseline",
            value=float(baseline.value),
            operator_id=operator.value,
            floor=float(floor),
        )
    ]


def _by_event(found: Outcome, change: Change, settings: EndpointSettings) -> Outcome | None:
    """What an event before the endpoint makes of a response, by its strategy; None when the values decide."""
    chosen = {one: settings.strategies[one.kind] for one in change.events}
    for strategy in (Strategy.NON_RESPONDER, Strategy.MISSING):
        for event, its in chosen.items():
            if its is strategy:
                reason = because(
                    f"endpoint_event_{strategy}", event=because(f"event_{event.kind}"), on=event.on
                )
                if strategy is Strategy.MISSING:
                    return replace(found, why=(reason,))
                return replace(found, holds=False, flags=(reason,))
    return None


def _any_of(name: str, evidence: Evidence, parts: Sequence[Outcome]) -> Outcome:
    """Holds when one evaluable part does; a part that cannot be evaluated is left out, never taken for no."""
    counted = [one for one in parts if one.evaluable]
    flags = tuple(dict.fromkeys(flag for one in counted for flag in one.flags))
    if not counted:
        why = tuple(dict.fromkeys(reason for one in parts for reason in one.why))
        return Outcome(name, Sense.IMPROVED, evidence, None, why)
    return Outcome(name, Sense.IMPROVED, evidence, any(one.holds for one in counted), (), flags)


def _no_worsening(any_: Outcome, worse: Sequence[Outcome]) -> Outcome:
    """As `any`, and no domain that counts is worse; open while it is not known whether one is."""
    found = replace(any_, id=CompositeRule.ANY_NO_WORSENING.value)
    if not any_.holds:
        return found
    if any(one.holds for one in worse):
        return replace(found, holds=False)
    unknown = [reason for one in worse if not one.evaluable for reason in one.why]
    return replace(found, holds=None, why=tuple(unknown)) if unknown else found


def _all_of(parts: Sequence[Outcome]) -> Outcome:
    """Holds when every evaluable domain responds."""
    found = _any_of(CompositeRule.ALL.value, Evidence.ANALYST, parts)
    counted = [one.holds for one in parts if one.evaluable]
    return replace(found, holds=all(counted)) if counted else found
