"""The grid of sensitivity analyses, and the pair of changes that is judged together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pk.target.analysis import associated
from pk.target.data.exposure_summary import Metric
from pk.target.data.patients import patients_of
from pk.target.findings import Settings, TargetAnalysis
from pk.target.pace import Step, unwatched
from pk.target.statistics.multiplicity import benjamini_hochberg, holm
from scheduler.domain.trial.definitions import Measure
from scheduler.engine.target.member import (
    CARRIED,
    COMPOSITE,
    MEASURED_TWICE,
    MEASURES,
    OTHER_COMPARISON,
    PREDICTED,
    PRIMARY,
    RESPONSES,
    SAME_DOSE,
    WHILE_ON_TREATMENT,
    WITHOUT_RESCUE,
    Member,
)
from scheduler.engine.target.set import as_number

__all__ = ["CELLS", "EXPOSURES", "FAMILY", "Cell", "grid", "holm_pair"]

EXPOSURES = (
    PRIMARY,
    MEASURED_TWICE,
    SAME_DOSE,
    PREDICTED,
    CARRIED,
    Metric.AUC_W12.value,
    Metric.MEAN_6_12.value,
    Metric.TWA_6_52.value,
    Metric.TWA_0_52.value,
)
FAMILY = (Measure.MRSS.value, Measure.FVC.value)
"""The two changes that are judged together with the primary exposure (Holm)."""

_OUTCOMES = (*RESPONSES, WITHOUT_RESCUE, WHILE_ON_TREATMENT, OTHER_COMPARISON, *MEASURES)
"""Outcomes with which the primary exposure is analysed."""
CELLS = len(_OUTCOMES) + (len(EXPOSURES) - 1) * (1 + len(MEASURES))
"""How many analyses the grid has."""
_GRID_BOOTSTRAP, _GRID_PERMUTATIONS = 500, 999


@dataclass(frozen=True, slots=True)
class Cell:
    """One analysis of the grid. rho, ci and p are None where the tier allows none; q is p adjusted for them all."""

    exposure: str
    outcome: str
    n: int
    n_responders: int | None
    tier: int
    rho: float | None
    ci: tuple[float, float] | None
    p: float | None
    q: float | None


def holm_pair(continuous: Mapping[str, TargetAnalysis]) -> dict[str, float]:
    """The p of the two changes judged together, adjusted by Holm; one that cannot be tested counts as 1."""
    tested = {
        name: found.association.spearman.p
        for name in FAMILY
        if (found := continuous[name]).association is not None
    }
    adjusted = holm([tested.get(name, 1.0) for name in FAMILY])
    return {name: p for name, p in zip(FAMILY, adjusted, strict=True) if name in tested}


def grid(members: Sequence[Member], settings: Settings, step: Step = unwatched) -> tuple[Cell, ...]:
    """The primary exposure by every definition and change, and every other exposure by composite and changes.

    q is by Benjamini and Hochberg over those that gave a p.
    """
    drawn = replace(settings, bootstrap=_GRID_BOOTSTRAP, permutations=_GRID_PERMUTATIONS)
    cells = []
    for cell in _cells(members, drawn):
        cells.append(cell)
        step()
    tested = [one.p for one in cells if one.p is not None]
    adjusted = iter(benjamini_hochberg(tested) if tested else ())
    return tuple(one if one.p is None else replace(one, q=next(adjusted)) for one in cells)


def _cells(members: Sequence[Member], settings: Settings) -> Iterator[Cell]:
    for exposure in EXPOSURES:
        values = [one.exposure(exposure) for one in members]
        for outcome in _OUTCOMES if exposure == PRIMARY else (COMPOSITE, *MEASURES):
            continuous = outcome in MEASURES
            outcomes = (
                [one.change(outcome, in_arm=True) for one in members]
                if continuous
                else [as_number(one.holds(outcome)) for one in members]
            )
            responder = None if continuous else [one.holds(outcome) for one in members]
            patients = patients_of(values, outcomes, responder, None)
            tier, found = associated(patients, settings)
            rank = None if found is None else found.spearman
            yield Cell(
                exposure,
                outcome,
                patients.exposure.size,
                None if patients.responder is None else int(patients.responder.sum()),
                tier.number,
                None if rank is None else rank.rho,
                None if rank is None else rank.ci,
                None if rank is None else rank.p,
                None,
            )
