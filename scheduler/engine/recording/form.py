"""Forms: taken once however often they are sent; held against what others recorded meanwhile; tried beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from scheduler.domain.facts import Corrected, Fact, FlagAcknowledged
from scheduler.domain.reason import Reason, from_json, to_json
from scheduler.engine.reconcile import standing
from scheduler.engine.recording.request import Done
from scheduler.engine.study import Study
from scheduler.store.accounts import receipt
from scheduler.store.database import Database
from scheduler.store.mails import mails_about
from scheduler.store.subjects import load_history, subject_row
from scheduler.store.tables import FormReceiptRow

__all__ = [
    "Form",
    "MeanwhileError",
    "Preview",
    "Step",
    "Taken",
    "meanwhile",
    "newest_fact",
    "preview",
    "take",
    "taken",
]

Step = Callable[[Session], Sequence[Done]]
_WITHDRAWN = "cancelled"


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent: `key` tells it from every other form, `seen` is the newest record that its writer knew of.

    Without `subject` nobody else can have recorded something about it.
    """

    key: str
    account: str
    page: str
    subject: str | None = None
    visit: str | None = None
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a form: the records made, and what deserves a second look; `again` when it was taken before."""

    subject: str
    visit: str | None
    numbers: tuple[int, ...]
    warnings: tuple[Reason, ...]
    again: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What would follow: mails that would be made or taken back, and the reminders of the visit that would come."""

    mails: tuple[Row[Any], ...]
    taken_back: tuple[Row[Any], ...]
    reminders: tuple[tuple[str, datetime], ...]
    warnings: tuple[Reason, ...]


class MeanwhileError(Exception):
    """Others recorded something about the same visit since the form was opened."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = tuple(facts)
        super().__init__(len(self.facts))


class _TriedError(Exception):
    """Takes a trial back."""

    def __init__(self, found: Preview) -> None:
        self.found = found
        super().__init__()


def newest_fact(session: Session, subject: str) -> int:
    """The number of the newest record of a subject; 0 when there is none."""
    return max((fact.id for fact in load_history(session, subject).facts), default=0)


def take(db: Database, form: Form, step: Step, now: datetime) -> Taken:
    """Record what a form says, all or nothing. Sent again, it changes nothing and gives the same answer.

    Raises RefusedError, and MeanwhileError when the visit is no longer as its writer saw it; nothing is stored then.
    """

    def whole(session: Session) -> Taken:
        before = taken(session, form.key, form.account)
        if before is not None:
            return before
        _check_meanwhile(session, form)
        done = step(session)
        made = Taken(
            done[0].subject,
            form.visit,
            tuple(one.number for one in done),
            tuple(warning for one in done for warning in one.warnings),
        )
        outcome = {
            "subject": made.subject,
            "visit": made.visit,
            "numbers": list(made.numbers),
            "warnings": [to_json(one) for one in made.warnings],
        }
        row = FormReceiptRow(key=form.key, account=form.account, page=form.page, at=now, outcome=outcome)
        session.add(row)
        session.flush()
        return made

    try:
        return db.transact(whole)
    except IntegrityError:  # the same form came twice at the same time
        before = db.read(lambda session: taken(session, form.key, form.account))
        if before is None:
            raise
        return before


def taken(session: Session, key: str, account: str) -> Taken | None:
    """What became of a form that somebody sent; None when it was not taken, or was another's."""
    row = receipt(session, key)
    if row is None or row.account != account:
        return None
    said = row.outcome
    warnings = tuple(from_json(one) for one in said["warnings"])
    return Taken(said["subject"], said["visit"], tuple(said["numbers"]), warnings, again=True)


def preview(db: Database, study: Study, form: Form, step: Step, now: datetime) -> Preview:
    """What would follow if the form were sent: done in a transaction that is taken back. Raises as `take` does."""
    assert form.subject is not None
    subject = form.subject

    def trial(session: Session) -> None:
        _check_meanwhile(session, form)
        before = {row.id: row for row in mails_about(session, subject)}
        done = step(session)
        session.flush()
        after = mails_about(session, subject)
        new = tuple(row for row in after if row.id not in before and row.state != _WITHDRAWN)
        gone = tuple(
            row for row in after if row.id in before and row.state == _WITHDRAWN != before[row.id].state
        )
        warnings = tuple(warning for one in done for warning in one.warnings)
        raise _TriedError(Preview(new, gone, tuple(_reminders(session, study, form, now)), warnings))

    try:
        db.transact(trial)
    except _TriedError as tried:
        return tried.found
    raise AssertionError("a trial is always taken back")


def _reminders(session: Session, study: Study, form: Form, now: datetime) -> Iterator[tuple[str, datetime]]:
    """The reminders of the visit that are still to come, by the template of their mail."""
    assert form.subject is not None
    row = subject_row(session, form.subject)
    assert row is not None
    for view in standing(session, study, row, now).desired.views:
        if view.plan.id == form.visit:
            slots = sorted(view.plan.slots, key=lambda slot: slot.due_at)
            yield from ((slot.rule.template, slot.due_at) for slot in slots if slot.due_at > now)


def _check_meanwhile(session: Session, form: Form) -> None:
    newer = meanwhile(session, form)
    if newer:
        raise MeanwhileError(newer)


def meanwhile(session: Session, form: Form) -> list[Fact]:
    """What was recorded about the visit of a form, or its subject as a whole, since its writer saw it."""
    if form.subject is None:
        return []
    facts = load_history(session, form.subject).facts
    visits = {fact.id: getattr(fact.what, "visit", None) for fact in facts}
    return [
        fact
        for fact in facts
        if fact.id > form.seen
        and not isinstance(fact.what, FlagAcknowledged)
        and _concerns(fact, visits, form.visit)
    ]


def _concerns(fact: Fact, visits: dict[int, str | None], visit: str | None) -> bool:
    """Whether a record is about the visit, or about the subject as a whole."""
    about = visits.get(fact.what.fact_id if isinstance(fact.what, Corrected) else fact.id)
    return visit is None or about is None or about == visit
