"""Laboratory results: a logical result is one draw; its versions are immutable and ordered by laboratory time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

__all__ = [
    "CurrentResult",
    "Question",
    "ResultStatus",
    "ResultVersion",
    "current_results",
    "laboratory_order",
]


class ResultStatus(StrEnum):
    """The laboratory's word for a version, in the letters of HL7 table 0085."""

    PRELIMINARY = "P"
    FINAL = "F"
    CORRECTED = "C"
    WITHDRAWN = "W"
    NOT_OBTAINED = "X"


@dataclass(frozen=True, slots=True)
class ResultVersion:
    """One accepted version of the result of one draw. `conc_mg_l` is None when a limit was reported instead."""

    id: int
    visit: str
    timepoint: str
    specimen: str
    status: ResultStatus
    conc_mg_l: Decimal | None
    below_lloq: bool
    above_uloq: bool
    lloq_mg_l: Decimal | None
    collected_at: datetime
    reported_at: datetime
    recorded_at: datetime
    method: str
    blocking: str | None = None


class CurrentResult(NamedTuple):
    """What holds for one draw: the version in force and how many versions there are."""

    version: ResultVersion
    versions: int
    is_final: bool


class Question(NamedTuple):
    """A held row of the laboratory, by its number, that speaks about a sampling point: what is on record of that point
    is in question until the row is settled."""

    visit: str
    timepoint: str
    row: int
    since: datetime


_FINAL = frozenset({ResultStatus.FINAL, ResultStatus.CORRECTED})


def current_results(versions: Iterable[ResultVersion]) -> dict[str, dict[str, CurrentResult]]:
    """By visit and timepoint the version in force, whatever order the versions arrived in.

    Versions are ordered by the time the laboratory reported them; a preliminary one never replaces another kind.
    """
    visits: dict[str, dict[str, CurrentResult]] = {}
    for version in versions:
        results = visits.get(version.visit)
        if results is None:
            results = visits[version.visit] = {}
        before = results.get(version.timepoint)
        number = 1 if before is None else before.versions + 1
        stands = version if before is None else max(version, before.version, key=_rank)
        results[version.timepoint] = CurrentResult(stands, number, stands.status in _FINAL)
    return visits


# Of two versions reported at the same instant, the one that takes more back holds.
_AT_ONE_INSTANT = {
    ResultStatus.PRELIMINARY: 0,
    ResultStatus.NOT_OBTAINED: 1,
    ResultStatus.FINAL: 2,
    ResultStatus.CORRECTED: 3,
    ResultStatus.WITHDRAWN: 4,
}


def laboratory_order(status: ResultStatus, reported_at: datetime) -> tuple[bool, datetime, int]:
    """What puts the versions of a result in the laboratory's order: the greatest is in force."""
    return status is not ResultStatus.PRELIMINARY, reported_at, _AT_ONE_INSTANT[status]


def _rank(version: ResultVersion) -> tuple[bool, datetime, int, int]:
    return *laboratory_order(version.status, version.reported_at), version.id
