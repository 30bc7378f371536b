"""A population model and a batch of subjects as numbers: all that the estimation needs to know."""

from dataclasses import dataclass

from pk.kinetics.structure import ErrorModel, Structure
from pk.values.arrays import Bools, Floats


@dataclass(frozen=True, slots=True)
class Prior:
    """One population model for B subjects.

    ln(structural parameters) = log_typical + loading · eta, with eta ~ N(0, omega).

    Attributes
    ----------
    structure : Structure
        Its parameters, P of them, are in the order of `pk.kinetics.structure.PARAMETERS`.
    log_typical : ndarray, shape (B, P)
        Natural logarithms of the typical values with each subject's covariates; a lag of 0 is -inf.
    loading : ndarray, shape (P, K)
        How the K random effects move the structural log parameters. The identity's columns where
        the model has its effects on the structural parameters themselves; other numbers where it
        has them on rate constants (ln Q = ln k12 + ln V1, ln V2 = ln Q - ln k21).
    omega : ndarray, shape (K, K)
        Covariance of the random effects on one occasion, positive definite.
    error : ErrorModel
        The residual error.
    n_transit : int
        Transit compartments between dose and absorption compartment; 0 unless the structure has them.
    """

    structure: Structure
    log_typical: Floats
    loading: Floats
    omega: Floats
    error: ErrorModel
    n_transit: int = 0


@dataclass(frozen=True, slots=True)
class Doses:
    """The doses of B subjects, up to D each; unused places have amount 0.

    Attributes
    ----------
    time_h : ndarray, shape (B, D)
        Time of the dose relative to the dose of interest.
    amount_mg : ndarray, shape (B, D)
        In the model's dose basis (mg MMF or mg MPA), already converted.
    every_h : ndarray, shape (B, D)
        0: one dose. Above 0: the last of an endless row of equal doses that far apart (steady state
        at that dose); the doses after it are given as doses of their own.
    """

    time_h: Floats
    amount_mg: Floats
    every_h: Floats


@dataclass(frozen=True, slots=True)
class Observations:
    """The samples of B subjects, up to S each.

    Attributes
    ----------
    time_h : ndarray, shape (B, S)
        Actual time relative to the dose of interest, negative before it. A sample at the time of a
        dose is taken before it.
    conc_mg_l : ndarray, shape (B, S)
        The concentration; for a censored sample the limit of quantification it is below.
    censored : ndarray of bool, shape (B, S)
        Whether the sample is below quantification (Beal's M3).
    present : ndarray of bool, shape (B, S)
        False for an unused place; its numbers are finite and mean nothing.
    """

    time_h: Floats
    conc_mg_l: Floats
    censored: Bools
    present: Bools
