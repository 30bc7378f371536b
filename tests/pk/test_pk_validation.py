"""docs/validation.md lists the reference tests that exist, and an agreement is only what agrees."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agreement import Agreement, Comparison, Method
from validation import PAGE, ROOT, Row, listed, page

ONE = Comparison(Method.NCA.value, "an area", "a book")
OTHER = Comparison(Method.MAP.value, "a mode", "a search")


@pytest.mark.process
def test_the_page_lists_exactly_the_reference_tests_that_exist() -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("validation.py")), "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"make validation\n{done.stderr or done.stdout}"


def test_every_method_is_on_the_page() -> None:
    assert {one.method for one in listed(PAGE.read_text("utf-8"))} == {method.value for method in Method}


def test_what_a_page_lists_is_what_it_was_made_of() -> None:
    assert listed(page({ONE: Row(values=1), OTHER: Row(values=2)}, "today.")) == {ONE, OTHER}
    assert listed(page({ONE: Row(values=1)}, "today.")) == {ONE}


def test_a_row_is_the_worst_of_its_tests() -> None:
    first, second, row = Agreement(), Agreement(), Row()
    first([1.0, 2.0], [1.0, 2.001], rel=1e-2)
    second(0.0, 0.1, rel=1e-9, within=0.5, unit="mg/L")
    second.not_above(3.0, 4.0, within=1e-6)
    for one in (first, second):
        row.add(one.record())
    values, deviation, allowed, used = row.cells()
    assert (values, deviation) == ("4", "5e-4, none above")
    assert (allowed, used) == ("1e-9 to 0.01; 1e-6 above; 0.5 mg/L", "20 %")


@pytest.mark.parametrize(
    ("found", "expected", "allowed"),
    [
        (1.0, 1.1, {"rel": 0.05}),
        (1.0, 1.1, {"within": 0.05}),
        (1.0, 1.1, {"rel": 0.05, "within": 0.05}),
        (1.0, math.nextafter(1.0, 2.0), {}),
        (math.nan, 1.0, {"rel": 1.0}),
        (1.0, math.nan, {"rel": 1.0}),
        ([1.0, 2.0], [1.0, 3.0], {"rel": 0.1}),
        ([1.0, 2.0], [1.0], {"rel": 0.1}),
    ],
)
def test_what_does_not_agree_is_no_agreement(found: Any, expected: Any, allowed: dict[str, float]) -> None:
    with pytest.raises(AssertionError):
        Agreement()(found, expected, **allowed)


def test_a_printed_number_may_differ_by_half_of_its_last_decimal() -> None:
    found = Agreement()
    found.printed(1.2345, "1.23")
    found.printed(1.2349, "1.234", cut=True)
    for other, cut in ((1.236, False), (1.221, False), (1.2405, True), (math.nan, True)):
        with pytest.raises(AssertionError):
            found.printed(other, "1.23", cut=cut)
    assert found.values == 2


@pytest.mark.parametrize(("found", "bound"), [(1.1, 1.0), (math.nan, 1.0), (1.0, math.nan), (1.0, math.inf)])
def test_a_search_that_found_less_or_nothing_is_no_agreement(found: float, bound: float) -> None:
    with pytest.raises(AssertionError):
        Agreement().not_above(found, bound, within=1e-6)
