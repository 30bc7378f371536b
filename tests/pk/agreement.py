"""What a reference test is: the comparison it declares, and the agreement that it asserts and records."""

import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

REFERENCE = "reference"
"""The marker of reference tests, and the name under which a test report carries their record."""


class Method(StrEnum):
    """The headings of docs/validation.md, in its order."""

    NCA = "Non-compartmental analysis"
    EQUATIONS = "Limited-sampling equations"
    MODELS = "Population models as shipped"
    COURSES = "Concentrations and areas of the models"
    MAP = "Most probable parameters (MAP)"
    INTERVALS = "Intervals and evidence"
    TOOL = "python -m pk estimate"
    TARGET = "Exposure and outcome (pk/target)"


NONCOMPART = (
    "R package NonCompart 0.4, as printed. Kim H, Han S, Cho YS, Yoon SK, Bae KS. Transl Clin Pharmacol "
    "2018;26(1):10–15, doi:10.12793/tcp.2018.26.1.10"
)
WINNONLIN = (
    "Phoenix WinNonlin, as printed. Han S. Validation of noncompartmental analysis performed by NonCompart R package, "
    "2018, github.com/asancpt/NonCompart-tests"
)
PKNCA = (
    "test cases of the R package PKNCA. Denney W, Duvvuri S, Buckeridge C. J Pharmacokinet Pharmacodyn "
    "2015;42(1):S65, doi:10.1007/s10928-015-9432-2"
)
PAWINSKI = "the equation of Pawinski T et al. Clin Chem 2002;48(9):1497–1504, worked by hand"
ARTICLES = "the articles cited in config/models, their numbers written down a second time in the test"
MATRIX = "matrix exponentials of the rate equations (scipy.linalg.expm) in tests/pk/reference_pk.py"
BY_DEFINITION = "the definition, one sample at a time, with matrix exponentials: tests/pk/reference_pk.py"
DRAWS = "independent draws from the prior, weighted by the likelihood"
TOOL_REFERENCE = (
    "the definitions in tests/pk/estimate_cases.py: eigenvectors or matrix exponentials, scalar sums, "
    "Gauss–Legendre areas"
)


@dataclass(frozen=True, slots=True, order=True)
class Comparison:
    """What is compared with what: one row of docs/validation.md."""

    method: str
    what: str
    source: str


def reference(method: Method, what: str, source: str) -> pytest.MarkDecorator:
    """Mark a test as a reference test; it must take the fixture `agreement`. Tests may share a comparison."""
    return pytest.mark.reference(Comparison(method.value, what, source))


@dataclass(slots=True)
class Agreement:
    """Asserts that numbers agree with their reference, and keeps how many there were and the worst of them.

    values: how many numbers were compared.
    relative: largest |found - expected| / |expected| of those whose relative tolerance decides; None without any.
    used: largest share of its tolerance that a deviation took, 0 to 1.
    excess: largest found - bound of one-sided comparisons; None without any.
    allowed: the tolerances by kind, as lowest and highest.
    """

    values: int = 0
    relative: float | None = None
    used: float = 0.0
    excess: float | None = None
    allowed: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __call__(
        self, found: ArrayLike, expected: ArrayLike, *, rel: float = 0.0, within: float = 0.0, unit: str = ""
    ) -> None:
        """Within `rel` times the expected number or `within` (in `unit`), whichever is more."""
        got, want = (np.atleast_1d(np.asarray(one, np.float64)) for one in (found, expected))
        assert got.shape == want.shape, f"{got.shape} numbers for {want.shape}"
        off, size = np.abs(got - want), np.abs(want)
        self._judge(off, np.maximum(rel * size, within), f"{got} is not {want}")
        by_ratio = (size > 0) & (rel * size >= within if rel else True)
        if by_ratio.any():
            self.relative = max(self.relative or 0.0, float(np.max(off[by_ratio] / size[by_ratio])))
        if rel or not within:
            self._allow("relative", rel)
        if within:
            self._allow(unit, within)

    def printed(self, found: float, printed: str, *, cut: bool = False) -> None:
        """To half of the last printed decimal; to a whole one where the print may have been cut off."""
        last = 10.0 ** -len(printed.partition(".")[2])
        expected = float(printed)
        off = abs(found - expected)
        self._judge(np.array([off]), np.array([(1.0 if cut else 0.51) * last]), f"{found} is not {printed}")
        if expected:
            self.relative = max(self.relative or 0.0, off / abs(expected))
        self._allow("last printed decimal, cut off" if cut else "last printed decimal, rounded", 0.0)

    def not_above(self, found: float, bound: float, *, within: float) -> None:
        """One-sided: lower is better."""
        excess = found - bound
        assert math.isfinite(excess), f"{found} and {bound} cannot be compared"
        self._judge(np.array([max(excess, 0.0)]), np.array([within]), f"{found} is above {bound}")
        self.excess = excess if self.excess is None else max(self.excess, excess)
        self._allow("above", within)

    def record(self) -> dict[str, Any]:
        """As plain values, for a test report."""
        return asdict(self)

    def _judge(self, off: np.ndarray, allowed: np.ndarray, said: str) -> None:
        assert np.all(off <= allowed), f"{said}: off by {off}, {allowed} allowed"
        self.values += off.size
        share = np.divide(off, allowed, out=np.zeros_like(off), where=allowed > 0)
        self.used = max(self.used, float(share.max()))

    def _allow(self, kind: str, tolerance: float) -> None:
        low, high = self.allowed.get(kind, (tolerance, tolerance))
        self.allowed[kind] = (min(low, tolerance), max(high, tolerance))
