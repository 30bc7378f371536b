"""Requests for `python -m pk estimate`, and a reference for what comes out: matrix exponentials and plain sums."""

import copy
import io
import json
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from pk_cases import lines
from scipy.linalg import expm
from scipy.stats import norm

from pk.command.estimate import estimated
from pk.command.json_parser import schema_text
from pk.command.jsonlines import transform

INPUT, OUTPUT = json.loads(schema_text("estimate-input")), json.loads(schema_text("estimate-output"))

STEADY: dict[str, Any] = {"drug": "MMF", "dose_mg": 1000, "interval_h": 12, "steady_state": True}
THREE = [
    {"time_h": -0.1, "conc_mg_l": 2.0},
    {"time_h": 0.5, "conc_mg_l": 10.0},
    {"time_h": 2.0, "conc_mg_l": 6.0},
]
RECORD: dict[str, Any] = {"id": "S1", "regimen": STEADY, "samples": THREE}

ONE_COMPARTMENT: dict[str, Any] = {
    "structure": "one_compartment_first_order_lag",
    "dose_basis": "as_given",
    "theta": {"CL": 16, "V1": 60, "ka": 1.5, "tlag": 0.2},
    "omega": {
        "parameters": ["CL", "V1", "ka"],
        "matrix": [[0.1, 0.05, 0], [0.05, 0.3, 0], [0, 0, 0.5]],
    },
    "error": {"type": "proportional", "prop": 0.2},
}
TWO_COMPARTMENT: dict[str, Any] = {
    "structure": "two_compartment_first_order_lag",
    "dose_basis": "mg_mpa",
    "theta": {"CL": 16, "V1": 40, "Q": 22, "V2": 300, "ka": 2.1, "tlag": 0.3},
    "omega": {
        "parameters": ["ka", "V1", "CL", "tlag"],
        "matrix": [[0.8, 0.1, 0, 0], [0.1, 0.6, 0.1, 0], [0, 0.1, 0.15, 0], [0, 0, 0, 0.05]],
    },
    "error": {"type": "combined", "prop": 0.2, "add": 0.3},
}
BOLUS: dict[str, Any] = {
    "structure": "two_compartment_bolus",
    "dose_basis": "mg_mmf",
    "theta": {"CL": 20, "V1": 50, "k12": 0.5, "k21": 0.2},
    "omega": {"parameters": ["CL", "V1", "k12"], "matrix": [[0.1, 0, 0], [0, 0.2, 0.05], [0, 0.05, 0.1]]},
    "error": {"type": "additive", "add": 0.8},
}
TRANSIT: dict[str, Any] = {
    "structure": "two_compartment_transit",
    "dose_basis": "mg_mmf",
    "n_transit": 6,
    "theta": {"CL": 13, "V1": 23, "Q": 26, "V2": 330, "ka": 3, "MTT": 0.45},
    "omega": {"parameters": ["CL", "V1", "MTT"], "matrix": [[0.1, 0, 0], [0, 0.5, 0], [0, 0, 0.3]]},
    "error": {"type": "log_additive", "sigma": 0.35},
}
MODELS = {"one": ONE_COMPARTMENT, "two": TWO_COMPARTMENT, "bolus": BOLUS, "transit": TRANSIT}

MPA_PER_MMF = 0.738962
"""320.34 / 433.50, to six places."""


def run(content: bytes) -> list[dict[str, Any]]:
    """The lines that come out for what goes in."""
    target = io.BytesIO()
    transform(io.BytesIO(content), target, estimated)
    written = target.getvalue()
    assert written.isascii()
    return [json.loads(line) for line in written.splitlines()]


def result(**changes: object) -> dict[str, Any]:
    """The line for `RECORD` with changes; a change to ... leaves the field out."""
    record = {name: value for name, value in {**RECORD, **changes}.items() if value is not ...}
    (only,) = run(lines(record))
    return only


def changed(value: dict[str, Any], path: str, to: object) -> dict[str, Any]:
    """A copy with one field changed, by its path as `omega.matrix`; ... leaves it out."""
    whole = copy.deepcopy(value)
    *way, last = path.split(".")
    at = whole
    for step in way:
        at = at[step]
    if to is ...:
        del at[last]
    else:
        at[last] = to
    return whole


# --- the reference --------------------------------------------------------------------------------------------


class Reference:
    """An inline model under a regimen, by the definitions."""

    def __init__(self, model: dict[str, Any], regimen: dict[str, Any]) -> None:
        self.model = model
        basis = {"mg_mmf": 1.0, "as_given": 1.0, "mg_mpa": MPA_PER_MMF}[model["dose_basis"]]
        if "doses" in regimen:
            self.doses = [(one["time_h"], one["dose_mg"], one.get("every_h")) for one in regimen["doses"]]
        else:
            # Steady state as the row up to a dose far ahead: later doses do not act before they are taken.
            far = 20 * regimen["interval_h"]
            self.doses = [(far, regimen["dose_mg"], regimen["interval_h"])]
        self.doses = [(time, amount * basis, every) for time, amount, every in self.doses]

    def parameters(self, eta: dict[str, float]) -> dict[str, float]:
        return {name: value * math.exp(eta.get(name, 0.0)) for name, value in self.model["theta"].items()}

    def _system(self, p: dict[str, float]) -> tuple[np.ndarray, int]:
        """The rate matrix of the chain of compartments, and the place of the central one."""
        structure = self.model["structure"]
        first: list[float] = []
        if structure.endswith("transit"):
            count = self.model["n_transit"] + 1
            first = [count / p["MTT"]] * count
        if "bolus" not in structure:
            first.append(p["ka"])
        central = len(first)
        two = structure.startswith("two")
        rates = np.zeros((central + 1 + two, central + 1 + two))
        for i, rate in enumerate(first):
            rates[i, i] -= rate
            rates[i + 1, i] += rate
        rates[central, central] -= p["CL"] / p["V1"]
        if two:
            out = p["k12"] if "k12" in p else p["Q"] / p["V1"]
            back = p["k21"] if "k21" in p else p["Q"] / p["V2"]
            rates[central, central] -= out
            rates[central + 1, central] += out
            rates[central, central + 1] += back
            rates[central + 1, central + 1] -= back
        return rates, central

    def concentrations(self, p: dict[str, float], times: Sequence[float]) -> list[float]:
        """Eigenvectors where they do, the matrix exponential where rates coincide (a transit chain)."""
        rates, central = self._system(p)
        power = self._power(rates)
        starts = []
        for at, amount, every in self.doses:
            start = np.zeros(len(rates))
            start[0] = amount
            if every is not None:
                start = np.linalg.solve(np.eye(len(rates)) - power(every), start)
            starts.append((at + p.get("tlag", 0.0), every, start))
        out = []
        for time in times:
            amounts = 0.0
            for arrival, every, start in starts:
                since = time - arrival
                if every is not None and since <= 0:
                    since += (math.floor(-since / every) + 1) * every
                if since > 0:
                    amounts += float((power(since) @ start)[central])
            out.append(amounts / p["V1"])
        return out

    def _power(self, rates: np.ndarray) -> Callable[[float], np.ndarray]:
        if self.model["structure"].endswith("transit"):
            return lambda hours: np.asarray(expm(rates * hours))
        values, vectors = np.linalg.eig(rates)
        inverse = np.linalg.inv(vectors)
        return lambda hours: np.real((vectors * np.exp(values * hours)) @ inverse)

    def objective(self, eta: dict[str, float], samples: list[dict[str, float]]) -> float:
        p, error = self.parameters(eta), self.model["error"]
        total = 0.0
        predicted = self.concentrations(p, [sample["time_h"] for sample in samples])
        for sample, f in zip(samples, predicted, strict=True):
            log = error["type"] == "log_additive"
            sd = error["sigma"] if log else math.hypot(error.get("add", 0.0), error.get("prop", 0.0) * f)
            scale = math.log if log else float
            if "below_lloq_mg_l" in sample:
                total -= 2 * norm.logcdf((scale(sample["below_lloq_mg_l"]) - scale(f)) / sd)
            else:
                total += ((scale(sample["conc_mg_l"]) - scale(f)) / sd) ** 2 + 2 * math.log(sd)
        vector = np.array([eta[name] for name in self.model["omega"]["parameters"]])
        return float(total + vector @ np.linalg.solve(np.array(self.model["omega"]["matrix"]), vector))

    def auc(self, p: dict[str, float], end_h: float) -> float:
        """By Gauss-Legendre on pieces that end where a dose arrives."""
        lag = p.get("tlag", 0.0)
        cuts = {0.0, end_h}
        for at, _, every in self.doses:
            arrivals = [at + lag - k * every for k in range(60)] if every is not None else [at + lag]
            cuts |= {one for one in arrivals if 0 < one < end_h}
        edges = sorted(cuts)
        fine = [a + (b - a) * i / 12 for a, b in pairwise(edges) for i in range(12)]
        nodes, weights = np.polynomial.legendre.leggauss(10)
        total = 0.0
        for a, b in zip(fine, [*fine[1:], end_h], strict=True):
            middle, half = (a + b) / 2, (b - a) / 2
            total += half * float(np.dot(weights, self.concentrations(p, list(middle + half * nodes))))
        return total
