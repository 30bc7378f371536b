"""What a rule found, and the verdicts that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scheduler.domain.reason import Reason
from scheduler.store.lab.values import Entry

__all__ = ["FileVerdict", "Finding", "RowVerdict", "Severity", "State", "Verdict", "rule_of"]


class Severity(StrEnum):
    """What a finding does to its row: nothing, a warning, the whole set waits, held, not stored."""

    INFO = "info"
    WARN = "warn"
    SET = "set"
    HOLD = "hold"
    IGNORE = "ignore"


class State(StrEnum):
    """What becomes of a row."""

    ACCEPTED = "accepted"
    HELD = "held"
    IGNORED = "ignored"


class Verdict(StrEnum):
    """What becomes of a file."""

    ACCEPTED = "accepted"
    HELD = "held"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found. The part of the reason's code before a dot is the rule."""

    severity: Severity
    reason: Reason

    @property
    def rule(self) -> str:
        return rule_of(self.reason)


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What became of one row and why. `entry` is what was understood of it."""

    row: int
    entry: Entry
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        severities = {finding.severity for finding in self.findings}
        if Severity.IGNORE in severities:
            return State.IGNORED
        return State.HELD if Severity.HOLD in severities else State.ACCEPTED

    @property
    def decisive(self) -> Finding | None:
        """The first finding that kept the row from being accepted."""
        wanted = {State.IGNORED: Severity.IGNORE, State.HELD: Severity.HOLD}.get(self.state)
        return next((finding for finding in self.findings if finding.severity is wanted), None)


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What became of a file. `reason` is given when it was decided as a whole."""

    verdict: Verdict
    reason: Reason | None
    rows: tuple[RowVerdict, ...] = ()
    notes: tuple[Reason, ...] = ()

    def count(self, state: State) -> int:
        return sum(row.state is state for row in self.rows)

    @property
    def decisive(self) -> Reason | None:
        """The first reason that kept the file, or a row of it, from being accepted."""
        if self.reason is not None or self.verdict is Verdict.ACCEPTED:
            return self.reason
        wanted = State.HELD if self.verdict is Verdict.HELD else State.IGNORED
        row = next((row for row in self.rows if row.state is wanted), None)
        return row.decisive.reason if row is not None and row.decisive is not None else None


def rule_of(reason: Reason) -> str:
    """The rule that a reason belongs to.

    >>> rule_of(Reason("R-01.form"))
    'R-01'
    """
    return reason.code.partition(".")[0]
