"""The AUCs of one subject over the visits, as the value of a picture."""

from dataclasses import dataclass

from pk.pictures.amounts import amounts


@dataclass(frozen=True, slots=True)
class VisitAuc:
    """The AUC of one visit in mg·h/L, with its interval where there is one."""

    auc_mg_h_l: float
    low_mg_h_l: float | None = None
    high_mg_h_l: float | None = None

    def __post_init__(self) -> None:
        if (self.low_mg_h_l is None) != (self.high_mg_h_l is None):
            raise ValueError("an AUC has both limits or none")
        numbers = [n for n in (self.low_mg_h_l, self.auc_mg_h_l, self.high_mg_h_l) if n is not None]
        if not amounts(numbers) or numbers != sorted(numbers):
            raise ValueError("an AUC is a finite number of 0 or more and lies between its limits")


@dataclass(frozen=True, slots=True)
class ExposureSeries:
    """The AUCs of one method: one for every visit of the course, None where there is none."""

    label: str
    aucs: tuple[VisitAuc | None, ...]


@dataclass(frozen=True, slots=True)
class ReferenceBand:
    """A range borrowed from another disease, mg·h/L; with one limit only, a threshold."""

    label: str
    low_mg_h_l: float | None
    high_mg_h_l: float | None

    def __post_init__(self) -> None:
        limits = [one for one in (self.low_mg_h_l, self.high_mg_h_l) if one is not None]
        if not limits or not amounts(limits) or limits != sorted(limits):
            raise ValueError("a reference band has one or two finite limits of 0 or more, the lower first")


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseWords:
    """What stands around the course of the AUC, in the reader's language; `beyond` as in `CurveWords`."""

    title: str
    auc: str
    beyond: str
    remark: str = ""
    decimal: str = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureCourse:
    """The AUCs of one subject over the visits.

    Attributes
    ----------
    visits : tuple of str, length n
        Labels of the visits in their order; n is 1 or more.
    series : tuple of ExposureSeries
        The primary method first, each with n values.
    bands : tuple of ReferenceBand
        Borrowed reference bands; their labels say that they are.
    words : CourseWords
        The words around it.

    Raises
    ------
    ValueError
        If there is no visit, no series, or a series of another length.
    """

    visits: tuple[str, ...]
    series: tuple[ExposureSeries, ...]
    words: CourseWords
    bands: tuple[ReferenceBand, ...] = ()

    def __post_init__(self) -> None:
        if not self.visits or not self.series:
            raise ValueError("a course needs a visit and a series")
        if any(len(one.aucs) != len(self.visits) for one in self.series):
            raise ValueError("every series has a value or None for each visit")
