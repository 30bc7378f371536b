"""Whether a subject may take part: ACR/EULAR 2013 classification, the skin and lung arms, every criterion apart. Pure.

Weights: ACR/EULAR 2013, as in docs/endpoints.md. Arms: registry record of NCT04244916. An answer that is not known
stays so: it makes a score a range and a criterion open, never a no.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache

from scheduler.domain.facts import Answer, EligibilityAssessed
from scheduler.domain.partial_date import parse_partial_date, within_years
from scheduler.domain.reason import Reason, because

__all__ = [
    "ITEMS",
    "Arm",
    "BiologicScope",
    "Classification",
    "ClassificationStatus",
    "Criterion",
    "DomainScore",
    "Eligibility",
    "EligibilityStatus",
    "all_of",
    "any_of",
    "classify",
    "eligibility_of",
]

CLASSIFYING_SCORE = 9
ADULT_AGE = 18
ONSET_YEARS = 3
_SUFFICIENT = "thickening_proximal_to_mcp"
_EXCLUSIONS = ("thickening_spares_fingers", "better_explained_otherwise")
_DOMAINS: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (  # of each only the highest item counts
    ("fingers", (("puffy_fingers", 2), ("sclerodactyly", 4))),
    ("fingertips", (("digital_tip_ulcers", 2), ("pitting_scars", 3))),
    ("telangiectasia", (("telangiectasia", 2),)),
    ("nailfold", (("abnormal_nailfold_capillaries", 2),)),
    ("lung", (("pulmonary_arterial_hypertension", 2), ("interstitial_lung_disease", 2))),
    ("raynaud", (("raynaud", 3),)),
    ("antibodies", (("anti_centromere", 3), ("anti_topoisomerase_i", 3), ("anti_rna_polymerase_iii", 3))),
)

ITEMS: tuple[str, ...] = tuple(one.name for one in fields(EligibilityAssessed) if one.name != "on")
"""Everything that is asked, in the order in which it is asked."""


class Arm(StrEnum):
    """For what MMF is given; a subject may belong to both. It decides which endpoints can be evaluated."""

    SKIN = "skin_arm"
    LUNG = "lung_arm"


class BiologicScope(StrEnum):
    """Of whom "no biotherapy in the last 6 months" is asked; the registry lists it in the lung part only."""

    LUNG = "lung_arm"
    BOTH = "both_arms"


class ClassificationStatus(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    INDETERMINATE = "indeterminate"
    NOT_APPLICABLE = "not_applicable"


class EligibilityStatus(StrEnum):
    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not_eligible"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class DomainScore:
    """What one domain counts: with unknown items taken as no, and as yes."""

    domain: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Classification:
    """The ACR/EULAR 2013 score: `score_min` takes unknown items as no, `score_max` as yes.

    `sufficient` when the one criterion that suffices is present; the score is then at least 9.
    """

    score_min: int
    score_max: int
    status: ClassificationStatus
    sufficient: bool
    domains: tuple[DomainScore, ...]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion, of an arm or of everybody, whether it is met, and why."""

    id: str
    arm: Arm | None
    met: Answer
    reason: Reason


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What follows from the answers. `arms` holds the arms that are certain, `possible_arms` those not excluded."""

    status: EligibilityStatus
    classification: Classification
    criteria: tuple[Criterion, ...]
    arms: frozenset[Arm]
    possible_arms: frozenset[Arm]

    @property
    def open_reasons(self) -> tuple[Reason, ...]:
        """Why the subject is not, or may not be, eligible: of every criterion that is not met, its reason."""
        return tuple(one.reason for one in self.criteria if one.met is not Answer.YES)


def all_of(answers: Iterable[Answer]) -> Answer:
    """Yes when all are yes, no when one is no, else not known."""
    found = set(answers)
    if Answer.NO in found:
        return Answer.NO
    return Answer.UNKNOWN if Answer.UNKNOWN in found else Answer.YES


def any_of(answers: Iterable[Answer]) -> Answer:
    """Yes when one is yes, no when all are no, else not known."""
    found = set(answers)
    if Answer.YES in found:
        return Answer.YES
    return Answer.UNKNOWN if Answer.UNKNOWN in found else Answer.NO


def _not(answer: Answer) -> Answer:
    return {Answer.YES: Answer.NO, Answer.NO: Answer.YES, Answer.UNKNOWN: Answer.UNKNOWN}[answer]


def classify(answers: EligibilityAssessed) -> Classification:
    """The ACR/EULAR 2013 classification. The sufficient criterion gives 9, or more if the others do.

    Unknown exclusions leave a score of 9 or more undecided.
    """
    domains = tuple(_domain(answers, name, items) for name, items in _DOMAINS)
    low, high = sum(one.low for one in domains), sum(one.high for one in domains)
    sufficient = _of(answers, _SUFFICIENT)
    if sufficient is Answer.YES:
        low = max(low, CLASSIFYING_SCORE)
    if sufficient is not Answer.NO:
        high = max(high, CLASSIFYING_SCORE)
    excluded = any_of(_of(answers, name) for name in _EXCLUSIONS)
    if excluded is Answer.YES:
        status = ClassificationStatus.NOT_APPLICABLE
    elif high < CLASSIFYING_SCORE:
        status = ClassificationStatus.NOT_MET
    elif low >= CLASSIFYING_SCORE and excluded is Answer.NO:
        status = ClassificationStatus.MET
    else:
        status = ClassificationStatus.INDETERMINATE
    return Classification(low, high, status, sufficient is Answer.YES, domains)


def _domain(answers: EligibilityAssessed, name: str, items: tuple[tuple[str, int], ...]) -> DomainScore:
    present = [points for item, points in items if _of(answers, item) is Answer.YES]
    possible = [points for item, points in items if _of(answers, item) is not Answer.NO]
    return DomainScore(name, max(present, default=0), max(possible, default=0))


def _of(answers: EligibilityAssessed, item: str) -> Answer:
    answer: Answer = getattr(answers, item)
    return answer


@lru_cache(maxsize=4096)
def eligibility_of(answers: EligibilityAssessed, scope: BiologicScope) -> Eligibility:
    """Adult, classified, and of at least one arm; with every criterion and its reason."""
    classification = classify(answers)
    general = (_age(answers), _classified(answers, classification))
    arms = {Arm.SKIN: tuple(_skin(answers, scope)), Arm.LUNG: tuple(_lung(answers))}
    met = {arm: all_of(one.met for one in criteria) for arm, criteria in arms.items()}
    overall = all_of([*(one.met for one in general), any_of(met.values())])
    status = {
        Answer.YES: EligibilityStatus.ELIGIBLE,
        Answer.NO: EligibilityStatus.NOT_ELIGIBLE,
        Answer.UNKNOWN: EligibilityStatus.UNDETERMINED,
    }[overall]
    return Eligibility(
        status,
        classification,
        (*general, *arms[Arm.SKIN], *arms[Arm.LUNG]),
        frozenset(arm for arm, answer in met.items() if answer is Answer.YES),
        frozenset(arm for arm, answer in met.items() if answer is not Answer.NO),
    )


def _age(answers: EligibilityAssessed) -> Criterion:
    age = answers.age_years
    if age is None:
        return Criterion("age", None, Answer.UNKNOWN, because("criterion_age_unknown"))
    met = Answer.YES if age >= ADULT_AGE else Answer.NO
    return Criterion("age", None, met, because("criterion_age", age=age))


def _classified(answers: EligibilityAssessed, found: Classification) -> Criterion:
    met = {
        ClassificationStatus.MET: Answer.YES,
        ClassificationStatus.INDETERMINATE: Answer.UNKNOWN,
    }.get(found.status, Answer.NO)
    return Criterion("classification", None, met, _classification_reason(answers, found))


def _classification_reason(answers: EligibilityAssessed, found: Classification) -> Reason:
    exclusions = {name: _of(answers, name) for name in _EXCLUSIONS}
    if found.status is ClassificationStatus.NOT_APPLICABLE:
        why = tuple(because(f"item_{name}") for name, answer in exclusions.items() if answer is Answer.YES)
        return because("criterion_ssc_not_applicable", why=why)
    if found.status is ClassificationStatus.INDETERMINATE and found.score_min >= CLASSIFYING_SCORE:
        why = tuple(
            because(f"item_{name}") for name, answer in exclusions.items() if answer is Answer.UNKNOWN
        )
        return because("criterion_ssc_exclusion_unknown", score=found.score_min, what=why)
    if found.sufficient:
        return because("criterion_ssc_sufficient", score=found.score_min)
    if found.status is not ClassificationStatus.INDETERMINATE and found.score_min != found.score_max:
        return because("criterion_ssc_settled", low=found.score_min, high=found.score_max)
    if found.score_min != found.score_max:
        unknown = (_SUFFICIENT, *(item for _, items in _DOMAINS for item, _ in items))
        what = tuple(because(f"item_{name}") for name in unknown if _of(answers, name) is Answer.UNKNOWN)
        return because("criterion_ssc_range", low=found.score_min, high=found.score_max, what=what)
    return because("criterion_ssc_score", score=found.score_min)


def _skin(answers: EligibilityAssessed, scope: BiologicScope) -> Iterator[Criterion]:
    yield _answered(answers, Arm.SKIN, "diffuse_skin")
    yield _recent_onset(answers)
    yield _absent(answers, Arm.SKIN, "other_immunosuppressant")
    if scope is BiologicScope.BOTH:
        yield _absent(answers, Arm.SKIN, "biologic_last_6_months")


def _lung(answers: EligibilityAssessed) -> Iterator[Criterion]:
    yield _answered(answers, Arm.LUNG, "ild_on_imaging")
    lines = [_of(answers, name) for name in ("mmf_first_line", "mmf_after_cyclophosphamide")]
    first, after = (because(f"answer_{answer}") for answer in lines)
    yield Criterion("mmf_line", Arm.LUNG, any_of(lines), because("criterion_line", first=first, after=after))
    yield _absent(answers, Arm.LUNG, "biologic_last_6_months")


def _answered(answers: EligibilityAssessed, arm: Arm, item: str) -> Criterion:
    """A criterion that is met when the item is present."""
    answer = _of(answers, item)
    reason = because("criterion_answer", what=because(f"item_{item}"), answer=because(f"answer_{answer}"))
    return Criterion(item, arm, answer, reason)


def _absent(answers: EligibilityAssessed, arm: Arm, item: str) -> Criterion:
    """A criterion that is met when the item is absent."""
    found = _answered(answers, arm, item)
    return Criterion(f"no_{item}", arm, _not(found.met), found.reason)


def _recent_onset(answers: EligibilityAssessed) -> Criterion:
    if answers.first_sign is None:
        return Criterion("recent_onset", Arm.SKIN, Answer.UNKNOWN, because("criterion_onset_unknown"))
    within = within_years(parse_partial_date(answers.first_sign), answers.on, ONSET_YEARS)
    met = {True: Answer.YES, False: Answer.NO, None: Answer.UNKNOWN}[within]
    code = "criterion_onset" if within is not None else "criterion_onset_imprecise"
    return Criterion("recent_onset", Arm.SKIN, met, because(code, first_id=answers.first_sign, on=answers.on))
