"""What is on record of one subject, in memory: written as the store writes it, reconciled again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import domain_cases as cases

from scheduler.domain.events import DomainEvent, ReminderDue, VisitRebooked
from scheduler.domain.history import History
from scheduler.domain.plan import Changes, diff
from scheduler.domain.recorded import Recorded, RecordedExposure
from scheduler.domain.timeline import StudyPlan, build_timeline

NOTHING = Recorded({}, {}, frozenset(), {})


def apply(recorded: Recorded, changes: Changes) -> Recorded:
    """What is on record after the changes were written, as the store writes them."""
    flags = {k: v for k, v in recorded.open_flags.items() if k not in changes.closed}
    flags |= {flag.key: flag.reason for flag in (*changes.opened, *changes.reworded)}
    exposures = dict(recorded.exposures)
    for change in changes.exposures:
        found = change.found
        shown = found.shown if found is not None else None
        inputs_hash = found.inputs_hash if found is not None else None
        exposures[change.visit] = RecordedExposure(inputs_hash, change.version, shown)
    return replace(
        recorded,
        visits={**recorded.visits, **dict(changes.visits)},
        open_flags=flags,
        reminder_keys=frozenset(recorded.reminder_keys) | {one.key for one in changes.reminders},
        exposures=exposures,
    )


@dataclass
class Ledger:
    """Reconciles one subject again and again, and remembers what was announced."""

    plan: StudyPlan
    subject: str = cases.CODE
    recorded: Recorded = NOTHING
    events: list[DomainEvent] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    sent_at: dict[str, datetime] = field(default_factory=dict)
    amended: Mapping[str, StudyPlan] = field(default_factory=dict)

    def tick(self, past: History, now: datetime) -> datetime | None:
        """Reconcile at `now`; returns when to look again."""
        line = build_timeline(self.plan, past, self.amended)
        if line is None:
            return None
        desired = cases.stand(line, now)
        changes = diff(self.subject, desired, self.recorded)
        self.recorded = apply(self.recorded, changes)
        self.events += changes.events
        self.expired += [one.key for one in changes.reminders if one.expired]
        for event in changes.events:
            if isinstance(event, ReminderDue):
                assert event.key not in self.sent_at
                self.sent_at[event.key] = now
        return desired.next_change

    def run(self, past: History, start: datetime, end: datetime) -> None:
        """Reconcile at `start` and at every instant named by next_change before `end`."""
        now: datetime | None = start
        while now is not None and now < end:
            now = self.tick(past, now)

    @property
    def rebookings(self) -> list[VisitRebooked]:
        return [event for event in self.events if isinstance(event, VisitRebooked)]

    def sent(self, rule: str) -> dict[str, datetime]:
        """The reminders of one rule that were sent: target → when."""
        found = {}
        for key, at in self.sent_at.items():
            _, _, visit, name, target = key.split("|")
            if name == rule:
                found[f"{visit} {target}"] = at
        return found
