"""What an analysis found, as values; None wherever the number of patients allows nothing."""

from dataclasses import dataclass
from enum import StrEnum

from pk.target.asked import Direction
from pk.target.association.correlation import Pearson, Slope, Spearman
from pk.target.association.shape import Doubling, Shape
from pk.target.cut.discrimination import AreaTest
from pk.target.cut.influence import Perturbed
from pk.target.cut.max_selected import MaxSelected
from pk.target.cut.prespecified import LITERATURE_CUTS, AtCut, Crossed
from pk.target.data.patients import LeftOut
from pk.target.missing.bounds import Bounds
from pk.target.missing.changes import ImputedSlope, RankBounds
from pk.target.missing.imputation import Imputed
from pk.target.statistics.firth import Coefficient
from pk.target.statistics.proportions import Interval, Proportion
from pk.target.tiers import LARGEST_P, Tier
from pk.values.arrays import Bools, Floats
from pk.values.reason import Reason


class Conclusion(StrEnum):
    """The only conclusions there are."""

    NOT_ESTIMABLE = "not estimable"
    NO_EVIDENCE = "no evidence of association"
    NO_USABLE_CUT = "association, no usable cut"
    EXPLORATORY = "exploratory cut"
    CANDIDATE = "candidate target"


class Standing(StrEnum):
    """What a cut from the data may be called."""

    ARBITRARY = "arbitrary"
    EXPLORATORY = "exploratory"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an analysis is made.

    Attributes
    ----------
    direction : Direction
        Where response is expected.
    cuts : tuple of float
        Chosen beforehand; by default those of the literature, mg·h/L.
    bootstrap, permutations : int
        Samples drawn with replacement (at least 40), random orders (at least 99).
    seed : int
        0 or more. The same patients, settings and seed give the same numbers.
    unlock_tier : bool
        Compute what the tier forbids as well, under a watermark; to check methods only.
    analyses_run : int
        How many combinations of exposure and outcome were analysed in all.
    flagged_exposures : int
        Patients whose exposure rests on a single or bridged occasion.
    """

    direction: Direction = Direction.HIGHER
    cuts: tuple[float, ...] = LITERATURE_CUTS
    bootstrap: int = 2000
    permutations: int = 9999
    seed: int = 1
    unlock_tier: bool = False
    analyses_run: int = 1
    flagged_exposures: int = 0

    def __post_init__(self) -> None:
        if self.bootstrap < 40 or self.permutations < 99 or self.seed < 0:
            raise ValueError(
                "at least 40 bootstrap samples, 99 permutations and a seed of 0 or more are needed"
            )


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition: `value` is None where it is not known, and the gate is closed then."""

    name: str
    value: float | None
    threshold: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Spread:
    """Exposure of a group: how many, and the quartiles."""

    n: int
    median: float
    quarter: float
    three_quarters: float


@dataclass(frozen=True, slots=True)
class Description:
    """Exposure of all, and of responders and others where response is defined."""

    everyone: Spread
    responders: Spread | None
    others: Spread | None


@dataclass(frozen=True, slots=True)
class Association:
    """Exposure and outcome over their whole range; slopes only for outcomes of more than two values."""

    spearman: Spearman
    pearson: Pearson | None
    theil_sen: Slope | None
    slope: Slope | None
    slope_p: float | None
    adjusted_slope: Slope | None
    adjusted_slope_p: float | None


@dataclass(frozen=True, slots=True)
class Roc:
    """The area, turned so that above 0.5 is the direction stated beforehand, its limits and its test.

    ci_bootstrap: instead of DeLong's, where the smaller group has fewer than 8 patients; unstable.
    """

    area: float
    ci_delong: Interval | None
    ci_logit_delong: Interval | None
    ci_bootstrap: Interval | None
    separated: bool
    test: AreaTest

    @property
    def opposite(self) -> bool:
        """Whether the area is significant against the direction stated beforehand."""
        return self.area < 0.5 and self.test.p < LARGEST_P


@dataclass(frozen=True, slots=True)
class Odds:
    """Firth's coefficient of exposure, per unit, alone and with the baseline value beside it."""

    exposure: Coefficient
    adjusted: Coefficient | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutpoint:
    """A cut chosen from the data, with everything that shows how little it may mean.

    value: Youden's empirical cut, midway between two exposures; `ties` are all equally good ones. binormal,
    binormal_log, kernel: for normal, log-normal and smoothed exposure, None where there is none. *_corrected: less
    the optimism, None where the value itself is. within_5: share of bootstrap samples within 5 of the value.
    leave_one_out: lowest and highest cut with one patient left out. bootstrap_cuts: shape (samples,).
    """

    value: float
    standing: Standing
    sensitivity: Proportion
    specificity: Proportion
    positive_predictive: Proportion
    negative_predictive: Proportion
    table: Crossed
    ties: tuple[float, ...]
    ci: Interval
    sensitivity_corrected: float
    specificity_corrected: float
    positive_corrected: float | None
    negative_corrected: float | None
    within_5: float
    closest_topleft: float
    binormal: float | None
    binormal_log: float | None
    kernel: float | None
    ci_binormal: Interval | None
    leave_one_out: Interval | None
    measurement_error: tuple[Perturbed, ...]
    bootstrap_cuts: Floats


Missing = Bounds | Imputed | RankBounds | ImputedSlope
"""What missing outcomes could change: of responses, or of outcomes that are numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAnalysis:
    """Everything that may be said of these patients, and nothing that may not."""

    settings: Settings
    data_hash: str
    n: int
    n_responders: int | None
    left_out: LeftOut
    tier: Tier
    gates: tuple[Gate, ...]
    conclusion: Conclusion
    exposure: Floats
    outcome: Floats
    responder: Bools | None
    description: Description | None
    association: Association | None
    doubling: Doubling | None
    shape: Shape | None
    roc: Roc | None
    firth: Odds | None
    prespecified: tuple[AtCut, ...]
    max_selected: MaxSelected | None
    cutpoint: Cutpoint | None
    missing: Missing | None
    warnings: tuple[Reason, ...]

    @property
    def unlocked(self) -> bool:
        """Whether numbers stand here that the tier forbids."""
        return self.settings.unlock_tier
