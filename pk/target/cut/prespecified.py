"""Cuts chosen before the data were seen: nothing is selected, so tests and limits mean what they say at any size."""

from dataclasses import dataclass

import numpy as np

from pk.target.statistics.proportions import Interval, Proportion, newcombe, proportion
from pk.values.arrays import Floats

LITERATURE_CUTS = (30.0, 35.0, 45.0, 60.0)
"""mg·h/L, of other diseases and of transplantation."""

MOST_TABLES = 10_201
"""Tables with these margins (101 × 101) up to which Boschloo's test is made: its time grows with their number."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """Patients by side of the cut and outcome: `tp` are responders on the side where response is expected."""

    tp: int
    fp: int
    fn: int
    tn: int


@dataclass(frozen=True, slots=True)
class AtCut:
    """What a cut tells. risk_difference: share of responders on the expected side minus that on the other.

    It is None where a side is empty; boschloo_p is None there, and where the tables are too many.
    """

    cut: float
    table: Crossed
    sensitivity: Proportion
    specificity: Proportion
    risk_difference: float | None
    risk_difference_ci: Interval | None
    fisher_p: float
    boschloo_p: float | None


def crossed(exposure: Floats, responder: np.ndarray, cut: float, *, higher: bool = True) -> Crossed:
    """Return the two-by-two table of a cut: exposure ≥ cut, or below it where lower is better."""
    expected = exposure >= cut if higher else exposure < cut
    tp, fp = int(np.count_nonzero(expected & responder)), int(np.count_nonzero(expected & ~responder))
    n1 = int(np.count_nonzero(responder))
    return Crossed(tp, fp, n1 - tp, responder.size - n1 - fp)


def at_cut(exposure: Floats, responder: np.ndarray, cut: float, *, higher: bool = True) -> AtCut:
    """Return everything about one cut, for patients with both outcomes.

    Limits of sensitivity and specificity: Clopper-Pearson; of the risk difference: Newcombe. Tests: Fisher's, and
    Boschloo's, which is never less powerful (Boschloo R. Stat Neerl 1970;24:1–35).
    """
    table = crossed(exposure, responder, cut, higher=higher)
    difference = newcombe(table.tp, table.tp + table.fp, table.fn, table.fn + table.tn)
    fisher, boschloo = _tests(table)
    return AtCut(
        cut,
        table,
        proportion(table.tp, table.tp + table.fn),
        proportion(table.tn, table.tn + table.fp),
        None if difference is None else difference[0],
        None if difference is None else difference[1],
        fisher,
        boschloo,
    )


def _tests(table: Crossed) -> tuple[float, float | None]:
    """Fisher's and Boschloo's two-sided p; columns are the sides of the cut, whose sizes Boschloo's holds fixed."""
    # A second to import, and of no use to other commands.
    from scipy.stats import boschloo_exact, fisher_exact

    cells = np.array([[table.tp, table.fn], [table.fp, table.tn]])
    on_side, off_side = table.tp + table.fp, table.fn + table.tn
    fisher = min(1.0, float(fisher_exact(cells)[1]))
    if on_side == 0 or off_side == 0 or (on_side + 1) * (off_side + 1) > MOST_TABLES:
        return fisher, None
    return fisher, min(1.0, float(boschloo_exact(cells).pvalue))
