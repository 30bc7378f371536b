"""What a number of patients allows to be said, as data. Nothing else in the package decides this.

The limits were chosen for this project, with the sampling error of cuts in small samples in view
(docs/target-methods.md); they are no published rule.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier holds from `patients` patients on with `smaller_group` in the smaller of responders and others."""

    number: int
    name: str
    patients: int
    smaller_group: int


TIERS = (
    Tier(0, "listing", 0, 0),
    Tier(1, "descriptive", 3, 1),
    Tier(2, "association", 10, 4),
    Tier(3, "exploratory cut", 30, 10),
    Tier(4, "candidate", 50, 20),
    Tier(5, "estimate", 150, 50),
)

HIGHEST_WITHOUT_RESPONDERS = 2
"""Without a definition of response there is nothing that a cut could tell apart."""

LEAST_FOR_DELONG = 8
"""Patients in the smaller group from which on the area has DeLong limits; a bootstrap called unstable below."""


LARGEST_P = 0.05
"""A p must lie below it to be called significant."""


class Item(StrEnum):
    """What an analysis may contain."""

    DESCRIPTION = "description"
    CORRELATION = "correlation"
    PRESPECIFIED = "prespecified"
    MISSING = "missing"
    CORRELATION_INTERVAL = "correlation_interval"
    SLOPE = "slope"
    SHAPE = "shape"
    FIRTH = "firth"
    AREA = "area"
    MAX_SELECTED = "max_selected"
    CUT = "cut"


FROM_TIER = MappingProxyType(
    {
        Item.DESCRIPTION: 1,
        Item.CORRELATION: 1,
        Item.PRESPECIFIED: 1,
        Item.MISSING: 1,
        Item.CORRELATION_INTERVAL: 2,
        Item.SLOPE: 2,
        Item.SHAPE: 2,
        Item.FIRTH: 2,
        Item.AREA: 2,
        Item.MAX_SELECTED: 3,
        Item.CUT: 3,
    }
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be computed: the tier's items, or everything where the tier was unlocked to check methods."""

    tier: Tier
    unlocked: bool = False

    def __contains__(self, item: Item) -> bool:
        return self.unlocked or self.tier.number >= FROM_TIER[item]


def tier_of(patients: int, smaller_group: int | None, *, contrast: bool = True) -> Tier:
    """Return the highest tier of which every condition is met.

    Parameters
    ----------
    patients : int
        With exposure and outcome.
    smaller_group : int or None
        The smaller number of responders and others; None for an outcome without responders.
    contrast : bool
        Whether exposures differ and outcomes differ. Without a contrast patients can only be listed.

    >>> tier_of(24, 10).number, tier_of(50, 20).number, tier_of(40, None).number
    (2, 4, 2)
    """
    if not contrast:
        return TIERS[0]
    held = [
        one
        for one in TIERS
        if patients >= one.patients
        and (
            one.number <= HIGHEST_WITHOUT_RESPONDERS
            if smaller_group is None
            else smaller_group >= one.smaller_group
        )
    ]
    return held[-1]
