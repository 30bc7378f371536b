"""Occasions, equations and Hypothesis strategies for the tests of `pk`."""

import copy
import csv
import json
import math
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from pk.regression.equation import Equation, equations_from_mapping
from pk.values.profile import Dosing, Formulation, Occasion, Sample

ROOT = Path(__file__).resolve().parents[2]
REGRESSIONS = ROOT / "config" / "regressions.toml"
DATA = Path(__file__).parent / "data"

CATALOGUE: tuple[Equation, ...] = equations_from_mapping(tomllib.loads(REGRESSIONS.read_text("utf-8")))
PAWINSKI, CHAIGNE, ATTARD = CATALOGUE

STEADY = Dosing(Formulation.MMF, dose_mg=1000.0, interval_h=12.0, days_unchanged=30.0)


def h0(conc: float | None = 2.0, time_min: float = -5.0, **flags: Any) -> Sample:
    return Sample("H0", time_min / 60, conc, **flags)


def h30(conc: float | None = 10.0, time_min: float = 30.0, **flags: Any) -> Sample:
    return Sample("H30", time_min / 60, conc, **flags)


def h2(conc: float | None = 6.0, time_min: float = 120.0, **flags: Any) -> Sample:
    return Sample("H2", time_min / 60, conc, **flags)


def occasion(*samples: Sample, dosing: Dosing = STEADY, assay: str | None = "HPLC") -> Occasion:
    return Occasion(samples or (h0(), h30(), h2()), dosing, assay)


def pawinski_table() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(REGRESSIONS.read_text("utf-8"))["equation"][0]
    return copy.deepcopy(table)


def codes(reasons: tuple[Any, ...]) -> list[str]:
    return [reason.code for reason in reasons]


def read_profiles(name: str) -> dict[int, tuple[list[float], list[float]]]:
    """Times (h) and concentrations of each subject of a data file."""
    profiles: dict[int, tuple[list[float], list[float]]] = {}
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            times, concs = profiles.setdefault(int(row["subject"]), ([], []))
            times.append(float(row["time_h"]))
            concs.append(float(row["conc_mg_l"]))
    return profiles


def lines(*records: object) -> bytes:
    """JSON lines; bytes stand as they are."""
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in records) + b"\n"


one_record = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
"""For a reference test of Hypothesis: its agreement goes on through all examples, as it should."""

positive = st.floats(1e-6, 200.0)
concentrations = st.one_of(st.just(0.0), positive)


@st.composite
def profiles(
    draw: st.DrawFn, values: st.SearchStrategy[float] = concentrations
) -> tuple[list[float], list[float]]:
    """Increasing times and as many concentrations."""
    gaps = draw(st.lists(st.floats(0.01, 6.0), min_size=1, max_size=12))
    times = [math.fsum(gaps[:i]) for i in range(len(gaps) + 1)]
    return times, draw(st.lists(values, min_size=len(times), max_size=len(times)))


anything = st.floats(allow_nan=True, allow_infinity=True)
any_sample = st.builds(
    Sample,
    st.sampled_from(["H0", "H30", "H2", "H4", "M20"]),
    st.one_of(st.floats(-1.0, 5.0), anything),
    st.one_of(st.none(), concentrations, anything),
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.floats(0.05, 0.5), anything),
)
any_dosing = st.builds(
    Dosing,
    st.sampled_from(Formulation),
    st.one_of(st.none(), anything),
    st.one_of(st.none(), st.just(12.0), anything),
    st.one_of(st.none(), st.just(30.0), anything),
)
any_occasion = st.builds(
    Occasion,
    st.lists(any_sample, max_size=6).map(tuple),
    any_dosing,
    st.one_of(st.none(), st.sampled_from(["HPLC", "EMIT", ""])),
)

# Sound in shape, with numbers up to the largest float: the area may overflow, never turn into NaN.
three_samples = st.builds(
    lambda c0, c30, c2, t30, t2, low, lloq: occasion(
        h0(c0, below_lloq=low, lloq_mg_l=lloq), h30(c30, t30), h2(c2, t2)
    ),
    st.floats(0, 1.7e308),
    st.floats(0, 1.7e308),
    st.floats(0, 1.7e308),
    st.floats(20, 40),
    st.floats(110, 130),
    st.booleans(),
    st.one_of(st.none(), st.floats(0.05, 1e308)),
)
