"""What a protocol version says about eligibility and endpoints; the defaults are ours, not the registry's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from scheduler.domain.civil import Period
from scheduler.domain.trial.eligibility import BiologicScope

__all__ = [
    "Anchor",
    "ChangeUnit",
    "CompositeRule",
    "EndpointSettings",
    "EventKind",
    "LungRule",
    "Operator",
    "SkinRule",
    "Strategy",
    "other_comparison",
    "while_on_treatment",
]


class Operator(StrEnum):
    GREATER = ">"
    AT_LEAST = ">="


class ChangeUnit(StrEnum):
    """Of what a threshold is: percent of the baseline value, units of the measure, litres."""

    REL = "rel"
    ABS = "abs"
    LITRES = "litres"


class CompositeRule(StrEnum):
    ANY = "any"
    ANY_NO_WORSENING = "any_no_worsening"
    ALL = "all"


class Anchor(StrEnum):
    """From which day the year is reckoned."""

    INCLUSION = "inclusion"
    TREATMENT_START = "treatment_start"


class EventKind(StrEnum):
    """What may come between inclusion and the endpoint."""

    DEATH = "death"
    ORGAN_FAILURE = "organ_failure"
    RESCUE_TREATMENT = "rescue_treatment"
    MMF_STOPPED = "mmf_stopped"


class Strategy(StrEnum):
    """What an event before the endpoint makes of a response."""

    NON_RESPONDER = "non_responder"
    TREATMENT_POLICY = "treatment_policy"
    WHILE_ON_TREATMENT = "while_on_treatment"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class SkinRule:
    """A response of the skin: the mRSS falls by both thresholds, from a baseline of at least `min_baseline`."""

    abs_threshold: float | None = 5
    abs_operator: Operator = Operator.AT_LEAST
    rel_threshold: float | None = 25
    rel_operator: Operator = Operator.AT_LEAST
    min_baseline: float = 7


@dataclass(frozen=True, slots=True)
class LungRule:
    """A response of the lung: FVC rises by `threshold`, or by `with_dlco_threshold` and DLCO by `dlco_threshold` %.

    `unit` is that of both FVC thresholds.
    """

    unit: ChangeUnit = ChangeUnit.REL
    operator: Operator = Operator.AT_LEAST
    threshold: float = 10
    with_dlco_threshold: float | None = 5
    dlco_threshold: float | None = 15


_ONE_YEAR = Period(months=12)
_STRATEGIES: Mapping[EventKind, Strategy] = MappingProxyType(dict.fromkeys(EventKind, Strategy.NON_RESPONDER))


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Which assessments are the endpoints, when they count, and what counts as a response."""

    mrss: str = "mrss"
    fvc: str = "fvc"
    dlco: str = "dlco"
    at: Period = _ONE_YEAR
    anchor: Anchor = Anchor.INCLUSION
    window_days: int = 91
    prorate_missing_sites: int = 0
    dlco_hb_corrected_required: bool = True
    composite_rule: CompositeRule = CompositeRule.ANY
    skin: SkinRule = SkinRule()
    lung: LungRule = LungRule()
    strategies: Mapping[EventKind, Strategy] = field(default_factory=lambda: _STRATEGIES)
    biologic_scope: BiologicScope = BiologicScope.LUNG


def while_on_treatment(settings: EndpointSettings) -> EndpointSettings:
    """The same, but who stopped MMF counts by the last value before that."""
    strategies = {**settings.strategies, EventKind.MMF_STOPPED: Strategy.WHILE_ON_TREATMENT}
    return replace(settings, strategies=strategies)


def other_comparison(settings: EndpointSettings) -> EndpointSettings:
    """The same, with "more than" where the protocol says "at least", and the reverse: scores are whole numbers."""
    turned = {Operator.GREATER: Operator.AT_LEAST, Operator.AT_LEAST: Operator.GREATER}
    skin, lung = settings.skin, settings.lung
    return replace(
        settings,
        skin=replace(skin, abs_operator=turned[skin.abs_operator], rel_operator=turned[skin.rel_operator]),
        lung=replace(lung, operator=turned[lung.operator]),
    )
