"""What holds of the facts once every correction is applied."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from scheduler.domain.facts import Corrected, Fact

__all__ = ["effective", "in_order"]


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """The facts in the order of recording, however they arrived."""
    return sorted(facts, key=attrgetter("id"))


def effective(facts: Iterable[Fact]) -> list[Fact]:
    """The facts that hold, in the order of recording, after all corrections; their order of arrival is irrelevant."""
    ordered = in_order(facts)
    if not [fact for fact in ordered if type(fact.what) is Corrected]:
        return ordered
    holding: dict[int, Fact] = {}
    for fact in ordered:
        what = fact.what
        if type(what) is not Corrected:
            holding[fact.id] = fact
        elif what.instead is None:
            holding.pop(what.fact_id, None)
        else:
            holding[what.fact_id] = Fact(
                what.fact_id, what.instead, fact.recorded_at, fact.recorded_by, fact.source
            )
    return [holding[key] for key in sorted(holding)]
