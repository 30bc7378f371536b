"""From the protocol file to the protocol: every defect of meaning, at once, or the checked value."""

from __future__ import annotations

from collections.abc import Collection
from datetime import time

from config.defects import Defect
from config.schema import EligibilityFile, EncounterFile, EndpointsFile, PointFile, ProtocolFile, ReminderFile
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
from scheduler.domain.protocol_file.checks import defects_of
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

__all__ = ["compile_protocol"]


def compile_protocol(
    source: ProtocolFile, file: str, templates: Collection[str], key: str = ""
) -> tuple[Protocol | None, list[Defect]]:
    """The protocol, or what keeps the file from being one.

    `templates` are the names of the mail templates that exist; `key` identifies this version in caches.
    """
    defects = defects_of(source, file, frozenset(templates))
    return (None, defects) if defects else (_build(source, key), [])


def _build(source: ProtocolFile, key: str) -> Protocol:
    """The protocol. Its study, assessments and bands have the fields of the file, under the same names."""
    return Protocol(
        **source.study.model_dump(),
        encounters=tuple(_encounter(one) for one in source.encounters),
        points=tuple(_point(one) for one in source.sampling.points),
        activities=tuple(Activity(**one.model_dump()) for one in source.activities),
        limits=Limits(**{name: parse_period(text) for name, text in source.limits.model_dump().items()}),
        bands=tuple(Band(**one.model_dump()) for one in source.bands),
        reminders=tuple(_rule(one) for one in source.reminders),
        notices=tuple(Notice(Event(n.event), n.template, n.to) for n in source.notices),
        digest_at=time.fromisoformat(source.digest.at),
        digest_roles=source.digest.to,
        primary=source.exposure.primary,
        endpoints=_endpoints(source.endpoints, source.eligibility),
        key=key or f"{source.study.id} {source.study.version}",
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


def _point(source: PointFile) -> SamplePoint:
    minutes, lower, upper = (
        parse_period(one).minutes for one in (source.value, source.window_lower, source.window_upper)
    )
    nominal = -minutes if source.type == "before" else minutes
    return SamplePoint(source.id, nominal, nominal - lower, nominal + upper)


def _rule(source: ReminderFile) -> ReminderRule:
    return ReminderRule(
        id=source.id,
        template=source.template,
        roles=source.to,
        trigger=source.trigger,
        sign={"before": -1, "after": 1, "at": 0}[source.type],
        value=parse_period(source.value),
        at=time.fromisoformat(source.at) if source.at else None,
        while_=frozenset(source.while_),
        valid_for=parse_period(source.valid_for),
    )
