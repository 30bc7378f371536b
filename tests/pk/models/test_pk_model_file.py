"""A model file is checked whole: every defect at once, each with its key and a remedy."""

import copy
import math
import tomllib
from typing import Any

import pytest
from pk_cases import ROOT

from pk.models.covariance import Flaw, Reading, Spread, flaw
from pk.models.file import model_from_mapping, set_defects
from pk.models.population import PopulationModel, RangeKind
from pk.models.shipped import shipped_models
from pk.values.errors import FileError, ModelError

FOLDER = ROOT / "config" / "models"
TABLES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}
REMOVED = object()


def table(name: str = "mizaki-2023") -> dict[str, Any]:
    return copy.deepcopy(TABLES[name])


def changed(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    """A shipped file's content with other values at paths such as `iiv.CL.printed` or `effects.0.form`."""
    content = table(name)
    for path, value in changes.items():
        *way, last = path.split(".")
        target: Any = content
        for step in way:
            target = target[int(step)] if isinstance(target, list) else target.setdefault(step, {})
        if value is REMOVED:
            del target[last]
        elif isinstance(target, list):
            target[int(last)] = value
        else:
            target[last] = value
    return content


def defects(name: str = "mizaki-2023", /, **changes: Any) -> tuple[str, ...]:
    """The defects after changes; in their names, __ stands for a dot."""
    with pytest.raises(ModelError) as caught:
        model_from_mapping(changed(name, {path.replace("__", "."): value for path, value in changes.items()}))
    return tuple(map(str, caught.value.defects))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_shipped_file_is_sound(name: str) -> None:
    assert model_from_mapping(table(name)).id == name.replace("-", "_")


REQUIRED = (
    "id", "name", "structure", "n_transit", "dose_basis", "formulations", "citation", "population", "typical",
    "typical__CL", "typical__MTT", "iiv", "iiv__CL__printed", "iiv__CL__reading", "error", "error__type",
    "error__prop", "population__n", "covariates__albumin_g_l__unit", "covariates__albumin_g_l__range_is",
    "covariates__albumin_g_l__range",
)  # fmt: skip


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_is_named_with_what_to_give(key: str) -> None:
    found = defects(**{key: REMOVED})
    assert any(line.startswith(f"{key.replace('__', '.')}: missing; give ") for line in found), found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "Mizaki 2023"),
        ("name", ""),
        ("structure", "three_compartments"),
        ("n_transit", 0),
        ("n_transit", 6.5),
        ("n_transit", 101),
        ("dose_basis", "mg"),
        ("dose_basis", "as_given"),  # a file must say what its numbers mean
        ("formulations", ["tablet"]),
        ("formulations", []),
        ("assays", "HPLC"),
        ("lloq_mg_l", 0),
        ("default", "yes"),
        ("citation", " "),
        ("population__n", 3.5),
        ("typical__CL", 0),
        ("typical__CL", -13.15),
        ("typical__V1", math.nan),
        ("typical__V1", math.inf),
        ("typical__ka", "fast"),
        ("typical__ka", True),
        ("iiv__CL__printed", -1),
        ("iiv__CL__printed", math.inf),
        ("iiv__CL__reading", "percent"),
        ("iiv__CL__cap_omega2", 0),
        ("error__type", "exponential"),
        ("error__prop", 0),
        ("covariates__albumin_g_l__unit", "mg/dL"),
        ("covariates__albumin_g_l__reference", 36),  # g/L given as g/dL
        ("covariates__albumin_g_l__range", [3.9, 2.8]),
        ("covariates__albumin_g_l__range", [2.8]),
        ("covariates__albumin_g_l__range_is", "wide"),
        ("covariates__albumin_g_l__required", 1),
        ("effects__0__parameter", "CLL"),
        ("effects__0__form", "exponential"),
        ("effects__0__exponent", "0.78"),
    ],
)
def test_an_unusable_value_is_named_by_key_with_a_remedy(key: str, value: object) -> None:
    path = key.replace("effects__0", "effects[1]").replace("__", ".")
    found = defects(**{key: value})
    assert any(line.startswith(f"{path}: ") and "; " in line for line in found), found


@pytest.mark.parametrize(
    ("name", "changes", "line"),
    [
        ("mizaki-2023", {"colour": 1}, "colour: unknown key; known here: "),
        ("mizaki-2023", {"iiv__CL__cv": 1}, "iiv.CL.cv: unknown key"),
        ("mizaki-2023", {"error__add": 1}, "error.add: unknown key"),
        ("mizaki-2023", {"effects__0__slope": 1}, "effects[1].slope: unknown key"),
        ("mizaki-2023", {"typical__tlag": 0.2}, "typical.tlag: is no parameter of this structure; "),
        ("mizaki-2023", {"typical__k12": 1}, "typical.k21: missing"),
        ("yu-2017", {"typical__V2": 400}, "typical.V2: is no parameter of this structure; "),
        ("yu-2017", {"n_transit": 3}, "n_transit: unknown key"),
        ("de-winter-2008", {"typical__tlag": 12}, "typical.tlag: 12 cannot be used; give hours"),
        ("de-winter-2008", {"typical__tlag": REMOVED}, "iiv.tlag: is 0 here and cannot vary by a factor"),
        ("mizaki-2023", {"iiv__Vx": {"printed": 3, "reading": "cv"}}, "iiv.Vx: is no parameter of the model"),
        ("yu-2017", {"iov__Vx": {"printed": 3, "reading": "cv"}}, "iov.Vx: is no parameter of the model"),
        ("mizaki-2023", {"iiv": {}}, "iiv: empty; give the variability"),
        ("van-hest-2007", {"correlations__0__r": 1}, "correlations[1].r: 1 cannot be used; give a number between"),
        ("van-hest-2007", {"correlations__1__r": -1.0}, "correlations[2].r: -1.0 cannot be used"),
        ("van-hest-2007", {"correlations__0__between": ["V1", "V1"]}, "correlations[1].between: ['V1', 'V1'] cannot"),
        ("van-hest-2007", {"correlations__0__between": ["V1", "V2"]}, "correlations[1].between: ['V1', 'V2'] cannot"),
        ("van-hest-2007", {"correlations__1__between": ["CL", "V1"]}, "correlations[2].between: ('CL', 'V1') is given"),
        ("mizaki-2023", {"covariates__height_cm": {}}, "covariates.height_cm: unknown covariate; known are "),
        ("mizaki-2023", {"effects__0__covariate": "weight_kg"}, "effects[1].covariate: 'weight_kg' is not among"),
        ("mizaki-2023", {"effects": []}, "covariates.albumin_g_l: has no relation; add one"),
        (
            "mizaki-2023",
            {"covariates__albumin_g_l__reference": REMOVED},
            "effects[2].covariate: albumin_g_l needs a reference above 0",
        ),
        ("yu-2017", {"effects__0__slopes": {}}, "effects[1].slopes: empty; give at least one"),
        ("yu-2017", {"effects__0__slopes__height_cm": 1}, "effects[1].slopes.height_cm: is not among [covariates]"),
        ("yu-2017", {"effects__0__intercept": 9}, "effects[1].intercept: at the references CL is 19.32"),
        ("yu-2017", {"covariates__weight_kg__reference": REMOVED}, "effects[1].slopes: weight_kg has no reference"),
        ("yu-2017", {"effects__1__parameter": "CL"}, "effects[2].form: a second sum on this parameter"),
        ("yu-2017", {"covariates__ugt2b7_211__codes__TT": REMOVED}, "covariates.ugt2b7_211.codes.TT: missing"),
        ("van-hest-2005", {"covariates__sex__reference": "female"}, "effects[4].covariate: sex needs codes"),
        ("van-hest-2005", {"covariates__sex__reference": "boy"}, "covariates.sex.reference: 'boy' cannot be used"),
        ("van-hest-2005", {"effects__3__factor": 0}, "effects[4].factor: 0 cannot be used"),
        ("van-hest-2007", {"effects__0__rate_per_h": 0}, "effects[1].rate_per_h: 0 cannot be used"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(name: str, changes: dict[str, Any], line: str) -> None:
    found = defects(name, **changes)
    assert any(one.startswith(line) and "; " in one for one in found), found


def test_a_reference_is_not_judged_in_a_unit_that_is_not_known() -> None:
    (line,) = defects(covariates__albumin_g_l__unit="mg/dL")
    assert line == "covariates.albumin_g_l.unit: 'mg/dL' cannot be used; give one of g/L, g/dL"


def test_correlations_that_no_covariance_can_have_are_refused() -> None:
    found = defects(
        "van-hest-2007",
        iov=REMOVED,
        correlations__0__r=0.9,
        correlations__1__r=0.9,
        correlations__2__r=-0.9,
    )
    assert found == (
        "iiv: with its correlations is not positive definite; correct correlations or variances",
    )


def test_all_defects_are_reported_at_once() -> None:
    found = defects(
        id="X", dose_basis=REMOVED, typical__CL=-1, iiv__V1__reading="x", colour=1, error__prop="a"
    )
    assert [line.split(":")[0] for line in found] == [
        "id", "dose_basis", "error.prop", "typical.CL", "iiv.V1.reading", "colour"
    ]  # fmt: skip


@pytest.mark.parametrize("content", [3, [], "x", None])
def test_what_is_not_a_table_is_refused(content: Any) -> None:
    with pytest.raises(ModelError, match=r"file: .* is not a table"):
        model_from_mapping(content)


def test_a_defect_in_a_model_is_a_defect_of_a_file() -> None:
    assert issubclass(ModelError, FileError)


def test_a_set_needs_ids_of_its_own_and_exactly_one_default() -> None:
    models = shipped_models()
    assert set_defects(models) == ()
    twice: tuple[PopulationModel, ...] = (*models, models[0])
    found = set_defects(twice)
    assert [one.key for one in found] == ["id", "default"]
    assert "mizaki_2023, mizaki_2023 have default = true" in str(found[1])
    assert str(set_defects(models[1:])[0]).startswith("default: no model has default = true; ")


def test_printed_units_become_clinical_ones() -> None:
    model = shipped_models()[0]
    clearance, albumin = model.covariates
    assert clearance.reference == pytest.approx(103.333333)
    assert (clearance.low, clearance.high) == pytest.approx((71.1, 125.0))
    assert (albumin.reference, albumin.low, albumin.high) == (36, 28, 39)
    assert albumin.range_kind is RangeKind.INTERQUARTILE


@pytest.mark.parametrize(
    ("printed", "reading", "variance"),
    [
        (32.23, "cv", 0.09883),
        (86.96, "cv", 0.56315),
        (112, "cv", 0.8129),
        (112, "sd", 1.2544),
        (0.802, "omega2", 0.802),
    ],
)
def test_a_printed_variability_is_read_as_its_file_says(
    printed: float, reading: str, variance: float
) -> None:
    assert Spread(printed, Reading(reading)).variance == pytest.approx(variance, abs=5e-5)


@pytest.mark.parametrize(
    ("matrix", "found"),
    [
        (((1.0,),), None),
        (((1e-12, 0.0), (0.0, 1e12)), None),
        (((1.0, 0.5), (0.5, 1.0)), None),
        (((1.0, 0.5), (0.4, 1.0)), Flaw.NOT_SYMMETRIC),
        (((1.0, 1.0), (1.0, 1.0)), Flaw.NOT_POSITIVE_DEFINITE),
        (((1.0, 1.1), (1.1, 1.0)), Flaw.NOT_POSITIVE_DEFINITE),
        (((0.0,),), Flaw.NOT_POSITIVE_DEFINITE),
        (((-1.0,),), Flaw.NOT_POSITIVE_DEFINITE),
        (((1e-300, 1e300), (1e300, 1.0)), Flaw.NOT_POSITIVE_DEFINITE),
        (((1.0, 0.9, 0.9), (0.9, 1.0, -0.9), (0.9, -0.9, 1.0)), Flaw.NOT_POSITIVE_DEFINITE),
    ],
)
def test_a_covariance_is_symmetric_and_positive_definite(
    matrix: tuple[tuple[float, ...], ...], found: Flaw | None
) -> None:
    assert flaw(matrix) is found
