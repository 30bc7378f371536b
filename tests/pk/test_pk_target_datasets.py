"""Published analyses of two data sets through the report's path, where their R packages are installed.

The data are under the GPL and not part of this project. They are read from the packages r-cran-proc and
r-cran-cutpointr of Debian, from the folder that MPA_R_LIBRARY names (`dpkg -x` is enough: R itself is not needed).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from r_data import data_frames
from target_cases import asked

LIBRARY = Path(os.environ.get("MPA_R_LIBRARY", "/usr/lib/R/site-library"))


def data_set(package: str, column: str) -> dict[str, list[Any]]:
    """The data frame of a package that has this column."""
    folder = LIBRARY / package / "data"
    if not (folder / "Rdata.rdb").exists():
        pytest.skip(f"the R package {package} is not in {LIBRARY}")
    return next(one for one in data_frames(folder) if column in one)


def analysed(package: str, exposure: str, outcome: str, case: str) -> dict[str, Any]:
    data = data_set(package, exposure)
    return asked(data[exposure], [float(one == case) for one in data[outcome]])


def test_ndka_of_aneurysmal_haemorrhage_has_the_limits_of_proc() -> None:
    found = analysed("pROC", "ndka", "outcome", "Poor")
    assert (found["n"], found["n_responders"], found["tier"]) == (113, 41, 4)
    assert found["roc"]["area"] == pytest.approx(0.611957994579946, rel=1e-9)
    assert found["roc"]["ci_delong"] == pytest.approx([0.501244999271703, 0.722670989888189], rel=1e-9)
    assert found["cutpoint"]["value"] == pytest.approx(11.08, abs=0.005)
    assert found["cutpoint"]["closest_topleft"] == pytest.approx(12.73, abs=0.005)


def test_s100b_of_aneurysmal_haemorrhage_has_the_threshold_of_proc() -> None:
    found = analysed("pROC", "s100b", "outcome", "Poor")
    assert found["roc"]["area"] == pytest.approx(0.73137, abs=5e-6)
    assert found["roc"]["ci_delong"] == pytest.approx([0.63012, 0.83262], abs=5e-6)
    assert found["cutpoint"]["value"] == pytest.approx(0.205, rel=1e-9)
    assert found["cutpoint"]["sensitivity"] == pytest.approx(26 / 41, rel=1e-9)
    assert found["cutpoint"]["specificity"] == pytest.approx(58 / 72, rel=1e-9)


def test_suicide_has_the_cut_of_cutpointr() -> None:
    found = analysed("cutpointr", "dsi", "suicide", "yes")
    assert (found["n"], found["n_responders"]) == (532, 36)
    assert found["roc"]["area"] == pytest.approx(0.9238, abs=5e-5)
    cut = found["cutpoint"]
    assert cut["table"] == {"tp": 32, "fp": 68, "fn": 4, "tn": 428}
    assert cut["value"] == 1.5  # midway; cutpointr names the observed value, 2
    assert cut["sensitivity"] == pytest.approx(0.8889, abs=5e-5)
    assert cut["specificity"] == pytest.approx(0.8629, abs=5e-5)
