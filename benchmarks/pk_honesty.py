"""How good the AUC estimates are, by simulation: virtual patients whose AUC is known, from each shipped model.

Run with `python -m benchmarks.pk_honesty`: it prints the tables of docs/pk-methods.md. Each patient takes
1000 mg MMF every 12 h at steady state and is drawn from a model's prior; the samples have the model's full residual
error and are censored below 0.1 mg/L. Covariates are the models' references.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np

from pk.estimation.averaging import combined
from pk.estimation.suspicion import suspicions
from pk.fit.map import estimate
from pk.fit.objective import predictions
from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.structure import ErrorKind
from pk.models.covariates import prior_for
from pk.models.population import amount_mg
from pk.models.shipped import shipped_models
from pk.posterior.predictive import Predictive, predictive
from pk.posterior.sampling import AucDraws, auc_draws
from pk.posterior.weighted import summarise
from pk.regression.shipped import shipped_equations
from pk.values.arrays import Bools, Floats
from pk.values.profile import Formulation, Sample

__all__ = ["measure", "tables"]

DOSE_MG = 1000.0
INTERVAL_H = 12.0
LLOQ_MG_L = 0.1
NAMES = ("H0", "H30", "H2")
TIMES_H = (0.0, 0.5, 2.0)
CICLOSPORIN = {"ciclosporin_dose_mg_d": 450.0}
NEEDS_CICLOSPORIN = "van_hest_2005"

DESIGNS = {
    "0, 0.5, 2 h": (0, 1, 2),
    "0, 2 h": (0, 2),
    "0, 0.5 h": (0, 1),
    "0.5, 2 h": (1, 2),
    "0 h only": (0,),
    "2 h only": (2,),
    "prior only": (),
}


@dataclass(frozen=True, slots=True)
class Patients:
    """Virtual patients of one model: their samples (n, 3), at the times drawn, and their true AUC0-12 (n,)."""

    model: str
    time_h: Floats
    conc_mg_l: Floats
    below: Bools
    auc: Floats


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of estimates in % of the truth; `coverage` in %, None for a method without an interval."""

    bias: float
    rmse: float
    within_20: float
    coverage: float | None = None

    def __str__(self) -> str:
        held = "–" if self.coverage is None else f"{self.coverage:.1f}"
        return f"{self.bias:+.0f} / {self.rmse:.1f} / {self.within_20:.0f} / {held}"


def measure(patients: int = 1000, seed: int = 20221123) -> dict[str, Any]:
    """Scores of every design within each model, across models, with wrong times, and of the suspicions."""
    virtual = {model.id: simulate(model.id, patients, seed + i) for i, model in enumerate(shipped_models())}
    return {
        "patients": patients,
        "within": {model: within(some) for model, some in virtual.items()},
        "across": {model: across(some) for model, some in virtual.items()},
        "nominal": {model: nominal_times(model, patients, seed + 100) for model in virtual},
        "suspicions": {model: suspected(some) for model, some in virtual.items()},
    }


def prior_and_doses(model: str, size: int) -> tuple[Prior, Doses]:
    """The prior of a shipped model and the doses in its basis."""
    known = next(one for one in shipped_models() if one.id == model)
    given = CICLOSPORIN if model == NEEDS_CICLOSPORIN else {}
    amount = amount_mg(known, DOSE_MG, Formulation.MMF)
    column = np.ones((size, 1))
    return prior_for(known, [given] * size).prior, Doses(0.0 * column, amount * column, INTERVAL_H * column)


def simulate(model: str, size: int, seed: int, *, wrong_times: bool = False) -> Patients:
    """Patients of a model; with wrong times H30 is drawn 10 min early to 15 late, H2 15 early to 20 late."""
    random = np.random.default_rng(seed)
    prior, doses = prior_and_doses(model, size)
    eta = random.standard_normal((size, prior.omega.shape[0])) @ np.linalg.cholesky(prior.omega).T
    time_h = np.tile(TIMES_H, (size, 1))
    if wrong_times:
        time_h[:, 1] += random.uniform(-10.0, 15.0, size) / 60.0
        time_h[:, 2] += random.uniform(-15.0, 20.0, size) / 60.0
    expected = predictions(prior, doses, time_h, eta)
    noise = random.standard_normal(expected.shape)
    error = prior.error
    if error.kind is ErrorKind.LOG_ADDITIVE:
        conc = expected * np.exp(error.sigma * noise)
    else:
        conc = expected + np.sqrt(error.add_mg_l**2 + (error.prop * expected) ** 2) * noise
    below = conc < LLOQ_MG_L
    clearance = np.exp(prior.log_typical[:, 0] + eta @ prior.loading[0])
    return Patients(model, time_h, np.where(below, LLOQ_MG_L, conc), below, doses.amount_mg[:, 0] / clearance)


def _observations(some: Patients, design: tuple[int, ...], *, nominal: bool = False) -> Observations:
    columns = list(design) or [0]
    time_h = np.tile(TIMES_H, (some.auc.size, 1)) if nominal else some.time_h
    present = np.full((some.auc.size, len(columns)), bool(design))
    return Observations(time_h[:, columns], some.conc_mg_l[:, columns], some.below[:, columns], present)


def _estimated(model: str, observations: Observations) -> tuple[Floats, tuple[AucDraws, ...]]:
    """The AUC at the mode (n,), and draws of the AUC."""
    size = observations.time_h.shape[0]
    prior, doses = prior_and_doses(model, size)
    found = estimate(prior, doses, observations)
    start = np.zeros(size)
    blocks = auc_draws(prior, doses, observations, found, start, start + INTERVAL_H)
    return doses.amount_mg[:, 0] / found.parameters[:, 0], tuple(blocks)


def _scored(truth: Floats, value: Floats, low: Floats | None = None, high: Floats | None = None) -> Score:
    off = 100.0 * (value / truth - 1.0)
    held = None if low is None or high is None else 100.0 * float(np.mean((low <= truth) & (truth <= high)))
    return Score(
        float(off.mean()), float(np.sqrt(np.mean(off**2))), 100.0 * float(np.mean(np.abs(off) <= 20)), held
    )


def _spread(blocks: tuple[AucDraws, ...]) -> tuple[Floats, Floats, Floats]:
    found = [summarise(one.auc, one.weight, 0.9) for one in blocks]
    low, median, high = (
        np.concatenate([getattr(one, name) for one in found]) for name in ("low", "median", "high")
    )
    return low, median, high


def within(some: Patients) -> dict[str, dict[str, Score]]:
    """Scores of the mode and of the posterior's median, by design, with the model that made the patients."""
    out = {}
    for design, columns in DESIGNS.items():
        mode, blocks = _estimated(some.model, _observations(some, columns))
        low, median, high = _spread(blocks)
        out[design] = {
            "mode": _scored(some.auc, mode, low, high),
            "median": _scored(some.auc, median, low, high),
        }
    out["Pawinski"] = {"equation": _regressed(some)}
    return out


def _regressed(some: Patients) -> Score:
    """Pawinski 2002; a pre-dose sample below quantification counts half, patients with a later one are left out."""
    equation = next(one for one in shipped_equations() if one.id == "pawinski_2002")
    conc = np.where(some.below, 0.5 * some.conc_mg_l, some.conc_mg_l)
    coefficients = [
        next(term.coefficient_h for term in equation.terms if term.timepoint == name) for name in NAMES
    ]
    usable = ~some.below[:, 1:].any(axis=1)
    return _scored(some.auc[usable], (equation.intercept_mg_h_l + conc @ coefficients)[usable])


def across(some: Patients) -> dict[str, Any]:
    """Scores of each model that needs no ciclosporin, and of their average, for three samples of these patients."""
    models = [one.id for one in shipped_models() if one.id != NEEDS_CICLOSPORIN]
    observations = _observations(some, DESIGNS["0, 0.5, 2 h"])
    found = {model: _estimated(model, observations)[1] for model in models}
    out: dict[str, Any] = {}
    for model, blocks in found.items():
        low, median, high = _spread(blocks)
        out[model] = _scored(some.auc, median, low, high)
    parts = [combined(tuple(models), block) for block in zip(*found.values(), strict=True)]
    low, median, high = (
        np.concatenate([getattr(one.auc, name) for one in parts]) for name in ("low", "median", "high")
    )
    out["average"] = _scored(some.auc, median, low, high)
    out["Pawinski"] = _regressed(some)
    weight = np.concatenate([one.weight for one in parts])
    out["weights"] = dict(zip(models, weight.mean(axis=0).round(2).tolist(), strict=True))
    out["alone"] = float(np.mean(weight.max(axis=1) >= 0.9))
    return out


def nominal_times(model: str, size: int, seed: int) -> dict[str, Score]:
    """Three samples drawn at wrong times: scores with the actual times, and with the nominal ones."""
    some = simulate(model, size, seed, wrong_times=True)
    out = {}
    for name, nominal in (("actual", False), ("nominal", True)):
        _, blocks = _estimated(model, _observations(some, (0, 1, 2), nominal=nominal))
        low, median, high = _spread(blocks)
        out[name] = _scored(some.auc, median, low, high)
    return out


MISTAKES: dict[str, tuple[tuple[int, int, int], float]] = {
    "none": ((0, 1, 2), 1.0),
    "H30 and H2 exchanged": ((0, 2, 1), 1.0),
    "H0 and H30 exchanged": ((1, 0, 2), 1.0),
    "H0 and H2 exchanged": ((2, 1, 0), 1.0),
    "µmol/L taken for mg/L": ((0, 1, 2), 3.1217),
    "mg/L divided as if µmol/L": ((0, 1, 2), 1 / 3.1217),
    "ng/mL taken for mg/L": ((0, 1, 2), 1000.0),
}


def suspected(some: Patients) -> dict[str, dict[str, float]]:
    """Share of patients (%) with each suspicion, after each mistake, under the models without ciclosporin."""
    models = _predictives()
    out: dict[str, dict[str, float]] = {}
    for mistake, (order, factor) in MISTAKES.items():
        counts: dict[str, float] = {}
        for conc, below in zip(some.conc_mg_l, some.below, strict=True):
            made = conc[list(order)] * factor
            samples = [
                Sample(name, time_h, float(c), below_lloq=bool(b))
                for name, time_h, c, b in zip(NAMES, TIMES_H, made, below[list(order)], strict=True)
            ]
            for reason in suspicions(samples, made, below[list(order)], models):
                counts[reason.code] = counts.get(reason.code, 0.0) + 100.0 / some.auc.size
        out[mistake] = counts
    return out


@cache
def _predictives() -> tuple[Predictive, ...]:
    time_h = np.array([TIMES_H])
    everything = np.ones(time_h.shape, np.bool_)
    samples = Observations(time_h, np.ones(time_h.shape), ~everything, everything)
    models = [one.id for one in shipped_models() if one.id != NEEDS_CICLOSPORIN]
    return tuple(predictive(*prior_and_doses(model, 1), samples, 0) for model in models)


def tables(found: dict[str, Any]) -> str:
    """The measurements as Markdown, headed by date and commit."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    head = f"{datetime.now(UTC):%Y-%m-%d}, commit {done.stdout.strip() or 'unknown'}, {found['patients']:,} patients"
    models = list(found["within"])
    designs = list(DESIGNS)
    mode = [[name, *(found["within"][m][name]["mode"] for m in models)] for name in designs]
    mode.append(["Pawinski 2002", *(found["within"][m]["Pawinski"]["equation"] for m in models)])
    median = [[name, *(found["within"][m][name]["median"] for m in models)] for name in designs]
    by = [name for name in found["across"][models[0]] if name not in ("weights", "alone")]
    rows = [[m, *(found["across"][m][name] for name in by)] for m in models]
    names = list(found["across"][models[0]]["weights"])
    weights = [
        [
            m,
            *(found["across"][m]["weights"][name] for name in names),
            f"{100 * found['across'][m]['alone']:.0f} %",
        ]
        for m in models
    ]
    times = [[m, found["nominal"][m]["actual"], found["nominal"][m]["nominal"]] for m in models]
    codes = ("profile_unexplained", "profile_looks_swapped", "profile_unit_suspected", "predose_highest")
    wrong = [
        [m, mistake, *(f"{found['suspicions'][m][mistake].get(code, 0.0):.1f}" for code in codes)]
        for m in models
        for mistake in MISTAKES
    ]
    legend = "Cells: bias % / RMSE % / % of patients within 20 % / coverage of the 90 % interval in %."
    return "\n\n".join(
        [
            f"{head} per simulating model. {legend}",
            "Estimated with the model that made the patients, MAP (the mode):",
            _table(["samples", *models], mode),
            "The same, median of the posterior:",
            _table(["samples", *models], median),
            "Three samples, patients of the model in the row, estimated by the model in the column (median):",
            _table(["patients of", *by], rows),
            "Mean weight of each model in the average; last, how often one model has 90 % or more:",
            _table(["patients of", *names, "alone"], weights),
            "H30 drawn 10 min early to 15 late, H2 15 early to 20 late (median):",
            _table(["patients of", "actual times", "nominal times"], times),
            "Share of patients (%) whose profile is called suspicious:",
            _table(["patients of", "mistake", *codes], wrong),
        ]
    )


def _table(columns: list[str], rows: list[list[Any]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    print(tables(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)))
