"""Where subjects stand in the study, of many at once: only those of whom it can have changed are looked at closely."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from scheduler.domain.facts import Fact
from scheduler.domain.history import History, SubjectFacts, fold
from scheduler.engine.report.rows import subject_state
from scheduler.store.overview import interrupted_subjects
from scheduler.store.subjects import load_facts
from scheduler.store.tables import SubjectRow

__all__ = ["states_of"]

_NOTHING = SubjectFacts()
_AT_ONCE = 1000


def states_of(session: Session, subjects: Sequence[SubjectRow]) -> dict[str, str]:
    """The word for each of these subjects by its code, as `subject_state` says it."""
    interrupted = sorted(interrupted_subjects(session) & {one.code for one in subjects})
    facts: dict[str, tuple[Fact, ...]] = {}
    for first in range(0, len(interrupted), _AT_ONCE):
        facts |= load_facts(session, interrupted[first : first + _AT_ONCE])
    return {
        one.code: subject_state(
            one, fold(History(one.code, facts[one.code])) if one.code in facts else _NOTHING
        )
        for one in subjects
    }
