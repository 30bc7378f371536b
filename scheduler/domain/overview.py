"""How a study stands in numbers: recruitment, punctuality, completeness, exposure. Pure counting, no names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from statistics import median, quantiles

from scheduler.domain.protocol import VisitStatus

__all__ = [
    "AucSpread",
    "CountedVisit",
    "Month",
    "Overview",
    "Punctuality",
    "VisitCount",
    "count_visits",
    "months",
]

_QUARTILES_FROM = 4


class Punctuality(StrEnum):
    """When a visit took place, against its window; or that it has not."""

    ON_TIME = "on_time"
    EARLY = "early"
    LATE = "late"
    OVERDUE = "overdue"
    MISSED = "missed"
    TO_COME = "to_come"
    NOT_EXPECTED = "not_expected"


@dataclass(frozen=True, slots=True)
class CountedVisit:
    """What is counted of one visit, or of `count` visits that are alike. `missing` are the kinds of records that they
    lack; `first` and `last` are needed where it took place."""

    visit: str
    status: VisitStatus
    first: date = date.min
    last: date = date.max
    attended_on: date | None = None
    missing: tuple[str, ...] = ()
    count: int = 1

    @property
    def punctuality(self) -> Punctuality:
        """Early and late are outside the window; a visit that was cancelled or does not apply is not expected."""
        if self.attended_on is not None:
            if self.attended_on < self.first:
                return Punctuality.EARLY
            return Punctuality.ON_TIME if self.attended_on <= self.last else Punctuality.LATE
        return _NOT_ATTENDED.get(self.status, Punctuality.TO_COME)


_NOT_ATTENDED = {
    VisitStatus.OVERDUE: Punctuality.OVERDUE,
    VisitStatus.MISSED: Punctuality.MISSED,
    VisitStatus.CANCELLED: Punctuality.NOT_EXPECTED,
    VisitStatus.NOT_APPLICABLE: Punctuality.NOT_EXPECTED,
}


@dataclass(frozen=True, slots=True)
class AucSpread:
    """The AUC0-12 that count at a visit, mg·h/L: how many, their median, and their quartiles from four on."""

    n: int
    median: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class VisitCount:
    """One visit over all subjects. `complete` counts visits that took place and lack nothing, `lacking` the visits that
    lack a record of a kind."""

    visit: str
    punctuality: tuple[tuple[Punctuality, int], ...]
    attended: int
    complete: int
    lacking: tuple[tuple[str, int], ...]
    auc: AucSpread

    @property
    def complete_percent(self) -> float | None:
        """Complete among those that took place; None before the first."""
        return 100 * self.complete / self.attended if self.attended else None


@dataclass(frozen=True, slots=True)
class Month:
    """Inclusions of one month, and all up to its end. `first` is its first day."""

    first: date
    new: int
    total: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The numbers of one site, or of all (`site` None)."""

    site: str | None
    subjects: int
    states: tuple[tuple[str, int], ...]
    recruitment: tuple[Month, ...]
    visits: tuple[VisitCount, ...]


def months(inclusions: Iterable[date] | Mapping[date, int]) -> tuple[Month, ...]:
    """The inclusions, or how many there were of each day, by month; months without any between the first and the last
    are among them.

    >>> [(one.new, one.total) for one in months([date(2025, 11, 3), date(2026, 1, 8), date(2026, 1, 9)])]
    [(1, 1), (0, 1), (2, 3)]
    """
    counts: Counter[tuple[int, int]] = Counter()
    for day, number in Counter(inclusions).items():
        counts[day.year, day.month] += number
    if not counts:
        return ()
    found, total = [], 0
    for key in _between(min(counts), max(counts)):
        total += counts[key]
        found.append(Month(date(*key, 1), counts[key], total))
    return tuple(found)


def _between(first: tuple[int, int], last: tuple[int, int]) -> Iterator[tuple[int, int]]:
    year, month = first
    while (year, month) <= last:
        yield year, month
        year, month = year + month // 12, month % 12 + 1


def count_visits(
    order: Sequence[str], visits: Iterable[CountedVisit], aucs: Mapping[str, Sequence[float]]
) -> tuple[VisitCount, ...]:
    """The visits counted by visit, in the `order` of the protocol; others, of older versions, after them.

    `aucs` are the AUC0-12 that count, mg·h/L, by visit.
    """
    by_visit: dict[str, list[CountedVisit]] = {name: [] for name in order}
    for one in visits:
        by_visit.setdefault(one.visit, []).append(one)
    known = [*order, *sorted(by_visit.keys() - set(order))]
    return tuple(_count(name, by_visit[name], aucs.get(name, ())) for name in known)


def _count(name: str, visits: Sequence[CountedVisit], aucs: Sequence[float]) -> VisitCount:
    punctuality: Counter[Punctuality] = Counter()
    lacking: Counter[str] = Counter()
    attended = complete = 0
    for one in visits:
        punctuality[one.punctuality] += one.count
        if one.attended_on is not None:
            attended += one.count
            complete += one.count * (one.status is VisitStatus.COMPLETE)
            for kind in set(one.missing):
                lacking[kind] += one.count
    return VisitCount(
        visit=name,
        punctuality=tuple((kind, punctuality[kind]) for kind in Punctuality),
        attended=attended,
        complete=complete,
        lacking=tuple(sorted(lacking.items())),
        auc=_spread(aucs),
    )


def _spread(values: Sequence[float]) -> AucSpread:
    if len(values) < _QUARTILES_FROM:
        return AucSpread(len(values), median(values) if values else None, None, None)
    lower, middle, upper = quantiles(values, n=4, method="inclusive")
    return AucSpread(len(values), middle, lower, upper)
