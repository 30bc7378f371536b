"""The AUCs of many subjects over the weeks, as the value of a picture; `pk.pictures.image` draws it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pk.pictures.course import ReferenceBand


@dataclass(frozen=True, slots=True)
class CohortLine:
    """The AUCs of one subject, who is not named: weeks since inclusion and mg·h/L, both of length n, n ≥ 1.

    Raises
    ------
    ValueError
        If the lengths differ or are 0, weeks do not increase, or a number is not finite or an AUC negative.
    """

    weeks: tuple[float, ...]
    aucs_mg_h_l: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.weeks or len(self.weeks) != len(self.aucs_mg_h_l):
            raise ValueError("a line has a week for every AUC, and one at least")
        if not _finite((*self.weeks, *self.aucs_mg_h_l)) or min(self.aucs_mg_h_l) < 0:
            raise ValueError("weeks and AUCs are finite numbers, AUCs of 0 or more")
        if any(later <= one for one, later in pairwise(self.weeks)):
            raise ValueError("the weeks of a line increase")


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortWords:
    """What stands around the picture, in the reader's language; `subject` names one line in the legend."""

    title: str
    week: str
    auc: str
    subject: str
    remark: str = ""
    decimal: str = "."


@dataclass(frozen=True, slots=True)
class ExposureCohort:
    """The AUCs of all subjects over the weeks; raises ValueError without a line. `bands` as in `ExposureCourse`."""

    lines: tuple[CohortLine, ...]
    words: CohortWords
    bands: tuple[ReferenceBand, ...] = ()

    def __post_init__(self) -> None:
        if not self.lines:
            raise ValueError("a picture of all subjects needs the line of one")


def _finite(values: Sequence[float]) -> bool:
    return all(map(math.isfinite, values))
