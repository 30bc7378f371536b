"""Population models, dose histories and virtual subjects for the tests of the numeric core."""

from dataclasses import dataclass, replace

import numpy as np

from pk.fit.objective import Problem, evaluate, predictions, problem
from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.structure import PARAMETERS, ErrorKind, ErrorModel, Structure
from pk.values.arrays import Floats

LAGGED = Structure.TWO_COMPARTMENT_FIRST_ORDER_LAG
TRANSIT = Structure.TWO_COMPARTMENT_TRANSIT


def prior(structure: Structure, n_transit: int = 6) -> Prior:
    """One subject; for curves, of which a prior gives the structure alone."""
    size = len(PARAMETERS[structure])
    return Prior(
        structure,
        np.zeros((1, size)),
        np.eye(size),
        np.eye(size),
        ErrorModel(ErrorKind.PROPORTIONAL, prop=0.3),
        n_transit if structure is TRANSIT else 0,
    )


def one_row(amount: float = 1000.0, every: float = 12.0) -> Doses:
    return Doses(np.zeros((1, 1)), np.full((1, 1), amount), np.full((1, 1), every))


@dataclass(frozen=True)
class Model:
    """Typical values, the parameter each effect moves (or a loading), and variances."""

    structure: Structure
    theta: tuple[float, ...]
    effects: tuple[int, ...]
    omega: Floats
    error: ErrorModel
    n_transit: int = 0
    loading: Floats | None = None

    def prior(self, size: int) -> Prior:
        loading = self.loading
        if loading is None:
            loading = np.zeros((len(self.theta), len(self.effects)))
            loading[list(self.effects), range(len(self.effects))] = 1.0
        with np.errstate(divide="ignore"):
            logs = np.tile(np.log(self.theta), (size, 1))
        return Prior(self.structure, logs, loading, self.omega, self.error, self.n_transit)


def _van_hest_omega() -> Floats:
    sd = np.array([1.12, 1.13, 0.38, 0.78])
    r = np.eye(4)
    r[1, 2] = r[2, 1] = 0.44
    r[1, 3] = r[3, 1] = 0.55
    r[2, 3] = r[3, 2] = 0.56
    return sd[:, None] * r * sd


def _yu_loading() -> Floats:
    """Effects on ka, k12, k21, CL, V1: ln Q = ln k12 + ln V1, ln V2 = ln Q - ln k21."""
    out = np.zeros((6, 5))
    for row, column, size in (
        (4, 0, 1), (2, 1, 1), (3, 1, 1), (3, 2, -1), (0, 3, 1), (1, 4, 1), (2, 4, 1), (3, 4, 1),
    ):  # fmt: skip
        out[row, column] = size
    return out


VAN_HEST = Model(
    LAGGED,
    (20.0, 111.0, 49.0, 388.0, 3.6, 0.24),
    (4, 1, 0, 2),
    _van_hest_omega(),
    ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.44),
)
MIZAKI = Model(
    TRANSIT,
    (13.15, 22.95, 26.44, 336.03, 2.98, 0.45),
    (1, 0, 5),
    np.diag([0.56315, 0.09883, 0.29433]),
    ErrorModel(ErrorKind.PROPORTIONAL, prop=0.3409),
    6,
)
YU = Model(
    LAGGED,
    (18.3, 27.9, 0.915 * 27.9, 0.915 * 27.9 / 0.059, 1.89, 0.0),
    (4, 2, 3, 0, 1),
    np.diag([0.2336, 0.0929, 1.0662, 0.1292, 0.063]),
    ErrorModel(ErrorKind.COMBINED, add_mg_l=0.15, prop=0.158),
    0,
    _yu_loading(),
)
RANDOM_LAG = Model(
    LAGGED,
    (16.0, 40.0, 22.0, 518.0, 4.1, 0.4),
    (0, 1, 2, 4, 5),
    np.diag([0.15, 0.7, 0.5, 1.5, 0.5]),
    ErrorModel(ErrorKind.COMBINED, add_mg_l=0.1, prop=0.2),
)
ADDITIVE_LAG = Model(
    LAGGED,
    (16.0, 40.0, 22.0, 518.0, 2.0, 0.4),
    (0, 1, 4, 5),
    np.diag([0.15, 0.7, 1.5, 0.8]),
    ErrorModel(ErrorKind.ADDITIVE, add_mg_l=0.5),
)
DE_WINTER = Model(
    LAGGED,
    (16.0, 40.0, 22.0, 518.0, 4.1, 0.3),
    (0, 1, 2, 3, 4, 5),
    np.diag([0.1417, 0.6931, 0.4753, 1.0, 1.5036, 0.0120]),
    ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.39),
)
ONE_COMPARTMENT = Model(
    Structure.ONE_COMPARTMENT_FIRST_ORDER_LAG,
    (16.0, 60.0, 1.5, 0.4),
    (0, 1, 2, 3),
    np.diag([0.15, 0.5, 1.5, 0.4]),
    ErrorModel(ErrorKind.PROPORTIONAL, prop=0.25),
)
SLOW_CHAIN = Model(
    TRANSIT,
    (13.15, 22.95, 26.44, 336.03, 2.98, 0.6),
    (0, 1, 2, 4, 5),
    np.diag([0.15, 0.6, 0.4, 1.0, 0.6]),
    ErrorModel(ErrorKind.COMBINED, add_mg_l=0.1, prop=0.15),
    6,
)
BOLUS = Model(
    Structure.TWO_COMPARTMENT_BOLUS,
    (10.0, 20.0, 15.0, 100.0),
    (0, 1, 2, 3),
    np.diag([0.2, 0.3, 0.4, 0.5]),
    ErrorModel(ErrorKind.PROPORTIONAL, prop=0.2),
)
MODELS = {
    "van hest": VAN_HEST,
    "mizaki": MIZAKI,
    "yu": YU,
    "de winter": DE_WINTER,
    "random lag": RANDOM_LAG,
    "additive lag": ADDITIVE_LAG,
    "one compartment": ONE_COMPARTMENT,
    "slow chain": SLOW_CHAIN,
    "bolus": BOLUS,
}


@dataclass(frozen=True)
class Design:
    """How hard a case is: the history, the sample times, the spread of effects and errors, the limit."""

    history: str = "steady"
    times: str = "protocol"
    spread: float = 1.0
    noise: float = 1.0
    lloq: float = 0.0


DESIGNS = {
    "protocol": Design(),
    "outlying": Design(spread=1.5, noise=2.0),
    "first dose, near the lag, censored": Design("first", "early", lloq=0.5),
    "irregular history": Design("irregular", "five", noise=1.5),
    "two rows, near the lag, censored": Design("two rows", "early", lloq=1.0),
}


def doses(history: str, size: int, rng: np.random.Generator) -> Doses:
    amount = rng.choice([500.0, 750.0, 1000.0, 1500.0], size)
    if history == "steady":
        return Doses(np.zeros((size, 1)), amount[:, None], np.full((size, 1), 12.0))
    if history == "first":
        return Doses(np.zeros((size, 1)), amount[:, None], np.zeros((size, 1)))
    if history == "two rows":
        times = np.tile([0.0, -12.0], (size, 1))
        return Doses(times, np.stack((amount, amount / 2), axis=1), np.full((size, 2), 24.0))
    gaps = rng.uniform(6.0, 16.0, (size, 6))
    times = gaps[:, :1] - np.cumsum(gaps, axis=1)
    every = np.zeros((size, 6))
    every[:, -1] = np.where(rng.random(size) < 0.5, 12.0, 0.0)
    return Doses(times, amount[:, None] * rng.choice([0.5, 1.0, 1.0], (size, 6)), every)


def virtual(
    model: Model, size: int, seed: int, design: Design = DESIGNS["protocol"]
) -> tuple[Prior, Doses, Observations, Floats]:
    """Subjects drawn from a model: prior, doses, observations and the effects they were made with."""
    rng = np.random.default_rng(seed)
    prior, given = model.prior(size), doses(design.history, size, rng)
    if design.times == "protocol":
        time = np.array([-0.1, 0.5, 2.0]) + rng.uniform(-0.1, 0.1, (size, 3)) * [1.0, 1.0, 2.0]
    elif design.times == "early":
        time = rng.uniform([0.1, 0.2, 0.5, 2.0], [0.5, 1.0, 3.0, 8.0], (size, 4))
    else:
        time = np.sort(rng.uniform(0.05, 11.9, (size, 5)), axis=1)
    eta = design.spread * rng.multivariate_normal(np.zeros(len(model.omega)), model.omega, size)
    f = np.maximum(predictions(prior, given, time, eta), 1e-3)
    z, error = design.noise * rng.standard_normal(f.shape), model.error
    if error.kind is ErrorKind.LOG_ADDITIVE:
        y = f * np.exp(error.sigma * z)
    else:
        y = np.maximum(f + z * np.hypot(error.add_mg_l, error.prop * f), 0.02)
    censored = y < design.lloq
    y = np.where(censored, design.lloq, y)
    return prior, given, Observations(time, y, censored, np.ones(y.shape, np.bool_)), eta


def subjects(
    prior: Prior, doses: Doses, observations: Observations, rows: list[int] | slice
) -> tuple[Prior, Doses, Observations]:
    """The batch of some of the subjects."""
    return (
        replace(prior, log_typical=prior.log_typical[rows]),
        Doses(doses.time_h[rows], doses.amount_mg[rows], doses.every_h[rows]),
        Observations(
            observations.time_h[rows],
            observations.conc_mg_l[rows],
            observations.censored[rows],
            observations.present[rows],
        ),
    )


def value(prior: Prior, doses: Doses, observations: Observations, eta: Floats) -> Floats:
    """The objective of each subject at effects (B, K), or at M vectors of them each (B, M, K)."""
    return values(problem(prior, doses, observations), eta)


def values(batch: Problem, eta: Floats) -> Floats:
    """The same of a problem made before, in chunks that fit the cache."""
    flat = eta.reshape(-1, batch.effects)
    each = np.repeat(np.arange(batch.size), len(flat) // batch.size)
    out = np.empty(len(flat))
    for start in range(0, len(flat), batch.chunk):
        here = slice(start, start + batch.chunk)
        out[here] = evaluate(batch.take(each[here]), np.ascontiguousarray(flat[here].T))
    return out.reshape(eta.shape[:-1])
