"""Laboratory results: a logical result is one draw; its versions are immutable and ordered by laboratory time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

__all__ = ["CurrentResult", "ResultStatus", "ResultVersion", "current_results"]


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
    """What holds for one draw: the version in force and how many went before it."""

    version: ResultVersion
    versions: int

    @property
    def is_final(self) -> bool:
        return self.version.status in (ResultStatus.FINAL, ResultStatus.CORRECTED)


def current_results(versions: Iterable[ResultVersion]) -> dict[tuple[str, str], CurrentResult]:
    """For each (visit, timepoint) the version in force, whatever order the versions arrived in.

    Versions are ordered by the time the laboratory reported them; a preliminary one never replaces another kind.
    """
    groups: dict[tuple[str, str], list[ResultVersion]] = {}
    for version in versions:
        key = version.visit, version.timepoint
        if key in groups:
            groups[key].append(version)
        else:
            groups[key] = [version]
    return {
        key: CurrentResult(group[0] if len(group) == 1 else max(group, key=_rank), len(group))
        for key, group in groups.items()
    }


# Of two versions reported at the same instant, the one that takes more back holds.
_AT_ONE_INSTANT = {
    ResultStatus.PRELIMINARY: 0,
    ResultStatus.NOT_OBTAINED: 1,
    ResultStatus.FINAL: 2,
    ResultStatus.CORRECTED: 3,
    ResultStatus.WITHDRAWN: 4,
}


def _rank(version: ResultVersion) -> tuple[bool, datetime, int, int]:
    final = version.status is not ResultStatus.PRELIMINARY
    return final, version.reported_at, _AT_ONE_INSTANT[version.status], version.id
