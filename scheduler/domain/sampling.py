"""What the samples of a day say against each other, against their times or against their tubes.

Some of it keeps them from being used together until a person has looked or the laboratory has corrected; some only
deserves a look at the tubes. Nothing is ever reordered or changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from itertools import combinations
from math import ceil, floor
from typing import NamedTuple

from scheduler.domain.facts import Formulation
from scheduler.domain.protocol import SamplePoint
from scheduler.domain.reason import Reason, because
from scheduler.domain.results import ResultStatus, ResultVersion
from scheduler.domain.timeline import Draw, Timeline, VisitPlan

__all__ = ["HIGHEST_TROUGH_MG_L", "Doubt", "Weight", "deviation", "doubts_of", "minutes_after_dose"]

HIGHEST_TROUGH_MG_L = Decimal(15)
"""Above this a sample before the dose is unusual."""


class Weight(IntEnum):
    """What a doubt does: no AUC until the laboratory's row is settled, no AUC until a person has looked, a flag, or a
    remark in the report."""

    QUESTIONS = 0
    HOLDS = 1
    WARNS = 2
    TELLS = 3


class Doubt(NamedTuple):
    """One thing that does not fit. `detail` begins with the rule and names everything whose change makes it another
    doubt, so that what a person said of the one does not hold for the other."""

    weight: Weight
    detail: str
    reason: Reason
    since: datetime


_Samples = Sequence[tuple[Draw, ResultVersion]]
"""Draws with the final results that would be used, in the order of their points."""


def doubts_of(timeline: Timeline, plan: VisitPlan) -> tuple[Doubt, ...]:
    """Everything that does not fit about the samples of a visit that would be used, by the rules S-02 to S-07, R-14
    and R-19 of docs/lab-files.md; in the order of the points."""
    found: list[tuple[Draw, ResultVersion]] = []
    asked = False
    for draw in plan.draws:
        _, _, _, not_drawn, result, question = draw
        if result is None:
            continue
        asked = asked or question is not None
        if result.is_final and not_drawn is None and result.version.blocking is None:
            found.append((draw, result.version))
    doubts = list(_questions(plan)) if asked else []
    if found:
        found.sort(key=_nominal_min)
        doubts += _times(plan, found)
        if not _in_order(found):
            doubts += _order(found)
        doubts += _tubes(timeline, found)
        doubts += _limits(found)
        doubts += _profile(plan, found)
    return tuple(doubts)


def _nominal_min(sample: tuple[Draw, ResultVersion]) -> int:
    return sample[0].point.nominal_min


def minutes_after_dose(point: SamplePoint, window: tuple[datetime, datetime], taken_at: datetime) -> int:
    """Whole minutes after the dose, rounded away from the window where the time lies outside of it."""
    opens_at, closes_at = window
    whole = floor if taken_at < opens_at else ceil if taken_at > closes_at else round
    return point.earliest_min + whole((taken_at - opens_at).total_seconds() / 60)


def deviation(
    point: SamplePoint, window: tuple[datetime, datetime], taken_at: datetime
) -> dict[str, str | int]:
    """The point, its minutes after the dose, and the window that the protocol gives it, for a sentence."""
    minutes = minutes_after_dose(point, window, taken_at)
    return {"point": point.id, "minutes": minutes, "low": point.earliest_min, "high": point.latest_min}


def _holds(rule: str, reason: Reason, *involved: ResultVersion) -> Doubt:
    return _doubt(Weight.HOLDS, rule, reason, involved)


def _doubt(weight: Weight, rule: str, reason: Reason, involved: Sequence[ResultVersion]) -> Doubt:
    numbers = " ".join(str(one.id) for one in involved)
    return Doubt(weight, f"{rule} {numbers}", reason, max(one.recorded_at for one in involved))


def _questions(plan: VisitPlan) -> Iterator[Doubt]:
    """Results that a held row of the laboratory may replace or take back."""
    for draw in plan.draws:
        question, result = draw.question, draw.result
        if question is None or result is None or result.version.status is ResultStatus.PRELIMINARY:
            continue
        reason = because("set_in_question", point=draw.point.id, row=question.row)
        yield Doubt(Weight.QUESTIONS, f"R-45 {draw.point.id} {question.row}", reason, question.since)


# --- times and tubes


def _times(plan: VisitPlan, found: _Samples) -> Iterator[Doubt]:
    """Collections outside their window, where the laboratory's time is the only one there is."""
    if plan.dose is None:
        return
    dose_at = plan.dose.given.at
    for draw, version in found:
        point, window, taken_at = draw.point, draw.window, version.collected_at
        if draw.drawn is not None or window is None or window[0] <= taken_at <= window[1]:
            continue
        said = deviation(point, window, taken_at)
        if point.nominal_min > 0 and taken_at <= dose_at:
            rule, reason = "S-03", because("set_before_dose", **said)
        elif point.nominal_min <= 0 and taken_at > dose_at:
            rule, reason = "S-03", because("set_after_dose", **said)
        else:
            rule, reason = "S-02", because("set_out_of_window", **said)
        yield _holds(f"{rule} {point.id} {said['minutes']}", reason, version)


def _in_order(found: _Samples) -> bool:
    """Whether every time, in force or the laboratory's own, is at or after the one before it."""
    taken: datetime | None = None
    collected = found[0][1].collected_at
    for draw, version in found:
        at = draw.taken_at
        if version.collected_at < collected or (at is not None and taken is not None and at < taken):
            return False
        collected = version.collected_at
        taken = at if at is not None else taken
    return True


def _order(found: _Samples) -> Iterator[Doubt]:
    """Points whose times are in the reverse order, by the times in force or by the laboratory's own."""
    for (first, first_version), (second, second_version) in combinations(found, 2):
        for one, other in (
            (first.taken_at, second.taken_at),
            (first_version.collected_at, second_version.collected_at),
        ):
            if one is not None and other is not None and one > other:
                reason = because(
                    "set_out_of_order", first=first.point.id, at=one, second=second.point.id, other_at=other
                )
                yield _holds(
                    f"S-04 {first.point.id} {second.point.id}", reason, first_version, second_version
                )
                break


def _tubes(timeline: Timeline, found: _Samples) -> Iterator[Doubt]:
    """Results of a tube that the site recorded for another draw of this subject."""
    for draw, version in found:
        if draw.drawn is not None and draw.drawn.tube == version.specimen:
            continue
        for visit in timeline.visits:
            for other in visit.draws:
                if other is not draw and other.drawn is not None and other.drawn.tube == version.specimen:
                    reason = because(
                        "set_other_tube",
                        point=draw.point.id,
                        specimen=version.specimen,
                        visit=visit.id,
                        other=other.point.id,
                    )
                    yield _holds(f"S-06 {draw.point.id}", reason, version)


def _limits(found: _Samples) -> Iterator[Doubt]:
    """Results that the laboratory could not put a number to, where a number is to be expected."""
    for draw, version in found:
        point = draw.point
        if version.above_uloq:
            yield _holds(f"R-19 {point.id}", because("set_above_uloq", point=point.id), version)
        elif version.below_lloq and point.nominal_min > 0:
            yield _holds(f"R-19 {point.id}", because("set_below_lloq", point=point.id), version)


# --- the profile


class _Measured(NamedTuple):
    """A concentration that was measured."""

    point: SamplePoint
    version: ResultVersion
    conc_mg_l: Decimal


def _profile(plan: VisitPlan, found: _Samples) -> Iterator[Doubt]:
    """What is unusual about the concentrations and how they were measured."""
    versions = [version for _, version in found]
    methods = {one.method for one in versions}
    if len(methods) > 1:
        reason = because("profile_methods_differ", methods=", ".join(sorted(methods)))
        yield _doubt(Weight.WARNS, "S-07", reason, versions)
    measured = [
        _Measured(draw.point, version, version.conc_mg_l)
        for draw, version in found
        if version.conc_mg_l is not None and not version.below_lloq
    ]
    if len(measured) > 2 and len({one.conc_mg_l for one in measured}) == 1:
        yield _doubt(Weight.WARNS, "R-14", because("profile_identical", count=len(measured)), versions)
    before = [one for one in measured if one.point.nominal_min <= 0]
    for one in before:
        if one.conc_mg_l > HIGHEST_TROUGH_MG_L:
            reason = because("profile_trough_high", point=one.point.id, limit=int(HIGHEST_TROUGH_MG_L))
            yield _doubt(Weight.WARNS, f"R-14 {one.point.id}", reason, [one.version])
    after = measured[len(before) :]
    if before and after and before[-1].conc_mg_l > after[0].conc_mg_l:
        yield _exchanged(plan, before[-1], after)


def _exchanged(plan: VisitPlan, sample: _Measured, after: Sequence[_Measured]) -> Doubt:
    """A sample before the dose above the first one after it, which is above every later one all the more unusual.

    With enteric-coated tablets the peak is often late, so that it is only told.
    """
    lower = [one for one in after if one.conc_mg_l < sample.conc_mg_l]
    enteric = plan.dose is not None and plan.dose.given.formulation is Formulation.EC_MPS
    reason = because(
        "profile_predose_high", point=sample.point.id, lower=", ".join(one.point.id for one in lower)
    )
    involved = [sample.version, *(one.version for one in lower)]
    return _doubt(Weight.TELLS if enteric else Weight.WARNS, "S-05", reason, involved)
