"""The concentration over one dosing interval: a subject's own, its 90 % band, and what the model foresees."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pk.estimation.case import Case
from pk.estimation.individual import individuals
from pk.fit.objective import predictions
from pk.models.population import PopulationModel
from pk.posterior.sampling import band, sample
from pk.values.profile import Occasion
from pk.values.reason import Reason


@dataclass(frozen=True, slots=True)
class PredictedCourse:
    """Concentrations in mg/L at times in hours after the dose of interest, tuples of one length.

    `individual` is the pointwise median of the posterior, `low` and `high` its 5th and 95th percentile,
    without residual error; `population` what the model foresees from covariates alone.
    """

    times_h: tuple[float, ...]
    individual: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    population: tuple[float, ...]


def times(end_h: float) -> tuple[float, ...]:
    """Return times for a curve from the dose to `end_h`: close together at first, where the peak is.

    >>> times(3.0)[:3], times(3.0)[-1]
    ((0.0, 0.05, 0.1), 3.0)
    """
    steps = [*(i / 20 for i in range(30)), *(1.5 + i / 10 for i in range(15))]
    late = [3.0 + i / 2 for i in range(max(0, int(2 * (end_h - 3.0)) + 1))]
    return (*(at for at in (*steps, *late) if at < end_h), end_h)


def course(
    occasion: Occasion, model: PopulationModel, times_h: Sequence[float]
) -> PredictedCourse | tuple[Reason, ...]:
    """Return the concentrations of one occasion under a model, or why there are none.

    Parameters
    ----------
    occasion : Occasion
    model : PopulationModel
    times_h : sequence of float
        Increasing. Doses at steady state go on as long as the later of 12 h and the last sample.
    """
    found = individuals([Case(model, occasion)], draws=0)
    if not found.batches or found.each[0].reasons:
        return found.each[0].reasons
    batch = found.batches[0]
    grid = np.array([times_h], dtype=np.float64)
    drawn = sample(batch.prior, batch.doses, batch.observations, batch.found)
    spread = band(batch.prior, batch.doses, drawn, grid)
    foreseen = predictions(batch.prior, batch.doses, grid, np.zeros_like(batch.found.eta))
    lines = (spread.median, spread.low, spread.high, foreseen)
    return PredictedCourse(tuple(map(float, times_h)), *(tuple(line[0].tolist()) for line in lines))
