"""How unusual the samples of a subject are to a model before it has seen them: prior-predictive checks.

Profiles are simulated from the prior at the subject's own doses and times, residual error included. Each
concentration becomes a normal score by its rank among the simulated ones, so that neither scale nor skewness plays
a part; the discrepancy of a profile is s' R^-1 s with R the correlation of the simulated scores, and its p-value
the share of simulated profiles with one at least as large. Sources: Box, J R Stat Soc A 143:383 (1980), for the
check; the discrepancy is the team's choice: it sees impossible heights and impossible shapes alike.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from pk.kinetics.batch import Doses, Observations, Prior
from pk.kinetics.dosing import courses, individual_parameters
from pk.kinetics.structure import ErrorKind, ErrorModel
from pk.posterior.importance import prior_root
from pk.posterior.quasirandom import standard
from pk.posterior.sampling import SEED, doses_of, prior_of
from pk.values.arrays import Bools, Floats

PROFILES = 999


@dataclass(frozen=True, slots=True)
class Predictive:
    """The prior predictive distribution of one subject's S samples, from R simulated profiles.

    Attributes
    ----------
    simulated : ndarray, shape (S, R)
        Concentrations in mg/L, each row ascending.
    precision : ndarray, shape (S, S)
        Inverse of the correlation of the normal scores.
    discrepancy : ndarray, shape (R,)
        Of the simulated profiles, ascending.
    """

    simulated: Floats
    precision: Floats
    discrepancy: Floats

    def scores(self, conc_mg_l: Floats, censored: Bools) -> Floats:
        """Return each concentration (S,) as a normal score; one below quantification gets the middle of its tail."""
        count = self.simulated.shape[1]
        ranks = np.array(
            [
                np.searchsorted(row, conc) * (0.5 if below else 1.0)
                for row, conc, below in zip(self.simulated, conc_mg_l, censored, strict=True)
            ]
        )
        return np.asarray(ndtri(np.clip(ranks / count, 0.5 / count, 1.0 - 0.5 / count)))

    def p_value(self, conc_mg_l: Floats, censored: Bools) -> float:
        """Return the share of profiles that are at least as unusual, never 0: (1 + k) / (1 + R)."""
        score = self.scores(conc_mg_l, censored)
        least = float(score @ self.precision @ score)
        more = self.discrepancy.size - int(np.searchsorted(self.discrepancy, least * (1.0 - 1e-12)))
        return (1 + more) / (1 + self.discrepancy.size)

    def given_others(self, conc_mg_l: Floats, censored: Bools) -> Floats:
        """Return how many standard deviations each sample (S,) lies from what the others let expect."""
        pull = self.precision @ self.scores(conc_mg_l, censored)
        return np.asarray(pull / np.sqrt(np.diagonal(self.precision)))


def predictive(
    prior: Prior, doses: Doses, observations: Observations, subject: int, *, seed: int = SEED
) -> Predictive:
    """Return the prior predictive distribution of one subject's samples that are present, in their order.

    The same standard draws serve every subject and model, so that equal input gives equal output.
    """
    drawn = np.flatnonzero(observations.present[subject])
    normal = standard(PROFILES, prior.loading.shape[1], seed).normal
    eta = (prior_root(prior) @ normal).T
    each = np.full(PROFILES, subject)
    parameters = individual_parameters(prior_of(prior, each), eta)
    time_h = np.broadcast_to(observations.time_h[subject, drawn], (PROFILES, drawn.size))
    with np.errstate(all="ignore"):
        expected = courses(prior, doses_of(doses, each), time_h, parameters).value
    noise = np.random.default_rng(seed + 1).standard_normal(expected.shape)
    profiles = _measured(prior.error, expected, noise)
    ranks = np.argsort(np.argsort(profiles, axis=1), axis=1)
    scores = ndtri((ranks + 0.5) / PROFILES)
    correlation = scores @ scores.T / np.sum(scores[:1] ** 2) if drawn.size else np.empty((0, 0))
    precision = np.asarray(np.linalg.inv(correlation + 1e-9 * np.eye(drawn.size)), dtype=np.float64)
    discrepancy = np.sum(scores * (precision @ scores), axis=0)
    return Predictive(np.sort(profiles, axis=1), precision, np.sort(discrepancy))


def _measured(error: ErrorModel, expected: Floats, noise: Floats) -> Floats:
    """Return expected concentrations with their residual error, from standard normal noise."""
    if error.kind is ErrorKind.LOG_ADDITIVE:
        return expected * np.exp(error.sigma * noise)
    return expected + np.sqrt(error.add_mg_l**2 + (error.prop * expected) ** 2) * noise
