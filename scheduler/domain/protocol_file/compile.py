"""From the protocol file to the protocol: every defect of meaning, at once, or the checked value."""

from __future__ import annotations

from collections.abc import Collection
from datetime import time

from config.defects import Defect
from config.schema import EligibilityFile, EncounterFile, EndpointsFile, ProtocolFile, ReminderFile
from scheduler.domain.civil import Period, parse_period
from scheduler.domain.protocol import (
    Activity,
    AnchorBasis,
    Band,
    Encounter,
    Event,
    IfAnchorMissed,
    Limits,
    Notice,
    Protocol,
    ReminderRule,
    SamplePoint,
    Shift,
    Timing,
    TimingType,
)
from scheduler.domain.protocol_file.checks import ROLES, defects_of
from scheduler.domain.trial.eligibility import BiologicScope
from scheduler.domain.trial.settings import (
    Anchor,
    ChangeUnit,
    CompositeRule,
    EndpointSettings,
    EventKind,
    LungRule,
    Operator,
    SkinRule,
    Strategy,
)

__all__ = ["ROLES", "compile_protocol"]


def compile_protocol(
    source: ProtocolFile, file: str, templates: Collection[str], key: str = ""
) -> tuple[Protocol | None, list[Defect]]:
    """The protocol, or what keeps the file from being one.

    `templates` are the names of the mail templates that exist; `key` identifies this version in caches.
    """
    defects = defects_of(source, file, frozenset(templates))
    return (None, defects) if defects else (_build(source, key), [])


def _time(text: str) -> time:
    return time.fromisoformat(text)


def _build(source: ProtocolFile, key: str) -> Protocol:
    study = source.study
    return Protocol(
        id=study.id,
        version=study.version,
        title=study.title.model_dump(),
        acronym=study.acronym,
        registry_id=study.registry_id,
        sponsor_id=study.sponsor_id,
        study_id=study.study_id,
        subject_pattern=study.subject_pattern,
        subject_check=study.subject_check,
        encounters=tuple(_encounter(one) for one in source.encounters),
        points=tuple(
            _point(p.id, p.type, *map(parse_period, (p.value, p.window_lower, p.window_upper)))
            for p in source.sampling.points
        ),
        activities=tuple(
            Activity(
                a.id,
                a.label.model_dump(),
                a.unit,
                a.minimum,
                a.maximum,
                a.integer,
                a.sites,
                a.site_maximum,
                a.measured_in,
                a.predicted,
                a.hb_correction,
            )
            for a in source.activities
        ),
        limits=Limits(
            parse_period(source.limits.attendance_within),
            parse_period(source.limits.complete_within),
            parse_period(source.limits.results_within),
        ),
        bands=tuple(
            Band(b.id, b.label.model_dump(), b.low_mg_h_l, b.high_mg_h_l, b.source, b.flag)
            for b in source.bands
        ),
        reminders=tuple(_rule(one) for one in source.reminders),
        notices=tuple(Notice(Event(n.event), n.template, n.to) for n in source.notices),
        digest_at=_time(source.digest.at),
        digest_roles=source.digest.to,
        primary=source.exposure.primary,
        endpoints=_endpoints(source.endpoints, source.eligibility),
        key=key or f"{study.id} {study.version}",
    )


def _encounter(source: EncounterFile) -> Encounter:
    timing = source.timing
    return Encounter(
        id=source.id,
        code=source.code,
        label=source.label.model_dump(),
        timing=Timing(
            type=TimingType(timing.type),
            value=parse_period(timing.value),
            relative_to=timing.relative_to,
            window_lower=parse_period(timing.window_lower),
            window_upper=parse_period(timing.window_upper),
            anchor_basis=AnchorBasis(timing.anchor_basis),
            if_anchor_missed=IfAnchorMissed(timing.if_anchor_missed),
            shift=Shift(timing.shift),
            grace=parse_period(timing.grace),
            expires_after=parse_period(timing.expires_after),
        ),
        sampling=source.sampling,
        required=source.required,
        optional=source.optional,
    )


def _endpoints(source: EndpointsFile, eligibility: EligibilityFile) -> EndpointSettings:
    """The settings; a threshold of 0 is one that is not asked for."""
    skin, lung = source.skin, source.lung
    strategies = source.intercurrent_strategy.model_dump()
    return EndpointSettings(
        mrss=source.mrss,
        fvc=source.fvc,
        dlco=source.dlco,
        at=Period(months=source.at_months),
        anchor=Anchor(source.anchor),
        window_days=source.window_days,
        prorate_missing_sites=source.prorate_missing_sites,
        dlco_hb_corrected_required=source.dlco_hb_corrected_required,
        composite_rule=CompositeRule(source.composite_rule),
        skin=SkinRule(
            skin.abs_threshold or None,
            Operator(skin.abs_operator),
            skin.rel_threshold or None,
            Operator(skin.rel_operator),
            skin.min_baseline,
        ),
        lung=LungRule(
            ChangeUnit(lung.unit),
            Operator(lung.operator),
            lung.threshold,
            lung.with_dlco_threshold or None,
            lung.dlco_threshold or None,
        ),
        strategies={EventKind(name): Strategy(word) for name, word in strategies.items()},
        biologic_scope=BiologicScope(eligibility.biologic_scope),
    )


def _point(name: str, type_: str, value: Period, lower: Period, upper: Period) -> SamplePoint:
    nominal = -value.minutes if type_ == "before" else value.minutes
    return SamplePoint(name, nominal, nominal - lower.minutes, nominal + upper.minutes)


def _rule(source: ReminderFile) -> ReminderRule:
    return ReminderRule(
        id=source.id,
        template=source.template,
        roles=source.to,
        trigger=source.trigger,
        sign={"before": -1, "after": 1, "at": 0}[source.type],
        value=parse_period(source.value),
        at=_time(source.at) if source.at else None,
        while_=frozenset(source.while_),
        valid_for=parse_period(source.valid_for),
    )
