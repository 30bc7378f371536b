"""Response definitions as data, and what they say of a change. Exact fractions; sources in docs/endpoints.md.

A definition is a choice of alternatives, each a set of conditions that must all hold. Comparisons carry a tolerance of
1e-9, so that 70 to 63 is exactly -10 % and 20 to 15 exactly -25 % also when a value came from a calculation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from scheduler.domain.trial.eligibility import Arm
from scheduler.domain.trial.settings import ChangeUnit, EndpointSettings, LungRule, Operator, SkinRule

__all__ = [
    "LUNG_RESPONSE",
    "PUBLISHED",
    "SKIN_RESPONSE",
    "Condition",
    "Definition",
    "Evidence",
    "Measure",
    "Sense",
    "compared",
    "definitions",
    "holds",
]

TOLERANCE = Fraction(1, 10**9)
SKIN_RESPONSE, LUNG_RESPONSE = "skin_response", "lung_response"


class Measure(StrEnum):
    MRSS = "mrss"
    FVC = "fvc"
    DLCO = "dlco"


class Sense(StrEnum):
    """What a definition that holds says of the subject."""

    IMPROVED = "improved"
    WORSENED = "worsened"
    STABLE = "stable"


class Evidence(StrEnum):
    PUBLISHED = "published"
    ANALYST = "analyst_chosen"
    """Chosen by the study team; the registry is silent."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The measure rises (positive `threshold`) or falls (negative one) by that much or more."""

    measure: Measure
    unit: ChangeUnit
    operator: Operator
    threshold: Fraction


@dataclass(frozen=True, slots=True)
class Definition:
    """When a subject counts as improved, worsened or stable.

    `arm` restricts it to subjects of that arm, `min_baseline` to a baseline mRSS. With `negated` it holds when no
    alternative does. `closed_without_dlco`: an alternative that needs a missing DLCO is not met; otherwise the
    definition cannot be evaluated when that alternative would decide.
    """

    id: str
    sense: Sense
    evidence: Evidence
    alternatives: tuple[tuple[Condition, ...], ...]
    arm: Arm | None = None
    min_baseline: tuple[Operator, Fraction] | None = None
    negated: bool = False
    closed_without_dlco: bool = False
    hb_required: bool = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What it looks at, the deciding one first."""
        return tuple(dict.fromkeys(one.measure for some in self.alternatives for one in some))


def compared(value: Fraction, operator: Operator, threshold: Fraction) -> bool:
    """Whether a value reaches (or exceeds) a threshold, within 1e-9."""
    if operator is Operator.GREATER:
        return value > threshold + TOLERANCE
    return value >= threshold - TOLERANCE


def holds(
    definition: Definition, changes: Mapping[tuple[Measure, ChangeUnit], Fraction | None]
) -> bool | None:
    """Whether some alternative is met; None when that depends on a change that is not known."""
    found = _any(_all(_met(one, changes, definition) for one in some) for some in definition.alternatives)
    return found if found is None or not definition.negated else not found


def _met(
    condition: Condition, changes: Mapping[tuple[Measure, ChangeUnit], Fraction | None], of: Definition
) -> bool | None:
    change = changes.get((condition.measure, condition.unit))
    if change is None:
        return False if of.closed_without_dlco and condition.measure is Measure.DLCO else None
    rises = condition.threshold >= 0
    return compared(change if rises else -change, condition.operator, abs(condition.threshold))


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return False if False in found else (None if None in found else True)


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return True if True in found else (None if None in found else False)


_REL, _ABS = ChangeUnit.REL, ChangeUnit.ABS
_OVER, _LEAST = Operator.GREATER, Operator.AT_LEAST


def _exact(value: float) -> Fraction:
    """A number as it is written in decimals."""
    return Fraction(str(value))


def _condition(measure: Measure, unit: ChangeUnit, operator: Operator, threshold: float) -> Condition:
    return Condition(measure, unit, operator, _exact(threshold))


def _fvc_dlco(sign: int, rule: LungRule) -> tuple[tuple[Condition, ...], ...]:
    """FVC by the threshold, or by the lower one together with DLCO."""
    alone = (_condition(Measure.FVC, rule.unit, rule.operator, sign * rule.threshold),)
    if rule.with_dlco_threshold is None or rule.dlco_threshold is None:
        return (alone,)
    together = (
        _condition(Measure.FVC, rule.unit, rule.operator, sign * rule.with_dlco_threshold),
        _condition(Measure.DLCO, _REL, rule.operator, sign * rule.dlco_threshold),
    )
    return (alone, together)


_OMERACT = LungRule()
_EUSTAR = (_condition(Measure.MRSS, _ABS, _OVER, -5), _condition(Measure.MRSS, _REL, _LEAST, -25))
_EUSTAR_WORSE = (_condition(Measure.MRSS, _ABS, _OVER, 5), _condition(Measure.MRSS, _REL, _LEAST, 25))

PUBLISHED: tuple[Definition, ...] = (
    Definition(
        "mcid_dcssc", Sense.IMPROVED, Evidence.PUBLISHED,
        ((_condition(Measure.MRSS, _ABS, _LEAST, -5),),), arm=Arm.SKIN,
    ),
    Definition(  # the lower end of 3.2 to 5.3
        "mcid_dpen", Sense.IMPROVED, Evidence.PUBLISHED, ((_condition(Measure.MRSS, _ABS, _LEAST, -3.2),),)
    ),
    Definition(
        "eustar", Sense.IMPROVED, Evidence.PUBLISHED, (_EUSTAR,), min_baseline=(_LEAST, Fraction(7))
    ),
    Definition(
        "eustar_prog", Sense.WORSENED, Evidence.PUBLISHED, (_EUSTAR_WORSE,), min_baseline=(_LEAST, Fraction(7))
    ),
    Definition(
        "assist_skin", Sense.IMPROVED, Evidence.PUBLISHED,
        ((_condition(Measure.MRSS, _REL, _OVER, -25),),), min_baseline=(_OVER, Fraction(14)),
    ),
    Definition("omeract_prog", Sense.WORSENED, Evidence.PUBLISHED, _fvc_dlco(-1, _OMERACT)),
    Definition(
        "omeract_improve", Sense.IMPROVED, Evidence.ANALYST, _fvc_dlco(1, _OMERACT), closed_without_dlco=True
    ),
    Definition(  # the lower ends of +3.0 to +5.3 and of -3.0 to -3.3
        "mcid_fvc", Sense.IMPROVED, Evidence.PUBLISHED, ((_condition(Measure.FVC, _ABS, _LEAST, 3.0),),)
    ),
    Definition(
        "mcid_fvc_worse", Sense.WORSENED, Evidence.PUBLISHED, ((_condition(Measure.FVC, _ABS, _LEAST, -3.0),),)
    ),
    Definition(
        "ppf_2022", Sense.WORSENED, Evidence.PUBLISHED,
        ((_condition(Measure.FVC, _ABS, _LEAST, -5),), (_condition(Measure.DLCO, _ABS, _LEAST, -10),)),
        hb_required=True,
    ),
    Definition(  # whether absolute or relative is not stated; taken as relative
        "assist_lung", Sense.IMPROVED, Evidence.PUBLISHED, ((_condition(Measure.FVC, _REL, _OVER, 10),),)
    ),
    Definition("stable", Sense.STABLE, Evidence.ANALYST, _fvc_dlco(-1, _OMERACT), negated=True),
)  # fmt: skip
"""The definitions of the literature, and what mirrors them; those not published as rules are marked."""


def definitions(settings: EndpointSettings) -> tuple[Definition, ...]:
    """The published definitions, then the responses of skin and lung by the protocol, with their mirrors."""
    skin, lung = settings.skin, settings.lung
    floor = (_LEAST, _exact(skin.min_baseline))
    own = (
        Definition(
            SKIN_RESPONSE, Sense.IMPROVED, Evidence.ANALYST, (_skin(-1, skin),), Arm.SKIN, min_baseline=floor
        ),
        Definition(
            "skin_worse", Sense.WORSENED, Evidence.ANALYST, (_skin(1, skin),), Arm.SKIN, min_baseline=floor
        ),
        Definition(
            LUNG_RESPONSE, Sense.IMPROVED, Evidence.ANALYST, _fvc_dlco(1, lung), Arm.LUNG, closed_without_dlco=True
        ),
        Definition("lung_worse", Sense.WORSENED, Evidence.ANALYST, _fvc_dlco(-1, lung), Arm.LUNG),
    )  # fmt: skip
    return (*PUBLISHED, *own)


def _skin(sign: int, rule: SkinRule) -> tuple[Condition, ...]:
    found = []
    if rule.abs_threshold is not None:
        found.append(_condition(Measure.MRSS, _ABS, rule.abs_operator, sign * rule.abs_threshold))
    if rule.rel_threshold is not None:
        found.append(_condition(Measure.MRSS, _REL, rule.rel_operator, sign * rule.rel_threshold))
    return tuple(found)
