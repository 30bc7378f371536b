"""Which protocol version a subject is followed under, and which one each visit follows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from scheduler.domain.facts import Corrected, Fact, ProtocolApplied, What
from scheduler.domain.planned import PlannedVisit, StudyPlan

__all__ = ["InForce", "followed", "in_force", "order_of_visits", "versions_named"]


class InForce(NamedTuple):
    """A version and the day from which it holds; None: since the enrolment. `fact_id` is the record that says so."""

    plan: StudyPlan
    on: date | None
    fact_id: int | None

    def begins_after(self, day: date) -> bool:
        return self.on is not None and self.on > day


def versions_named(facts: Iterable[Fact]) -> tuple[str, ...]:
    """The hash of every version that a record names, also one that was corrected or taken back, each once."""
    named = [(fact.id, what.sha256) for fact in facts if type(what := _said(fact)) is ProtocolApplied]
    return tuple(dict.fromkeys(sha256 for _, sha256 in sorted(named)))


def _said(fact: Fact) -> What | None:
    return fact.what.instead if type(fact.what) is Corrected else fact.what


def in_force(
    enrolled_under: StudyPlan,
    amendments: Iterable[tuple[ProtocolApplied, int]],
    amended: Mapping[str, StudyPlan],
) -> tuple[InForce, ...]:
    """The versions in the order of their days, the enrolment's first; of two of one day the later record's holds."""
    found = [InForce(enrolled_under, None, None)]
    for what, number in amendments:
        if found[-1].on == what.on:
            found.pop()
        found.append(InForce(amended[what.sha256], what.on, number))
    return tuple(found)


def followed(
    versions: Sequence[InForce], planned: Sequence[PlannedVisit | None], day: date | None, *, took_place: bool
) -> int:
    """The index of the version that a visit follows: the one in force on its day.

    `day` is the day on which it took place, or of its appointment; else it is the target under the version before.
    `planned` is what each version says of it, None where it has no such visit. No version asks for what would have
    been over when it came into force, and none takes away what took place.
    """
    current = 0
    for index, version in enumerate(versions[1:], 1):
        was, would_be = planned[current], planned[index]
        due = day or (was.target if was is not None else would_be.last if would_be is not None else None)
        if due is None or version.begins_after(due):
            continue
        if would_be is None:
            if not took_place:
                current = index
        elif version.on is None or would_be.last >= version.on:
            current = index
    if took_place and planned[current] is None:
        return next(index for index, one in enumerate(planned) if one is not None)
    return current


def order_of_visits(plans: Sequence[StudyPlan]) -> list[str]:
    """The visits of all versions in the order of the last one; what only others have stands after what precedes it."""
    names = [one.id for one in plans[-1].protocol.encounters] if plans else []
    for plan in reversed(plans[:-1]):
        before = -1
        for encounter in plan.protocol.encounters:
            if encounter.id not in names:
                names.insert(before + 1, encounter.id)
            before = names.index(encounter.id)
    return names
