"""One row while it is being understood: its texts, and what the rules have found so far."""

from __future__ import annotations

from scheduler.domain.reason import Param, because
from scheduler.intake.findings import Finding, Severity
from scheduler.intake.readers import Candidate, Reading

__all__ = ["Row"]


class Row:
    """Collects the findings of one row; every finding carries the row's number."""

    def __init__(self, candidate: Candidate, reading: Reading) -> None:
        self.candidate = candidate
        self.reading = reading
        self.findings = [Finding(Severity.HOLD, doubt) for doubt in candidate.doubts]

    @property
    def no(self) -> int:
        return self.candidate.row

    def text(self, column: str) -> str:
        return self.candidate.text(column)

    def find(self, severity: Severity, code: str, **params: Param) -> None:
        self.findings.append(Finding(severity, because(code, row=self.no, **params)))

    def hold(self, code: str, column: str, **params: Param) -> None:
        """The row is held for what stands in a column, named as the file names it."""
        self.find(Severity.HOLD, code, column=self.reading.header(column), **params)
