"""From a treatment to the doses that a model reckons with, or why it cannot reckon with them."""

import math
from collections.abc import Sequence

import numpy as np

from pk.kinetics.batch import Doses
from pk.models.population import PopulationModel, amount_mg, formulation_problem, lag_problem
from pk.values.profile import DoseTaken, Dosing
from pk.values.reason import Reason, short

MIN_DAYS_UNCHANGED = 7.0
"""Days of unchanged dose that count as steady state, as for the limited-sampling equations."""


def regimen_problems(model: PopulationModel, dosing: Dosing) -> tuple[Reason, ...]:
    """Return every reason why a model cannot reckon with a treatment.

    A history of doses is taken as it is. Without one the dose must have been unchanged for
    `MIN_DAYS_UNCHANGED` days, and steady state is assumed.

    >>> from pk.values.profile import Formulation
    >>> from pk.models.shipped import shipped_models
    >>> [one.code for one in regimen_problems(shipped_models()[0], Dosing(Formulation.MMF, 1000.0, 12.0, 3.0))]
    ['model_steady_state_too_short']
    """
    covered = formulation_problem(model, dosing.formulation)
    found = [] if covered is None else [covered]
    if dosing.history:
        if not all(map(_is_usable, dosing.history)):
            found.append(Reason.of("history_not_usable"))
    else:
        found += _steady_problems(model, dosing)
    every = dosing.interval_h if not dosing.history else min(_rows_h(dosing.history), default=None)
    if every is not None and every > 0 and (lag := lag_problem(model, every)) is not None:
        found.append(lag)
    return tuple(found)


def doses_of(model: PopulationModel, dosing: Dosing, horizon_h: float) -> tuple[DoseTaken, ...]:
    """Return the doses in the model's dose basis, as `pk.kinetics.batch.Doses` counts them.

    Parameters
    ----------
    model : PopulationModel
    dosing : Dosing
        One without `regimen_problems`.
    horizon_h : float
        The last time that will be asked for. At steady state doses go on as long as that.

    Examples
    --------
    >>> from pk.values.profile import Formulation
    >>> from pk.models.shipped import shipped_models
    >>> steady = Dosing(Formulation.MMF, 500.0, 8.0, 30.0)
    >>> doses_of(shipped_models()[0], steady, 12.0)
    (DoseTaken(time_h=8.0, dose_mg=500.0, every_h=8.0),)
    """
    given = dosing.history
    if not given and dosing.dose_mg is not None and dosing.interval_h is not None:
        beyond = max(0, math.ceil(horizon_h / dosing.interval_h) - 1)
        given = (DoseTaken(beyond * dosing.interval_h, dosing.dose_mg, dosing.interval_h),)
    return tuple(
        DoseTaken(one.time_h, amount_mg(model, one.dose_mg, dosing.formulation), one.every_h) for one in given
    )


def doses_table(taken: Sequence[tuple[DoseTaken, ...]]) -> Doses:
    """Return the doses of B subjects, who have equally many each, as arrays (B, D)."""
    rows = [[(one.time_h, one.dose_mg, one.every_h or 0.0) for one in doses] for doses in taken]
    table = np.array(rows, dtype=np.float64)
    return Doses(*(np.ascontiguousarray(table[:, :, i]) for i in range(3)))


def daily_dose_mg(dosing: Dosing) -> float | None:
    """Return the label mg of 24 h at steady state; None where the doses do not repeat for ever."""
    if not dosing.history:
        known = dosing.dose_mg is not None and dosing.interval_h is not None
        return dosing.dose_mg * 24 / dosing.interval_h if known else None  # type: ignore[operator]
    if any(one.every_h is None for one in dosing.history):
        return None
    return math.fsum(one.dose_mg * 24 / one.every_h for one in dosing.history if one.every_h is not None)


def _steady_problems(model: PopulationModel, dosing: Dosing) -> list[Reason]:
    found: list[Reason] = []
    dose, interval, days = dosing.dose_mg, dosing.interval_h, dosing.days_unchanged
    least = short(MIN_DAYS_UNCHANGED)
    if dose is None or not _is_positive(dose):
        found.append(Reason.of("dose_unknown", model=model.name))
    if interval is None or not _is_positive(interval):
        found.append(Reason.of("model_interval_unknown", model=model.name))
    if days is None or math.isnan(days):
        found.append(Reason.of("model_steady_state_unknown", model=model.name, min_days=least))
    elif days < MIN_DAYS_UNCHANGED:
        found.append(
            Reason.of("model_steady_state_too_short", model=model.name, days=short(days), min_days=least)
        )
    return found


def _is_positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _is_usable(dose: DoseTaken) -> bool:
    every = dose.every_h is None or _is_positive(dose.every_h)
    return math.isfinite(dose.time_h) and _is_positive(dose.dose_mg) and every


def _rows_h(history: Sequence[DoseTaken]) -> list[float]:
    return [one.every_h for one in history if one.every_h is not None]
