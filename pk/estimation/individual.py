"""The most probable individual under a population model, for many occasions at once, and its exposure.

Cases whose models differ in their typical values alone, with equally many samples and doses, are one batch; no
case's numbers depend on its companions.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pk.estimation.case import END_H, Case, Prepared, observations_table, prepare
from pk.fit.map import MapResult, estimate
from pk.fit.objective import predictions
from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.dosing import areas
from pk.kinetics.structure import PARAMETERS
from pk.models.covariates import SubjectPriors, prior_for
from pk.models.population import RATES, PopulationModel
from pk.models.regimen import daily_dose_mg, doses_table
from pk.posterior.sampling import LEVEL, TOO_FEW, AucDraws, auc_draws
from pk.posterior.weighted import summarise
from pk.values.arrays import Floats
from pk.values.estimate import Fit
from pk.values.profile import Sample
from pk.values.reason import Reason, short


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """What one model gives for one occasion; either `fit` and the areas, or reasons.

    Attributes
    ----------
    model : PopulationModel
    auc_0_12 : float or None
        mg·h/L from the dose of interest to 12 h after it, at the most probable parameters.
    interval_90 : tuple of float or None
        Of that AUC, equal-tailed, from the posterior; None where no draws were asked for.
    auc_0_24 : float or None
        Sum over the intervals of a day; None where the doses do not repeat for ever.
    auc_0_tau : float or None
        Over one dosing interval at steady state.
    per_g : float or None
        AUC of a day per gram of drug (label strength) of a day.
    fit : Fit or None
    draws : AucDraws or None
        Of this occasion alone (one row), where they were to be kept.
    reasons, notes : tuple of Reason
    """

    model: PopulationModel
    auc_0_12: float | None = None
    interval_90: tuple[float, float] | None = None
    auc_0_24: float | None = None
    auc_0_tau: float | None = None
    per_g: float | None = None
    fit: Fit | None = None
    draws: AucDraws | None = None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Cases that are computed together, as the numerics have them.

    `places` are the positions of its B cases in the sequence given.
    """

    places: tuple[int, ...]
    prior: Prior
    doses: Doses
    observations: Observations
    found: MapResult


@dataclass(frozen=True, slots=True)
class Individuals:
    """The individual of every case, in order, and the batches of those that have one."""

    each: tuple[Individual, ...]
    batches: tuple[Batch, ...]


def individuals(cases: Sequence[Case], *, draws: int, keep_draws: bool = False) -> Individuals:
    """Return what each case's model makes of its occasion.

    Parameters
    ----------
    cases : sequence of Case
    draws : int
        From each posterior, for the interval; 0 for none.
    keep_draws : bool
        Whether the individuals keep theirs.
    """
    prepared = [prepare(case) for case in cases]
    priors = _priors(cases)
    out = [
        Individual(model=case.model, reasons=(*one.reasons, *prior.reasons))
        for case, one, prior in zip(cases, prepared, priors, strict=True)
    ]
    batches = []
    sound = [i for i, one in enumerate(out) if not one.reasons]
    for places in _grouped(sound, lambda i: (_kind(cases[i].model), _shape(prepared[i]))):
        prior = _stacked([priors[i] for i in places])
        doses = doses_table([prepared[i].doses for i in places])
        observations = observations_table([prepared[i].samples for i in places])
        found = estimate(prior, doses, observations)
        batch = Batch(tuple(places), prior, doses, observations, found)
        described = _described(cases, prepared, priors, batch)
        for i, one in zip(places, _spread(described, batch, draws, keep_draws), strict=True):
            out[i] = one
        batches.append(batch)
    return Individuals(tuple(out), tuple(batches))


def _spread(described: list[Individual], batch: Batch, draws: int, keep: bool) -> list[Individual]:
    """The individuals of a batch with their intervals."""
    if draws == 0:
        return described
    count = len(described)
    out = list(described)
    for some in auc_draws(
        batch.prior,
        batch.doses,
        batch.observations,
        batch.found,
        np.zeros(count),
        np.full(count, END_H),
        draws=draws,
    ):
        spread = summarise(some.auc, some.weight, LEVEL)
        for row, i in enumerate(some.subjects.tolist()):
            if not out[i].reasons:
                limits = (float(spread.low[row]), float(spread.high[row]))
                kept = _row(some, row) if keep else None
                out[i] = _with_interval(out[i], limits, float(some.effective[row]), kept)
    return out


def _with_interval(
    one: Individual, limits: tuple[float, float], effective: float, kept: AucDraws | None
) -> Individual:
    if not all(map(math.isfinite, limits)):
        return Individual(model=one.model, reasons=(Reason.of("estimate_not_finite", model=one.model.name),))
    notes = one.notes
    if effective < TOO_FEW:
        notes = (*notes, Reason.of("posterior_uncertain", effective=short(round(effective))))
    return replace(one, interval_90=limits, draws=kept, notes=notes)


def _row(draws: AucDraws, row: int) -> AucDraws:
    only = slice(row, row + 1)
    return AucDraws(
        np.zeros(1, np.intp),
        draws.auc[only],
        draws.weight[only],
        draws.effective[only],
        draws.log_evidence[only],
        draws.samples[only],
        draws.rounds[only],
    )


@dataclass(frozen=True, slots=True)
class _OnePrior:
    """The prior of one case: a row of a `SubjectPriors`."""

    row: int
    of: SubjectPriors

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return self.of.reasons[self.row]

    @property
    def notes(self) -> tuple[Reason, ...]:
        return self.of.notes[self.row]


def _priors(cases: Sequence[Case]) -> list[_OnePrior]:
    """The prior of each case; those of one model are made together."""
    out: dict[int, _OnePrior] = {}
    for places in _grouped(range(len(cases)), lambda i: id(cases[i].model)):
        together = prior_for(cases[places[0]].model, [dict(cases[i].occasion.covariates) for i in places])
        out |= {i: _OnePrior(row, together) for row, i in enumerate(places)}
    return [out[i] for i in range(len(cases))]


def _grouped(places: Iterable[int], key: Callable[[int], Hashable]) -> list[list[int]]:
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for i in places:
        groups[key(i)].append(i)
    return list(groups.values())


def _kind(model: PopulationModel) -> Hashable:
    """What models must share to be computed together: all but typical values, doses and words."""
    return model.structure, model.parameters, model.random, model.omega, model.error, model.n_transit


def _shape(prepared: Prepared) -> tuple[int, int]:
    return len(prepared.doses), len(prepared.samples)


def _stacked(priors: Sequence[_OnePrior]) -> Prior:
    first = priors[0].of.prior
    rows = np.stack([one.of.prior.log_typical[one.row] for one in priors])
    return Prior(first.structure, rows, first.loading, first.omega, first.error, first.n_transit)


def _described(
    cases: Sequence[Case], prepared: Sequence[Prepared], priors: Sequence[_OnePrior], batch: Batch
) -> list[Individual]:
    """The individuals of a batch, from arrays to plain numbers."""
    count, found = len(batch.places), batch.found
    with np.errstate(all="ignore"):
        to_12 = areas(
            batch.prior, batch.doses, np.zeros(count), np.full(count, END_H), found.parameters
        ).value[0]
    predicted = predictions(batch.prior, batch.doses, batch.observations.time_h, found.eta)
    finite = np.isfinite(to_12) & np.isfinite(predicted).all(axis=1) & np.isfinite(found.objective)
    finite &= np.isfinite(found.parameters).all(axis=1) & np.isfinite(found.gradient_norm)
    out = []
    for row, i in enumerate(batch.places):
        case, ready = cases[i], prepared[i]
        if not finite[row]:
            why = Reason.of("estimate_not_finite", model=case.model.name)
            out.append(Individual(model=case.model, reasons=(why,)))
            continue
        fit = _fit(case.model, ready.samples, batch, row, predicted[row])
        notes = (*ready.notes, *priors[i].notes, *(Reason.of(code) for code in found.warnings(row)))
        out.append(_exposed(case, fit, float(found.parameters[row, 0]), float(to_12[row]), notes, ready))
    return out


def _fit(model: PopulationModel, samples: Sequence[Sample], batch: Batch, row: int, predicted: Floats) -> Fit:
    found = batch.found
    return Fit(
        model=model.id,
        parameters=own_parameters_of(model, found.parameters[row].tolist()),
        eta=tuple(zip(model.random, found.eta[row].tolist(), strict=True)),
        shrinkage=tuple(zip(model.random, found.shrinkage[row].tolist(), strict=True)),
        objective=float(found.objective[row]),
        gradient_norm=float(found.gradient_norm[row]),
        starts=int(found.starts[row]),
        starts_agreeing=int(found.agreeing[row]),
        predictions=tuple(zip((one.timepoint for one in samples), predicted.tolist(), strict=True)),
    )


def own_parameters_of(model: PopulationModel, structural: Sequence[float]) -> tuple[tuple[str, float], ...]:
    """Return a model's own parameters by name from those of its structure (`pk.models.population.RATES`)."""
    by_name = dict(zip(PARAMETERS[model.structure], structural, strict=True))
    if RATES["Q"] in model.parameters:
        by_name |= {"k12": by_name["Q"] / by_name["V1"], "k21": by_name["Q"] / by_name["V2"]}
    return tuple((name, by_name[name]) for name in model.parameters)


def _exposed(
    case: Case, fit: Fit, clearance: float, to_12: float, notes: tuple[Reason, ...], ready: Prepared
) -> Individual:
    """An individual with its areas; those of steady state follow from dose / CL."""
    dosing = case.occasion.dosing
    per_h = [one.dose_mg / one.every_h for one in ready.doses if one.every_h is not None]
    daily = 24.0 * sum(per_h) / clearance if len(per_h) == len(ready.doses) else None
    to_tau = None
    if not dosing.history and dosing.interval_h is not None:
        to_tau = ready.doses[0].dose_mg / clearance
        if dosing.interval_h != END_H and daily is not None:
            said = {"auc_tau": short(to_tau), "auc_24": short(daily), "equivalent": short(daily / 2)}
            other = Reason.of("auc_other_interval", interval_h=short(dosing.interval_h), **said)
            notes = (*notes, other)
    grams = (daily_dose_mg(dosing) or 0.0) / 1000
    return Individual(
        model=case.model,
        auc_0_12=to_12,
        auc_0_24=daily,
        auc_0_tau=to_tau,
        per_g=daily / grams if daily is not None and grams > 0 else None,
        fit=fit,
        notes=notes,
    )
