"""One occasion under one population model: what can be computed with, or every reason why nothing can."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pk.kinetics.batch import Observations
from pk.models.population import PopulationModel
from pk.models.regimen import doses_of, regimen_problems
from pk.values.origin import assay_note, population_note
from pk.values.profile import DoseTaken, Occasion, Sample
from pk.values.reading import (
    is_below_lloq,
    known_lloq_mg_l,
    measured_mg_l,
    minutes,
    predose_highest_by_time,
    time_problem,
    value_problem,
)
from pk.values.reason import Reason, short

END_H = 12.0
"""The AUC that is asked for reaches from the dose of interest to here."""


@dataclass(frozen=True, slots=True)
class Case:
    """An occasion and the model under which it is looked at."""

    model: PopulationModel
    occasion: Occasion


@dataclass(frozen=True, slots=True)
class Prepared:
    """A case, checked.

    Attributes
    ----------
    samples : tuple of Sample
        Those with a result, in the order given.
    doses : tuple of DoseTaken
        In the model's dose basis.
    reasons, notes : tuple of Reason
        Why there can be no estimate, and what should be known about one.
    """

    samples: tuple[Sample, ...]
    doses: tuple[DoseTaken, ...]
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]


def prepare(case: Case) -> Prepared:
    """Return a case with its samples and doses checked; covariates are left to `pk.models.covariates`."""
    model, occasion = case.model, case.occasion
    reasons = [*regimen_problems(model, occasion.dosing)]
    left_out = [one for one in occasion.samples if _is_empty(one)]
    used = tuple(one for one in occasion.samples if not _is_empty(one)) if left_out else occasion.samples
    if not used:
        reasons.append(Reason.of("no_usable_sample", model=model.name))
    for one in used:
        reasons += _sample_problems(one)
    if reasons:
        return Prepared(used, (), tuple(reasons), ())
    horizon = max(END_H, *(one.time_h for one in used))
    doses = doses_of(model, occasion.dosing, horizon)
    notes = [Reason.of("sample_without_result", timepoint=one.timepoint) for one in left_out]
    notes += _treatment_notes(case)
    for one in used:
        found, said = _placed(case, one, doses)
        reasons += found
        notes += said
    notes += predose_highest_by_time(used)
    if len(used) == 1:
        notes.append(Reason.of("one_sample_only"))
    return Prepared(used, doses, tuple(reasons), tuple(notes))


def observations_table(samples: Sequence[tuple[Sample, ...]]) -> Observations:
    """Return the samples of B subjects, who have equally many each, as arrays (B, S)."""
    rows = [[(one.time_h, *_reading(one)) for one in several] for several in samples]
    table = np.array(rows, dtype=np.float64)
    times, concs, below = (np.ascontiguousarray(table[:, :, i]) for i in range(3))
    return Observations(times, concs, below > 0, np.ones(times.shape, np.bool_))


def _reading(sample: Sample) -> tuple[float, bool]:
    """The concentration, or the limit that it is below."""
    if is_below_lloq(sample):
        return known_lloq_mg_l(sample) or 0.0, True
    return measured_mg_l(sample), False


def _is_empty(sample: Sample) -> bool:
    return sample.conc_mg_l is None and not sample.below_lloq and not sample.above_uloq


def _sample_problems(sample: Sample) -> list[Reason]:
    found = [time_problem(sample), value_problem(sample, predose=True)]
    if found[1] is None and is_below_lloq(sample) and known_lloq_mg_l(sample) is None:
        found.append(Reason.of("lloq_unknown", timepoint=sample.timepoint))
    return [reason for reason in found if reason is not None]


def _treatment_notes(case: Case) -> list[Reason]:
    model, occasion = case.model, case.occasion
    notes: list[Reason] = []
    if model.population is not None:
        notes.append(population_note(model.name, model.population))
    if model.assays:
        notes += assay_note(model.name, model.assays, occasion.assay)
    if occasion.dosing.history and all(one.time_h != 0 for one in occasion.dosing.history):
        notes.append(Reason.of("history_without_dose_of_interest"))
    return notes


def _placed(
    case: Case, sample: Sample, doses: tuple[DoseTaken, ...]
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """What is wrong with a sample, and what should be known, where it lies among the doses."""
    name, time, history = sample.timepoint, sample.time_h, case.occasion.dosing.history
    measurable = not is_below_lloq(sample) and measured_mg_l(sample) > 0
    preceded = any(one.every_h is not None or one.time_h < time for one in doses)
    if preceded and not measurable and not is_below_lloq(sample) and case.model.error.is_relative:
        return (Reason.of("value_zero", timepoint=name, model=case.model.name),), ()
    if measurable and not preceded:
        return (), (Reason.of("sample_before_all_doses", timepoint=name),)
    interval = case.occasion.dosing.interval_h
    if not history and interval is not None and time > interval:
        hours = {"time_h": short(time), "interval_h": short(interval)}
        return (), (Reason.of("sample_beyond_interval", timepoint=name, **hours),)
    if name == "H0" and time > 0:
        return (), (Reason.of("predose_used_after_dose", timepoint=name, actual_min=short(minutes(time))),)
    return (), ()
