"""The rows of one file about one visit, looked at together: order of times, methods, and the shape of the profile.

What is found is said to the laboratory while the tubes are still there. Rows are neither held nor reordered for it;
the AUC is the engine's matter (scheduler.domain.sampling), which also sees what came in other files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from scheduler.domain.protocol import Protocol
from scheduler.domain.reason import Param, because
from scheduler.domain.results import ResultStatus
from scheduler.intake.findings import Finding, RowVerdict, Severity, State

__all__ = ["with_visits"]

_STANDS = frozenset({ResultStatus.FINAL, ResultStatus.CORRECTED})


def with_visits(rows: Iterable[RowVerdict], protocol: Protocol) -> tuple[RowVerdict, ...]:
    """The rows with what those of one visit say against each other. Their order does not matter."""
    rows = tuple(rows)
    found: dict[int, list[Finding]] = defaultdict(list)
    for visit in _visits(rows, protocol):
        for row, finding in (*_times(visit), *_methods(visit), *_values(visit, protocol)):
            found[row].append(finding)
    return tuple(
        RowVerdict(row.row, row.entry, (*row.findings, *found[row.row])) if row.row in found else row
        for row in rows
    )


def _visits(rows: Sequence[RowVerdict], protocol: Protocol) -> Iterator[list[RowVerdict]]:
    """The accepted final rows of each visit that has several, one a sampling point and in the order of the points."""
    nominal = {point.id: point.nominal_min for point in protocol.points}
    visits: dict[tuple[str, str], dict[str, RowVerdict]] = defaultdict(dict)
    for row in sorted(rows, key=_age):
        if row.state is State.ACCEPTED and row.entry.status in _STANDS and row.entry.timepoint in nominal:
            visits[row.entry.subject, row.entry.visit][row.entry.timepoint] = row
    for points in visits.values():
        if len(points) > 1:
            yield sorted(points.values(), key=lambda row: nominal[row.entry.timepoint])


def _age(row: RowVerdict) -> tuple[str, str]:
    reported_at = row.entry.reported_at
    return (reported_at.isoformat() if reported_at is not None else "", row.entry.content_hash)


def _times(visit: Sequence[RowVerdict]) -> Iterator[tuple[int, Finding]]:
    for first, second in combinations(visit, 2):
        one, other = first.entry, second.entry
        if one.collected_at is None or other.collected_at is None or one.collected_at <= other.collected_at:
            continue
        yield _said(Severity.SET, "S-04", first, timepoint=one.timepoint, other=other.timepoint)
        yield _said(Severity.SET, "S-04", second, timepoint=other.timepoint, other=one.timepoint)


def _methods(visit: Sequence[RowVerdict]) -> Iterator[tuple[int, Finding]]:
    methods = sorted({row.entry.method for row in visit if row.entry.method})
    if len(methods) > 1:
        for row in visit:
            yield _said(Severity.WARN, "S-07", row, known=", ".join(methods))


def _values(visit: Sequence[RowVerdict], protocol: Protocol) -> Iterator[tuple[int, Finding]]:
    """Equal values, and a sample before the dose above the first one after it."""
    measured = [
        (row, row.entry.conc_mg_l)
        for row in visit
        if row.entry.conc_mg_l is not None and not row.entry.below_lloq and row.entry.blocking is None
    ]
    if len(measured) > 2 and len({conc for _, conc in measured}) == 1:
        for row, _ in measured:
            yield _said(Severity.WARN, "R-14.identical", row, count=len(measured))
    after_dose = {point.id for point in protocol.points if point.nominal_min > 0}
    before = [one for one in measured if one[0].entry.timepoint not in after_dose]
    after = [one for one in measured if one[0].entry.timepoint in after_dose]
    if before and after and before[-1][1] > after[0][1]:
        row, conc = before[-1]
        lower = ", ".join(other.entry.timepoint for other, value in after if value < conc)
        yield _said(Severity.WARN, "S-05", row, timepoint=row.entry.timepoint, other=lower)


def _said(severity: Severity, code: str, row: RowVerdict, **params: Param) -> tuple[int, Finding]:
    return row.row, Finding(severity, because(code, row=row.row, **params))
