"""Values that cannot be drawn are refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from picture_cases import OWN, TIMES, course, curve

from pk.pictures.course import ReferenceBand, VisitAuc
from pk.pictures.curve import DrawnSample, NominalWindow


@pytest.mark.parametrize(
    "changes",
    [
        {"times_h": (0.0,), "individual_mg_l": (1.0,), "band_mg_l": None, "population_mg_l": None},
        {"individual_mg_l": OWN[:-1]},
        {"times_h": TIMES[::-1]},
        {"times_h": (math.nan, *TIMES[1:])},
        {"individual_mg_l": (math.inf, *OWN[1:])},
        {"individual_mg_l": (-1.0, *OWN[1:])},
        {"band_mg_l": (OWN, tuple(0.0 for _ in OWN))},
        {"population_mg_l": OWN[1:]},
        {"interval_h": 0.0},
    ],
)
def test_a_curve_that_cannot_be_drawn_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"curve|band|interval"):
        curve(**changes)


def test_other_values_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="either"):
        DrawnSample("H0", 0.0, None)
    with pytest.raises(ValueError, match="either"):
        DrawnSample("H0", 0.0, 1.0, 0.1)
    with pytest.raises(ValueError, match="finite"):
        DrawnSample("H0", math.nan, 1.0)
    with pytest.raises(ValueError, match="window"):
        NominalWindow("H0", 1.0, 0.0)
    with pytest.raises(ValueError, match="limits"):
        VisitAuc(40.0, 41.0, 50.0)
    with pytest.raises(ValueError, match="both"):
        VisitAuc(40.0, 30.0)
    with pytest.raises(ValueError, match="band"):
        ReferenceBand("nothing", None, None)
    with pytest.raises(ValueError, match="visit"):
        course(VisitAuc(1.0), visits=("a", "b"))
