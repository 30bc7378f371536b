"""Patients with exposure and outcome, in an order that does not depend on how they were given."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pk.values.arrays import Bools, Floats, Ints

Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that are in no analysis, each counted once: exposure missing or below 0, or outcome missing.

    baseline_missing: patients whom only the adjusted analyses leave out.
    """

    exposure_missing: int
    exposure_negative: int
    outcome_missing: int
    baseline_missing: int


@dataclass(frozen=True, slots=True)
class Patients:
    """Those with exposure and outcome, by exposure, outcome, response and baseline; shapes (n,).

    responder: None where response is not defined. baseline: None where none was given, NaN where it is missing.
    without_outcome: exposures of those whose outcome is missing, shape (q,). others, others_without: what else is known
    of both, to impute from, shapes (n, k) and (q, k), NaN where missing.
    """

    exposure: Floats
    outcome: Floats
    responder: Bools | None
    baseline: Floats | None
    left_out: LeftOut
    without_outcome: Floats
    others: Floats
    others_without: Floats

    @property
    def smaller_group(self) -> int | None:
        """The smaller number of responders and others."""
        if self.responder is None:
            return None
        responders = int(np.count_nonzero(self.responder))
        return min(responders, self.responder.size - responders)

    def data_hash(self) -> str:
        """Return the SHA-256 of the patients analysed; the order in which they were given does not matter."""
        columns = [self.exposure, self.outcome, self.responder, self.baseline]
        if self.without_outcome.size:
            columns += [self.without_outcome, self.others.ravel(), self.others_without.ravel()]
        plain = [None if one is None else [None if x != x else x for x in one.tolist()] for one in columns]
        return hashlib.sha256(json.dumps(plain, separators=(",", ":")).encode()).hexdigest()


def patients_of(
    exposure: Numbers,
    outcome: Numbers,
    responder: Sequence[bool | None] | None,
    baseline: Numbers | None,
    others: Sequence[Numbers] = (),
) -> Patients:
    """Return the patients with exposure and outcome; None is missing. `others` are columns to impute from.

    An outcome is missing where the outcome or, if response is defined, the response is. A missing outcome is never
    non-response.

    Raises
    ------
    ValueError
        If the columns differ in length or hold a number that is not finite.
    """
    values, outcomes = _column(exposure), _column(outcome)
    before = None if baseline is None else _column(baseline)
    response = (
        None if responder is None else _column([None if one is None else float(one) for one in responder])
    )
    beside = [_column(one) for one in others]
    every = [one for one in (values, outcomes, before, response, *beside) if one is not None]
    if len({one.size for one in every}) > 1:
        raise ValueError(f"columns of {[one.size for one in every]} rows; they need the same number")
    no_exposure, negative = np.isnan(values), values < 0
    no_outcome = np.isnan(outcomes) if response is None else np.isnan(outcomes) | np.isnan(response)
    kept = np.flatnonzero(~(no_exposure | negative | no_outcome))
    order = _sorted(kept, (*beside, before, response, outcomes, values))
    without = _sorted(np.flatnonzero(no_outcome & ~no_exposure & ~negative), (*beside, before, values))
    table = np.column_stack([np.empty((values.size, 0)), *beside])
    baselines = None if before is None else before[order]
    left_out = LeftOut(
        int(np.count_nonzero(no_exposure)),
        int(np.count_nonzero(negative)),
        int(np.count_nonzero(no_outcome & ~no_exposure & ~negative)),
        0 if baselines is None else int(np.count_nonzero(np.isnan(baselines))),
    )
    responded = None if response is None else response[order] == 1
    return Patients(
        values[order] + 0.0,
        outcomes[order] + 0.0,
        responded,
        baselines,
        left_out,
        values[without] + 0.0,
        table[order],
        table[without],
    )


def _sorted(rows: Ints, columns: Sequence[Floats | None]) -> Ints:
    """The rows by the last column, then by those before it, whatever order they were given in."""
    return rows[np.lexsort([one[rows] for one in columns if one is not None])]


def _column(numbers: Numbers) -> Floats:
    found = np.array([np.nan if one is None else one for one in numbers], dtype=np.float64)
    given = np.array([one is not None for one in numbers], dtype=bool)
    if not np.isfinite(found[given]).all():
        raise ValueError("a number is not finite; give None where there is none")
    return found
