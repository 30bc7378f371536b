"""The catalogue of equations: what is shipped, and how a defective file is refused."""

import math
import tomllib
from typing import Any

import pytest
from pk_cases import CATALOGUE, PAWINSKI, REGRESSIONS, pawinski_table

from pk.regression.equation import equations_from_mapping
from pk.values.errors import EquationError, PkError
from pk.values.file_defect import FileDefect, phrase
from pk.values.profile import Formulation


def defects(**changes: Any) -> tuple[str, ...]:
    """The defects found in the Pawinski table after changes; None removes a key."""
    table = pawinski_table()
    for key, value in changes.items():
        inner, *rest = key.split("__")
        target = table
        for name in rest:
            target, inner = target[inner], name
        target[inner] = value
        if value is None:
            del target[inner]
    with pytest.raises(EquationError) as caught:
        equations_from_mapping({"equation": [table]})
    return tuple(str(one).removeprefix("equation[1].") for one in caught.value.defects)


def test_the_shipped_coefficients_are_the_published_ones() -> None:
    shipped = {e.id: (e.intercept_mg_h_l, {t.timepoint: t.coefficient_h for t in e.terms}) for e in CATALOGUE}
    assert shipped == {
        "pawinski_2002": (7.75, {"H0": 6.49, "H30": 0.76, "H2": 2.43}),
        "chaigne_2014": (8.5, {"H30": 0.77, "H2": 4.0, "H4": 1.7}),
        "attard_chen_2014": (9.1, {"H0": 5.7, "M20": 1.1, "H2": 2.1}),
    }


def test_every_shipped_equation_is_for_mmf_every_12_h_at_steady_state_and_cites_its_source() -> None:
    for equation in CATALOGUE:
        assert (equation.formulation, equation.interval_h, equation.min_days_unchanged) == (
            Formulation.MMF,
            12,
            7,
        )
        assert "20" in equation.source and len(equation.source) > 80


def test_the_windows_are_the_study_teams() -> None:
    assert {t.timepoint: t.window_min for t in PAWINSKI.terms} == {
        "H0": (-60, 0), "H30": (20, 40), "H2": (110, 130)
    }  # fmt: skip


def test_timepoints_are_in_order_of_time_whatever_the_order_in_the_file() -> None:
    table = pawinski_table()
    table["terms"] = dict(reversed(table["terms"].items()))
    assert equations_from_mapping({"equation": [table]}) == (PAWINSKI,)
    assert [term.timepoint for term in PAWINSKI.terms] == ["H0", "H30", "H2"]


def test_the_file_says_which_fields_the_study_team_chose() -> None:
    header = REGRESSIONS.read_text("utf-8").split("[[equation]]")[0]
    assert "study team" in header and "tolerance" in header and "min_days_unchanged" in header


@pytest.mark.parametrize("key", sorted(pawinski_table()))
def test_a_missing_key_is_named_with_what_to_give(key: str) -> None:
    assert any(line.startswith(f"{key}: missing; give ") for line in defects(**{key: None}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "Not An Id"),
        ("name", "  "),
        ("quantity", "Cmax"),
        ("intercept", "7.75"),
        ("intercept", True),
        ("intercept", math.nan),
        ("intercept", math.inf),
        ("intercept", 10**400),
        ("formulation", "tablet"),
        ("interval_h", 0),
        ("min_days_unchanged", -1),
        ("assays", "HPLC"),
        ("assays", []),
        ("assays", [1]),
        ("population", "adults"),
        ("population__n", 0),
        ("population__n", 20.5),
        ("terms", []),
        ("terms__H30", "much"),
        ("timepoints__H30", 30),
        ("timepoints__H30__nominal_min", -30),
        ("timepoints__H30__tolerance_lower_min", -1),
    ],
)
def test_an_unusable_value_is_named_by_key_with_a_remedy(key: str, value: object) -> None:
    path = key.replace("__", ".")
    found = defects(**{key: value})
    assert any(line.startswith(f"{path}: ") and "; " in line for line in found), found


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"coefficient": 1}, "coefficient: unknown key; known here: "),
        ({"population__age": 40}, "population.age: unknown key"),
        ({"timepoints__H2__about": 1}, "timepoints.H2.about: unknown key"),
        ({"terms": {}}, "terms: empty; give at least one"),
        ({"timepoints__H2": None}, "timepoints.H2: missing; give "),
        ({"terms__H2": None}, "timepoints.H2: has no coefficient; "),
        ({"timepoints__H0__tolerance_upper_min": 5}, "timepoints.H0.tolerance_upper_min: a pre-dose sample"),
        ({"timepoints__H30__tolerance_lower_min": 30}, "timepoints.H30.tolerance_lower_min: the window"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, object], line: str) -> None:
    assert any(found.startswith(line) for found in defects(**changes))


def test_all_defects_are_reported_at_once() -> None:
    found = defects(id="X", intercept="a", interval_h=None, terms__H0=None, extra=1)
    assert len(found) == 5


def test_all_defects_of_all_equations_are_reported_at_once_by_position() -> None:
    document = tomllib.loads(REGRESSIONS.read_text("utf-8"))
    document["equation"][0]["intercept"] = "a"
    document["equation"][2]["population"]["n"] = -1
    document["equations"] = []
    with pytest.raises(EquationError) as caught:
        equations_from_mapping(document)
    assert [one.key for one in caught.value.defects] == [
        "equations",
        "equation[1].intercept",
        "equation[3].population.n",
    ]


@pytest.mark.parametrize("document", [{}, {"equation": []}, {"equation": {}}, {"equation": "x"}])
def test_a_file_without_equations_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(EquationError, match="write one"):
        equations_from_mapping(document)


def test_what_is_not_a_table_is_refused() -> None:
    with pytest.raises(EquationError, match=r"equation\[1\]: 3 is not a table"):
        equations_from_mapping({"equation": [3]})


def test_one_id_is_used_once() -> None:
    with pytest.raises(EquationError, match="more than once"):
        equations_from_mapping({"equation": [pawinski_table(), pawinski_table()]})


def test_an_equation_error_is_a_value_error_that_prints_its_defects() -> None:
    first = FileDefect("a", phrase("{name}.", name="b"), phrase("C."))
    error = EquationError((first, FileDefect("d", phrase("e."), phrase("F."))))
    assert isinstance(error, ValueError) and isinstance(error, PkError)
    assert str(error) == "a: b; c\nd: e; f"
